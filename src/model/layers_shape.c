/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers without weights that change the extents: pooling, reshaping, padding, resizing. */
#include "model/layers_window.h"
#include <string.h>

/* The input has no operation: model_build makes its node. */
static const LayerKey input_keys[] = {
    {"batch_input_shape", KEY_BATCH_SHAPE, KEY_USED, NULL, NULL, "batch_shape"},
    KEY_SKIP("dtype"), /* whole numbers for an Embedding come as floats, which hold them exactly up to 2^24 */
    KEY_ONLY("sparse", KEY_BOOL, "false"),
    KEY_ONLY("ragged", KEY_BOOL, "false"),
    KEY_ONLY("optional", KEY_BOOL, "false"),
    KEY_END,
};
const LayerClass layer_class_input = {"InputLayer", input_keys, 0, 0, NULL};

/* ---- pooling ---- */

static const LayerKey max_pool_keys[] = {KEY_USE("pool_size", KEY_PAIR, "2"), KEY_POOL(KEY_PAIR_OR_NULL), KEY_END};
static const LayerKey average_pool_keys[] = {KEY_WRITE("pool_size", KEY_PAIR, "2"), KEY_POOL(KEY_PAIR_OR_NULL),
                                             KEY_END};

/* Nothing of it is below 0. */
static bool is_relu(const Node *node) {
    const ActivationAttr *attr = &node->op.attr.activation;
    return node->op.kind == OP_ACTIVATION && attr->kind == ACTIVATION_RELU && attr->slope == 0 && attr->threshold >= 0;
}

/* The maximum takes padding for minus infinity, so it can pad by itself only what zeros never exceed. */
static int max_pool_input(const LayerBuild *b, PoolAttr *attr) {
    const Node *before = &b->graph->nodes[b->inputs[0]];
    if (before->op.kind != OP_PAD2D || !is_relu(&b->graph->nodes[before->inputs[0]]))
        return b->inputs[0];
    return layer_padded_input(b, attr->size, &attr->padding, attr->pad);
}

Status layer_pool_build(LayerBuild *b, OpKind kind) {
    OpDesc op = {.kind = kind};
    PoolAttr *attr = &op.attr.pool;
    attr->padding = layer_choice(b, "padding", "same") ? PADDING_SAME : PADDING_VALID;
    layer_pair(b, "pool_size", attr->size);
    layer_pair(b, layer_is_null(b, "strides") ? "pool_size" : "strides", attr->stride);
    TRY(layer_needs_rank(b, 3));
    return layer_op1(b, &op, kind == OP_MAX_POOL2D ? max_pool_input(b, attr) : b->inputs[0], &b->output);
}

static Status max_pooling2d_build(LayerBuild *b) {
    return layer_pool_build(b, OP_MAX_POOL2D);
}

static Status average_pooling2d_build(LayerBuild *b) {
    return layer_pool_build(b, OP_AVERAGE_POOL2D);
}

const LayerClass layer_class_max_pooling2d = {"MaxPooling2D", max_pool_keys, 1, 1, max_pooling2d_build};
const LayerClass layer_class_average_pooling2d = {"AveragePooling2D", average_pool_keys, 1, 1, average_pooling2d_build};

const LayerKey layer_global_pool_keys[] = {
    KEY_USE("keepdims", KEY_BOOL, "false"),
    KEY_CHANNELS_LAST,
    KEY_END,
};

Status layer_global_pool_build(LayerBuild *b, OpKind kind) {
    OpDesc op = {.kind = kind, .attr.pool.keepdims = layer_flag(b, "keepdims")};
    TRY(layer_needs_rank(b, 3));
    return layer_op1(b, &op, b->inputs[0], &b->output);
}

static Status global_max_pooling2d_build(LayerBuild *b) {
    return layer_global_pool_build(b, OP_GLOBAL_MAX_POOL2D);
}

