/* SPDX-License-Identifier: Apache-2.0 */
#include "train/augmentation.h"
#include "base/log.h"
#include "model/layers.h"
#include "train/vocabulary.h"
#include <math.h>
#include <string.h>

/* ---- one layer ---- */

static bool is(const ModelLayer *layer, const char *class_name) {
    return strcmp(layer->class->name, class_name) == 0;
}

/* The two numbers of `key`, or of one number f: -f, f. */
static void pair(const ModelLayer *layer, const char *key, double out[2]) {
    const json_t *value = json_object_get(layer->config, key);
    out[0] = json_is_array(value) ? json_number_value(json_array_get(value, 0)) : -fabs(json_number_value(value));
    out[1] = json_is_array(value) ? json_number_value(json_array_get(value, 1)) : fabs(json_number_value(value));
}

static void scaled_pair(const ModelLayer *layer, const char *key, double offset, double scale, double out[2]) {
    pair(layer, key, out);
    for (int i = 0; i < 2; i++)
        out[i] = offset + scale * out[i];
}

static void set_edge(const ModelLayer *layer, AugmentOperation *op) {
    const char *fill = json_string_value(json_object_get(layer->config, "fill_mode"));
    const char *interpolation = json_string_value(json_object_get(layer->config, "interpolation"));
    op->fill = strcmp(fill, "constant") == 0  ? FILL_CONSTANT
               : strcmp(fill, "nearest") == 0 ? FILL_NEAREST
               : strcmp(fill, "wrap") == 0    ? FILL_WRAP
                                              : FILL_REFLECT;
    op->fill_value = json_number_value(json_object_get(layer->config, "fill_value"));
    op->nearest = strcmp(interpolation, "nearest") == 0;
}

static Status add_flips(const char *mode, int keras, AugmentOperation op, Augment *out) {
    op.chance = 0.5;
    if (strcmp(mode, "horizontal_and_vertical") == 0 && keras == 3) {
        op.kind = AUGMENT_ROTATE;
        op.range[0][0] = op.range[0][1] = 180;
        return augment_add(out, &op);
    }
    op.kind = AUGMENT_FLIP;
    if (strcmp(mode, "vertical") != 0)
        TRY(augment_add(out, &op));
    op.kind = AUGMENT_VFLIP;
    return strcmp(mode, "horizontal") != 0 ? augment_add(out, &op) : STATUS_OK;
}

/* Values that the pixels 0 .. M take there, against those that the layer is told to expect. */
static void warn_range(const ModelLayer *layer, const AugmentOperation *op, double max) {
    double first = op->units.offset[0], last = op->units.offset[0] + op->units.scale[0] * max;
    double span = fabs(last - first) / (op->range[1][1] - op->range[1][0]);
    if (!(span > 0.4 && span < 2.5))
        log_warn("layer %s (%s) has value_range [%g, %g], but pixels reach it as %g to %g: is --preprocess what the "
                 "network was made for?",
                 layer->name, layer->class->name, op->range[1][0], op->range[1][1], first, last);
}

static Status add_layer(const ModelLayer *layer, int keras, double max, const AugmentUnits *units, Augment *out) {
    AugmentOperation op = {.chance = 1, .units = *units};
    const char *mode = json_string_value(json_object_get(layer->config, "mode"));
    if (is(layer, "RandomFlip"))
        return add_flips(mode, keras, op, out);
    if (is(layer, "RandomRotation")) {
        op.kind = AUGMENT_ROTATE;
        scaled_pair(layer, "factor", 0, 360, op.range[0]);
    } else if (is(layer, "RandomTranslation")) {
        op.kind = AUGMENT_TRANSLATE;
        pair(layer, "width_factor", op.range[0]);
        pair(layer, "height_factor", op.range[1]);
    } else if (is(layer, "RandomZoom")) {
        op.kind = AUGMENT_LAYER_ZOOM;
        op.tied = json_is_null(json_object_get(layer->config, "width_factor"));
        scaled_pair(layer, op.tied ? "height_factor" : "width_factor", 1, 1, op.range[0]);
        scaled_pair(layer, "height_factor", 1, 1, op.range[1]);
    } else {
        bool contrast = is(layer, "RandomContrast");
        op.kind = contrast ? AUGMENT_LAYER_CONTRAST : AUGMENT_LAYER_BRIGHTNESS;
        pair(layer, "factor", op.range[0]);
        if (contrast) { /* [lower, upper] means 1 - lower .. 1 + upper */
            const json_t *factor = json_object_get(layer->config, "factor");
            op.range[0][0] = 1 - (json_is_array(factor) ? op.range[0][0] : op.range[0][1]);
            op.range[0][1] = 1 + op.range[0][1];
        }
        pair(layer, "value_range", op.range[1]);
        warn_range(layer, &op, max);
    }
    if (json_object_get(layer->config, "fill_mode"))
        set_edge(layer, &op);
    return augment_add(out, &op);
}

