/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/memory.h"
#include "data/dataset_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Label arrays of up to this part of the memory limit are kept in memory also where x is not. */
enum { LABELS_PART = 4 };

H5ioType dataset__x_type(const Dataset *dataset) {
    return dataset->info.is_uint8 ? H5IO_UINT8 : H5IO_FLOAT;
}

size_t dataset__x_bytes(const Dataset *dataset) {
    return shape_count(&dataset->info.shape) * h5io_type_size(dataset__x_type(dataset));
}

size_t dataset__label_bytes(const Dataset *dataset, size_t label) {
    return shape_count(&dataset->info.labels[label].shape) * sizeof(Real);
}

static void free_part(Dataset *dataset, DatasetPart *part) {
    memory_free(part->x);
    memory_free(part->decoded);
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

/* ---- sizes ---- */

static size_t times(size_t count, size_t bytes) {
    size_t product;
    return memory_multiply(count, bytes, &product) ? product : SIZE_MAX;
}

static size_t plus(size_t a, size_t b) {
    return b <= SIZE_MAX - a ? a + b : SIZE_MAX;
}

/* Of x in memory, and of all labels. */
static size_t x_of_split(const Dataset *dataset, DatasetSplit split) {
    size_t flags = dataset->info.is_encoded; /* DatasetPart.decoded */
    return dataset->features[split].rows ? 0 : times(dataset->info.count[split], dataset__x_bytes(dataset) + flags);
}

static size_t label_of_split(const Dataset *dataset, DatasetSplit split, size_t label) {
    return times(dataset->info.count[split], dataset__label_bytes(dataset, label));
}

static size_t split_bytes(const Dataset *dataset, DatasetSplit split) {
    size_t bytes = x_of_split(dataset, split);
    for (size_t i = 0; i < dataset->info.label_count; i++)
        bytes = plus(bytes, label_of_split(dataset, split, i));
    return bytes;
}

static bool all_fits(const Dataset *dataset, DatasetSplit split) {
    return split_bytes(dataset, split) <= dataset->memory_limit;
}

static bool keeps_label(const Dataset *dataset, DatasetSplit split, size_t label) {
    return all_fits(dataset, split) || label_of_split(dataset, split, label) <= dataset->memory_limit / LABELS_PART;
}

bool dataset_fits(const Dataset *dataset, DatasetSplit split) {
    return dataset->part[split].loaded ? dataset->part[split].x || dataset->features[split].rows
                                       : all_fits(dataset, split);
}

size_t dataset_load_bytes(const Dataset *dataset, DatasetSplit split) {
    size_t bytes = all_fits(dataset, split) ? x_of_split(dataset, split) : 0;
    for (size_t i = 0; i < dataset->info.label_count; i++)
        bytes += keeps_label(dataset, split, i) ? label_of_split(dataset, split, i) : 0;
    return dataset->part[split].loaded ? 0 : bytes;
}

size_t dataset_width(const Dataset *dataset, DatasetSplit split) {
    const DatasetFeatures *features = &dataset->features[split];
    return features->rows ? features->width : shape_count(&dataset->info.shape);
}

/* ---- loading ---- */

void dataset_give_features(Dataset *dataset, DatasetSplit split, const Real *rows, size_t width) {
    free_part(dataset, &dataset->part[split]);
    dataset->features[split] = (DatasetFeatures){rows, width};
}

static Status load_x(Dataset *dataset, DatasetSplit split, DatasetPart *part) {
    size_t count = dataset->info.count[split];
    char path[512];
    if (dataset->features[split].rows || !all_fits(dataset, split))
        return STATUS_OK;
    TRY(memory_alloc(count, dataset__x_bytes(dataset), "examples of a dataset", &part->x));
    if (dataset->info.is_encoded)
        return memory_new(&part->decoded, count, "examples of a dataset");
    TRY(h5io_read_range(dataset->file, dataset__path(split, "x", path), dataset__x_type(dataset), 0, count, part->x));
    dataset->hash[split] = hash_bytes(0, part->x, count * dataset__x_bytes(dataset));
    dataset->hashed[split] = true;
    return STATUS_OK;
}

/* Are there examples to train with that have not been in memory? */
static bool streams(const Dataset *dataset) {
    const size_t *count = dataset->info.count;
    return (count[DATASET_TRAIN] && !dataset->hashed[DATASET_TRAIN]) ||
           (count[DATASET_VAL] && !dataset->hashed[DATASET_VAL]);
}

void dataset_content(const Dataset *dataset, char text[DATASET_CONTENT]) {
    size_t used = 0;
    text[0] = '\0';
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        if (dataset->hashed[split])
            used += (size_t)snprintf(text + used, DATASET_CONTENT - used, "%s%s=%016llx", used ? " " : "",
                                     dataset_split_names[split], (unsigned long long)dataset->hash[split]);
    if (dataset->written && streams(dataset))
        snprintf(text + used, DATASET_CONTENT - used, "%stime=%016llx", used ? " " : "",
                 (unsigned long long)dataset->written);
}

bool dataset_written_since(const Dataset *dataset, const char *text) {
    const char *at = strstr(text, "time=");
    return at && streams(dataset) && strtoull(at + strlen("time="), NULL, 16) != dataset->written;
}

DatasetSplit dataset_differs(const Dataset *dataset, const char *text) {
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        char name[16];
        snprintf(name, sizeof name, "%s=", dataset_split_names[split]);
        const char *at = strstr(text, name);
        if (at && dataset->hashed[split] && strtoull(at + strlen(name), NULL, 16) != dataset->hash[split])
            return split;
    }
    return DATASET_SPLITS;
}

