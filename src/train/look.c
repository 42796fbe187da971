/* SPDX-License-Identifier: Apache-2.0 */
#include "train/look.h"
#include "base/memory.h"
#include "io/picture.h"
#include "train/freeze.h"
#include "train/grad_cam.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MAPS = 64, MAX_CLASSES = 3, CAPTION = 160 };

/* ---- the example ---------------------------------------------------------------------------------------------------- */

static uint8_t level(double v) {
    return v > 0 ? v < 1 ? (uint8_t)lrint(255 * v) : 255 : 0;
}

/* The example's own numbers as a picture, not what preprocessing makes of them. */
static Status read_picture(Look *look, uint64_t row) {
    const Setup *setup = &look->trained.setup;
    const Shape *shape = &setup->info->shape;
    Real *raw;
    if (shape->rank != 3)
        return STATUS_OK;
    size_t places = shape->dim[0] * shape->dim[1], channels = shape->dim[2];
    TRY(memory_new(&raw, places * channels, "example"));
    Status status = memory_new(&look->rgb, places * 3, "example");
    if (status == STATUS_OK)
        status = dataset_read(setup->data, look->trained.split, &row, 1, NULL, raw, NULL);
    for (size_t i = 0; status == STATUS_OK && i < places; i++)
        for (size_t c = 0; c < 3; c++)
            look->rgb[3 * i + c] = level((double)raw[i * channels + (channels >= 3 ? c : 0)] / setup->info->value_max);
    memory_free(raw);
    return status;
}

static const char *class_name(const Look *look, size_t class, char text[CAPTION]) {
    const Trained *t = &look->trained;
    if (class < t->class_count)
        snprintf(text, CAPTION, "%s", t->class_names[class]);
    else
        snprintf(text, CAPTION, "class %zu", class);
    return text;
}

static Status read_label(Look *look, uint64_t row) {
    const DatasetInfo *info = look->trained.setup.info;
    Real class, *labels[64] = {&class};
    char text[CAPTION];
    if (info->label_count == 0 || info->label_count > 64 || info->labels[0].kind != LABEL_CLASS ||
        info->labels[0].shape.rank > 0)
        return STATUS_OK;
    TRY(dataset_read(look->trained.setup.data, look->trained.split, &row, 1, NULL, NULL, labels));
    snprintf(look->label, sizeof look->label, "%s", class_name(look, (size_t) class, text));
    return STATUS_OK;
}

static Status read_example(Look *look) {
    const Setup *setup = &look->trained.setup;
    const SamplerView *view = &look->trained.view;
    size_t index = look->arguments->index;
    if (index >= view->count)
        return status_fail(STATUS_USAGE, "--index %zu: the %s data has %llu examples, 0 to %llu", index,
                           dataset_split_names[look->trained.asked], (unsigned long long)view->count,
                           (unsigned long long)view->count - 1);
    uint64_t row = sampler_row(view, index);
    TRY(memory_new(&look->x, shape_count(&setup->info->shape), "example"));
    TRY(dataset_read(setup->data, look->trained.split, &row, 1, &setup->preprocess, look->x, NULL));
    TRY(read_picture(look, row));
    return read_label(look, row);
}

/* ---- opening -------------------------------------------------------------------------------------------------------- */

/* The network's value at a node, for the example. */
static const Real *run_to(Look *look, int node) {
    const Trained *t = &look->trained;
    const Real *inputs[SETUP_MAX_INPUTS];
    LoaderBatch batch = {.n = 1, .x = look->x};
    Plan *plan = replica_plan_part(t->replica, PASS_PREDICT, 1, (PlanPart){.to = node});
    setup_inputs(&t->setup, &batch, inputs);
    ExecutorRun run = {.inputs = inputs, .weights_version = 1};
    executor_forward(plan, &run);
    return executor_value(plan, &run, node);
}

