/* SPDX-License-Identifier: Apache-2.0
 *
 * Residual networks (He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385):
 *
 *     stem, four or three stages of blocks, global average pooling, Dense
 *     block: y = relu(body(x) + shortcut(x)), each convolution without bias and followed by batch normalization
 *
 * The first block of every stage but the first halves height and width, which rounds up.  Convolutions with a stride pad
 * both sides by half their kernel, as the paper's and PyTorch's do; Keras's "same" would pad even sizes on the right only,
 * so that a body and its shortcut looked at different pixels.  The weight decay of the paper, gradient += decay * w, is
 * an L2 penalty decay / 2 on the kernels. */
#include "model/zoo/net.h"
#include <stdio.h>

typedef struct Resnet {
    ZooNet *net;
    double l2;                      /* on kernels */
    bool bottleneck;                /* bodies of 1x1, 3x3, 1x1 (four times the width) in place of 3x3, 3x3 */
    bool padded_shortcuts;          /* option A of the paper, without parameters; else B: a projection */
    size_t height, width, channels; /* of the last block's output */
    char prefix[24];                /* of the names of the block's layers */
    char name[40];
} Resnet;

/* "stage2_block1_conv1" */
static const char *named(Resnet *r, const char *part) {
    snprintf(r->name, sizeof r->name, "%s_%s", r->prefix, part);
    return r->name;
}

/* Convolution `conv` with padding and batch normalization `bn`. */
static const char *conv_bn(Resnet *r, const char *x, const char *conv, const char *bn, size_t filters, int kernel,
                           int stride) {
    bool pad = stride > 1 && kernel > 1;
    char padding[16];
    snprintf(padding, sizeof padding, "%s_pad", conv);
    if (pad)
        x = zoo_layer(r->net, x, "ZeroPadding2D", named(r, padding), "{s:i}", "padding", kernel / 2);
    x = zoo_layer(r->net, x, "Conv2D", named(r, conv), "{s:I, s:i, s:i, s:s, s:b, s:s, s:{s:s, s:{s:f}}}", "filters",
                  (json_int_t)filters, "kernel_size", kernel, "strides", stride, "padding", pad ? "valid" : "same",
                  "use_bias", 0, "kernel_initializer", "he_normal", "kernel_regularizer", "class_name", "L2", "config",
                  "l2", r->l2);
    return zoo_layer(r->net, x, "BatchNormalization", named(r, bn), "{s:f, s:f}", "momentum", 0.9, "epsilon", 1e-5);
}

static const char *relu(Resnet *r, const char *x, const char *part) {
    return zoo_layer(r->net, x, "ReLU", named(r, part), "{}");
}

static void halve(Resnet *r) {
    r->height = (r->height + 1) / 2;
    r->width = (r->width + 1) / 2;
}

/* Every second pixel, and zeros for the new channels: the image is taken for one of height x width rows and channels
 * columns, so that ZeroPadding2D pads the channels.  The reshapes cost nothing.  After halve(). */
static const char *padded_shortcut(Resnet *r, const char *x, size_t filters) {
    x = zoo_layer(r->net, x, "AveragePooling2D", named(r, "shortcut_pool"), "{s:i, s:i}", "pool_size", 1, "strides", 2);
    x = zoo_layer(r->net, x, "Reshape", named(r, "shortcut_rows"), "{s:[i, I, i]}", "target_shape", -1,
                  (json_int_t)r->channels, 1);
    x = zoo_layer(r->net, x, "ZeroPadding2D", named(r, "shortcut_pad"), "{s:[[i, i], [i, I]]}", "padding", 0, 0, 0,
                  (json_int_t)(filters - r->channels));
    return zoo_layer(r->net, x, "Reshape", named(r, "shortcut"), "{s:[I, I, I]}", "target_shape", (json_int_t)r->height,
                     (json_int_t)r->width, (json_int_t)filters);
}

static const char *block(Resnet *r, const char *x, size_t width, int stride) {
    size_t filters = r->bottleneck ? 4 * width : width;
    const char *shortcut = x;
    if (stride > 1)
        halve(r);
    if (filters != r->channels)
        shortcut = r->padded_shortcuts ? padded_shortcut(r, x, filters)
                                       : conv_bn(r, x, "shortcut_conv", "shortcut_bn", filters, 1, stride);
    if (r->bottleneck) {
        x = relu(r, conv_bn(r, x, "conv1", "bn1", width, 1, 1), "relu1");
        x = relu(r, conv_bn(r, x, "conv2", "bn2", width, 3, stride), "relu2");
        x = conv_bn(r, x, "conv3", "bn3", filters, 1, 1);
    } else {
        x = relu(r, conv_bn(r, x, "conv1", "bn1", width, 3, stride), "relu1");
        x = conv_bn(r, x, "conv2", "bn2", filters, 3, 1);
    }
    r->channels = filters;
    return relu(r, zoo_add(r->net, x, shortcut, named(r, "add")), "relu");
}

/* Stage k (from 0) has blocks[k] blocks; width: that of the first stage, doubled by each. */
static const char *stages(Resnet *r, const char *x, size_t count, const int *blocks, size_t width) {
    for (size_t k = 0; k < count; k++)
        for (int j = 0; j < blocks[k]; j++) {
            snprintf(r->prefix, sizeof r->prefix, "stage%zu_block%d", k + 1, j + 1);
            x = block(r, x, width << k, k > 0 && j == 0 ? 2 : 1);
        }
    return x;
}

/* The input and its first convolution. */
static const char *stem(Resnet *r, Shape input, size_t filters, int kernel, int stride) {
    r->height = input.dim[0];
    r->width = input.dim[1];
    r->channels = filters;
    snprintf(r->prefix, sizeof r->prefix, "stem");
    return relu(r, conv_bn(r, zoo_input(r->net, input), "conv", "bn", filters, kernel, stride), "relu");
}

static void predict(Resnet *r, const char *x, size_t classes) {
    x = zoo_layer(r->net, x, "GlobalAveragePooling2D", "pool", "{}");
    zoo_layer(r->net, x, "Dense", "predictions", "{s:I, s:s, s:{s:s, s:{s:f}}}", "units", (json_int_t)classes,
              "activation", "softmax", "kernel_regularizer", "class_name", "L2", "config", "l2", r->l2);
}

void zoo_resnet20(ZooNet *net, Shape input, size_t classes) {
    Resnet r = {.net = net, .l2 = 1e-4 / 2, .padded_shortcuts = true};
    predict(&r, stages(&r, stem(&r, input, 16, 3, 1), 3, (const int[]){3, 3, 3}, 16), classes);
}

void zoo_resnet18_cifar(ZooNet *net, Shape input, size_t classes) {
    Resnet r = {.net = net, .l2 = 5e-4 / 2};
    predict(&r, stages(&r, stem(&r, input, 64, 3, 1), 4, (const int[]){2, 2, 2, 2}, 64), classes);
}

/* Padding with zeros is right for the maximum too, as nothing is below 0 after the ReLU. */
void zoo_resnet50_v15(ZooNet *net, Shape input, size_t classes) {
    Resnet r = {.net = net, .l2 = 1e-4 / 2, .bottleneck = true};
    const char *x = stem(&r, input, 64, 7, 2);
    x = zoo_layer(net, x, "ZeroPadding2D", "stem_pool_pad", "{s:i}", "padding", 1);
    x = zoo_layer(net, x, "MaxPooling2D", "stem_pool", "{s:i, s:i}", "pool_size", 3, "strides", 2);
    predict(&r, stages(&r, x, 4, (const int[]){3, 4, 6, 3}, 64), classes);
}
