/* SPDX-License-Identifier: Apache-2.0
 *
 * Inception v3: Szegedy et al., Rethinking the Inception architecture for computer vision, CVPR 2016
 * (arXiv:1512.00567), as in Keras, with its names and numbers of layers: all convolutions without bias and followed by
 * batch normalization without gamma, and numbered in the order in which they stand here.  No auxiliary output. */
#include "model/zoo/net.h"

static const char *conv(ZooNet *net, const char *x, size_t filters, size_t height, size_t width) {
    return zoo_conv_bn(net, x, NULL, filters, (ZooWindow){height, width, 1, "same"}, "relu");
}

/* 3x3 without padding. */
static const char *conv_valid(ZooNet *net, const char *x, size_t filters, size_t stride) {
    return zoo_conv_bn(net, x, NULL, filters, zoo_valid(3, stride), "relu");
}

static const char *pool_conv(ZooNet *net, const char *x, size_t filters) {
    return conv(net, zoo_average_pool(net, x, NULL, zoo_same(3, 1)), filters, 1, 1);
}

/* At 35x35 for images of 299x299: 1x1, 5x5, twice 3x3, pool. */
static const char *mixed_35(ZooNet *net, const char *x, const char *name, size_t pool_filters) {
    const char *direct = conv(net, x, 64, 1, 1);
    const char *conv5 = conv(net, x, 48, 1, 1);
    conv5 = conv(net, conv5, 64, 5, 5);
    const char *twice = conv(net, x, 64, 1, 1);
    twice = conv(net, twice, 96, 3, 3);
    twice = conv(net, twice, 96, 3, 3);
    return zoo_merge(net, "Concatenate", name, 4, direct, conv5, twice, pool_conv(net, x, pool_filters));
}

/* 35x35 to 17x17. */
static const char *reduce_35(ZooNet *net, const char *x) {
    const char *once = conv_valid(net, x, 384, 2);
    const char *twice = conv(net, x, 64, 1, 1);
    twice = conv(net, twice, 96, 3, 3);
    twice = conv_valid(net, twice, 96, 2);
    return zoo_merge(net, "Concatenate", "mixed3", 3, once, twice, zoo_max_pool(net, x, NULL, zoo_valid(3, 2)));
}

/* At 17x17: 7x7 convolutions as 1x7 and 7x1, `narrow` channels wide inside. */
static const char *mixed_17(ZooNet *net, const char *x, const char *name, size_t narrow) {
    const char *direct = conv(net, x, 192, 1, 1);
    const char *once = conv(net, x, narrow, 1, 1);
    once = conv(net, once, narrow, 1, 7);
    once = conv(net, once, 192, 7, 1);
    const char *twice = conv(net, x, narrow, 1, 1);
    twice = conv(net, twice, narrow, 7, 1);
    twice = conv(net, twice, narrow, 1, 7);
    twice = conv(net, twice, narrow, 7, 1);
    twice = conv(net, twice, 192, 1, 7);
    return zoo_merge(net, "Concatenate", name, 4, direct, once, twice, pool_conv(net, x, 192));
}

/* 17x17 to 8x8. */
static const char *reduce_17(ZooNet *net, const char *x) {
    const char *conv3 = conv(net, x, 192, 1, 1);
    conv3 = conv_valid(net, conv3, 320, 2);
    const char *conv7 = conv(net, x, 192, 1, 1);
    conv7 = conv(net, conv7, 192, 1, 7);
    conv7 = conv(net, conv7, 192, 7, 1);
    conv7 = conv_valid(net, conv7, 192, 2);
    return zoo_merge(net, "Concatenate", "mixed8", 3, conv3, conv7, zoo_max_pool(net, x, NULL, zoo_valid(3, 2)));
}

/* 1x3 beside 3x1 on the same input. */
static const char *cross(ZooNet *net, const char *x, const char *name) {
    const char *across = conv(net, x, 384, 1, 3);
    const char *down = conv(net, x, 384, 3, 1);
    return zoo_merge(net, "Concatenate", name, 2, across, down);
}

/* At 8x8. */
static const char *mixed_8(ZooNet *net, const char *x, int number) {
    const char *direct = conv(net, x, 320, 1, 1);
    const char *once = cross(net, conv(net, x, 384, 1, 1), zoo_name(net, "mixed9_%d", number - 9));
    const char *twice = conv(net, x, 448, 1, 1);
    twice = cross(net, conv(net, twice, 384, 3, 3), NULL);
    const char *pool = pool_conv(net, x, 192);
    return zoo_merge(net, "Concatenate", zoo_name(net, "mixed%d", number), 4, direct, once, twice, pool);
}

void zoo_inception_v3(ZooNet *net, int variant) {
    (void)variant;
    net->no_bias = net->no_scale = true;
    const char *x = conv_valid(net, zoo_input(net), 32, 2);
    x = conv_valid(net, x, 32, 1);
    x = zoo_max_pool(net, conv(net, x, 64, 3, 3), NULL, zoo_valid(3, 2));
    x = conv(net, x, 80, 1, 1);
    x = zoo_max_pool(net, conv_valid(net, x, 192, 1), NULL, zoo_valid(3, 2));
    x = mixed_35(net, x, "mixed0", 32);
    x = mixed_35(net, x, "mixed1", 64);
    x = mixed_35(net, x, "mixed2", 64);
    x = reduce_35(net, x);
    x = mixed_17(net, x, "mixed4", 128);
    x = mixed_17(net, x, "mixed5", 160);
    x = mixed_17(net, x, "mixed6", 160);
    x = mixed_17(net, x, "mixed7", 192);
    x = mixed_8(net, mixed_8(net, reduce_17(net, x), 9), 10);
    zoo_predictions(net, zoo_global_average(net, x, "avg_pool"));
}
