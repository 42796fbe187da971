/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "data/augment.h"
#include "data/dataset_internal.h"
#include <stdlib.h>
#include <string.h>

static H5ioType x_type(const Dataset *dataset) {
    return dataset->info.is_uint8 ? H5IO_UINT8 : H5IO_FLOAT;
}

/* Bytes of one example as it is kept in memory. */
static size_t x_bytes(const Dataset *dataset) {
    return shape_count(&dataset->info.shape) * h5io_type_size(x_type(dataset));
}

static size_t label_bytes(const Dataset *dataset, size_t i) {
    return shape_count(&dataset->info.labels[i].shape) * sizeof(Real);
}

/* ---- whole splits in memory ---- */

static void free_part(Dataset *dataset, DatasetPart *part) {
    memory_free(part->x);
    for (size_t i = 0; part->labels != NULL && i < dataset->info.label_count; i++)
        memory_free(part->labels[i]);
    memory_free(part->labels);
    *part = (DatasetPart){0};
}

void dataset_unload(Dataset *dataset) {
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        free_part(dataset, &dataset->part[split]);
}

void dataset__free_parts(Dataset *dataset) {
    dataset_unload(dataset);
    memory_free(dataset->picks);
    memory_free(dataset->rows);
    memory_free(dataset->raw);
}

/* Of a split in memory; SIZE_MAX where a size_t cannot hold it. */
static size_t split_bytes(const Dataset *dataset, DatasetSplit split) {
    size_t example = dataset->features[split].rows ? 0 : x_bytes(dataset), bytes;
    for (size_t i = 0; i < dataset->info.label_count; i++)
        example += label_bytes(dataset, i);
    return memory_multiply(dataset->info.count[split], example, &bytes) ? bytes : SIZE_MAX;
}

void dataset_give_features(Dataset *dataset, DatasetSplit split, const Real *rows, size_t width) {
    free_part(dataset, &dataset->part[split]);
    dataset->features[split] = (DatasetFeatures){rows, width};
}

size_t dataset_width(const Dataset *dataset, DatasetSplit split) {
    const DatasetFeatures *features = &dataset->features[split];
    return features->rows ? features->width : shape_count(&dataset->info.shape);
}

bool dataset_fits(const Dataset *dataset, DatasetSplit split) {
    return dataset->part[split].loaded || split_bytes(dataset, split) <= dataset->memory_limit;
}

size_t dataset_load_bytes(const Dataset *dataset, DatasetSplit split) {
    return dataset->part[split].loaded || !dataset_fits(dataset, split) ? 0 : split_bytes(dataset, split);
}

static Status load_locked(Dataset *dataset, DatasetSplit split) {
    const DatasetInfo *info = &dataset->info;
    DatasetPart *part = &dataset->part[split];
    size_t count = info->count[split];
    if (dataset_load_bytes(dataset, split) == 0)
        return STATUS_OK;
    Status status;
    char path[512];
    if (dataset->features[split].rows == NULL) {
        TRY_GOTO(memory_alloc(count, x_bytes(dataset), "examples of a dataset", &part->x), failed);
        TRY_GOTO(h5io_read_range(dataset->file, dataset__path(split, "x", path), x_type(dataset), 0, count, part->x),
                 failed);
    }
    TRY_GOTO(memory_new(&part->labels, info->label_count, "labels"), failed);
    for (size_t i = 0; i < info->label_count; i++) {
        TRY_GOTO(memory_alloc(count, label_bytes(dataset, i), "labels", (void **)&part->labels[i]), failed);
        dataset__path(split, info->labels[i].name, path);
        TRY_GOTO(h5io_read_range(dataset->file, path, H5IO_REAL, 0, count, part->labels[i]), failed);
    }
    part->loaded = true;
    memory_trim(); /* HDF5's unpacked chunks: 12 MB of them for MNIST */
    return STATUS_OK;
failed:
    free_part(dataset, part);
    return status;
}

Status dataset_load(Dataset *dataset, DatasetSplit split) {
    pthread_mutex_lock(&dataset->lock);
    Status status = load_locked(dataset, split);
    pthread_mutex_unlock(&dataset->lock);
    return status;
}