static Status load_labels(Dataset *dataset, DatasetSplit split, DatasetPart *part) {
    size_t count = dataset->info.count[split];
    TRY(memory_new(&part->labels, dataset->info.label_count, "labels"));
    for (size_t i = 0; i < dataset->info.label_count; i++) {
        if (!keeps_label(dataset, split, i))
            continue;
        TRY(memory_alloc(count, dataset__label_bytes(dataset, i), "labels", (void **)&part->labels[i]));
        TRY(dataset__labels(dataset, split, i, 0, count, H5IO_REAL, part->labels[i]));
    }
    return STATUS_OK;
}

static Status load_locked(Dataset *dataset, DatasetSplit split) {
    DatasetPart *part = &dataset->part[split];
    if (part->loaded || dataset->info.count[split] == 0)
        return STATUS_OK;
    Status status = load_x(dataset, split, part);
    if (status == STATUS_OK)
        status = load_labels(dataset, split, part);
    part->loaded = status == STATUS_OK;
    if (status != STATUS_OK)
        free_part(dataset, part);
    else
        memory_trim(); /* HDF5's unpacked chunks: 12 MB of them for MNIST */
    return status;
}

Status dataset_load(Dataset *dataset, DatasetSplit split) {
    pthread_mutex_lock(&dataset->lock);
    Status status = load_locked(dataset, split);
    pthread_mutex_unlock(&dataset->lock);
    return status;
}

/* Callers count by class number: a file that was written over since the scan must be noticed. */
static Status check_classes(Dataset *dataset, DatasetSplit split, size_t label, const Real *values) {
    const DatasetLabel *about = &dataset->info.labels[label];
    size_t width = shape_count(&about->shape), count = dataset->info.count[split] * width;
    char path[512];
    for (size_t i = 0; i < count && about->kind == LABEL_CLASS; i++)
        if (!(values[i] >= 0 && values[i] < (Real)about->classes))
            return status_fail(STATUS_FAILED, "%s: %s of example %zu has become %g: the file was written over",
                               dataset->info.path, dataset__path(split, about->name, path), i / width,
                               (double)values[i]);
    return STATUS_OK;
}

Status dataset_read_labels(Dataset *dataset, DatasetSplit split, size_t label, Real **values) {
    size_t count = dataset->info.count[split];
    *values = NULL;
    TRY(memory_alloc(count, dataset__label_bytes(dataset, label), "labels", (void **)values));
    Status status = dataset__labels(dataset, split, label, 0, count, H5IO_REAL, *values);
    if (status == STATUS_OK)
        status = check_classes(dataset, split, label, *values);
    if (status != STATUS_OK) {
        memory_free(*values);
        *values = NULL;
    }
    return status;
}
