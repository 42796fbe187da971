/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "data/augment.h"
#include "data/dataset_internal.h"
#include <stdlib.h>
#include <string.h>

/* What becomes of the pixels on their way from the file to the network. */
typedef struct Conversion {
    const Preprocess *preprocess;
    const AugmentPass *augment; /* NULL: none */
} Conversion;

static void convert(const Dataset *dataset, const Conversion *how, uint64_t row, const void *raw, Real *x) {
    bool bytes = dataset->info.is_uint8;
    if (how->augment)
        raw = augment_apply(how->augment, &dataset->info, row, raw, &bytes);
    if (bytes)
        preprocess_uint8(how->preprocess, raw, 1, x);
    else
        preprocess_float(how->preprocess, raw, 1, x);
}

/* Examples of a split whose x is in memory. */
static void convert_rows(const Dataset *dataset, const DatasetPart *part, const uint64_t rows[], size_t n,
                         const Conversion *how, Real *x) {
    enum { LINE = 64, AHEAD = 4096 }; /* bytes of the next example that are fetched while one is converted */
    size_t bytes = dataset__x_bytes(dataset), width = shape_count(&dataset->info.shape);
    for (size_t i = 0; i < n; i++) {
        const char *next = (const char *)part->x + rows[i + 1 < n ? i + 1 : i] * bytes;
        for (size_t k = 0; k < bytes && k < AHEAD; k += LINE)
            __builtin_prefetch(next + k);
        convert(dataset, how, rows[i], (const char *)part->x + rows[i] * bytes, x + i * width);
    }
}

static int by_row(const void *a, const void *b) {
    uint64_t x = ((const DatasetPick *)a)->row, y = ((const DatasetPick *)b)->row;
    return (x > y) - (x < y);
}

static Status grow_scratch(Dataset *dataset, size_t n) {
    size_t example = dataset__x_bytes(dataset), bytes;
    for (size_t i = 0; i < dataset->info.label_count; i++)
        example = dataset__label_bytes(dataset, i) > example ? dataset__label_bytes(dataset, i) : example;
    if (!memory_multiply(n, example, &bytes))
        bytes = SIZE_MAX;
    if (n > dataset->pick_room) {
        dataset->pick_room = 0;
        memory_free(dataset->picks);
        memory_free(dataset->rows);
        dataset->picks = NULL, dataset->rows = NULL;
        TRY(memory_new(&dataset->picks, n, "row numbers"));
        TRY(memory_new(&dataset->rows, n, "row numbers"));
        dataset->pick_room = n;
    }
    if (bytes > dataset->raw_room) {
        dataset->raw_room = 0;
        memory_free(dataset->raw);
        dataset->raw = NULL;
        TRY(memory_alloc(bytes, 1, "examples of a batch", &dataset->raw));
        dataset->raw_room = bytes;
    }
    return STATUS_OK;
}

/* Rows are read in ascending order, so that each chunk of the file is met once. */
static Status sort_rows(Dataset *dataset, const uint64_t rows[], size_t n) {
    TRY(grow_scratch(dataset, n));
    for (size_t i = 0; i < n; i++)
        dataset->picks[i] = (DatasetPick){rows[i], i};
    qsort(dataset->picks, n, sizeof *dataset->picks, by_row);
    for (size_t i = 0; i < n; i++)
        dataset->rows[i] = dataset->picks[i].row;
    return STATUS_OK;
}

/* Examples of a split whose x is not in memory.  With the lock held. */
static Status read_x(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n, const Conversion *how,
                     Real *x) {
    size_t bytes = dataset__x_bytes(dataset), width = shape_count(&dataset->info.shape);
    TRY(sort_rows(dataset, rows, n));
    TRY(dataset__fetch(dataset, split, dataset->rows, n, dataset->raw));
    for (size_t i = 0; i < n; i++)
        convert(dataset, how, dataset->rows[i], (const char *)dataset->raw + i * bytes,
                x + dataset->picks[i].place * width);
    return STATUS_OK;
}

