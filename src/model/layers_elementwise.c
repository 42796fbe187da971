/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that work element by element: merging, activations. */
#include "model/layers.h"
#include <math.h>

/* ---- merging several inputs ---- */

static const LayerKey no_keys[] = {KEY_END};

static Status merge(LayerBuild *b, OpKind kind) {
    return layer_op(b, &(OpDesc){.kind = kind}, b->input_count, b->inputs, 0, NULL, &b->output);
}

static Status add_build(LayerBuild *b) {
    return merge(b, OP_ADD);
}

static Status subtract_build(LayerBuild *b) {
    return merge(b, OP_SUBTRACT);
}

static Status multiply_build(LayerBuild *b) {
    return merge(b, OP_MULTIPLY);
}

static Status average_build(LayerBuild *b) {
    return merge(b, OP_AVERAGE);
}

static Status maximum_build(LayerBuild *b) {
    return merge(b, OP_MAXIMUM);
}

const LayerClass layer_class_add = {"Add", no_keys, 2, OP_MAX_INPUTS, add_build};
const LayerClass layer_class_subtract = {"Subtract", no_keys, 2, 2, subtract_build};
const LayerClass layer_class_multiply = {"Multiply", no_keys, 2, OP_MAX_INPUTS, multiply_build};
const LayerClass layer_class_average = {"Average", no_keys, 2, OP_MAX_INPUTS, average_build};
const LayerClass layer_class_maximum = {"Maximum", no_keys, 2, OP_MAX_INPUTS, maximum_build};

/* CustomScaleLayer of InceptionResNetV2: x0 + scale * x1. */
static const LayerKey custom_scale_layer_keys[] = {KEY_NEED("scale", KEY_NUMBER), KEY_END};

static Status custom_scale_layer_build(LayerBuild *b) {
    OpDesc op = {.kind = OP_RESCALE, .attr.rescale = {.scale = layer_number(b, "scale")}};
    TRY(layer_op1(b, &op, b->inputs[1], &b->inputs[1]));
    return merge(b, OP_ADD);
}

const LayerClass layer_class_custom_scale_layer = {"CustomScaleLayer", custom_scale_layer_keys, 2, 2,
                                                   custom_scale_layer_build};

static const LayerKey concatenate_keys[] = {KEY_USE("axis", KEY_AXIS, "-1"), KEY_END};

static Status concatenate_build(LayerBuild *b) {
    int rank = (int)layer_shape(b, 0).rank, axis = (int)layer_number(b, "axis");
    int index = axis < 0 ? rank + axis : axis - 1; /* the batch counts in Keras, not here */
    if (index < 0 || index >= rank)
        return layer_fail(b, "axis %d does not exist, or is the batch", axis);
    OpDesc op = {.kind = OP_CONCAT, .attr.axis = (size_t)index};
    return layer_op(b, &op, b->input_count, b->inputs, 0, NULL, &b->output);
}

const LayerClass layer_class_concatenate = {"Concatenate", concatenate_keys, 2, OP_MAX_INPUTS, concatenate_build};

/* ---- activations as layers ---- */

static Status identity_build(LayerBuild *b) {
    b->output = b->inputs[0];
    return STATUS_OK;
}

const LayerClass layer_class_identity = {"Identity", no_keys, 1, 1, identity_build};

static const LayerKey activation_keys[] = {KEY_NEED("activation", KEY_ACTIVATION), KEY_END};

static Status activation_build(LayerBuild *b) {
    return layer_activate(b, "activation", b->inputs[0]);
}

const LayerClass layer_class_activation = {"Activation", activation_keys, 1, 1, activation_build};

static Status elementwise(LayerBuild *b, ActivationAttr attr) {
    return layer_op1(b, &(OpDesc){.kind = OP_ACTIVATION, .attr.activation = attr}, b->inputs[0], &b->output);
}

static const LayerKey re_lu_keys[] = {
    KEY_USE("max_value", KEY_NUMBER_OR_NULL, "null"),
    KEY_USE("negative_slope", KEY_NUMBER, "0"),
    KEY_USE("threshold", KEY_NUMBER, "0"),
    KEY_END,
};

static Status re_lu_build(LayerBuild *b) {
    ActivationAttr attr = {.kind = ACTIVATION_RELU, .max_value = INFINITY};
    attr.slope = layer_number(b, "negative_slope");
    attr.threshold = layer_number(b, "threshold");
    if (!layer_is_null(b, "max_value"))
        attr.max_value = layer_number(b, "max_value");
    if (attr.slope < 0 || attr.threshold < 0 || attr.max_value < 0)
        return layer_fail(b, "max_value, negative_slope and threshold must not be negative");
    return elementwise(b, attr);
}

const LayerClass layer_class_re_lu = {"ReLU", re_lu_keys, 1, 1, re_lu_build};

static const LayerKey leaky_re_lu_keys[] = {
    {"alpha", KEY_NUMBER, KEY_USED, "0.3", NULL, "negative_slope"},
    KEY_END,
};

static Status leaky_re_lu_build(LayerBuild *b) {
    return elementwise(
        b, (ActivationAttr){.kind = ACTIVATION_RELU, .max_value = INFINITY, .slope = layer_number(b, "alpha")});
}

const LayerClass layer_class_leaky_re_lu = {"LeakyReLU", leaky_re_lu_keys, 1, 1, leaky_re_lu_build};

static const LayerKey elu_keys[] = {KEY_USE("alpha", KEY_NUMBER, "1"), KEY_END};

static Status elu_build(LayerBuild *b) {
    return elementwise(b, (ActivationAttr){.kind = ACTIVATION_ELU, .alpha = layer_number(b, "alpha")});
}

const LayerClass layer_class_elu = {"ELU", elu_keys, 1, 1, elu_build};

static const LayerKey softmax_keys[] = {KEY_USE("axis", KEY_AXIS, "-1"), KEY_END};

static Status softmax_build(LayerBuild *b) {
    TRY(layer_last_axis(b, "axis"));
    return layer_op1(b, &(OpDesc){.kind = OP_SOFTMAX}, b->inputs[0], &b->output);
}

const LayerClass layer_class_softmax = {"Softmax", softmax_keys, 1, 1, softmax_build};

static const LayerKey p_re_lu_keys[] = {
    KEY_WEIGHT("alpha", "zeros"),
    KEY_USE("shared_axes", KEY_INTEGERS_OR_NULL, "null"),
    KEY_END,
};

/* alpha has the input's shape, with extent 1 on shared axes (counted from 1, the batch being 0). */
static Status p_re_lu_build(LayerBuild *b) {
    const json_t *shared = layer_list(b, "shared_axes");
    Shape alpha = layer_shape(b, 0);
    int param;
    for (size_t i = 0; i < json_array_size(shared); i++) {
        json_int_t axis = json_integer_value(json_array_get(shared, i));
        if (axis < 1 || axis > (json_int_t)alpha.rank)
            return layer_fail(b, "shared_axes: axis %d does not exist", (int)axis);
        alpha.dim[axis - 1] = 1;
    }
    TRY(layer_weight(b, "alpha", "alpha", alpha, &param));
    return layer_op(b, &(OpDesc){.kind = OP_PRELU}, 1, b->inputs, 1, &param, &b->output);
}

const LayerClass layer_class_p_re_lu = {"PReLU", p_re_lu_keys, 1, 1, p_re_lu_build};