/* --layer, else the maps of the first convolution; -1: there is none. */
static Status choose_maps(const Look *look, int *node) {
    const Graph *graph = look->trained.setup.graph;
    const Model *model = look->trained.setup.model;
    const char *name = look->arguments->layer;
    int layer = name[0] ? model_find_layer(model, name) : -1;
    *node = layer >= 0 ? look->layer_nodes[layer] : -1;
    if (name[0] && layer < 0)
        return freeze_unknown(model, "layer", name);
    for (size_t l = 0; *node < 0 && l < model->layer_count; l++) {
        int end = look->layer_nodes[l], first = end;
        while (graph->nodes[first].op.inputs == 1 && graph->nodes[first].op.kind != OP_CONV2D &&
               strcmp(graph->nodes[graph->nodes[first].inputs[0]].layer, graph->nodes[end].layer) == 0)
            first = graph->nodes[first].inputs[0]; /* a layer's activation is a node of its own */
        if (graph->nodes[first].op.kind == OP_CONV2D && graph->nodes[end].op.y.rank == 3)
            *node = end;
    }
    return STATUS_OK;
}

static Status prepare(Look *look) {
    Trained *t = &look->trained;
    int maps;
    TRY(memory_new(&look->layer_nodes, t->setup.model->layer_count, "network"));
    TRY(setup_graph_to_predict(&t->setup, look->layer_nodes));
    TRY(choose_maps(look, &maps));
    TRY(replica_create(t->setup.graph, t->plan, &t->replica));
    TRY(replica_prepare_part(t->replica, PASS_PREDICT, 1, (PlanPart){.to = t->setup.graph->outputs[0].node}));
    if (maps > 0)
        TRY(replica_prepare_part(t->replica, PASS_PREDICT, 1, (PlanPart){.to = maps}));
    TRY(replica_ready(t->replica));
    return read_example(look);
}

Status look_open(Dist *dist, const LookArguments *arguments, Look *out) {
    *out = (Look){.arguments = arguments};
    TRY(trained_open(dist, &arguments->trained, &out->trained));
    TRY(dist_agree(dist, prepare(out)));
    TRY(trained_load(&out->trained));
    out->output = run_to(out, out->trained.setup.graph->outputs[0].node);
    return STATUS_OK;
}

void look_close(Look *look) {
    trained_close(&look->trained);
    memory_free(look->layer_nodes);
    memory_free(look->x);
    memory_free(look->rgb);
    *look = (Look){.arguments = NULL};
}

static PictureCell input_cell(const Look *look) {
    const Shape *shape = &look->trained.setup.info->shape;
    return (PictureCell){.height = look->rgb ? shape->dim[0] : 0,
                         .width = look->rgb ? shape->dim[1] : 0,
                         .rgb = look->rgb,
                         .caption = {look->label[0] ? look->label : "input"}};
}

/* ---- maps of a layer ------------------------------------------------------------------------------------------------ */

/* Channel k of maps [places][channels] from black to white. */
static void draw_map(const Real *maps, size_t places, size_t channels, size_t k, uint8_t *rgb) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < places; i++) {
        low = fmin(low, (double)maps[i * channels + k]);
        high = fmax(high, (double)maps[i * channels + k]);
    }
    for (size_t i = 0; i < places; i++)
        memset(rgb + 3 * i, level(high > low ? ((double)maps[i * channels + k] - low) / (high - low) : 0), 3);
}

Status look_features(Look *look, PlotStyle style, unsigned char **bytes, size_t *size) {
    const Graph *graph = look->trained.setup.graph;
    PictureCell cells[MAX_MAPS + 1];
    char captions[MAX_MAPS][16], title[CAPTION + 64];
    uint8_t *rgb;
    int node = -1;
    *bytes = NULL;
    TRY(choose_maps(look, &node));
    if (node <= 0 || graph->nodes[node].op.y.rank != 3)
        return status_fail(STATUS_USAGE, "layer %s has no maps [height, width, channels]. Choose another --layer",
                           node > 0 ? graph->nodes[node].layer : look->arguments->layer);
    const Shape *shape = &graph->nodes[node].op.y;
    size_t places = shape->dim[0] * shape->dim[1], channels = shape->dim[2];
    size_t count = channels < MAX_MAPS ? channels : MAX_MAPS;
    TRY(memory_new(&rgb, count * places * 3, "maps"));
    const Real *maps = run_to(look, node);
    cells[0] = input_cell(look);
    for (size_t k = 0; k < count; k++) {
        draw_map(maps, places, channels, k, rgb + k * places * 3);
        snprintf(captions[k], sizeof captions[k], "%zu", k);
        cells[k + 1] = (PictureCell){shape->dim[0], shape->dim[1], rgb + k * places * 3, {captions[k]}, PICTURE_BLACK};
    }
    snprintf(title, sizeof title, "Layer %s: %s%zu maps of %zu x %zu", graph->nodes[node].layer,
             count < channels ? "the first 64 of " : "", channels, shape->dim[0], shape->dim[1]);
    Status status = picture_render(&(PictureSheet){.title = title, .cells = cells, .count = count + 1}, style.format,
                                   style.name, bytes, size);
    memory_free(rgb);
    return status;
}

