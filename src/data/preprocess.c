/* SPDX-License-Identifier: Apache-2.0 */
#include "data/preprocess.h"
#include "base/memory.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const preprocess_names[PREPROCESS_MODES + 1] = {"none", "unit", "tf", "caffe", "torch", "dataset", NULL};

/* ---- choosing ---- */

static Status find_mode(const DatasetInfo *info, const char *name, PreprocessMode *mode) {
    if (name == NULL || *name == '\0') {
        *mode = info->is_uint8 ? PREPROCESS_UNIT : PREPROCESS_NONE;
        return STATUS_OK;
    }
    for (*mode = 0; *mode < PREPROCESS_MODES; (*mode)++)
        if (strcmp(name, preprocess_names[*mode]) == 0)
            return STATUS_OK;
    return status_fail(STATUS_USAGE, "unknown --preprocess %s; known are none, unit, tf, caffe, torch, dataset", name);
}

/* Sums over all numbers of the train split, by channel. */
typedef struct ChannelSums {
    double sum[PREPROCESS_CHANNELS], mean[PREPROCESS_CHANNELS];
    size_t channels;
    bool squares; /* of the distance from the mean, else plain sums */
} ChannelSums;

static Status add_up(Dataset *dataset, ChannelSums *sums) {
    enum { BLOCK_NUMBERS = 1 << 18 };
    const DatasetInfo *info = dataset_info(dataset);
    size_t width = shape_count(&info->shape), count = info->count[DATASET_TRAIN], block = BLOCK_NUMBERS / width;
    uint64_t *rows;
    Real *x = NULL;
    block = block < 1 ? 1 : block < count ? block : count;
    TRY(memory_new(&rows, block, "row numbers"));
    Status status = memory_new(&x, block * width, "examples");
    memset(sums->sum, 0, sizeof sums->sum);
    for (size_t first = 0; status == STATUS_OK && first < count; first += block) {
        size_t n = count - first < block ? count - first : block;
        for (size_t i = 0; i < n; i++)
            rows[i] = first + i;
        status = dataset_read(dataset, DATASET_TRAIN, rows, n, NULL, x, NULL);
        for (size_t i = 0; status == STATUS_OK && i < n * width; i++) {
            size_t c = i % sums->channels;
            double distance = (double)x[i] - sums->mean[c];
            sums->sum[c] += sums->squares ? distance * distance : distance;
        }
    }
    memory_free(x);
    memory_free(rows);
    return status;
}

/* y = (x - mean) / deviation, in two passes. */
static Status from_dataset(Dataset *dataset, Preprocess *out) {
    const DatasetInfo *info = dataset_info(dataset);
    if (info->count[DATASET_TRAIN] == 0)
        return status_fail(STATUS_USAGE, "--preprocess dataset needs a train split, which %s has not", info->path);
    ChannelSums sums = {.channels = out->channels};
    double per_channel = (double)info->count[DATASET_TRAIN] * (double)(shape_count(&info->shape) / out->channels);
    TRY(add_up(dataset, &sums));
    for (size_t c = 0; c < out->channels; c++)
        sums.mean[c] = sums.sum[c] / per_channel;
    sums.squares = true;
    TRY(add_up(dataset, &sums));
    for (size_t c = 0; c < out->channels; c++) {
        double spread = sqrt(sums.sum[c] / per_channel);
        if (!isfinite(spread))
            return status_fail(STATUS_FAILED, "%s: /train/x has numbers that are not finite", info->path);
        out->scale[c] = spread > 0 ? 1 / spread : 1;
        out->offset[c] = -sums.mean[c] * out->scale[c];
    }
    return STATUS_OK;
}

/* The constants of Keras, for RGB values 0 .. 255. */
static const double mean[3] = {0.485, 0.456, 0.406}, deviation[3] = {0.229, 0.224, 0.225};
static const double mean_bgr[3] = {103.939, 116.779, 123.68};

static void from_imagenet(bool caffe, double value_max, Preprocess *out) {
    out->reverse_channels = caffe;
    for (size_t c = 0; c < 3; c++) {
        out->scale[c] = caffe ? 255 / value_max : 1 / (value_max * deviation[c]);
        out->offset[c] = caffe ? -mean_bgr[c] : -mean[c] / deviation[c];
    }
}

