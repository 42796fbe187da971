/* SPDX-License-Identifier: Apache-2.0
 *
 * GoogLeNet: Szegedy et al., Going deeper with convolutions, CVPR 2015 (arXiv:1409.4842), with its two auxiliary
 * outputs. Its local response normalization is left out: it has no parameters, and Keras no layer for it. */
#include "model/zoo/net.h"

/* Table 1 of the paper: filters of the 1x1; of the reduction and the 3x3; of those of the 5x5; of the 1x1 after the
 * pool. */
typedef struct Widths {
    const char *name;
    size_t direct, reduce3, conv3, reduce5, conv5, pool;
} Widths;

static const char *conv(ZooNet *net, const char *x, const char *block, const char *part, size_t filters,
                        size_t kernel) {
    return zoo_conv(net, x, zoo_name(net, "%s_%s", block, part), filters, zoo_same(kernel, 1), "relu");
}

static const char *inception(ZooNet *net, const char *x, Widths w) {
    const char *direct = conv(net, x, w.name, "1x1", w.direct, 1);
    const char *conv3 = conv(net, x, w.name, "3x3_reduce", w.reduce3, 1);
    conv3 = conv(net, conv3, w.name, "3x3", w.conv3, 3);
    const char *conv5 = conv(net, x, w.name, "5x5_reduce", w.reduce5, 1);
    conv5 = conv(net, conv5, w.name, "5x5", w.conv5, 5);
    const char *pool = zoo_max_pool(net, x, zoo_name(net, "%s_pool", w.name), zoo_same(3, 1));
    pool = conv(net, pool, w.name, "pool_proj", w.pool, 1);
    return zoo_merge(net, "Concatenate", w.name, 4, direct, conv3, conv5, pool);
}

/* An auxiliary classifier, called `name`. */
static const char *auxiliary(ZooNet *net, const char *x, const char *name) {
    x = zoo_average_pool(net, x, zoo_name(net, "%s_pool", name), zoo_valid(5, 3));
    x = conv(net, x, name, "conv", 128, 1);
    x = zoo_flatten(net, x, zoo_name(net, "%s_flatten", name));
    x = zoo_dense(net, x, zoo_name(net, "%s_fc", name), 1024, "relu");
    x = zoo_dropout(net, x, zoo_name(net, "%s_drop", name), 0.7);
    return zoo_dense(net, x, name, net->classes, "softmax");
}

void zoo_googlenet(ZooNet *net, int variant) {
    (void)variant;
    net->initializer = "he_uniform";
    const char *x = zoo_conv(net, zoo_input(net), "conv1", 64, zoo_same(7, 2), "relu");
    x = zoo_max_pool(net, x, "pool1", zoo_same(3, 2));
    x = conv(net, x, "conv2", "reduce", 64, 1);
    x = zoo_conv(net, x, "conv2", 192, zoo_same(3, 1), "relu");
    x = zoo_max_pool(net, x, "pool2", zoo_same(3, 2));
    x = inception(net, x, (Widths){"inception_3a", 64, 96, 128, 16, 32, 32});
    x = inception(net, x, (Widths){"inception_3b", 128, 128, 192, 32, 96, 64});
    x = zoo_max_pool(net, x, "pool3", zoo_same(3, 2));
    const char *a = inception(net, x, (Widths){"inception_4a", 192, 96, 208, 16, 48, 64});
    x = inception(net, a, (Widths){"inception_4b", 160, 112, 224, 24, 64, 64});
    x = inception(net, x, (Widths){"inception_4c", 128, 128, 256, 24, 64, 64});
    const char *d = inception(net, x, (Widths){"inception_4d", 112, 144, 288, 32, 64, 64});
    x = inception(net, d, (Widths){"inception_4e", 256, 160, 320, 32, 128, 128});
    x = zoo_max_pool(net, x, "pool4", zoo_same(3, 2));
    x = inception(net, x, (Widths){"inception_5a", 256, 160, 320, 32, 128, 128});
    x = inception(net, x, (Widths){"inception_5b", 384, 192, 384, 48, 128, 128});
    x = zoo_dropout(net, zoo_global_average(net, x, "pool5"), "drop5", 0.4);
    zoo_output(net, zoo_predictions(net, x));
    zoo_output(net, auxiliary(net, a, "aux1"));
    zoo_output(net, auxiliary(net, d, "aux2"));
}
