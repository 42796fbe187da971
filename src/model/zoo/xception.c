/* SPDX-License-Identifier: Apache-2.0
 *
 * Xception: Chollet, Xception: Deep learning with depthwise separable convolutions, CVPR 2017 (arXiv:1610.02357), with
 * the names of layers and the numbers of Keras.  A block is two or three times ReLU, separable convolution, batch
 * normalization, and a shortcut around them; what halves height and width has a pool at its end and a 1x1 convolution
 * in its shortcut. */
#include "model/zoo/net.h"

/* Step number `part` of a block; `relu`: the activation stands in front. */
static const char *step(ZooNet *net, const char *x, int block, int part, size_t filters, bool relu) {
    if (relu)
        x = zoo_activation(net, x, zoo_name(net, "block%d_sepconv%d_act", block, part), "relu");
    x = zoo_separable(net, x, zoo_name(net, "block%d_sepconv%d", block, part), filters, zoo_same(3, 1));
    return zoo_batch_norm(net, x, zoo_name(net, "block%d_sepconv%d_bn", block, part));
}

/* Halves height and width; block 2 begins with what has gone through a ReLU already. */
static const char *halve(ZooNet *net, const char *x, int block, size_t first, size_t second) {
    const char *shortcut = zoo_conv_bn(net, x, NULL, second, zoo_same(1, 2), NULL);
    x = step(net, x, block, 1, first, block > 2);
    x = step(net, x, block, 2, second, true);
    x = zoo_max_pool(net, x, zoo_name(net, "block%d_pool", block), zoo_same(3, 2));
    return zoo_merge(net, "Add", NULL, 2, zoo_drop_body(net, x, NULL, 0), shortcut);
}

static const char *middle(ZooNet *net, const char *x, int block) {
    const char *shortcut = x;
    for (int part = 1; part <= 3; part++)
        x = step(net, x, block, part, 728, true);
    return zoo_merge(net, "Add", NULL, 2, zoo_drop_body(net, x, NULL, 0), shortcut);
}

void zoo_xception(ZooNet *net, int variant) {
    (void)variant;
    net->no_bias = true;
    net->act_suffix = "_act";
    const char *x = zoo_conv_bn(net, zoo_input(net), "block1_conv1", 32, zoo_valid(3, 2), "relu");
    x = zoo_conv_bn(net, x, "block1_conv2", 64, zoo_valid(3, 1), "relu");
    x = halve(net, x, 2, 128, 128);
    x = halve(net, x, 3, 256, 256);
    x = halve(net, x, 4, 728, 728);
    for (int block = 5; block <= 12; block++)
        x = middle(net, x, block);
    x = halve(net, x, 13, 728, 1024);
    x = zoo_activation(net, step(net, x, 14, 1, 1536, false), "block14_sepconv1_act", "relu");
    x = zoo_activation(net, step(net, x, 14, 2, 2048, false), "block14_sepconv2_act", "relu");
    zoo_predictions(net, zoo_global_average(net, x, "avg_pool"));
}
