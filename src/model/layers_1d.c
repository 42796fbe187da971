/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of series [L,C]: those of images on an image that is one row high (layers_window.h). */
#include "model/layers_window.h"
#include <string.h>

bool layer_is_1d(const LayerBuild *b) {
    return strstr(b->layer->class->name, "1D") != NULL;
}

Status layer_row(LayerBuild *b) {
    TRY(layer_needs_rank(b, 2));
    Shape x = layer_shape(b, 0), row = SHAPE(1, x.dim[0], x.dim[1]);
    const Node *node = &b->graph->nodes[b->inputs[0]];
    if (node->op.kind == OP_RESHAPE && shape_equal(&node->op.x[0], &row)) {
        b->inputs[0] = node->inputs[0];
        return STATUS_OK;
    }
    return layer_op1(b, &(OpDesc){.kind = OP_RESHAPE, .attr.reshape.shape = row}, b->inputs[0], &b->inputs[0]);
}

Status layer_row_end(LayerBuild *b) {
    Shape y = graph_shape(b->graph, b->output);
    OpDesc op = {.kind = OP_RESHAPE, .attr.reshape.shape = SHAPE(y.dim[1], y.dim[2])};
    return layer_op1(b, &op, b->output, &b->output);
}

/* ---- convolutions ---- */

/* A layer of images on the row. */
static Status on_row(LayerBuild *b, Status (*build)(LayerBuild *)) {
    TRY(layer_row(b));
    TRY(build(b));
    return layer_row_end(b);
}

static const LayerKey conv1d_keys[] = {KEY_CONV(KEY_SINGLE, "valid same causal"), KEY_END};

static Status conv1d_build(LayerBuild *b) {
    return on_row(b, layer_conv_build);
}

const LayerClass layer_class_conv1d = {"Conv1D", conv1d_keys, 1, 1, conv1d_build};

static const LayerKey conv1d_transpose_keys[] = {KEY_CONV_TRANSPOSE(KEY_SINGLE, KEY_SINGLE0_OR_NULL), KEY_END};

static Status conv1d_transpose_build(LayerBuild *b) {
    return on_row(b, layer_conv_transpose_build);
}

const LayerClass layer_class_conv1d_transpose = {"Conv1DTranspose", conv1d_transpose_keys, 1, 1,
                                                 conv1d_transpose_build};

static const LayerKey depthwise_conv1d_keys[] = {
    KEY_DEPTHWISE(KEY_SINGLE, "valid same causal"),
    KEY_SKIP("filters"),
    KEY_END,
};

static Status depthwise_conv1d_build(LayerBuild *b) {
    return on_row(b, layer_depthwise_build);
}

const LayerClass layer_class_depthwise_conv1d = {"DepthwiseConv1D", depthwise_conv1d_keys, 1, 1,
                                                 depthwise_conv1d_build};

static const LayerKey separable_conv1d_keys[] = {
    KEY_NEED("filters", KEY_COUNT),
    KEY_DEPTHWISE(KEY_SINGLE, "valid same causal"),
    KEY_WEIGHT("pointwise", "glorot_uniform"),
    KEY_END,
};

static Status separable_conv1d_build(LayerBuild *b) {
    return on_row(b, layer_separable_build);
}

const LayerClass layer_class_separable_conv1d = {"SeparableConv1D", separable_conv1d_keys, 1, 1,
                                                 separable_conv1d_build};

/* ---- pooling ---- */

static const LayerKey max_pool_keys[] = {KEY_USE("pool_size", KEY_SINGLE, "2"), KEY_POOL(KEY_SINGLE_OR_NULL), KEY_END};
static const LayerKey average_pool_keys[] = {
    KEY_WRITE("pool_size", KEY_SINGLE, "2"),
    KEY_POOL(KEY_SINGLE_OR_NULL),
    KEY_END,
};

static Status pool1d(LayerBuild *b, OpKind kind) {
    TRY(layer_row(b));
    TRY(layer_pool_build(b, kind));
    return layer_row_end(b);
}

static Status max_pooling1d_build(LayerBuild *b) {
    return pool1d(b, OP_MAX_POOL2D);
}

static Status average_pooling1d_build(LayerBuild *b) {
    return pool1d(b, OP_AVERAGE_POOL2D);
}

const LayerClass layer_class_max_pooling1d = {"MaxPooling1D", max_pool_keys, 1, 1, max_pooling1d_build};
const LayerClass layer_class_average_pooling1d = {"AveragePooling1D", average_pool_keys, 1, 1, average_pooling1d_build};

static Status global_pool1d(LayerBuild *b, OpKind kind) {
    TRY(layer_row(b));
    TRY(layer_global_pool_build(b, kind));
    return layer_flag(b, "keepdims") ? layer_row_end(b) : STATUS_OK;
}

static Status global_max_pooling1d_build(LayerBuild *b) {
    return global_pool1d(b, OP_GLOBAL_MAX_POOL2D);
}

static Status global_average_pooling1d_build(LayerBuild *b) {
    return global_pool1d(b, OP_GLOBAL_AVERAGE_POOL2D);
}

const LayerClass layer_class_global_max_pooling1d = {"GlobalMaxPooling1D", layer_global_pool_keys, 1, 1,
                                                     global_max_pooling1d_build};
const LayerClass layer_class_global_average_pooling1d = {"GlobalAveragePooling1D", layer_global_pool_keys, 1, 1,
                                                         global_average_pooling1d_build};

/* ---- padding, cropping, repeating ---- */

static Status pad1d(LayerBuild *b, OpKind kind, const char *key) {
    const json_t *margin = layer_list(b, key);
    OpDesc op = {.kind = kind};
    for (size_t side = 0; side < 2; side++)
        op.attr.pad.amount[1][side] = (size_t)json_integer_value(json_array_get(margin, side));
    TRY(layer_row(b));
    TRY(layer_op1(b, &op, b->inputs[0], &b->output));
    return layer_row_end(b);
}

static Status zero_padding1d_build(LayerBuild *b) {
    return pad1d(b, OP_PAD2D, "padding");
}

static Status cropping1d_build(LayerBuild *b) {
    return pad1d(b, OP_CROP2D, "cropping");
}

static const LayerKey zero_padding1d_keys[] = {KEY_USE("padding", KEY_MARGIN1, "1"), KEY_CHANNELS_LAST, KEY_END};
static const LayerKey cropping1d_keys[] = {KEY_USE("cropping", KEY_MARGIN1, "[1,1]"), KEY_CHANNELS_LAST, KEY_END};
const LayerClass layer_class_zero_padding1d = {"ZeroPadding1D", zero_padding1d_keys, 1, 1, zero_padding1d_build};
const LayerClass layer_class_cropping1d = {"Cropping1D", cropping1d_keys, 1, 1, cropping1d_build};

static const LayerKey up_sampling1d_keys[] = {KEY_USE("size", KEY_SINGLE, "2"), KEY_END};

static Status up_sampling1d_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    size_t size[2];
    layer_pair(b, "size", size);
    TRY(layer_row(b));
    OpDesc op = {.kind = OP_RESIZE2D, .attr.resize = {1, x.dim[0] * size[1], INTERPOLATE_NEAREST}};
    TRY(layer_op1(b, &op, b->inputs[0], &b->output));
    return layer_row_end(b);
}

const LayerClass layer_class_up_sampling1d = {"UpSampling1D", up_sampling1d_keys, 1, 1, up_sampling1d_build};
