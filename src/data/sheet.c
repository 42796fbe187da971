/* SPDX-License-Identifier: Apache-2.0 */
#include "data/sheet.h"
#include "base/memory.h"
#include "io/png.h"
#include <math.h>
#include <string.h>

enum { USUAL_SIDE = 96, GAP = 4, VERSIONS = 8, USUAL_ROWS = 8, USUAL_COUNT = 100 };

struct Sheet {
    size_t height, width, channels; /* of an example */
    size_t scale;                   /* pixels of the sheet for one of the example, each way */
    size_t rows, columns;           /* of examples */
    size_t total_height, total_width;
    uint8_t *rgb; /* owned, [total_height][total_width][3] */
};

Status sheet_create(const Shape *shape, size_t rows, size_t columns, Sheet **out) {
    char text[SHAPE_TEXT];
    size_t bytes;
    *out = NULL;
    if (shape->rank != 3)
        return status_fail(STATUS_USAGE, "examples of %s cannot be drawn: they are no images [height, width, channels]",
                           shape_format(shape, text));
    Sheet *sheet;
    TRY(memory_new(&sheet, 1, "sheet"));
    *sheet = (Sheet){.height = shape->dim[0], .width = shape->dim[1], .channels = shape->dim[2], .scale = 1};
    size_t side = sheet->height > sheet->width ? sheet->height : sheet->width;
    if (side < USUAL_SIDE)
        sheet->scale = USUAL_SIDE / side;
    sheet->rows = rows, sheet->columns = columns;
    sheet->total_height = rows * (sheet->height * sheet->scale + GAP) + GAP;
    sheet->total_width = columns * (sheet->width * sheet->scale + GAP) + GAP;
    Status status = STATUS_OK;
    if (!memory_multiply(sheet->total_height, sheet->total_width, &bytes) || bytes > INT32_MAX / 3)
        status = status_fail(STATUS_USAGE, "a sheet of %zu x %zu examples of %s is too large: ask for fewer", rows,
                             columns, shape_format(shape, text));
    if (status == STATUS_OK)
        status = memory_alloc(bytes, 3, "sheet", (void **)&sheet->rgb);
    if (status != STATUS_OK) {
        memory_free(sheet);
        return status;
    }
    memset(sheet->rgb, 255, bytes * 3);
    *out = sheet;
    return STATUS_OK;
}

void sheet_destroy(Sheet *sheet) {
    if (sheet == NULL)
        return;
    memory_free(sheet->rgb);
    memory_free(sheet);
}

static uint8_t level(double v) {
    return v > 0 ? v < 1 ? (uint8_t)lrint(v * 255) : 255 : 0;
}

static void draw_pixel(const Real *pixel, size_t channels, uint8_t rgb[3]) {
    for (size_t c = 0; c < 3; c++)
        rgb[c] = level((double)pixel[channels >= 3 ? c : 0]);
}

void sheet_pixels(const Shape *shape, const Real *x, uint8_t *rgb) {
    for (size_t i = 0; i < shape->dim[0] * shape->dim[1]; i++)
        draw_pixel(x + i * shape->dim[2], shape->dim[2], rgb + 3 * i);
}

void sheet_place(Sheet *sheet, size_t row, size_t column, const Real *x) {
    CHECK(row < sheet->rows && column < sheet->columns, "place %zu, %zu of the sheet", row, column);
    size_t scale = sheet->scale, top = row * (sheet->height * scale + GAP) + GAP;
    size_t left = column * (sheet->width * scale + GAP) + GAP;
    for (size_t j = 0; j < sheet->height * scale; j++)
        for (size_t i = 0; i < sheet->width * scale; i++) {
            const Real *pixel = x + (j / scale * sheet->width + i / scale) * sheet->channels;
            draw_pixel(pixel, sheet->channels, sheet->rgb + ((top + j) * sheet->total_width + left + i) * 3);
        }
}

Status sheet_write(const Sheet *sheet, const char *path) {
    return png_write_rgb(path, sheet->rgb, sheet->total_height, sheet->total_width);
}

/* ---- of a dataset ---- */

/* What the sheet is drawn with. */
typedef struct Pen {
    Dataset *dataset;
    DatasetSplit split;
    Preprocess unit;
    const Augment *augment; /* NULL: none */
    void *scratch;
    Real *x;
    Sheet *sheet;
} Pen;

/* Draws example `at` as it is, or as `epoch` has it. */
static Status draw(const Pen *pen, uint64_t at, const uint64_t *epoch, size_t row, size_t column) {
    AugmentPass pass = {pen->augment, epoch ? *epoch : 0, pen->scratch};
    TRY(dataset_read_augmented(pen->dataset, pen->split, &at, 1, &pen->unit, epoch ? &pass : NULL, pen->x, NULL));
    sheet_place(pen->sheet, row, column, pen->x);
    return STATUS_OK;
}

static Status draw_all(Pen *pen, size_t count, size_t columns, const char *path) {
    const DatasetInfo *info = dataset_info(pen->dataset);
    size_t rows = pen->augment ? count : (count + columns - 1) / columns;
    TRY(memory_new(&pen->x, shape_count(&info->shape), "an example"));
    TRY(memory_alloc(augment_scratch_bytes(info), 1, "augmentation", &pen->scratch));
    TRY(preprocess_create(pen->dataset, "unit", &pen->unit));
    TRY(sheet_create(&info->shape, rows, columns, &pen->sheet));
    for (size_t i = 0; i < count; i++) {
        uint64_t at = (uint64_t)i * info->count[pen->split] / count;
        TRY(draw(pen, at, NULL, pen->augment ? i : i / columns, pen->augment ? 0 : i % columns));
        for (uint64_t epoch = 0; pen->augment && epoch + 1 < columns; epoch++)
            TRY(draw(pen, at, &epoch, i, (size_t)epoch + 1));
    }
    return sheet_write(pen->sheet, path);
}

Status sheet_of_dataset(Dataset *dataset, const Augment *augment, size_t count, const char *path) {
    const DatasetInfo *info = dataset_info(dataset);
    Pen pen = {.dataset = dataset, .augment = augment};
    size_t columns = VERSIONS;
    while (pen.split < DATASET_SPLITS && info->count[pen.split] == 0)
        pen.split++;
    if (pen.split == DATASET_SPLITS)
        return status_fail(STATUS_FAILED, "%s has no examples", info->path);
    if (count == 0)
        count = augment ? USUAL_ROWS : USUAL_COUNT;
    count = count < info->count[pen.split] ? count : info->count[pen.split];
    if (augment == NULL)
        columns = (size_t)ceil(sqrt((double)count));
    Status status = draw_all(&pen, count, columns, path);
    sheet_destroy(pen.sheet);
    memory_free(pen.scratch);
    memory_free(pen.x);
    return status;
}