/* dataset NULL: there is none. */
static Status create(const DatasetInfo *info, Dataset *dataset, const char *name, Preprocess *out) {
    size_t channels = info->shape.dim[info->shape.rank - 1];
    *out = (Preprocess){
        .shape = info->shape, .channels = 1, .scale = {1}, .is_pictures = info->is_pictures, .fit = info->fit};
    TRY(find_mode(info, name, &out->mode));
    if ((out->mode == PREPROCESS_CAFFE || out->mode == PREPROCESS_TORCH) && (info->shape.rank < 3 || channels != 3)) {
        char shape[SHAPE_TEXT];
        return status_fail(STATUS_USAGE, "--preprocess %s is for images of 3 channels; %s has %s", name, info->path,
                           shape_format(&info->shape, shape));
    }
    switch (out->mode) {
    case PREPROCESS_UNIT:
        out->scale[0] = 1 / info->value_max;
        break;
    case PREPROCESS_TF:
        out->scale[0] = 2 / info->value_max;
        out->offset[0] = -1;
        break;
    case PREPROCESS_CAFFE:
    case PREPROCESS_TORCH:
        out->channels = 3;
        from_imagenet(out->mode == PREPROCESS_CAFFE, info->value_max, out);
        break;
    case PREPROCESS_DATASET:
        out->channels = info->shape.rank == 1 ? 1 : channels;
        if (out->channels > PREPROCESS_CHANNELS)
            return status_fail(STATUS_USAGE, "--preprocess dataset takes at most %d channels; %s has %zu",
                               PREPROCESS_CHANNELS, info->path, channels);
        if (dataset == NULL)
            return status_fail(STATUS_USAGE, "--preprocess dataset needs a dataset to take mean and deviation from");
        return from_dataset(dataset, out);
    default:
        break;
    }
    return STATUS_OK;
}

Status preprocess_create(Dataset *dataset, const char *name, Preprocess *out) {
    return create(dataset_info(dataset), dataset, name, out);
}

Status preprocess_create_for(const DatasetInfo *info, const char *name, Preprocess *out) {
    return create(info, NULL, name, out);
}

PictureRule preprocess_rule(const Preprocess *p) {
    const Shape *shape = &p->shape;
    if (shape->rank != 3 || shape->dim[0] > IMAGE_SIDE_MAX || shape->dim[1] > IMAGE_SIDE_MAX ||
        (shape->dim[2] != 1 && shape->dim[2] != 3))
        return (PictureRule){.fit = IMAGE_FITS};
    return (PictureRule){shape->dim[0], shape->dim[1], shape->dim[2], p->is_pictures ? p->fit : IMAGE_FITS};
}

double preprocess_value_max(const Preprocess *preprocess) {
    double scale = preprocess->scale[0], max = 255;
    if (preprocess->mode == PREPROCESS_UNIT)
        max = 1 / scale;
    if (preprocess->mode == PREPROCESS_TF)
        max = 2 / scale;
    if (preprocess->mode == PREPROCESS_CAFFE)
        max = 255 / scale;
    if (preprocess->mode == PREPROCESS_TORCH)
        max = 1 / (scale * deviation[0]);
    return isfinite(max) && max > 0 ? max : 255;
}

/* ---- applying ---- */

/* In double, rounded once: y does not depend on how the compiler contracts the multiplication and the addition. */
#define APPLY(preprocess, x, n, y)                                                                                     \
    do {                                                                                                               \
        const Preprocess *p = (preprocess);                                                                            \
        size_t count = (n)*shape_count(&p->shape), channels = p->channels;                                             \
        if (channels == 1)                                                                                             \
            for (size_t i = 0; i < count; i++)                                                                         \
                (y)[i] = (Real)((double)(x)[i] * p->scale[0] + p->offset[0]);                                          \
        else                                                                                                           \
            for (size_t i = 0; i < count; i += channels)                                                               \
                for (size_t c = 0; c < channels; c++) {                                                                \
                    double value = (double)(x)[i + (p->reverse_channels ? channels - 1 - c : c)];                      \
                    (y)[i + c] = (Real)(value * p->scale[c] + p->offset[c]);                                           \
                }                                                                                                      \
    } while (0)

void preprocess_uint8(const Preprocess *preprocess, const uint8_t *x, size_t n, Real *y) {
    APPLY(preprocess, x, n, y);
}

void preprocess_float(const Preprocess *preprocess, const float *x, size_t n, Real *y) {
    APPLY(preprocess, x, n, y);
}