static Status global_average_pooling2d_build(LayerBuild *b) {
    return layer_global_pool_build(b, OP_GLOBAL_AVERAGE_POOL2D);
}

const LayerClass layer_class_global_max_pooling2d = {"GlobalMaxPooling2D", layer_global_pool_keys, 1, 1,
                                                     global_max_pooling2d_build};
const LayerClass layer_class_global_average_pooling2d = {"GlobalAveragePooling2D", layer_global_pool_keys, 1, 1,
                                                         global_average_pooling2d_build};

/* ---- the same elements in another shape ---- */

static const LayerKey flatten_keys[] = {KEY_CHANNELS_LAST, KEY_END};

static Status flatten_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    OpDesc op = {.kind = OP_RESHAPE, .attr.reshape.shape = SHAPE(shape_count(&x))};
    return layer_op1(b, &op, b->inputs[0], &b->output);
}

const LayerClass layer_class_flatten = {"Flatten", flatten_keys, 1, 1, flatten_build};

static const LayerKey reshape_keys[] = {KEY_NEED("target_shape", KEY_INTEGERS), KEY_END};

/* One extent may be -1: whatever is left. */
static Status reshape_build(LayerBuild *b) {
    const json_t *target = layer_list(b, "target_shape");
    Shape x = layer_shape(b, 0), y = {.rank = json_array_size(target)};
    size_t total = shape_count(&x), left = total, open = SHAPE_MAX;
    char text[SHAPE_TEXT];
    if (y.rank > SHAPE_MAX)
        return layer_fail(b, "target_shape has %zu dimensions; at most %d are supported", y.rank, SHAPE_MAX);
    for (size_t i = 0; i < y.rank; i++) {
        json_int_t extent = json_integer_value(json_array_get(target, i));
        if (extent == -1 && open == SHAPE_MAX) {
            open = i;
            continue;
        }
        if (extent < 1 || left % (size_t)extent != 0)
            return layer_fail(b, "target_shape does not fit an input of %s", shape_format(&x, text));
        y.dim[i] = (size_t)extent;
        left /= y.dim[i];
    }
    if (open < SHAPE_MAX)
        y.dim[open] = left;
    else if (left != 1)
        return layer_fail(b, "target_shape does not fit an input of %s", shape_format(&x, text));
    OpDesc op = {.kind = OP_RESHAPE, .attr.reshape.shape = y};
    return layer_op1(b, &op, b->inputs[0], &b->output);
}

const LayerClass layer_class_reshape = {"Reshape", reshape_keys, 1, 1, reshape_build};

static const LayerKey permute_keys[] = {KEY_NEED("dims", KEY_INTEGERS), KEY_END};

/* dims count from 1, the batch being 0. */
static Status permute_build(LayerBuild *b) {
    const json_t *dims = layer_list(b, "dims");
    Shape x = layer_shape(b, 0);
    OpDesc op = {.kind = OP_PERMUTE};
    bool seen[SHAPE_MAX] = {false};
    for (size_t i = 0; i < x.rank; i++) {
        json_int_t dim = json_integer_value(json_array_get(dims, i));
        if (json_array_size(dims) != x.rank || dim < 1 || dim > (json_int_t)x.rank || seen[dim - 1])
            return layer_fail(b, "dims must name each of the %zu input dimensions once, counted from 1", x.rank);
        seen[dim - 1] = true;
        op.attr.permute.axis[i] = (size_t)dim - 1;
    }
    return layer_op1(b, &op, b->inputs[0], &b->output);
}

const LayerClass layer_class_permute = {"Permute", permute_keys, 1, 1, permute_build};

/* ---- padding and cropping ---- */

static Status pad(LayerBuild *b, OpKind kind, const char *key) {
    OpDesc op = {.kind = kind};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++)
            op.attr.pad.amount[i][j] =
                (size_t)json_integer_value(json_array_get(json_array_get(layer_list(b, key), i), j));
    TRY(layer_needs_rank(b, 3));
    return layer_op1(b, &op, b->inputs[0], &b->output);
}

