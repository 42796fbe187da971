/* SPDX-License-Identifier: Apache-2.0
 *
 * Residual networks (He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385):
 *
 *     stem, four or three stages of blocks, global average pooling, Dense
 *     block: y = relu(body(x) + shortcut(x)), each convolution without bias and followed by batch normalization
 *
 * The first block of every stage but the first halves height and width, which rounds up.  Convolutions with a stride
 * pad both sides by half their kernel, as the paper's and PyTorch's do; Keras's "same" would pad even sizes on the
 * right only, so that a body and its shortcut looked at different pixels. */
#include "model/zoo/net.h"
#include <stdio.h>

typedef struct Resnet {
    ZooNet *net;
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
static const char *conv_bn(Resnet *r, const char *x, const char *conv, const char *bn, size_t filters, size_t kernel,
                           size_t stride) {
    bool pad = stride > 1 && kernel > 1;
    if (pad)
        x = zoo_pad(r->net, x, zoo_name(r->net, "%s_%s_pad", r->prefix, conv), kernel / 2);
    ZooWindow window = pad ? zoo_valid(kernel, stride) : zoo_same(kernel, stride);
    x = zoo_conv(r->net, x, named(r, conv), filters, window, NULL);
    return zoo_batch_norm(r->net, x, named(r, bn));
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

static const char *block(Resnet *r, const char *x, size_t width, size_t stride) {
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
    x = zoo_drop_body(r->net, x, named(r, "drop"), 0);
    return relu(r, zoo_merge(r->net, "Add", named(r, "add"), 2, x, shortcut), "relu");
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
static const char *stem(Resnet *r, size_t filters, size_t kernel, size_t stride) {
    ZooNet *net = r->net;
    net->no_bias = true;
    net->initializer = "he_normal";
    net->momentum = 0.9;
    net->epsilon = 1e-5;
    r->height = net->input.dim[0];
    r->width = net->input.dim[1];
    r->channels = filters;
    snprintf(r->prefix, sizeof r->prefix, "stem");
    return relu(r, conv_bn(r, zoo_input(net), "conv", "bn", filters, kernel, stride), "relu");
}

static void predict(Resnet *r, const char *x) {
    r->net->initializer = NULL;
    zoo_predictions(r->net, zoo_global_average(r->net, x, "pool"));
}

/* For CIFAR.  variant: 20, 32, 44, 56, 110, the number of layers with weights: 6 n + 2. */
void zoo_resnet_cifar(ZooNet *net, int variant) {
    Resnet r = {.net = net, .padded_shortcuts = true};
    int n = (variant - 2) / 6;
    predict(&r, stages(&r, stem(&r, 16, 3, 1), 3, (const int[]){n, n, n}, 16));
}

void zoo_resnet18_cifar(ZooNet *net, int variant) {
    (void)variant;
    Resnet r = {.net = net};
    predict(&r, stages(&r, stem(&r, 64, 3, 1), 4, (const int[]){2, 2, 2, 2}, 64));
}

/* For ImageNet.  Padding with zeros is right for the maximum too, as nothing is below 0 after the ReLU. */
static void imagenet(Resnet *r, const int blocks[4]) {
    const char *x = zoo_pad(r->net, stem(r, 64, 7, 2), "stem_pool_pad", 1);
    x = zoo_max_pool(r->net, x, "stem_pool", zoo_valid(3, 2));
    predict(r, stages(r, x, 4, blocks, 64));
}

/* variant: 18 or 34. */
void zoo_resnet(ZooNet *net, int variant) {
    imagenet(&(Resnet){.net = net}, variant == 18 ? (const int[]){2, 2, 2, 2} : (const int[]){3, 4, 6, 3});
}

void zoo_resnet50_v15(ZooNet *net, int variant) {
    (void)variant;
    imagenet(&(Resnet){.net = net, .bottleneck = true}, (const int[]){3, 4, 6, 3});
}
