/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of volumes and videos [D,H,W,C].  What moves or pools along height and width is done by the operations of
 * images on each frame (backend/op.h); along the depth by the same on [D, H W, C], images of which each row is a frame.
 * A maximum of maxima is the maximum; an average of averages, padding left out of both, is the average. */
#include "model/layers_window.h"

/* ---- Conv3D ---- */

static const LayerKey conv3d_keys[] = {KEY_CONV(KEY_TRIPLE, "valid same"), KEY_END};

static Status conv3d_build(LayerBuild *b) {
    TRY(layer_needs_rank(b, 4));
    size_t channels = layer_shape(b, 0).dim[3], filters = layer_count(b, "filters"), groups = layer_count(b, "groups");
    if (channels % groups != 0 || filters % groups != 0)
        return layer_fail(b, "groups %zu does not divide %zu input channels and %zu filters", groups, channels,
                          filters);
    int params[2], node;
    OpDesc op = {.kind = OP_CONV3D, .attr.conv3d = {.groups = groups, .filters = filters}};
    Conv3dAttr *a = &op.attr.conv3d;
    a->padding = layer_choice(b, "padding", "same") ? PADDING_SAME : PADDING_VALID;
    layer_triple(b, "kernel_size", a->kernel);
    layer_triple(b, "strides", a->stride);
    layer_triple(b, "dilation_rate", a->dilation);
    Shape kernel = SHAPE(a->kernel[0], a->kernel[1], a->kernel[2], channels / groups, filters);
    TRY(layer_weight(b, "kernel", "kernel", kernel, &params[0]));
    TRY(layer_bias(b, filters, &params[1]));
    TRY(layer_op(b, &op, 1, b->inputs, 2, params, &node));
    return layer_activate(b, "activation", node);
}

const LayerClass layer_class_conv3d = {"Conv3D", conv3d_keys, 1, 1, conv3d_build};

/* ---- along the depth ---- */

static Status reshape(const LayerBuild *b, Shape shape, int *node) {
    return layer_op1(b, &(OpDesc){.kind = OP_RESHAPE, .attr.reshape.shape = shape}, *node, node);
}

/* An operation of images along the depth of *node: its height is the depth, its width all pixels of a frame. */
static Status along_depth(const LayerBuild *b, const OpDesc *op, int *node) {
    Shape x = graph_shape(b->graph, *node);
    TRY(reshape(b, SHAPE(x.dim[0], x.dim[1] * x.dim[2], x.dim[3]), node));
    TRY(layer_op1(b, op, *node, node));
    return reshape(b, SHAPE(graph_shape(b->graph, *node).dim[0], x.dim[1], x.dim[2], x.dim[3]), node);
}

/* ---- pooling ---- */

static const LayerKey max_pool_keys[] = {KEY_USE("pool_size", KEY_TRIPLE, "2"), KEY_POOL(KEY_TRIPLE_OR_NULL), KEY_END};
static const LayerKey average_pool_keys[] = {KEY_WRITE("pool_size", KEY_TRIPLE, "2"), KEY_POOL(KEY_TRIPLE_OR_NULL),
                                             KEY_END};

static Status pool3d(LayerBuild *b, OpKind kind) {
    size_t size[3], stride[3];
    layer_triple(b, "pool_size", size);
    layer_triple(b, layer_is_null(b, "strides") ? "pool_size" : "strides", stride);
    Padding padding = layer_choice(b, "padding", "same") ? PADDING_SAME : PADDING_VALID;
    TRY(layer_needs_rank(b, 4));
    PoolAttr frame = {.size = {size[1], size[2]}, .stride = {stride[1], stride[2]}, .padding = padding};
    TRY(layer_op1(b, &(OpDesc){.kind = kind, .attr.pool = frame}, b->inputs[0], &b->output));
    if (size[0] == 1 && stride[0] == 1)
        return STATUS_OK;
    PoolAttr depth = {.size = {size[0], 1}, .stride = {stride[0], 1}, .padding = padding};
    return along_depth(b, &(OpDesc){.kind = kind, .attr.pool = depth}, &b->output);
}

static Status max_pooling3d_build(LayerBuild *b) {
    return pool3d(b, OP_MAX_POOL2D);
}

static Status average_pooling3d_build(LayerBuild *b) {
    return pool3d(b, OP_AVERAGE_POOL2D);
}

