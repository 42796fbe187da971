/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks of depthwise convolutions, named as in Keras Applications:
 *
 *     V1  Howard et al., MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, 2017,
 *         arXiv:1704.04861: blocks of a depthwise 3x3 and a 1x1 convolution
 *     V2  Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, arXiv:1801.04381: blocks
 *         that widen (1x1), filter (depthwise 3x3), narrow (1x1, linear) and add their input
 *
 * Where Keras pads by a layer in front of a convolution with a stride, "same" is the same: even extents get their zeros
 * at the end.  Only V1 does so with odd extents too. */
#include "model/zoo/net.h"

static const char *relu6(ZooNet *net, const char *x, const char *name) {
    return zoo_layer(net, x, "ReLU", name, "{s:f}", "max_value", 6.0);
}

/* A convolution, depthwise where filters is 0. */
static const char *conv_bn(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window) {
    x = filters ? zoo_conv(net, x, name, filters, window, NULL) : zoo_depthwise(net, x, name, window);
    return zoo_batch_norm(net, x, zoo_name(net, "%s%s", name, net->bn_suffix));
}

static const char *conv_bn_relu6(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window) {
    return relu6(net, conv_bn(net, x, name, filters, window), zoo_name(net, "%s_relu", name));
}

/* ---- V1 ---- */

void zoo_mobilenet(ZooNet *net, int variant) {
    static const struct {
        size_t filters, stride;
    } blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                  {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    (void)variant;
    net->no_bias = true;
    net->bn_suffix = "_bn";
    const char *x = conv_bn_relu6(net, zoo_input(net), "conv1", 32, zoo_same(3, 2));
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        bool halve = blocks[i].stride == 2;
        if (halve)
            x = zoo_layer(net, x, "ZeroPadding2D", zoo_name(net, "conv_pad_%zu", i + 1), "{s:[[i, i], [i, i]]}",
                          "padding", 0, 1, 0, 1);
        x = conv_bn_relu6(net, x, zoo_name(net, "conv_dw_%zu", i + 1), 0, halve ? zoo_valid(3, 2) : zoo_same(3, 1));
        x = conv_bn_relu6(net, x, zoo_name(net, "conv_pw_%zu", i + 1), blocks[i].filters, zoo_same(1, 1));
    }
    x = zoo_layer(net, x, "GlobalAveragePooling2D", "avg_pool", "{s:b}", "keepdims", 1);
    x = zoo_dropout(net, x, "dropout", 0.001);
    net->no_bias = false;
    x = zoo_conv(net, x, "conv_preds", net->classes, zoo_same(1, 1), NULL);
    zoo_activation(net, zoo_flatten(net, x, "flatten"), "predictions", "softmax");
}

/* ---- V2 ---- */

/* expand: the factor by which the block widens its `channels`. */
static const char *inverted(ZooNet *net, const char *input, const char *name, size_t channels, size_t expand,
                            size_t filters, size_t stride) {
    const char *x = input;
    if (expand > 1)
        x = conv_bn_relu6(net, x, zoo_name(net, "%s_expand", name), expand * channels, zoo_same(1, 1));
    x = conv_bn_relu6(net, x, zoo_name(net, "%s_depthwise", name), 0, zoo_same(3, stride));
    x = conv_bn(net, x, zoo_name(net, "%s_project", name), filters, zoo_same(1, 1));
    if (stride > 1 || filters != channels)
        return x;
    x = zoo_drop_body(net, x, zoo_name(net, "%s_drop", name), 0);
    return zoo_merge(net, "Add", zoo_name(net, "%s_add", name), 2, input, x);
}

void zoo_mobilenet_v2(ZooNet *net, int variant) {
    static const struct {
        size_t expand, filters, repeats, stride; /* the paper's t, c, n, s */
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    size_t channels = 32, block = 0;
    (void)variant;
    net->no_bias = true;
    net->momentum = 0.999;
    net->bn_suffix = "_BN";
    const char *x = zoo_conv(net, zoo_input(net), "Conv1", channels, zoo_same(3, 2), NULL);
    x = relu6(net, zoo_batch_norm(net, x, "bn_Conv1"), "Conv1_relu");
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        for (size_t j = 0; j < stages[i].repeats; j++, block++) {
            const char *name = block ? zoo_name(net, "block_%zu", block) : "expanded_conv";
            x = inverted(net, x, name, channels, stages[i].expand, stages[i].filters, j ? 1 : stages[i].stride);
            channels = stages[i].filters;
        }
    net->bn_suffix = "_bn";
    x = relu6(net, conv_bn(net, x, "Conv_1", 1280, zoo_same(1, 1)), "out_relu");
    zoo_predictions(net, zoo_global_average(net, x, "avg_pool"));
}
