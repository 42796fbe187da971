/* SPDX-License-Identifier: Apache-2.0 */
#include "train/input_scale.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/vocabulary.h"
#include <jansson.h>
#include <math.h>

enum { EXAMPLES = 32 };
static const double largest_rms = 10, least_range = 0.05;

/* Numbers that go into the network. */
typedef struct Spread {
    double min, max, mean, square; /* square: mean of squares */
} Spread;

/* As if all values from 0 to value_max were as frequent. */
static Spread spread_of_bytes(const DatasetInfo *info, const Preprocess *preprocess) {
    double low = preprocess->offset[0], high = info->value_max * preprocess->scale[0] + low;
    return (Spread){low, high, (low + high) / 2, (low * low + low * high + high * high) / 3};
}

static Status read_spread(const Setup *setup, Spread *out) {
    size_t width = shape_count(&setup->info->shape), count = setup->info->count[DATASET_TRAIN];
    size_t examples = count < EXAMPLES ? count : EXAMPLES;
    double sum = 0, square = 0;
    Status status = STATUS_OK;
    Real *x;
    *out = (Spread){.min = INFINITY, .max = -INFINITY};
    TRY(memory_new(&x, width, "example"));
    for (size_t e = 0; e < examples && status == STATUS_OK; e++) {
        uint64_t row = (uint64_t)(e * count / examples);
        status = dataset_read(setup->data, DATASET_TRAIN, &row, 1, &setup->preprocess, x, NULL);
        for (size_t i = 0; i < width && status == STATUS_OK; i++) {
            double value = (double)x[i];
            out->min = fmin(out->min, value);
            out->max = fmax(out->max, value);
            sum += value;
            square += value * value;
        }
    }
    memory_free(x);
    out->mean = sum / (double)(examples * width);
    out->square = square / (double)(examples * width);
    return status;
}

/* Of a list, for each channel one, the first. */
static double number_of(const ModelLayer *layer, const char *key) {
    const json_t *value = json_object_get(layer->config, key);
    return json_number_value(json_is_array(value) ? json_array_get(value, 0) : value);
}

/* What a Rescaling makes of it. */
static Spread rescaled(Spread s, const ModelLayer *layer) {
    double a = number_of(layer, "scale"), b = number_of(layer, "offset"), min = a * s.min + b, max = a * s.max + b;
    return (Spread){fmin(min, max), fmax(min, max), a * s.mean + b, a * a * s.square + 2 * a * b * s.mean + b * b};
}

static void say(const Setup *setup, Spread given, bool large, const ModelLayer *scaling) {
    bool makes = setup->preprocess.mode != PREPROCESS_NONE;
    const char *mode = preprocess_names[setup->preprocess.mode];
    char change[64] = "Give --preprocess dataset, which makes mean 0 and deviation 1";
    if (setup->info->is_uint8)
        snprintf(change, sizeof change, "Leave --preprocess %s away", mode);
    if (scaling)
        log_warn("numbers from %g to %g go into network %s, which scales them itself (layer %s) to %s: it is likely to "
                 "learn nothing. %s.",
                 given.min, given.max, setup->model->name, scaling->name, large ? "large ones" : "almost equal ones",
                 setup->info->is_uint8
                     ? change
                     : "Such networks mostly want 0 to 255: bring the data there, or take another one");
    else
        log_warn(
            "numbers from %g to %g go into the network (--preprocess %s), %s: it is likely to learn nothing. %s%s.",
            given.min, given.max, mode, large ? "far larger ones than about 1" : "which differ by almost nothing",
            change,
            setup->info->is_uint8 ? ""
            : makes               ? ", or the dataset the right value_max, the largest number (cnn_import --value-max)"
            : large               ? ", or unit, if the dataset says its largest number (cnn_import --value-max)"
                                  : "");
}

Status input_scale_check(const Setup *setup) {
    PreprocessMode mode = setup->preprocess.mode;
    if (mode == PREPROCESS_DATASET || mode == PREPROCESS_CAFFE || vocabulary_is_read(setup->model) ||
        setup_begins_with(setup, "Normalization") || setup_begins_with(setup, "BatchNormalization"))
        return STATUS_OK;
    Spread given;
    if (setup->info->is_uint8)
        given = spread_of_bytes(setup->info, &setup->preprocess);
    else
        TRY(read_spread(setup, &given));
    const ModelLayer *scaling = setup_begins_with(setup, "Rescaling");
    Spread seen = scaling ? rescaled(given, scaling) : given;
    bool large = seen.square > largest_rms * largest_rms;
    if (large || seen.max - seen.min < least_range)
        say(setup, given, large, scaling);
    return STATUS_OK;
}
