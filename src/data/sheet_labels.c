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
    size_t examples, versions; /* of each; the first is the original */
    uint64_t *rows;
    Real *x; /* [versions][examples][width] */
    Real *labels;
    void *scratch;
    uint8_t *rgb; /* [examples][versions][height][width][3] */
    char (*captions)[CAPTION];
    PictureCell *cells;
} Cells;

static Status allocate(const DatasetInfo *info, Cells *c) {
    size_t count = c->examples * c->versions;
    TRY(memory_new(&c->rows, c->examples, "rows"));
    TRY(memory_new(&c->x, count * shape_count(&info->shape), "examples"));
    TRY(memory_alloc(augment_scratch_bytes(info), 1, "augmentation", &c->scratch));
    TRY(memory_alloc(count, info->shape.dim[0] * info->shape.dim[1] * 3, "sheet", (void **)&c->rgb));
    TRY(memory_alloc(count, CAPTION, "captions", (void **)&c->captions));
    return memory_new(&c->cells, count, "sheet");
}

/* The examples, evenly spaced, as they are and in epochs 1, 2, ... */
static Status read_versions(Dataset *dataset, DatasetSplit split, const Augment *augment, Cells *c) {
    const DatasetInfo *info = dataset_info(dataset);
    size_t width = shape_count(&info->shape);
    for (size_t i = 0; i < c->examples; i++)
        c->rows[i] = (uint64_t)i * info->count[split] / c->examples;
    for (size_t v = 0; v < c->versions; v++) {
        AugmentPass pass = {augment, v - 1, c->scratch};
        TRY(dataset_read_augmented(dataset, split, c->rows, c->examples, NULL, v > 0 ? &pass : NULL,
                                   c->x + v * c->examples * width, NULL));
    }
    scale(info, c->x, c->versions * c->examples * width);
    return STATUS_OK;
}

static Status fill(Dataset *dataset, DatasetSplit split, const Augment *augment, Cells *c) {
    const DatasetInfo *info = dataset_info(dataset);
    size_t width = shape_count(&info->shape), pixels = info->shape.dim[0] * info->shape.dim[1] * 3;
    bool captions = info->label_count > 0 && info->labels[0].shape.rank <= 1 && info->labels[0].kind != LABEL_WEIGHT;
    size_t one = captions ? shape_count(&info->labels[0].shape) : 1;
    TRY(allocate(info, c));
    if (captions)
        TRY(dataset_read_labels(dataset, split, 0, &c->labels));
    TRY(read_versions(dataset, split, augment, c));
    for (size_t k = 0; k < c->examples * c->versions; k++) {
        size_t i = k / c->versions, v = k % c->versions;
        char *caption = c->captions[k];
        sheet_pixels(&info->shape, c->x + (v * c->examples + i) * width, c->rgb + k * pixels);
        if (v > 0)
            snprintf(caption, CAPTION, "epoch %zu", v);
        else if (captions)
            write_caption(info, c->labels + c->rows[i] * one, caption);
        c->cells[k] = (PictureCell){.height = info->shape.dim[0],
                                    .width = info->shape.dim[1],
                                    .rgb = c->rgb + k * pixels,
                                    .caption = {captions || v > 0 ? caption : NULL}};
    }
    return STATUS_OK;
}

Status sheet_of_labels(Dataset *dataset, const Augment *augment, size_t count, const char *path) {
    enum { VERSIONS = 8, USUAL_ROWS = 8, USUAL_COUNT = 64 };
    const DatasetInfo *info = dataset_info(dataset);
    DatasetSplit split = DATASET_TRAIN;
    char title[256], shape[SHAPE_TEXT];
    if (info->shape.rank != 3)
        return status_fail(STATUS_USAGE, "examples of %s cannot be drawn: they are no images [height, width, channels]",
                           shape_format(&info->shape, shape));
    while (info->count[split] == 0)
        split++;
    count = count > 0 ? count : augment ? USUAL_ROWS : USUAL_COUNT;
    count = count < info->count[split] ? count : info->count[split];
    Cells cells = {.examples = count, .versions = augment ? VERSIONS : 1};
    snprintf(title, sizeof title, "%s: %zu of %zu examples of %s%s", info->name, count, info->count[split],
             dataset_split_names[split], augment ? ", and what training makes of them" : "");
    Status status = fill(dataset, split, augment, &cells);
    if (status == STATUS_OK)
        status = picture_write(&(PictureSheet){.title = title,
                                               .cells = cells.cells,
                                               .count = count * cells.versions,
                                               .columns = augment ? VERSIONS : 0},
                               path);
    memory_free(cells.rows);
    memory_free(cells.x);
    memory_free(cells.labels);
    memory_free(cells.scratch);
    memory_free(cells.rgb);
    memory_free(cells.captions);
    memory_free(cells.cells);
    return status;
}
