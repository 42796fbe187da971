/* SPDX-License-Identifier: Apache-2.0
 *
 * Small networks for small images of digits. */
#include "model/zoo/net.h"

static const char *pool(ZooNet *net, const char *x, const char *name) {
    return zoo_max_pool(net, x, name, zoo_valid(2, 2));
}

static void hidden_and_predictions(ZooNet *net, const char *x, size_t units, double dropout) {
    x = zoo_flatten(net, x, "flatten");
    x = zoo_dense(net, x, "dense", units, "relu");
    if (dropout > 0)
        x = zoo_dropout(net, x, "dropout", dropout);
    zoo_predictions(net, x);
}

void zoo_digits_net(ZooNet *net, int variant) {
    (void)variant;
    const char *x = zoo_layer(net, zoo_input(net), "Resizing", "resize", "{s:i, s:i, s:s}", "height", 28, "width", 28,
                              "interpolation", "bilinear");
    x = pool(net, zoo_conv(net, x, "conv1", 10, zoo_valid(5, 1), NULL), "pool1");
    x = zoo_layer(net, x, "ReLU", "relu1", "{}");
    x = pool(net, zoo_conv(net, x, "conv2", 20, zoo_valid(5, 1), NULL), "pool2");
    x = zoo_layer(net, x, "ReLU", "relu2", "{}");
    hidden_and_predictions(net, x, 50, 0);
}

void zoo_keras_mnist(ZooNet *net, int variant) {
    (void)variant;
    const char *x = pool(net, zoo_conv(net, zoo_input(net), "conv1", 32, zoo_valid(3, 1), "relu"), "pool1");
    x = pool(net, zoo_conv(net, x, "conv2", 64, zoo_valid(3, 1), "relu"), "pool2");
    hidden_and_predictions(net, x, 128, 0);
}

void zoo_keras_mnist3(ZooNet *net, int variant) {
    (void)variant;
    const char *x = pool(net, zoo_conv(net, zoo_input(net), "conv1", 32, zoo_same(3, 1), "relu"), "pool1");
    x = pool(net, zoo_conv(net, x, "conv2", 64, zoo_same(3, 1), "relu"), "pool2");
    x = zoo_conv(net, x, "conv3", 128, zoo_same(3, 1), "relu");
    hidden_and_predictions(net, x, 1024, 0.2);
}
