/* SPDX-License-Identifier: Apache-2.0
 *
 * Grad-CAM as a sheet. */
#include "base/memory.h"
#include "data/sheet.h"
#include "train/freeze.h"
#include "train/grad_cam.h"
#include "train/look_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 3, TITLE = 256 };

static uint8_t level(double v) {
    return v > 0 ? v < 1 ? (uint8_t)lrint(255 * v) : 255 : 0;
}

/* From black over purple and orange to yellow: five colours of matplotlib's "inferno", between them straight. */
static void heat(double v, double colour[3]) {
    static const double stops[5][3] = {
        {0, 0, 0.016}, {0.341, 0.063, 0.431}, {0.737, 0.216, 0.333}, {0.976, 0.557, 0.035}, {0.988, 1, 0.643}};
    int k = v < 1 ? (int)(4 * v) : 3;
    for (int c = 0; c < 3; c++)
        colour[c] = stops[k][c] + (4 * v - k) * (stops[k + 1][c] - stops[k][c]);
}

/* The map at place (y, x) of a picture of height x width: bilinear between the centres of the map's places, 0 to 1. */
static double map_at(const GradCam *cam, double highest, size_t y, size_t x, size_t height, size_t width) {
    double at[2] = {((double)y + 0.5) / (double)height * (double)cam->height - 0.5,
                    ((double)x + 0.5) / (double)width * (double)cam->width - 0.5};
    size_t extent[2] = {cam->height, cam->width}, low[2], high[2];
    double part[2];
    for (int k = 0; k < 2; k++) {
        at[k] = fmin(fmax(at[k], 0), (double)extent[k] - 1);
        low[k] = (size_t)at[k];
        high[k] = low[k] + 1 < extent[k] ? low[k] + 1 : low[k];
        part[k] = at[k] - (double)low[k];
    }
    const double *top = cam->map + low[0] * cam->width, *bottom = cam->map + high[0] * cam->width;
    double upper = top[low[1]] + part[1] * (top[high[1]] - top[low[1]]);
    double lower = bottom[low[1]] + part[1] * (bottom[high[1]] - bottom[low[1]]);
    return highest > 0 ? (upper + part[0] * (lower - upper)) / highest : 0;
}

/* The map as it is, and over the example: the more a place counts, the less is seen of the picture. */
static void draw_cam(const Look *look, const GradCam *cam, uint8_t *alone, uint8_t *over) {
    double highest = 0, colour[3];
    for (size_t i = 0; i < cam->height * cam->width; i++)
        highest = fmax(highest, cam->map[i]);
    for (size_t y = 0; y < look->height; y++)
        for (size_t x = 0; x < look->width; x++) {
            size_t at = 3 * (y * look->width + x);
            double v = map_at(cam, highest, y, x, look->height, look->width), weight = 0.7 * v;
            heat(v, colour);
            for (size_t c = 0; c < 3; c++) {
                alone[at + c] = level(colour[c]);
                over[at + c] = level((1 - weight) * look->rgb[at + c] / 255 + weight * colour[c]);
            }
        }
}

static size_t output_count(const Look *look) {
    const Graph *graph = look->trained.setup.graph;
    return shape_count(&graph->nodes[graph->outputs[0].node].op.y);
}

/* Of a class; one number is the probability of class 1. */
static double probability(const Look *look, size_t class) {
    double p = (double)look->output[output_count(look) == 1 ? 0 : class];
    return output_count(look) == 1 && class == 0 ? 1 - p : p;
}

/* --class, by number or name, else the likeliest. */
static Status choose_classes(const Look *look, size_t classes[MAX_CLASSES], size_t *count) {
    const char *asked = look->arguments->classes;
    size_t all = output_count(look) == 1 ? 2 : output_count(look);
    char *end;
    *count = 1;
    for (size_t c = 0; asked[0] && c < look->trained.class_count; c++)
        if (strcmp(look->trained.class_names[c], asked) == 0) {
            classes[0] = c;
            return STATUS_OK;
        }
    classes[0] = strtoull(asked, &end, 10);
    if (asked[0])
        return *end == '\0' && end > asked && asked[0] != '-'
                   ? STATUS_OK
                   : status_fail(STATUS_USAGE, "--class %s: no class of that name, and no number", asked);
    for (*count = 0; *count < MAX_CLASSES && *count < all; ++*count) {
        size_t best = SIZE_MAX;
        for (size_t c = 0; c < all; c++) {
            bool taken = false;
            for (size_t k = 0; k < *count; k++)
                taken = taken || classes[k] == c;
            if (!taken && (best == SIZE_MAX || probability(look, c) > probability(look, best)))
                best = c;
        }
        classes[*count] = best;
    }
    return STATUS_OK;
}

typedef struct CamSheet {
    PictureCell cells[3 * MAX_CLASSES];
    char said[MAX_CLASSES][2][SHEET_CAPTION], scores[MAX_CLASSES][64];
    uint8_t *rgb; /* [classes][2][height][width][3] */
} CamSheet;

static Status add_class(Look *look, int node, size_t class, size_t row, CamSheet *sheet) {
    const Trained *t = &look->trained;
    size_t bytes = look->height * look->width * 3;
    uint8_t *alone = sheet->rgb + 2 * row * bytes, *over = alone + bytes;
    char name[SHEET_CAPTION];
    GradCam cam;
    TRY(grad_cam(t->setup.graph, t->replica->weights, look->x, node, class, &t->plan, &cam));
    draw_cam(look, &cam, alone, over);
    memory_free(cam.map);
    snprintf(sheet->scores[row], sizeof sheet->scores[row], "map, score %.3g", cam.score);
    PictureCell *cells = sheet->cells + 3 * row;
    cells[0] = look__cell(look);
    cells[1] = (PictureCell){look->height, look->width, alone, {sheet->scores[row]}, PICTURE_BLACK};
    cells[2] = (PictureCell){look->height, look->width, over, {NULL}, PICTURE_BLACK};
    sheet_say(probability(look, class), look__class(look, class, name), PICTURE_BLACK, NULL, sheet->said[row],
              &cells[2]);
    return STATUS_OK;
}

static Status choose_node(const Look *look, int *node) {
    *node = grad_cam_node(look->trained.setup.graph);
    if (look->arguments->layer[0])
        TRY(look__choose_maps(look, node));
    return *node > 0 ? STATUS_OK : status_fail(STATUS_USAGE, "the network has no convolution to look at");
}

Status look_grad_cam(Look *look, PlotStyle style, unsigned char **bytes, size_t *size) {
    CamSheet sheet;
    size_t classes[MAX_CLASSES], count;
    int node;
    char title[TITLE];
    *bytes = NULL;
    if (look->rgb == NULL)
        return status_fail(STATUS_USAGE, "Grad-CAM is drawn over images, and the data holds none");
    TRY(choose_node(look, &node));
    TRY(choose_classes(look, classes, &count));
    TRY(memory_alloc(count * 2 * 3, look->height * look->width, "maps", (void **)&sheet.rgb));
    Status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++)
        status = add_class(look, node, classes[k], k, &sheet);
    snprintf(title, sizeof title, "Grad-CAM of layer %.100s, %.100s", look->trained.setup.graph->nodes[node].layer,
             look->name);
    if (status == STATUS_OK)
        status = picture_render(
            &(PictureSheet){.title = title, .cells = sheet.cells, .count = 3 * count, .columns = 3, .side = LOOK_SIDE},
            style.format, style.name, bytes, size);
    memory_free(sheet.rgb);
    return status;
}
