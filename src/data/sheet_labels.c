/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "data/sheet.h"
#include "io/picture.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CAPTION = SHEET_CAPTION };

void sheet_say(double probability, const char *said, PictureColour verdict, const char *truth, char text[2][CAPTION],
               PictureCell *cell) {
    snprintf(text[0], CAPTION, "%.*f%% %.100s", probability < 0.0995, 100 * probability, said);
    cell->caption[0] = text[0];
    cell->colour = verdict;
    if (verdict != PICTURE_RED)
        return;
    snprintf(text[1], CAPTION, "is %.100s", truth);
    cell->caption[1] = text[1];
}

static void range(const Real *x, size_t count, Real *low, Real *high) {
    *low = *high = x[0];
    for (size_t i = 0; i < count; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
    }
}

static void stretch(Real *x, size_t count, Real low, Real high) {
    for (size_t i = 0; i < count; i++)
        x[i] = high > low ? (x[i] - low) / (high - low) : 0;
}

/* Numbers to 0..1: pixels by their largest value, others by what the examples shown have. */
static void scale(const DatasetInfo *info, Real *x, size_t count) {
    Real low = 0, high = (Real)info->value_max;
    if (!info->is_uint8)
        range(x, count, &low, &high);
    stretch(x, count, low, high);
}

Status sheet_example(Dataset *dataset, DatasetSplit split, uint64_t row, uint8_t *rgb) {
    const DatasetInfo *info = dataset_info(dataset);
    size_t count = shape_count(&info->shape);
    char text[SHAPE_TEXT];
    Real *x, low = 0, high = (Real)info->value_max;
    if (info->shape.rank != 3)
        return status_fail(STATUS_USAGE,
                           "%s: examples of %s cannot be drawn: they are no images [height, width, channels]",
                           info->path, shape_format(&info->shape, text));
    TRY(memory_new(&x, count, "an example"));
    Status status = dataset_read(dataset, split, &row, 1, NULL, x, NULL);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        if (!(x[i] >= 0 && x[i] <= high)) {
            range(x, count, &low, &high);
            break;
        }
    if (status == STATUS_OK) {
        stretch(x, count, low, high);
        sheet_pixels(&info->shape, x, rgb);
    }
    memory_free(x);
    return status;
}

/* The class, by its name where it has one; of several labels that are set, the first. */
static void write_caption(const DatasetInfo *info, const Real *label, char caption[CAPTION]) {
    const DatasetLabel *about = &info->labels[0];
    size_t class = 0;
    if (about->kind == LABEL_CLASS)
        class = (size_t)label[0];
    else
        while (about->kind != LABEL_NUMBERS && class + 1 < about->classes && label[class] == 0)
            class ++;
    if (about->kind == LABEL_NUMBERS)
        snprintf(caption, CAPTION, "%.4g", (double)label[0]);
    else if (class < info->class_name_count)
        snprintf(caption, CAPTION, "%s", info->class_names[class]);
    else
        snprintf(caption, CAPTION, "%zu", class);
}

typedef struct Cells {
    uint64_t *rows;
    Real *x, *labels;
    uint8_t *rgb;
    char (*captions)[CAPTION];
    PictureCell *cells;
} Cells;

static Status fill(Dataset *dataset, DatasetSplit split, size_t count, Cells *c) {
    const DatasetInfo *info = dataset_info(dataset);
    size_t width = shape_count(&info->shape), pixels = info->shape.dim[0] * info->shape.dim[1] * 3;
    bool captions = info->label_count > 0 && info->labels[0].shape.rank <= 1 && info->labels[0].kind != LABEL_WEIGHT;
    size_t one = captions ? shape_count(&info->labels[0].shape) : 1;
    TRY(memory_new(&c->rows, count, "rows"));
    TRY(memory_new(&c->x, count * width, "examples"));
    TRY(memory_alloc(count, pixels, "sheet", (void **)&c->rgb));
    TRY(memory_alloc(count, CAPTION, "captions", (void **)&c->captions));
    TRY(memory_new(&c->cells, count, "sheet"));
    if (captions)
        TRY(dataset_read_labels(dataset, split, 0, &c->labels));
    for (size_t i = 0; i < count; i++)
        c->rows[i] = (uint64_t)i * info->count[split] / count;
    TRY(dataset_read(dataset, split, c->rows, count, NULL, c->x, NULL));
    scale(info, c->x, count * width);
    for (size_t i = 0; i < count; i++) {
        sheet_pixels(&info->shape, c->x + i * width, c->rgb + i * pixels);
        if (captions)
            write_caption(info, c->labels + c->rows[i] * one, c->captions[i]);
        c->cells[i] = (PictureCell){.height = info->shape.dim[0],
                                    .width = info->shape.dim[1],
                                    .rgb = c->rgb + i * pixels,
                                    .caption = {captions ? c->captions[i] : NULL}};
    }
    return STATUS_OK;
}

Status sheet_of_labels(Dataset *dataset, size_t count, const char *path) {
    const DatasetInfo *info = dataset_info(dataset);
    Cells cells = {0};
    DatasetSplit split = DATASET_TRAIN;
    char title[256], shape[SHAPE_TEXT];
    if (info->shape.rank != 3)
        return status_fail(STATUS_USAGE, "examples of %s cannot be drawn: they are no images [height, width, channels]",
                           shape_format(&info->shape, shape));
    while (info->count[split] == 0)
        split++;
    count = count < info->count[split] ? count : info->count[split];
    snprintf(title, sizeof title, "%s: %zu of %zu examples of %s", info->name, count, info->count[split],
             dataset_split_names[split]);
    Status status = fill(dataset, split, count, &cells);
    if (status == STATUS_OK)
        status = picture_write(&(PictureSheet){.title = title, .cells = cells.cells, .count = count}, path);
    memory_free(cells.rows);
    memory_free(cells.x);
    memory_free(cells.labels);
    memory_free(cells.rgb);
    memory_free(cells.captions);
    memory_free(cells.cells);
    return status;
}
