/* SPDX-License-Identifier: Apache-2.0
 *
 * MobileNetV3 (Howard et al., Searching for MobileNetV3, ICCV 2019, arXiv:1905.02244), named as in Keras Applications:
 * the blocks of V2 with a gate on the channels (squeeze and excitation), and hard_silu in the deeper ones.  Input:
 * pixels from 0 to 255, which the first layer brings to -1 .. 1. */
#include "model/zoo/net.h"

typedef struct Block {
    size_t kernel, expanded, filters; /* expanded: channels between the two 1x1 convolutions */
    bool gated;
    const char *activation;
    size_t stride;
} Block;

/* x times a weight of 0 to 1 for each channel: min(max(z / 6 + 1 / 2, 0), 1) of z = conv(relu(conv(mean of x))).  That
 * hard sigmoid is written as two layers because the activation of this name has another slope in Keras 2. */
static const char *gate(ZooNet *net, const char *x, const char *name, size_t channels) {
    const char *z =
        zoo_layer(net, x, "GlobalAveragePooling2D", zoo_name(net, "%s_avg_pool", name), "{s:b}", "keepdims", 1);
    z = zoo_conv(net, z, zoo_name(net, "%s_conv", name), zoo_round8((double)channels / 4), zoo_same(1, 1), "relu");
    z = zoo_conv(net, z, zoo_name(net, "%s_conv_1", name), channels, zoo_same(1, 1), NULL);
    z = zoo_layer(net, z, "Rescaling", zoo_name(net, "%s_scale", name), "{s:f, s:f}", "scale", 1.0 / 6, "offset", 0.5);
    z = zoo_layer(net, z, "ReLU", zoo_name(net, "%s_clip", name), "{s:f}", "max_value", 1.0);
    return zoo_merge(net, "Multiply", zoo_name(net, "%s_mul", name), 2, x, z);
}

static const char *inverted(ZooNet *net, const char *input, const char *name, size_t channels, const Block *b,
                            bool widen) {
    const char *x = input;
    net->no_bias = true;
    if (widen)
        x = zoo_conv_bn(net, x, zoo_name(net, "%s_expand", name), b->expanded, zoo_same(1, 1), b->activation);
    x = zoo_depthwise(net, x, zoo_name(net, "%s_depthwise", name), zoo_same(b->kernel, b->stride));
    x = zoo_batch_norm(net, x, zoo_name(net, "%s_depthwise_bn", name));
    x = zoo_activation(net, x, zoo_name(net, "%s_depthwise_relu", name), b->activation);
    net->no_bias = false;
    if (b->gated)
        x = gate(net, x, zoo_name(net, "%s_squeeze_excite", name), b->expanded);
    net->no_bias = true;
    x = zoo_conv_bn(net, x, zoo_name(net, "%s_project", name), b->filters, zoo_same(1, 1), NULL);
    if (b->stride > 1 || b->filters != channels)
        return x;
    x = zoo_drop_body(net, x, zoo_name(net, "%s_drop", name), 0);
    return zoo_merge(net, "Add", zoo_name(net, "%s_add", name), 2, input, x);
}

/* Ends with an entry of kernel 0. */
static const Block small_blocks[] = {
    {3, 16, 16, true, "relu", 2},       {3, 72, 24, false, "relu", 2},      {3, 88, 24, false, "relu", 1},
    {5, 96, 40, true, "hard_silu", 2},  {5, 240, 40, true, "hard_silu", 1}, {5, 240, 40, true, "hard_silu", 1},
    {5, 120, 48, true, "hard_silu", 1}, {5, 144, 48, true, "hard_silu", 1}, {5, 288, 96, true, "hard_silu", 2},
    {5, 576, 96, true, "hard_silu", 1}, {5, 576, 96, true, "hard_silu", 1}, {0}};
static const Block large_blocks[] = {{3, 16, 16, false, "relu", 1},       {3, 64, 24, false, "relu", 2},
                                     {3, 72, 24, false, "relu", 1},       {5, 72, 40, true, "relu", 2},
                                     {5, 120, 40, true, "relu", 1},       {5, 120, 40, true, "relu", 1},
                                     {3, 240, 80, false, "hard_silu", 2}, {3, 200, 80, false, "hard_silu", 1},
                                     {3, 184, 80, false, "hard_silu", 1}, {3, 184, 80, false, "hard_silu", 1},
                                     {3, 480, 112, true, "hard_silu", 1}, {3, 672, 112, true, "hard_silu", 1},
                                     {5, 672, 160, true, "hard_silu", 2}, {5, 960, 160, true, "hard_silu", 1},
                                     {5, 960, 160, true, "hard_silu", 1}, {0}};

/* variant: 0 small, 1 large. */
void zoo_mobilenet_v3(ZooNet *net, int variant) {
    const Block *blocks = variant ? large_blocks : small_blocks;
    size_t channels = 16;
    net->no_bias = true;
    net->momentum = 0.999;
    const char *x =
        zoo_layer(net, zoo_input(net), "Rescaling", "rescaling", "{s:f, s:f}", "scale", 1 / 127.5, "offset", -1.0);
    x = zoo_conv_bn(net, x, "conv", channels, zoo_same(3, 2), "hard_silu");
    for (size_t i = 0; blocks[i].kernel; i++) {
        const char *name = i ? zoo_name(net, "expanded_conv_%zu", i) : "expanded_conv";
        x = inverted(net, x, name, channels, &blocks[i], i > 0);
        channels = blocks[i].filters;
    }
    x = zoo_conv_bn(net, x, "conv_1", 6 * channels, zoo_same(1, 1), "hard_silu");
    x = zoo_layer(net, x, "GlobalAveragePooling2D", "avg_pool", "{s:b}", "keepdims", 1);
    net->no_bias = false;
    x = zoo_conv(net, x, "conv_2", variant ? 1280 : 1024, zoo_same(1, 1), "hard_silu");
    x = zoo_conv(net, zoo_dropout(net, x, "dropout", 0.2), "logits", net->classes, zoo_same(1, 1), NULL);
    zoo_activation(net, zoo_flatten(net, x, "flatten"), "predictions", "softmax");
}
