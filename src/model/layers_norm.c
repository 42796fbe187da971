/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that shift and scale: normalizations and Rescaling. */
#include "base/memory.h"
#include "model/layers.h"
#include <string.h>

/* gamma and beta, where scale and center ask for them; else -1. */
static Status make_scale(const LayerBuild *b, Shape shape, int params[2]) {
    params[0] = params[1] = -1;
    if (layer_flag(b, "scale"))
        TRY(layer_weight(b, "gamma", "gamma", shape, &params[0]));
    if (layer_flag(b, "center"))
        TRY(layer_weight(b, "beta", "beta", shape, &params[1]));
    return STATUS_OK;
}

#define KEY_NORM                                                                                                       \
    KEY_USE("epsilon", KEY_NUMBER, "0.001"), KEY_USE("center", KEY_BOOL, "true"), KEY_USE("scale", KEY_BOOL, "true"),  \
        KEY_WEIGHT("beta", "zeros"), KEY_WEIGHT("gamma", "ones")

static Status check_epsilon(const LayerBuild *b) {
    double epsilon = layer_number(b, "epsilon");
    return epsilon >= 0 ? STATUS_OK : layer_fail(b, "epsilon %g is negative", epsilon);
}

/* ---- BatchNormalization ---- */

static const LayerKey batch_normalization_keys[] = {
    KEY_USE("axis", KEY_AXIS, "-1"),
    KEY_USE("momentum", KEY_NUMBER, "0.99"),
    KEY_NORM,
    KEY_USE("moving_mean_initializer", KEY_INITIALIZER, "\"zeros\""),
    KEY_USE("moving_variance_initializer", KEY_INITIALIZER, "\"ones\""),
    KEY_ONLY("synchronized", KEY_BOOL, "false"),
    KEY_ONLY("renorm", KEY_BOOL, "false"),
    KEY_SKIP("renorm_clipping"), /* of renorm, which is off */
    KEY_SKIP("renorm_momentum"),
    KEY_ONLY("virtual_batch_size", KEY_ANY, "null"),
    KEY_ONLY("adjustment", KEY_ANY, "null"),
    KEY_SKIP("fused"), /* which kernel computes the same formula */
    KEY_END,
};

static Status batch_normalization_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    TRY(layer_last_axis(b, "axis"));
    TRY(check_epsilon(b));
    double momentum = layer_number(b, "momentum");
    if (!(momentum >= 0 && momentum <= 1))
        return layer_fail(b, "momentum %g is not between 0 and 1", momentum);
    Shape channels = SHAPE(x.dim[x.rank - 1]);
    OpDesc op = {.kind = OP_BATCH_NORM, .attr.norm = {.epsilon = layer_number(b, "epsilon"), .momentum = momentum}};
    op.attr.norm.frozen = !b->layer->trainable;
    int params[4];
    TRY(make_scale(b, channels, params));
    ParamSpec state = {.shape = channels, .role = PARAM_STATISTIC, .momentum = momentum};
    state.name = "moving_mean";
    state.init = layer_initializer(b, "moving_mean_initializer");
    TRY(layer_state(b, state, &params[2]));
    state.name = "moving_variance";
    state.init = layer_initializer(b, "moving_variance_initializer");
    TRY(layer_state(b, state, &params[3]));
    return layer_op(b, &op, 1, b->inputs, 4, params, &b->output);
}

const LayerClass layer_class_batch_normalization = {"BatchNormalization", batch_normalization_keys, 1, 1,
                                                    batch_normalization_build};

/* ---- LayerNormalization ---- */

static const LayerKey layer_normalization_keys[] = {
    KEY_USE("axis", KEY_INTEGERS, "-1"),
    KEY_NORM,
    KEY_ONLY("rms_scaling", KEY_BOOL, "false"),
    KEY_END,
};

/* The axes must be the last ones, in any order. */
static Status layer_normalization_build(LayerBuild *b) {
    const json_t *list = layer_list(b, "axis");
    Shape x = layer_shape(b, 0), normalized = {0};
    size_t axes = json_array_size(list);
    bool named[SHAPE_MAX] = {false};
    for (size_t i = 0; i < axes; i++) {
        json_int_t axis = json_integer_value(json_array_get(list, i));
        axis += axis < 0 ? (json_int_t)x.rank : -1; /* the batch counts in Keras, not here */
        if (axis < 0 || axis >= (json_int_t)x.rank || axes > x.rank || axis < (json_int_t)(x.rank - axes) ||
            named[axis])
            return layer_fail(b, "only the last axes can be normalized");
        named[axis] = true;
    }
    for (size_t i = x.rank - axes; i < x.rank; i++)
        normalized.dim[normalized.rank++] = x.dim[i];
    TRY(check_epsilon(b));
    OpDesc op = {.kind = OP_LAYER_NORM, .attr.norm = {.epsilon = layer_number(b, "epsilon"), .axes = axes}};
    int params[2];
    TRY(make_scale(b, normalized, params));
    return layer_op(b, &op, 1, b->inputs, 2, params, &b->output);
}

const LayerClass layer_class_layer_normalization = {"LayerNormalization", layer_normalization_keys, 1, 1,
                                                    layer_normalization_build};

/* ---- GroupNormalization ---- */

static const LayerKey group_normalization_keys[] = {
    KEY_USE("groups", KEY_COUNT, "32"),
    KEY_USE("axis", KEY_AXIS, "-1"),
    KEY_NORM,
    KEY_END,
};