Status dataset_read_labels(Dataset *dataset, DatasetSplit split, size_t label, Real **values) {
    const DatasetInfo *info = &dataset->info;
    char path[512];
    *values = NULL;
    TRY(memory_alloc(info->count[split], label_bytes(dataset, label), "labels", (void **)values));
    pthread_mutex_lock(&dataset->lock);
    Status status = h5io_read_range(dataset->file, dataset__path(split, info->labels[label].name, path), H5IO_REAL, 0,
                                    info->count[split], *values);
    pthread_mutex_unlock(&dataset->lock);
    if (status != STATUS_OK) {
        memory_free(*values);
        *values = NULL;
    }
    return status;
}

/* ---- examples (x NULL: not wanted) ---- */

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

static void read_from_memory(const Dataset *dataset, const DatasetPart *part, const uint64_t rows[], size_t n,
                             const Conversion *how, Real *x, Real *const labels[]) {
    enum { LINE = 64, AHEAD = 4096 }; /* bytes of the next example that are fetched while one is converted */
    size_t bytes = x_bytes(dataset), width = shape_count(&dataset->info.shape);
    for (size_t i = 0; x != NULL && i < n; i++) {
        const char *next = (const char *)part->x + rows[i + 1 < n ? i + 1 : i] * bytes;
        for (size_t k = 0; k < bytes && k < AHEAD; k += LINE)
            __builtin_prefetch(next + k);
        convert(dataset, how, rows[i], (const char *)part->x + rows[i] * bytes, x + i * width);
    }
    for (size_t k = 0; labels != NULL && k < dataset->info.label_count; k++) {
        size_t one = shape_count(&dataset->info.labels[k].shape);
        for (size_t i = 0; i < n; i++)
            memcpy(labels[k] + i * one, part->labels[k] + rows[i] * one, one * sizeof(Real));
    }
}

static int by_row(const void *a, const void *b) {
    uint64_t x = ((const DatasetPick *)a)->row, y = ((const DatasetPick *)b)->row;
    return (x > y) - (x < y);
}

static Status grow_scratch(Dataset *dataset, size_t n) {
    size_t example = x_bytes(dataset), bytes;
    for (size_t i = 0; i < dataset->info.label_count; i++)
        example = label_bytes(dataset, i) > example ? label_bytes(dataset, i) : example;
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
static Status read_from_file(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n,
                             const Conversion *how, Real *x, Real *const labels[]) {
    const DatasetInfo *info = &dataset->info;
    size_t bytes = x_bytes(dataset), width = shape_count(&info->shape);
    char path[512];
    TRY(grow_scratch(dataset, n));
    for (size_t i = 0; i < n; i++)
        dataset->picks[i] = (DatasetPick){rows[i], i};
    qsort(dataset->picks, n, sizeof *dataset->picks, by_row);
    for (size_t i = 0; i < n; i++)
        dataset->rows[i] = dataset->picks[i].row;
    dataset__path(split, "x", path);
    if (x != NULL)
        TRY(h5io_read_rows(dataset->file, path, x_type(dataset), dataset->rows, n, dataset->raw));
    for (size_t i = 0; x != NULL && i < n; i++)
        convert(dataset, how, dataset->rows[i], (const char *)dataset->raw + i * bytes,
                x + dataset->picks[i].place * width);
    for (size_t k = 0; labels != NULL && k < info->label_count; k++) {
        size_t one = shape_count(&info->labels[k].shape);
        dataset__path(split, info->labels[k].name, path);
        TRY(h5io_read_rows(dataset->file, path, H5IO_REAL, dataset->rows, n, dataset->raw));
        for (size_t i = 0; i < n; i++)
            memcpy(labels[k] + dataset->picks[i].place * one, (const Real *)dataset->raw + i * one, one * sizeof(Real));
    }
    return STATUS_OK;
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
    Conversion how = {preprocess, augment};
    pthread_mutex_lock(&dataset->lock);
    bool loaded = dataset->part[split].loaded;
    Status status = STATUS_OK;
    if (!loaded)
        status = read_from_file(dataset, split, rows, n, &how, x, labels);
    pthread_mutex_unlock(&dataset->lock);
    if (loaded) /* never changes again: no lock needed */
        read_from_memory(dataset, &dataset->part[split], rows, n, &how, x, labels);
    return status;
}

Status dataset_read(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n, const Preprocess *preprocess,
                    Real *x, Real *const labels[]) {
    return dataset_read_augmented(dataset, split, rows, n, preprocess, NULL, x, labels);
}