/* ---- Grad-CAM ------------------------------------------------------------------------------------------------------- */

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
    const Shape *shape = &look->trained.setup.info->shape;
    double highest = 0, colour[3];
    for (size_t i = 0; i < cam->height * cam->width; i++)
        highest = fmax(highest, cam->map[i]);
    for (size_t y = 0; y < shape->dim[0]; y++)
        for (size_t x = 0; x < shape->dim[1]; x++) {
            size_t at = 3 * (y * shape->dim[1] + x);
            double v = map_at(cam, highest, y, x, shape->dim[0], shape->dim[1]), weight = 0.7 * v;
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
    char captions[MAX_CLASSES][2][CAPTION + 32];
    uint8_t *rgb; /* [classes][2][height][width][3] */
} CamSheet;

static Status add_class(Look *look, int node, size_t class, size_t row, CamSheet *sheet) {
    const Trained *t = &look->trained;
    const Shape *shape = &t->setup.info->shape;
    size_t bytes = shape->dim[0] * shape->dim[1] * 3;
    uint8_t *alone = sheet->rgb + 2 * row * bytes, *over = alone + bytes;
    char name[CAPTION];
    GradCam cam;
    TRY(grad_cam(t->setup.graph, t->replica->weights, look->x, node, class, &t->plan, &cam));
    draw_cam(look, &cam, alone, over);
    memory_free(cam.map);
    snprintf(sheet->captions[row][0], sizeof sheet->captions[row][0], "%s: %.1f %%", class_name(look, class, name),
             100 * probability(look, class));
    snprintf(sheet->captions[row][1], sizeof sheet->captions[row][1], "map, score %.3g", cam.score);
    PictureCell *cells = sheet->cells + 3 * row;
    cells[0] = input_cell(look);
    cells[1] = (PictureCell){shape->dim[0], shape->dim[1], alone, {sheet->captions[row][1]}, PICTURE_BLACK};
    cells[2] = (PictureCell){shape->dim[0], shape->dim[1], over, {sheet->captions[row][0]}, PICTURE_BLACK};
    return STATUS_OK;
}

static Status choose_cam_node(const Look *look, int *node) {
    *node = grad_cam_node(look->trained.setup.graph);
    if (look->arguments->layer[0])
        TRY(choose_maps(look, node));
    return *node > 0 ? STATUS_OK : status_fail(STATUS_USAGE, "the network has no convolution to look at");
}

Status look_grad_cam(Look *look, PlotStyle style, unsigned char **bytes, size_t *size) {
    const Shape *shape = &look->trained.setup.info->shape;
    CamSheet sheet;
    size_t classes[MAX_CLASSES], count;
    int node;
    char title[CAPTION + 64];
    *bytes = NULL;
    if (look->rgb == NULL)
        return status_fail(STATUS_USAGE, "Grad-CAM is drawn over images, and the data holds none");
    TRY(choose_cam_node(look, &node));
    TRY(choose_classes(look, classes, &count));
    TRY(memory_alloc(count * 2 * 3, shape->dim[0] * shape->dim[1], "maps", (void **)&sheet.rgb));
    Status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++)
        status = add_class(look, node, classes[k], k, &sheet);
    snprintf(title, sizeof title, "Grad-CAM of layer %s", look->trained.setup.graph->nodes[node].layer);
    if (status == STATUS_OK)
        status = picture_render(
            &(PictureSheet){.title = title, .cells = sheet.cells, .count = 3 * count, .columns = 3, .side = 256},
            style.format, style.name, bytes, size);
    memory_free(sheet.rgb);
    return status;
}