/* ---- from the input on ---- */

/* Values as preprocessing makes them. */
static AugmentUnits units_of(const Preprocess *preprocess) {
    AugmentUnits units = {.channels = preprocess->channels};
    for (size_t c = 0; c < units.channels; c++) {
        size_t k = preprocess->reverse_channels ? units.channels - 1 - c : c; /* the network's channel */
        units.scale[c] = preprocess->scale[k];
        units.offset[c] = preprocess->offset[k];
    }
    return units;
}

/* value becomes value * scale[k] + offset[k], k the network's channel; lists of one number count for all. */
static void rescale(AugmentUnits *units, size_t channels, bool reversed, const double *scale, const double *offset,
                    size_t count) {
    if (units->channels == 1 && count > 1) {
        for (size_t c = 1; c < channels; c++)
            units->scale[c] = units->scale[0], units->offset[c] = units->offset[0];
        units->channels = channels;
    }
    for (size_t c = 0; c < units->channels; c++) {
        size_t k = count == 1 ? 0 : reversed ? channels - 1 - c : c;
        units->scale[c] *= scale[k];
        units->offset[c] = units->offset[c] * scale[k] + offset[k];
    }
}

/* The numbers of `key`: how many, at most `channels`; 0 where they are not known or do not fit. */
static size_t numbers_of(const ModelLayer *layer, const char *key, size_t channels, double *out) {
    const json_t *value = json_object_get(layer->config, key);
    size_t count = json_is_array(value) ? json_array_size(value) : json_is_number(value) ? 1 : 0;
    if (count > 1 && count != channels)
        return 0;
    for (size_t i = 0; i < count; i++)
        out[i] = json_number_value(json_is_array(value) ? json_array_get(value, i) : value);
    return count;
}

/* Takes a Rescaling or Normalization into account; false where its numbers are not known: adapted ones are weights. */
static bool follow_scaling(const Setup *setup, const ModelLayer *layer, AugmentUnits *units) {
    double a[PREPROCESS_CHANNELS], b[PREPROCESS_CHANNELS];
    bool rescaling = is(layer, "Rescaling");
    size_t channels = setup->info->shape.dim[setup->info->shape.rank - 1];
    if (channels > PREPROCESS_CHANNELS)
        return false;
    size_t scales = numbers_of(layer, rescaling ? "scale" : "variance", channels, a);
    size_t offsets = numbers_of(layer, rescaling ? "offset" : "mean", channels, b);
    size_t count = scales > offsets ? scales : offsets;
    if (scales == 0 || offsets == 0)
        return false;
    for (size_t c = count; c-- > 0;) {
        a[c] = a[scales == 1 ? 0 : c];
        b[c] = b[offsets == 1 ? 0 : c];
    }
    for (size_t c = 0; c < count && !rescaling; c++) {
        a[c] = 1 / fmax(sqrt(a[c]), 1e-7); /* Keras's epsilon */
        b[c] = -b[c] * a[c];
    }
    rescale(units, channels, setup->preprocess.reverse_channels, a, b, count);
    return true;
}

/* The only layer that reads the output of layer `from`, or NULL. */
static const ModelLayer *only_reader(const Model *model, size_t from) {
    const ModelLayer *found = NULL;
    size_t readers = 0;
    for (size_t i = 0; i < model->output_count; i++)
        readers += model->outputs[i].layer == from;
    for (size_t l = 0; l < model->layer_count; l++)
        for (size_t c = 0; c < model->layers[l].call_count; c++)
            for (size_t i = 0; i < model->layers[l].calls[c].input_count; i++)
                if (model->layers[l].calls[c].inputs[i].layer == from) {
                    found = &model->layers[l];
                    readers++;
                }
    return readers == 1 ? found : NULL;
}

/* The InputLayer of the images. */
static size_t image_input(const Model *model) {
    for (size_t i = 0; i < model->input_count; i++)
        if (model->input_count == 1 || strcmp(model->layers[model->inputs[i].layer].name, "x") == 0)
            return model->inputs[i].layer;
    return model->layer_count;
}

/* The way from the input to a layer. */
typedef struct Way {
    AugmentUnits units; /* of the values there */
    const ModelLayer
        *unknown; /* the first layer whose scale is not known (they are its weights), so `units` neither; or NULL */
    const ModelLayer *distorted; /* the first Resizing that changes width / height; or NULL */
} Way;

/* Takes a layer into account that does the same before and after a change of the image; false where it is nothing of
 * the kind. */
