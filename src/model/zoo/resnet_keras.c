/* SPDX-License-Identifier: Apache-2.0
 *
 * Residual networks of bottlenecks as Keras Applications has them, with its names:
 *
 *     V1  He, Zhang, Ren, Sun, Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385:
 *         y = relu(body(x) + shortcut(x)); the stride is in the first 1x1 convolution of a stage
 *     V2  the same authors, Identity Mappings in Deep Residual Networks, ECCV 2016, arXiv:1603.05027:
 *         y = body(relu(bn(x))) + shortcut(x); the stride is in the last 3x3 convolution of a stage
 *
 * Convolutions have a bias where Keras's do, though a batch norm behind it takes it away again. */
#include "model/zoo/net.h"

static const char *stem_pool(ZooNet *net, const char *x) {
    return zoo_max_pool(net, zoo_pad(net, x, "pool1_pad", 1), "pool1_pool", zoo_valid(3, 2));
}

static const char *stem(ZooNet *net) {
    net->epsilon = 1.001e-5;
    net->conv_suffix = "_conv";
    return zoo_pad(net, zoo_input(net), "conv1_pad", 3);
}

/* ---- V1 ---- */

static const char *block1(ZooNet *net, const char *x, const char *name, size_t width, size_t stride, bool project) {
    const char *shortcut = x;
    if (project)
        shortcut = zoo_conv_bn(net, x, zoo_name(net, "%s_0", name), 4 * width, zoo_valid(1, stride), NULL);
    x = zoo_conv_bn(net, x, zoo_name(net, "%s_1", name), width, zoo_valid(1, stride), "relu");
    x = zoo_conv_bn(net, x, zoo_name(net, "%s_2", name), width, zoo_same(3, 1), "relu");
    x = zoo_conv_bn(net, x, zoo_name(net, "%s_3", name), 4 * width, zoo_valid(1, 1), NULL);
    x = zoo_drop_body(net, x, zoo_name(net, "%s_drop", name), 0);
    x = zoo_merge(net, "Add", zoo_name(net, "%s_add", name), 2, shortcut, x);
    return zoo_activation(net, x, zoo_name(net, "%s_out", name), "relu");
}

/* variant: 50, 101, 152, the number of layers with weights. */
void zoo_resnet_keras(ZooNet *net, int variant) {
    const int blocks[4] = {3, variant == 152 ? 8 : 4, variant == 152 ? 36 : variant == 101 ? 23 : 6, 3};
    const char *x = stem_pool(net, zoo_conv_bn(net, stem(net), "conv1", 64, zoo_valid(7, 2), "relu"));
    for (int stage = 0; stage < 4; stage++)
        for (int i = 1; i <= blocks[stage]; i++)
            x = block1(net, x, zoo_name(net, "conv%d_block%d", stage + 2, i), (size_t)64 << stage,
                       stage > 0 && i == 1 ? 2 : 1, i == 1);
    zoo_predictions(net, zoo_global_average(net, x, "avg_pool"));
}

/* ---- V2 ---- */

static const char *bn_relu(ZooNet *net, const char *x, const char *name) {
    x = zoo_batch_norm(net, x, zoo_name(net, "%s_bn", name));
    return zoo_activation(net, x, zoo_name(net, "%s_relu", name), "relu");
}

static const char *block2(ZooNet *net, const char *x, const char *name, size_t width, size_t stride, bool project) {
    const char *y = bn_relu(net, x, zoo_name(net, "%s_preact", name)), *shortcut = x;
    if (project)
        shortcut = zoo_conv(net, y, zoo_name(net, "%s_0_conv", name), 4 * width, zoo_valid(1, stride), NULL);
    else if (stride > 1)
        shortcut = zoo_max_pool(net, x, zoo_name(net, "%s_0_pool", name), zoo_valid(1, stride));
    net->no_bias = true;
    y = zoo_conv_bn(net, y, zoo_name(net, "%s_1", name), width, zoo_valid(1, 1), "relu");
    y = zoo_pad(net, y, zoo_name(net, "%s_2_pad", name), 1);
    y = zoo_conv_bn(net, y, zoo_name(net, "%s_2", name), width, zoo_valid(3, stride), "relu");
    net->no_bias = false;
    y = zoo_conv(net, y, zoo_name(net, "%s_3_conv", name), 4 * width, zoo_valid(1, 1), NULL);
    y = zoo_drop_body(net, y, zoo_name(net, "%s_drop", name), 0);
    return zoo_merge(net, "Add", zoo_name(net, "%s_out", name), 2, shortcut, y);
}

/* variant: 50, the number of layers with weights. */
void zoo_resnet_keras_v2(ZooNet *net, int variant) {
    const int blocks[4] = {3, 4, 6, 3};
    const char *x = stem_pool(net, zoo_conv(net, stem(net), "conv1_conv", 64, zoo_valid(7, 2), NULL));
    (void)variant;
    for (int stage = 0; stage < 4; stage++)
        for (int i = 1; i <= blocks[stage]; i++)
            x = block2(net, x, zoo_name(net, "conv%d_block%d", stage + 2, i), (size_t)64 << stage,
                       stage < 3 && i == blocks[stage] ? 2 : 1, i == 1);
    zoo_predictions(net, zoo_global_average(net, bn_relu(net, x, "post"), "avg_pool"));
}