static Status zero_padding2d_build(LayerBuild *b) {
    return pad(b, OP_PAD2D, "padding");
}

static Status cropping2d_build(LayerBuild *b) {
    return pad(b, OP_CROP2D, "cropping");
}

static const LayerKey zero_padding2d_keys[] = {KEY_USE("padding", KEY_MARGIN, "1"), KEY_CHANNELS_LAST, KEY_END};
static const LayerKey cropping2d_keys[] = {KEY_USE("cropping", KEY_MARGIN, "0"), KEY_CHANNELS_LAST, KEY_END};
const LayerClass layer_class_zero_padding2d = {"ZeroPadding2D", zero_padding2d_keys, 1, 1, zero_padding2d_build};
const LayerClass layer_class_cropping2d = {"Cropping2D", cropping2d_keys, 1, 1, cropping2d_build};

/* ---- resizing ---- */

static Interpolation interpolation(const LayerBuild *b) {
    return layer_choice(b, "interpolation", "nearest") ? INTERPOLATE_NEAREST : INTERPOLATE_BILINEAR;
}

static const LayerKey up_sampling2d_keys[] = {
    KEY_USE("size", KEY_PAIR, "2"),
    KEY_WORD("interpolation", "nearest", "nearest bilinear"),
    KEY_CHANNELS_LAST,
    KEY_END,
};

static Status up_sampling2d_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    size_t size[2];
    layer_pair(b, "size", size);
    TRY(layer_needs_rank(b, 3));
    OpDesc op = {.kind = OP_RESIZE2D, .attr.resize = {x.dim[0] * size[0], x.dim[1] * size[1], interpolation(b)}};
    return layer_op1(b, &op, b->inputs[0], &b->output);
}

const LayerClass layer_class_up_sampling2d = {"UpSampling2D", up_sampling2d_keys, 1, 1, up_sampling2d_build};

static const LayerKey resizing_keys[] = {
    KEY_NEED("height", KEY_COUNT),
    KEY_NEED("width", KEY_COUNT),
    KEY_WORD("interpolation", "bilinear", "nearest bilinear"),
    KEY_USE("crop_to_aspect_ratio", KEY_BOOL, "false"),
    KEY_ONLY("pad_to_aspect_ratio", KEY_BOOL, "false"),
    KEY_SKIP("fill_mode"), /* of the padding, which is off */
    KEY_SKIP("fill_value"),
    KEY_ONLY("antialias", KEY_BOOL, "false"),
    KEY_CHANNELS_LAST,
    KEY_END,
};

/* The largest centred part of x with the ratio height : width, rounded down as keras.layers.Resizing does. */
static PadAttr centre_crop(const Shape *x, size_t height, size_t width) {
    size_t h = x->dim[1] * height / width, w = x->dim[0] * width / height;
    h = h < 1 ? 1 : h > x->dim[0] ? x->dim[0] : h;
    w = w < 1 ? 1 : w > x->dim[1] ? x->dim[1] : w;
    size_t top = (x->dim[0] - h) / 2, left = (x->dim[1] - w) / 2;
    return (PadAttr){{{top, x->dim[0] - h - top}, {left, x->dim[1] - w - left}}};
}

static Status resizing_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    int node = b->inputs[0];
    OpDesc op = {.kind = OP_RESIZE2D,
                 .attr.resize = {layer_count(b, "height"), layer_count(b, "width"), interpolation(b)}};
    TRY(layer_needs_rank(b, 3));
    if (layer_flag(b, "crop_to_aspect_ratio")) {
        PadAttr crop = centre_crop(&x, op.attr.resize.height, op.attr.resize.width);
        TRY(layer_op1(b, &(OpDesc){.kind = OP_CROP2D, .attr.pad = crop}, node, &node));
    }
    return layer_op1(b, &op, node, &b->output);
}

const LayerClass layer_class_resizing = {"Resizing", resizing_keys, 1, 1, resizing_build};