static bool follow(const Setup *setup, const ModelLayer *layer, Way *way) {
    if (is(layer, "Resizing")) {
        const size_t *from = setup->info->shape.dim;
        double height = json_number_value(json_object_get(layer->config, "height"));
        double width = json_number_value(json_object_get(layer->config, "width"));
        if (json_is_true(json_object_get(layer->config, "crop_to_aspect_ratio")))
            return false;
        if (way->distorted == NULL && height * (double)from[1] != width * (double)from[0])
            way->distorted = layer;
        return true;
    }
    if (is(layer, "RandomCrop")) /* has nothing to cut off, else model_build refuses it */
        return true;
    if (!is(layer, "Rescaling") && !is(layer, "Normalization"))
        return false;
    if (!follow_scaling(setup, layer, &way->units) && way->unknown == NULL)
        way->unknown = layer;
    return true;
}

/* What stands between the input and augmentation layer `layer` may keep it from being done to the image before. */
static Status check_way(const Way *way, const ModelLayer *layer) {
    const char *fill = json_string_value(json_object_get(layer->config, "fill_mode"));
    bool reads_values = json_object_get(layer->config, "value_range") || (fill && strcmp(fill, "constant") == 0);
    if (way->unknown && reads_values)
        return status_fail(
            STATUS_USAGE,
            "layer %s (%s) needs to know what values reach it, but the mean and variance of layer %s (%s) "
            "are weights: give that layer numbers (mean=, variance=), or put this one in front of it",
            layer->name, layer->class->name, way->unknown->name, way->unknown->class->name);
    if (way->distorted && is(layer, "RandomRotation"))
        return status_fail(STATUS_USAGE,
                           "layer %s (%s) stands behind %s (Resizing), which does not keep width / height: put it in "
                           "front of that, or take it out and give --augment rotate",
                           layer->name, layer->class->name, way->distorted->name);
    return STATUS_OK;
}

static Status refuse(const ModelLayer *layer, const ModelLayer *blocking) {
    return status_fail(
        STATUS_USAGE,
        "layer %s (%s) changes images at random, which is only done in front of the network: nothing but "
        "Rescaling, Normalization and Resizing may stand between the input and it%s%s. Move it there, or "
        "take it out and give --augment (cnn_train --augment help).",
        layer->name, layer->class->name, blocking ? ", not " : "", blocking ? blocking->name : "");
}

static Status add_layers(const Setup *setup, Augment *out) {
    const Model *model = setup->model;
    Way way = {.units = units_of(&setup->preprocess)};
    const ModelLayer *behind = NULL; /* the first layer that is not followed */
    size_t followed = 0, all = 0, at = image_input(model);
    while (at < model->layer_count) {
        behind = only_reader(model, at);
        if (behind == NULL || behind->call_count != 1)
            break;
        if (layer_is_augmentation(behind->class)) {
            TRY(check_way(&way, behind));
            TRY(add_layer(behind, model->keras, setup->info->value_max, &way.units, out));
            followed++;
        } else if (!follow(setup, behind, &way)) {
            break;
        }
        at = (size_t)(behind - model->layers);
    }
    const ModelLayer *last = NULL;
    for (size_t l = 0; l < model->layer_count; l++)
        if (layer_is_augmentation(model->layers[l].class)) {
            all++;
            last = &model->layers[l];
        }
    return all > followed ? refuse(last, behind) : STATUS_OK;
}

/* A dataset's [L,C,1] may be an image to it and a series to the network. */
static Status check_network(const Setup *setup, const Augment *augment) {
    const Model *model = setup->model;
    size_t at = image_input(model);
    const json_t *extents =
        at < model->layer_count ? json_object_get(model->layers[at].config, "batch_input_shape") : NULL;
    if (augment->count == 0)
        return STATUS_OK;
    TRY(vocabulary_refuse(model, "--augment"));
    for (size_t i = 0; extents && json_array_size(extents) != 4 && i < augment->count; i++)
        if (augment->operations[i].kind != AUGMENT_NOISE)
            return status_fail(
                STATUS_USAGE,
                "--augment changes images [height, width, channels], which network %s does not take: only "
                "noise is for all data",
                model->name);
    return STATUS_OK;
}

Status augmentation_create(const Setup *setup, const char *list, uint64_t seed, Augment *out) {
    TRY(augment_parse(list, out));
    TRY(add_layers(setup, out));
    out->seed = seed;
    TRY(setup->data ? augment_check(out, setup->data) : augment_check_bytes(out, setup->info));
    return check_network(setup, out);
}

void augmentation_say(const char *list, const Augment *augment) {
    Augment own;
    size_t listed = augment_parse(list, &own) == STATUS_OK ? own.count : 0;
    if (augment->count > 0)
        log_info("augmentation: %s%s%s\n", listed > 0 ? list : "", listed > 0 && augment->count > listed ? ", " : "",
                 augment->count > listed ? "layers of the network" : "");
}
