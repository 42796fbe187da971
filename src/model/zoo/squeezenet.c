/* SPDX-License-Identifier: Apache-2.0
 *
 * SqueezeNet 1.1: Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters, 2016
 * (arXiv:1602.07360), with the changes that its authors published later (fewer filters in the first layer, pooling
 * earlier).  Layers are called and laid out as in the weights' files for Keras (github.com/rcmalli/keras-squeezenet),
 * but with "_" for the "/" that Keras 3 does not allow in a name; the file's order of layers is the same. */
#include "model/zoo/net.h"

static const char *fire(ZooNet *net, const char *x, int number, size_t squeeze, size_t expand) {
    x = zoo_conv(net, x, zoo_name(net, "fire%d_squeeze1x1", number), squeeze, zoo_same(1, 1), "relu");
    const char *narrow = zoo_conv(net, x, zoo_name(net, "fire%d_expand1x1", number), expand, zoo_same(1, 1), "relu");
    const char *wide = zoo_conv(net, x, zoo_name(net, "fire%d_expand3x3", number), expand, zoo_same(3, 1), "relu");
    return zoo_merge(net, "Concatenate", zoo_name(net, "fire%d_concat", number), 2, narrow, wide);
}

void zoo_squeezenet(ZooNet *net, int variant) {
    (void)variant;
    net->initializer = "he_uniform";
    const char *x = zoo_conv(net, zoo_input(net), "conv1", 64, zoo_valid(3, 2), "relu");
    x = zoo_max_pool(net, x, "pool1", zoo_valid(3, 2));
    x = fire(net, fire(net, x, 2, 16, 64), 3, 16, 64);
    x = zoo_max_pool(net, x, "pool3", zoo_valid(3, 2));
    x = fire(net, fire(net, x, 4, 32, 128), 5, 32, 128);
    x = zoo_max_pool(net, x, "pool5", zoo_valid(3, 2));
    x = fire(net, fire(net, x, 6, 48, 192), 7, 48, 192);
    x = fire(net, fire(net, x, 8, 64, 256), 9, 64, 256);
    x = zoo_dropout(net, x, "drop9", 0.5);
    x = zoo_conv(net, x, "conv10", net->classes, zoo_same(1, 1), "relu");
    zoo_activation(net, zoo_global_average(net, x, "pool10"), "predictions", "softmax");
}
