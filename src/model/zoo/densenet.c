/* SPDX-License-Identifier: Apache-2.0
 *
 * Densely connected networks (Huang, Liu, van der Maaten, Weinberger, Densely Connected Convolutional Networks, CVPR
 * 2017, arXiv:1608.06993), the form with bottlenecks and compression (DenseNet-BC), named as in Keras Applications:
 *
 *     stem, four stages of layers with transitions between them, batch norm, global average pooling, Dense
 *     layer       y = concat(x, conv3x3(relu(bn(conv1x1(relu(bn(x)))))))
 *     transition  1x1 convolution to half the channels, 2x2 average pooling */
#include "model/zoo/net.h"

enum { GROWTH = 32 }; /* channels that a layer adds */

static const char *bn_relu(ZooNet *net, const char *x, const char *name) {
    x = zoo_batch_norm(net, x, zoo_name(net, "%sbn", name));
    return zoo_activation(net, x, zoo_name(net, "%srelu", name), "relu");
}

static const char *layer(ZooNet *net, const char *x, const char *name) {
    const char *y = bn_relu(net, x, zoo_name(net, "%s_0_", name));
    y = zoo_conv_bn(net, y, zoo_name(net, "%s_1", name), 4 * GROWTH, zoo_same(1, 1), "relu");
    y = zoo_conv(net, y, zoo_name(net, "%s_2_conv", name), GROWTH, zoo_same(3, 1), NULL);
    return zoo_merge(net, "Concatenate", zoo_name(net, "%s_concat", name), 2, x, y);
}

static const char *transition(ZooNet *net, const char *x, const char *name, size_t filters) {
    x = bn_relu(net, x, zoo_name(net, "%s_", name));
    x = zoo_conv(net, x, zoo_name(net, "%s_conv", name), filters, zoo_same(1, 1), NULL);
    return zoo_average_pool(net, x, zoo_name(net, "%s_pool", name), zoo_valid(2, 2));
}

/* variant: 121, 169, 201, the number of layers with weights. */
void zoo_densenet(ZooNet *net, int variant) {
    const int layers[4] = {6, 12, variant == 201 ? 48 : variant == 169 ? 32 : 24, variant == 121 ? 16 : 32};
    size_t channels = 2 * GROWTH;
    net->no_bias = true;
    net->epsilon = 1.001e-5;
    net->conv_suffix = "_conv";
    const char *x = zoo_pad(net, zoo_input(net), "conv1_pad", 3);
    x = zoo_conv_bn(net, x, "conv1", channels, zoo_valid(7, 2), "relu");
    x = zoo_max_pool(net, zoo_pad(net, x, "pool1_pad", 1), "pool1", zoo_valid(3, 2));
    for (int stage = 0; stage < 4; stage++) {
        if (stage > 0)
            x = transition(net, x, zoo_name(net, "pool%d", stage + 1), channels /= 2);
        for (int i = 1; i <= layers[stage]; i++, channels += GROWTH)
            x = layer(net, x, zoo_name(net, "conv%d_block%d", stage + 2, i));
    }
    zoo_predictions(net, zoo_global_average(net, bn_relu(net, x, ""), "avg_pool"));
}