static Status group_normalization_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    TRY(layer_last_axis(b, "axis"));
    TRY(check_epsilon(b));
    size_t channels = x.dim[x.rank - 1], groups = layer_count(b, "groups");
    if (channels % groups != 0)
        return layer_fail(b, "groups %zu does not divide %zu channels", groups, channels);
    OpDesc op = {.kind = OP_GROUP_NORM, .attr.norm = {.epsilon = layer_number(b, "epsilon"), .groups = groups}};
    int params[2];
    TRY(make_scale(b, SHAPE(channels), params));
    return layer_op(b, &op, 1, b->inputs, 2, params, &b->output);
}

const LayerClass layer_class_group_normalization = {"GroupNormalization", group_normalization_keys, 1, 1,
                                                    group_normalization_build};

/* ---- Normalization: mean and variance are given, or weights that an earlier training learned ---- */

static const LayerKey normalization_keys[] = {
    KEY_USE("axis", KEY_AXIS, "-1"),
    KEY_USE("mean", KEY_NUMBERS_OR_NULL, "null"),
    KEY_USE("variance", KEY_NUMBERS_OR_NULL, "null"),
    KEY_ONLY("invert", KEY_BOOL, "false"),
    KEY_END,
};

/* A constant [channels] from `key`, which has one number for all channels or a list of one for each. */
static Status make_constant(const LayerBuild *b, const char *key, size_t channels, int *param) {
    const json_t *list = layer_list(b, key);
    size_t count = json_is_array(list) ? json_array_size(list) : 1;
    if (count != 1 && count != channels)
        return layer_fail(b, "%s has %zu numbers for %zu channels", key, count, channels);
    double *values;
    TRY(memory_new(&values, channels, "model"));
    for (size_t i = 0; i < channels; i++)
        values[i] = json_number_value(json_is_array(list) ? json_array_get(list, count == 1 ? 0 : i) : list);
    ParamSpec spec = {.name = key, .shape = SHAPE(channels), .role = PARAM_CONSTANT, .values = values};
    Status status = layer_state(b, spec, param);
    memory_free(values);
    return status;
}

static Status normalization_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    TRY(layer_last_axis(b, "axis"));
    size_t channels = x.dim[x.rank - 1];
    int params[2], count;
    ParamSpec state = {.shape = SHAPE(channels), .role = PARAM_FIXED, .init = {.kind = INIT_CONSTANT}};
    if (layer_is_null(b, "mean") != layer_is_null(b, "variance"))
        return layer_fail(b, "mean and variance must be given both or none");
    if (layer_is_null(b, "mean")) {
        state.name = "mean";
        TRY(layer_state(b, state, &params[0]));
        state.name = "variance";
        state.init.a = 1;
        TRY(layer_state(b, state, &params[1]));
        /* how many examples were seen: Keras saves it with the weights */
        TRY(layer_state(b, (ParamSpec){.name = "count", .role = PARAM_FIXED, .init = {.kind = INIT_CONSTANT}}, &count));
    } else {
        TRY(make_constant(b, "mean", channels, &params[0]));
        TRY(make_constant(b, "variance", channels, &params[1]));
    }
    return layer_op(b, &(OpDesc){.kind = OP_NORMALIZE}, 1, b->inputs, 2, params, &b->output);
}

const LayerClass layer_class_normalization = {"Normalization", normalization_keys, 1, 1, normalization_build};

/* ---- Rescaling ---- */

static const LayerKey rescaling_keys[] = {
    KEY_NEED("scale", KEY_NUMBERS),
    KEY_WRITE("offset", KEY_NUMBERS, "0"),
    KEY_END,
};

/* Numbers per channel become constants. */
static Status rescaling_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    int params[2];
    if (json_is_number(layer_list(b, "scale")) && json_is_number(layer_list(b, "offset"))) {
        OpDesc op = {.kind = OP_RESCALE, .attr.rescale = {layer_number(b, "scale"), layer_number(b, "offset")}};
        return layer_op1(b, &op, b->inputs[0], &b->output);
    }
    if (x.rank == 0)
        return layer_fail(b, "has numbers per channel, but its input has no channels");
    TRY(make_constant(b, "scale", x.dim[x.rank - 1], &params[0]));
    TRY(make_constant(b, "offset", x.dim[x.rank - 1], &params[1]));
    return layer_op(b, &(OpDesc){.kind = OP_SCALE}, 1, b->inputs, 2, params, &b->output);
}

const LayerClass layer_class_rescaling = {"Rescaling", rescaling_keys, 1, 1, rescaling_build};

/* ---- LayerScale of ConvNeXt: x * gamma per channel ---- */

static const LayerKey layer_scale_keys[] = {
    KEY_USE("init_values", KEY_NUMBER, "1e-6"),
    KEY_NEED("projection_dim", KEY_COUNT),
    KEY_END,
};

static Status layer_scale_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    size_t channels = layer_count(b, "projection_dim");
    char text[SHAPE_TEXT];
    if (x.rank == 0 || x.dim[x.rank - 1] != channels)
        return layer_fail(b, "projection_dim %zu does not fit an input of %s", channels, shape_format(&x, text));
    ParamSpec gamma = {.name = "gamma", .shape = SHAPE(channels), .init = {.kind = INIT_CONSTANT}};
    gamma.init.a = layer_number(b, "init_values");
    gamma.role = b->layer->trainable ? PARAM_TRAINED : PARAM_FROZEN;
    int param;
    TRY(layer_state(b, gamma, &param));
    return layer_op(b, &(OpDesc){.kind = OP_SCALE}, 1, b->inputs, 1, &param, &b->output);
}

const LayerClass layer_class_layer_scale = {"LayerScale", layer_scale_keys, 1, 1, layer_scale_build};