/* ---- JSON ---- */

static json_t *number_array(const double *numbers, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_real(numbers[i]));
    return array;
}

Status preprocess_to_json(const Preprocess *preprocess, char *const class_names[], size_t class_count, char **json) {
    json_t *shape = json_array(), *names = json_array();
    for (size_t i = 0; i < preprocess->shape.rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)preprocess->shape.dim[i]));
    for (size_t i = 0; i < class_count; i++) {
        /* A name that is not UTF-8 cannot be in JSON: its number stands for it. */
        json_t *name = json_string(class_names[i]);
        json_array_append_new(names, name != NULL ? name : json_sprintf("%zu", i));
    }
    json_t *root = json_pack("{s:s, s:o, s:b, s:o, s:o, s:o}", "mode", preprocess_names[preprocess->mode], "shape",
                             shape, "reverse_channels", preprocess->reverse_channels, "scale",
                             number_array(preprocess->scale, preprocess->channels), "offset",
                             number_array(preprocess->offset, preprocess->channels), "class_names", names);
    if (root != NULL && preprocess->is_pictures)
        json_object_set_new(root, "resize", json_string(image_fits[preprocess->fit]));
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    *json = NULL;
    Status status = text != NULL ? memory_strdup(text, json)
                                 : status_fail(STATUS_FAILED, "out of memory for the record of the preprocessing");
    free(text);
    return status;
}

static bool read_shape(const json_t *array, Shape *shape) {
    *shape = (Shape){.rank = json_array_size(array)};
    if (shape->rank < 1 || shape->rank > SHAPE_MAX)
        return false;
    for (size_t i = 0; i < shape->rank; i++) {
        json_int_t extent = json_integer_value(json_array_get(array, i));
        if (extent < 1 || extent > 1 << 24)
            return false;
        shape->dim[i] = (size_t)extent;
    }
    return true;
}

static bool read_numbers(const json_t *array, size_t count, double *numbers) {
    if (json_array_size(array) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!json_is_number(json_array_get(array, i)))
            return false;
        numbers[i] = json_number_value(json_array_get(array, i));
    }
    return true;
}

static bool read_object(const json_t *root, Preprocess *out) {
    const char *mode = json_string_value(json_object_get(root, "mode"));
    size_t channels = json_array_size(json_object_get(root, "scale"));
    *out =
        (Preprocess){.channels = channels, .reverse_channels = json_is_true(json_object_get(root, "reverse_channels"))};
    while (out->mode < PREPROCESS_MODES && (mode == NULL || strcmp(mode, preprocess_names[out->mode]) != 0))
        out->mode++;
    const char *fit = json_string_value(json_object_get(root, "resize"));
    out->is_pictures = fit != NULL;
    while (fit && out->fit < IMAGE_FITS && strcmp(fit, image_fits[out->fit]) != 0)
        out->fit++;
    return out->fit < IMAGE_FITS && out->mode < PREPROCESS_MODES && channels >= 1 && channels <= PREPROCESS_CHANNELS &&
           read_shape(json_object_get(root, "shape"), &out->shape) &&
           (channels == 1 || channels == out->shape.dim[out->shape.rank - 1]) &&
           read_numbers(json_object_get(root, "scale"), channels, out->scale) &&
           read_numbers(json_object_get(root, "offset"), channels, out->offset);
}

static Status read_class_names(const json_t *array, char ***class_names, size_t *class_count) {
    size_t count = json_array_size(array), bytes = count * sizeof(char *);
    *class_names = NULL;
    *class_count = 0;
    if (count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++)
        bytes += json_string_length(json_array_get(array, i)) + 1;
    TRY(memory_alloc(bytes, 1, "class names", (void **)class_names));
    char *text = (char *)(*class_names + count);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        (*class_names)[i] = text;
        text = stpcpy(text, name != NULL ? name : "") + 1;
    }
    *class_count = count;
    return STATUS_OK;
}

Status preprocess_from_json(const char *json, Preprocess *out, char ***class_names, size_t *class_count) {
    json_t *root = json_loads(json, 0, NULL);
    *class_names = NULL;
    *class_count = 0;
    Status status = read_object(root, out)
                        ? read_class_names(json_object_get(root, "class_names"), class_names, class_count)
                        : status_fail(STATUS_FAILED, "the record of the preprocessing is damaged");
    json_decref(root);
    return status;
}