/* Array k of labels, which is not in memory.  With the lock held. */
static Status read_label(Dataset *dataset, DatasetSplit split, size_t k, const uint64_t rows[], size_t n,
                         Real *labels) {
    size_t one = shape_count(&dataset->info.labels[k].shape);
    char path[512];
    for (size_t i = 0; i < n && dataset->file == NULL; i++) /* a folder's */
        TRY(dataset__labels(dataset, split, k, rows[i], 1, H5IO_REAL, labels + i));
    if (dataset->file == NULL)
        return STATUS_OK;
    TRY(sort_rows(dataset, rows, n));
    dataset__path(split, dataset->info.labels[k].name, path);
    TRY(h5io_read_rows(dataset->file, path, H5IO_REAL, dataset->rows, n, dataset->raw));
    for (size_t i = 0; i < n; i++)
        memcpy(labels + dataset->picks[i].place * one, (const Real *)dataset->raw + i * one, one * sizeof(Real));
    return STATUS_OK;
}

/* The one lock of a dataset is held while it reads its file; what is in memory never changes again. */
static Status get_x(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n, const Conversion *how,
                    Real *x) {
    const DatasetPart *part = &dataset->part[split];
    Status status = STATUS_OK;
    pthread_mutex_lock(&dataset->lock);
    bool in_memory = part->loaded && part->x;
    if (!in_memory)
        status = read_x(dataset, split, rows, n, how, x);
    else if (part->decoded)
        status = dataset__decode(dataset, split, rows, n);
    pthread_mutex_unlock(&dataset->lock);
    if (in_memory && status == STATUS_OK)
        convert_rows(dataset, part, rows, n, how, x);
    return status;
}

static Status get_label(Dataset *dataset, DatasetSplit split, size_t k, const uint64_t rows[], size_t n, Real *labels) {
    const DatasetPart *part = &dataset->part[split];
    size_t one = shape_count(&dataset->info.labels[k].shape);
    Status status = STATUS_OK;
    pthread_mutex_lock(&dataset->lock);
    bool in_memory = part->loaded && part->labels[k];
    if (!in_memory)
        status = read_label(dataset, split, k, rows, n, labels);
    pthread_mutex_unlock(&dataset->lock);
    for (size_t i = 0; i < n && in_memory; i++)
        memcpy(labels + i * one, part->labels[k] + rows[i] * one, one * sizeof(Real));
    return status;
}

Status dataset_read_augmented(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n,
                              const Preprocess *preprocess, const AugmentPass *augment, Real *x, Real *const labels[]) {
    for (size_t i = 0; i < n; i++)
        if (rows[i] >= dataset->info.count[split])
            return status_fail(STATUS_FAILED, "%s has no example %llu in %s", dataset->info.path,
                               (unsigned long long)rows[i], dataset_split_names[split]);
    if (preprocess == NULL)
        preprocess = &dataset->plain;
    const DatasetFeatures *features = &dataset->features[split];
    for (size_t i = 0; x != NULL && features->rows && i < n; i++)
        memcpy(x + i * features->width, features->rows + rows[i] * features->width, features->width * sizeof *x);
    if (features->rows)
        x = NULL; /* done */
    if (x != NULL && !shape_equal(&preprocess->shape, &dataset->info.shape)) {
        char have[SHAPE_TEXT], want[SHAPE_TEXT];
        return status_fail(STATUS_FAILED, "%s has examples of %s; the network takes %s", dataset->info.path,
                           shape_format(&dataset->info.shape, have), shape_format(&preprocess->shape, want));
    }
    if (x != NULL)
        TRY(get_x(dataset, split, rows, n, &(Conversion){preprocess, augment}, x));
    for (size_t k = 0; labels != NULL && k < dataset->info.label_count; k++)
        TRY(get_label(dataset, split, k, rows, n, labels[k]));
    return STATUS_OK;
}

Status dataset_read(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n, const Preprocess *preprocess,
                    Real *x, Real *const labels[]) {
    return dataset_read_augmented(dataset, split, rows, n, preprocess, NULL, x, labels);
}