const LayerClass layer_class_max_pooling3d = {"MaxPooling3D", max_pool_keys, 1, 1, max_pooling3d_build};
const LayerClass layer_class_average_pooling3d = {"AveragePooling3D", average_pool_keys, 1, 1, average_pooling3d_build};

static Status global_pool3d(LayerBuild *b, OpKind kind) {
    TRY(layer_needs_rank(b, 4));
    Shape x = layer_shape(b, 0);
    b->output = b->inputs[0];
    TRY(reshape(b, SHAPE(x.dim[0] * x.dim[1], x.dim[2], x.dim[3]), &b->output));
    TRY(layer_op1(b, &(OpDesc){.kind = kind}, b->output, &b->output));
    return layer_flag(b, "keepdims") ? reshape(b, SHAPE(1, 1, 1, x.dim[3]), &b->output) : STATUS_OK;
}

static Status global_max_pooling3d_build(LayerBuild *b) {
    return global_pool3d(b, OP_GLOBAL_MAX_POOL2D);
}

static Status global_average_pooling3d_build(LayerBuild *b) {
    return global_pool3d(b, OP_GLOBAL_AVERAGE_POOL2D);
}

const LayerClass layer_class_global_max_pooling3d = {"GlobalMaxPooling3D", layer_global_pool_keys, 1, 1,
                                                     global_max_pooling3d_build};
const LayerClass layer_class_global_average_pooling3d = {"GlobalAveragePooling3D", layer_global_pool_keys, 1, 1,
                                                         global_average_pooling3d_build};

/* ---- padding, cropping, repeating ---- */

static Status pad3d(LayerBuild *b, OpKind kind, const char *key) {
    OpDesc depth = {.kind = kind}, frame = {.kind = kind};
    for (size_t axis = 0; axis < 3; axis++)
        for (size_t side = 0; side < 2; side++) {
            json_t *amount = json_array_get(json_array_get(layer_list(b, key), axis), side);
            size_t *to = axis ? frame.attr.pad.amount[axis - 1] : depth.attr.pad.amount[0];
            to[side] = (size_t)json_integer_value(amount);
        }
    TRY(layer_needs_rank(b, 4));
    TRY(layer_op1(b, &frame, b->inputs[0], &b->output));
    return along_depth(b, &depth, &b->output);
}

static Status zero_padding3d_build(LayerBuild *b) {
    return pad3d(b, OP_PAD2D, "padding");
}

static Status cropping3d_build(LayerBuild *b) {
    return pad3d(b, OP_CROP2D, "cropping");
}

static const LayerKey zero_padding3d_keys[] = {KEY_USE("padding", KEY_MARGIN3, "1"), KEY_CHANNELS_LAST, KEY_END};
static const LayerKey cropping3d_keys[] = {KEY_USE("cropping", KEY_MARGIN3, "1"), KEY_CHANNELS_LAST, KEY_END};
const LayerClass layer_class_zero_padding3d = {"ZeroPadding3D", zero_padding3d_keys, 1, 1, zero_padding3d_build};
const LayerClass layer_class_cropping3d = {"Cropping3D", cropping3d_keys, 1, 1, cropping3d_build};

static const LayerKey up_sampling3d_keys[] = {KEY_USE("size", KEY_TRIPLE, "2"), KEY_CHANNELS_LAST, KEY_END};

static Status up_sampling3d_build(LayerBuild *b) {
    size_t size[3];
    layer_triple(b, "size", size);
    TRY(layer_needs_rank(b, 4));
    Shape x = layer_shape(b, 0);
    const size_t y[] = {x.dim[0] * size[0], x.dim[1] * size[1], x.dim[2] * size[2]};
    OpDesc frame = {.kind = OP_RESIZE2D, .attr.resize = {y[1], y[2], INTERPOLATE_NEAREST}};
    OpDesc depth = {.kind = OP_RESIZE2D, .attr.resize = {y[0], y[1] * y[2], INTERPOLATE_NEAREST}};
    TRY(layer_op1(b, &frame, b->inputs[0], &b->output));
    return along_depth(b, &depth, &b->output);
}

const LayerClass layer_class_up_sampling3d = {"UpSampling3D", up_sampling3d_keys, 1, 1, up_sampling3d_build};
