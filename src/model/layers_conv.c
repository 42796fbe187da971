/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers with a matrix of weights: convolutions and Dense. */
#include "model/layers_window.h"

/* [R,S,first,second], or [S,first,second] of a 1-D layer. */
static Shape kernel_shape(const LayerBuild *b, const ConvAttr *attr, size_t first, size_t second) {
    const size_t *k = attr->kernel;
    return layer_is_1d(b) ? SHAPE(k[1], first, second) : SHAPE(k[0], k[1], first, second);
}

/* The padding that the key says; causal: as many zeros in front as let position q see nothing behind q * stride. */
static void set_padding(const LayerBuild *b, ConvAttr *attr) {
    attr->padding = layer_choice(b, "padding", "same") ? PADDING_SAME : PADDING_VALID;
    if (!layer_choice(b, "padding", "causal"))
        return;
    attr->padding = PADDING_EXPLICIT;
    attr->pad[1][0] = (attr->kernel[1] - 1) * attr->dilation[1];
}

/* The attributes of a convolution with `filters` output channels in `groups`; *input: the node that it reads. */
static ConvAttr conv_attr(const LayerBuild *b, size_t filters, size_t groups, int *input) {
    ConvAttr attr = {.groups = groups, .filters = filters};
    layer_pair(b, "kernel_size", attr.kernel);
    layer_pair(b, "strides", attr.stride);
    layer_pair(b, "dilation_rate", attr.dilation);
    set_padding(b, &attr);
    const size_t extent[2] = {(attr.kernel[0] - 1) * attr.dilation[0] + 1, (attr.kernel[1] - 1) * attr.dilation[1] + 1};
    *input = layer_padded_input(b, extent, &attr.padding, attr.pad);
    return attr;
}

Status layer_bias(const LayerBuild *b, size_t channels, int *bias) {
    *bias = -1;
    return layer_flag(b, "use_bias") ? layer_weight(b, "bias", "bias", SHAPE(channels), bias) : STATUS_OK;
}

/* ---- Conv2D ---- */

static const LayerKey conv2d_keys[] = {KEY_CONV(KEY_PAIR, "valid same"), KEY_END};

Status layer_conv_build(LayerBuild *b) {
    TRY(layer_needs_rank(b, 3));
    size_t channels = layer_shape(b, 0).dim[2], filters = layer_count(b, "filters"), groups = layer_count(b, "groups");
    if (channels % groups != 0 || filters % groups != 0)
        return layer_fail(b, "groups %zu does not divide %zu input channels and %zu filters", groups, channels,
                          filters);
    int params[2], node;
    OpDesc op = {.kind = OP_CONV2D, .attr.conv = conv_attr(b, filters, groups, &node)};
    TRY(layer_weight(b, "kernel", "kernel", kernel_shape(b, &op.attr.conv, channels / groups, filters), &params[0]));
    TRY(layer_bias(b, filters, &params[1]));
    TRY(layer_op(b, &op, 1, &node, 2, params, &node));
    return layer_activate(b, "activation", node);
}

const LayerClass layer_class_conv2d = {"Conv2D", conv2d_keys, 1, 1, layer_conv_build};

/* ---- Conv2DTranspose ---- */

static const LayerKey conv2d_transpose_keys[] = {KEY_CONV_TRANSPOSE(KEY_PAIR, KEY_PAIR0_OR_NULL), KEY_END};

Status layer_conv_transpose_build(LayerBuild *b) {
    TRY(layer_needs_rank(b, 3));
    size_t channels = layer_shape(b, 0).dim[2], filters = layer_count(b, "filters");
    ConvAttr attr = {.groups = 1, .filters = filters, .dilation = {1, 1}};
    attr.padding = layer_choice(b, "padding", "same") ? PADDING_SAME : PADDING_VALID;
    attr.output_padding_set = !layer_is_null(b, "output_padding");
    layer_pair(b, "kernel_size", attr.kernel);
    layer_pair(b, "strides", attr.stride);
    layer_pair(b, "output_padding", attr.output_padding);
    if (layer_is_1d(b))
        attr.output_padding[0] = 0;
    OpDesc op = {.kind = OP_CONV2D_TRANSPOSE, .attr.conv = attr};
    int params[2], node;
    TRY(layer_weight(b, "kernel", "kernel", kernel_shape(b, &attr, filters, channels), &params[0]));
    TRY(layer_bias(b, filters, &params[1]));
    TRY(layer_op(b, &op, 1, b->inputs, 2, params, &node));
    return layer_activate(b, "activation", node);
}

