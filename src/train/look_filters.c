/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/picture.h"
#include "train/look.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FILTERS = 256 };

/* The kernel [R, S, C, K] of a layer; NULL: it has none. */
static const CheckpointTensor *kernel_of(const CheckpointLayer *layer) {
    for (size_t i = 0; i < layer->count; i++)
        if (layer->weights[i].shape.rank == 4)
            return &layer->weights[i];
    return NULL;
}

/* Of the layer named, or the first whose filters are larger than one pixel. */
static Status find(const Checkpoint *checkpoint, const char *name, const char *path, const CheckpointLayer **found,
                   const CheckpointTensor **kernel) {
    for (size_t i = 0; i < checkpoint->layer_count; i++) {
        const CheckpointLayer *layer = &checkpoint->layers[i];
        bool named = strcmp(layer->name, name) == 0;
        *found = layer;
        *kernel = kernel_of(layer);
        if (named && *kernel == NULL)
            return status_fail(STATUS_USAGE, "%s: layer %s has no filters of a convolution", path, name);
        if (*kernel && (named || (!name[0] && (*kernel)->shape.dim[0] * (*kernel)->shape.dim[1] > 1)))
            return STATUS_OK;
    }
    return name[0] ? status_fail(STATUS_USAGE, "%s has no layer %s with weights", path, name)
                   : status_fail(STATUS_USAGE, "%s has no convolution with filters of more than one pixel", path);
}

/* A weight of filter k as it is seen: channel c of three, or the mean over all. */
static double seen(const CheckpointTensor *kernel, size_t place, size_t c, size_t k) {
    const size_t *dim = kernel->shape.dim;
    const Real *w = kernel->data + place * dim[2] * dim[3];
    double sum = 0;
    if (dim[2] == 3)
        return (double)w[c * dim[3] + k];
    for (size_t i = 0; i < dim[2]; i++)
        sum += (double)w[i * dim[3] + k];
    return sum / (double)dim[2];
}

static void draw_filter(const CheckpointTensor *kernel, size_t k, uint8_t *rgb) {
    size_t places = kernel->shape.dim[0] * kernel->shape.dim[1];
    double largest = 0;
    for (size_t i = 0; i < places * 3; i++)
        largest = fmax(largest, fabs(seen(kernel, i / 3, i % 3, k)));
    for (size_t i = 0; i < places * 3; i++)
        rgb[i] = (uint8_t)lrint(127.5 + 127.5 * (largest > 0 ? seen(kernel, i / 3, i % 3, k) / largest : 0));
}

/* Depthwise kernels [R, S, C, M] are C * M filters of one channel. */
static CheckpointTensor flat(const CheckpointLayer *layer, const CheckpointTensor *kernel) {
    CheckpointTensor filters = *kernel;
    if (strstr(layer->name, "depthwise") || strstr(kernel->name, "depthwise")) {
        filters.shape.dim[3] *= filters.shape.dim[2];
        filters.shape.dim[2] = 1;
    }
    return filters;
}

static Status draw(const CheckpointLayer *layer, const CheckpointTensor *kernel, PlotStyle style, unsigned char **bytes,
                   size_t *size) {
    static const char *const how[] = {", the mean over input channels", ""};
    PictureCell cells[MAX_FILTERS];
    char title[CLI_TEXT], captions[MAX_FILTERS][16];
    uint8_t *rgb;
    const size_t *dim = kernel->shape.dim;
    size_t count = dim[3] < MAX_FILTERS ? dim[3] : MAX_FILTERS;
    TRY(memory_alloc(count * 3, dim[0] * dim[1], "filters", (void **)&rgb));
    for (size_t k = 0; k < count; k++) {
        uint8_t *to = rgb + k * dim[0] * dim[1] * 3;
        draw_filter(kernel, k, to);
        snprintf(captions[k], sizeof captions[k], "%zu", k);
        cells[k] = (PictureCell){dim[0], dim[1], to, {captions[k]}, PICTURE_BLACK};
    }
    snprintf(title, sizeof title, "Layer %s: %s%zu filters of %zu x %zu%s", layer->name,
             count < dim[3] ? "the first 256 of " : "", dim[3], dim[0], dim[1], how[dim[2] == 1 || dim[2] == 3]);
    Status status = picture_render(&(PictureSheet){.title = title, .cells = cells, .count = count, .side = 96},
                                   style.format, style.name, bytes, size);
    memory_free(rgb);
    return status;
}

Status look_filters(const char *path, const char *layer, PlotStyle style, unsigned char **bytes, size_t *size) {
    Checkpoint *checkpoint;
    const CheckpointLayer *found = NULL;
    const CheckpointTensor *kernel = NULL;
    *bytes = NULL;
    TRY(checkpoint_read(path, CHECKPOINT_ANY, &checkpoint));
    Status status = find(checkpoint, layer, path, &found, &kernel);
    if (status == STATUS_OK) {
        CheckpointTensor filters = flat(found, kernel);
        status = draw(found, &filters, style, bytes, size);
    }
    checkpoint_destroy(checkpoint);
    return status;
}