const LayerClass layer_class_conv2d_transpose = {"Conv2DTranspose", conv2d_transpose_keys, 1, 1,
                                                 layer_conv_transpose_build};

/* ---- DepthwiseConv2D: a convolution with as many groups as channels ---- */

/* Makes the kernel [R, S, C, depth_multiplier] and the description of the depthwise convolution; *input as above. */
static Status depthwise(const LayerBuild *b, OpDesc *op, int *input, int *kernel) {
    TRY(layer_needs_rank(b, 3));
    size_t channels = layer_shape(b, 0).dim[2], multiplier = layer_count(b, "depth_multiplier");
    *op = (OpDesc){.kind = OP_CONV2D, .attr.conv = conv_attr(b, channels * multiplier, channels, input)};
    return layer_weight(b, "depthwise_kernel", "depthwise", kernel_shape(b, &op->attr.conv, channels, multiplier),
                        kernel);
}

static const LayerKey depthwise_conv2d_keys[] = {
    KEY_DEPTHWISE(KEY_PAIR, "valid same"),
    KEY_SKIP("filters"),
    KEY_END,
};

Status layer_depthwise_build(LayerBuild *b) {
    OpDesc op;
    int params[2], node;
    TRY(depthwise(b, &op, &node, &params[0]));
    TRY(layer_bias(b, op.attr.conv.filters, &params[1]));
    TRY(layer_op(b, &op, 1, &node, 2, params, &node));
    return layer_activate(b, "activation", node);
}

const LayerClass layer_class_depthwise_conv2d = {"DepthwiseConv2D", depthwise_conv2d_keys, 1, 1, layer_depthwise_build};

/* ---- SeparableConv2D: depthwise, then 1x1 ---- */

static const LayerKey separable_conv2d_keys[] = {
    KEY_NEED("filters", KEY_COUNT),
    KEY_DEPTHWISE(KEY_PAIR, "valid same"),
    KEY_WEIGHT("pointwise", "glorot_uniform"),
    KEY_END,
};

Status layer_separable_build(LayerBuild *b) {
    OpDesc op;
    int kernel, params[2], node;
    size_t filters = layer_count(b, "filters");
    TRY(depthwise(b, &op, &node, &kernel));
    TRY(layer_op(b, &op, 1, &node, 1, &kernel, &node));
    size_t between = op.attr.conv.filters;
    op.attr.conv = (ConvAttr){.kernel = {1, 1},
                              .stride = {1, 1},
                              .dilation = {1, 1},
                              .groups = 1,
                              .filters = filters,
                              .padding = PADDING_VALID};
    TRY(layer_weight(b, "pointwise_kernel", "pointwise", kernel_shape(b, &op.attr.conv, between, filters), &params[0]));
    TRY(layer_bias(b, filters, &params[1]));
    TRY(layer_op(b, &op, 1, &node, 2, params, &node));
    return layer_activate(b, "activation", node);
}

const LayerClass layer_class_separable_conv2d = {"SeparableConv2D", separable_conv2d_keys, 1, 1, layer_separable_build};

/* ---- Dense ---- */

static const LayerKey dense_keys[] = {
    KEY_NEED("units", KEY_COUNT),
    KEY_OUTPUT,
    KEY_WEIGHT("kernel", "glorot_uniform"),
    KEY_SKIP("input_dim"), /* Keras 1: the input's extent, which is known */
    KEY_END,
};

static Status dense_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    size_t units = layer_count(b, "units");
    int params[2], node;
    if (x.rank == 0)
        return layer_fail(b, "needs an input of at least one dimension");
    TRY(layer_weight(b, "kernel", "kernel", SHAPE(x.dim[x.rank - 1], units), &params[0]));
    TRY(layer_bias(b, units, &params[1]));
    TRY(layer_op(b, &(OpDesc){.kind = OP_DENSE}, 1, b->inputs, 2, params, &node));
    return layer_activate(b, "activation", node);
}

const LayerClass layer_class_dense = {"Dense", dense_keys, 1, 1, dense_build};
