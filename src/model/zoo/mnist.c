/* SPDX-License-Identifier: Apache-2.0
 *
 * Small networks for small images of digits. */
#include "model/zoo/net.h"

static const char *conv_relu_pool(ZooNet *net, const char *x, const char *const names[2], int filters,
                                  const char *padding) {
    x = zoo_layer(net, x, "Conv2D", names[0], "{s:i, s:i, s:s, s:s}", "filters", filters, "kernel_size", 3, "padding",
                  padding, "activation", "relu");
    return zoo_layer(net, x, "MaxPooling2D", names[1], "{s:i}", "pool_size", 2);
}

static void predict(ZooNet *net, const char *x, size_t classes) {
    zoo_layer(net, x, "Dense", "predictions", "{s:I, s:s}", "units", (json_int_t)classes, "activation", "softmax");
}

void zoo_digits_net(ZooNet *net, Shape input, size_t classes) {
    const char *x = zoo_input(net, input);
    x = zoo_layer(net, x, "Resizing", "resize", "{s:i, s:i, s:s}", "height", 28, "width", 28, "interpolation",
                  "bilinear");
    x = zoo_layer(net, x, "Conv2D", "conv1", "{s:i, s:i}", "filters", 10, "kernel_size", 5);
    x = zoo_layer(net, x, "MaxPooling2D", "pool1", "{s:i}", "pool_size", 2);
    x = zoo_layer(net, x, "ReLU", "relu1", "{}");
    x = zoo_layer(net, x, "Conv2D", "conv2", "{s:i, s:i}", "filters", 20, "kernel_size", 5);
    x = zoo_layer(net, x, "MaxPooling2D", "pool2", "{s:i}", "pool_size", 2);
    x = zoo_layer(net, x, "ReLU", "relu2", "{}");
    x = zoo_layer(net, x, "Flatten", "flatten", "{}");
    x = zoo_layer(net, x, "Dense", "dense", "{s:i, s:s}", "units", 50, "activation", "relu");
    predict(net, x, classes);
}

void zoo_keras_mnist(ZooNet *net, Shape input, size_t classes) {
    const char *x = zoo_input(net, input);
    x = conv_relu_pool(net, x, (const char *const[]){"conv1", "pool1"}, 32, "valid");
    x = conv_relu_pool(net, x, (const char *const[]){"conv2", "pool2"}, 64, "valid");
    x = zoo_layer(net, x, "Flatten", "flatten", "{}");
    x = zoo_layer(net, x, "Dense", "dense", "{s:i, s:s}", "units", 128, "activation", "relu");
    predict(net, x, classes);
}

void zoo_keras_mnist3(ZooNet *net, Shape input, size_t classes) {
    const char *x = zoo_input(net, input);
    x = conv_relu_pool(net, x, (const char *const[]){"conv1", "pool1"}, 32, "same");
    x = conv_relu_pool(net, x, (const char *const[]){"conv2", "pool2"}, 64, "same");
    x = zoo_layer(net, x, "Conv2D", "conv3", "{s:i, s:i, s:s, s:s}", "filters", 128, "kernel_size", 3, "padding",
                  "same", "activation", "relu");
    x = zoo_layer(net, x, "Flatten", "flatten", "{}");
    x = zoo_layer(net, x, "Dense", "dense", "{s:i, s:s}", "units", 1024, "activation", "relu");
    x = zoo_layer(net, x, "Dropout", "dropout", "{s:f}", "rate", 0.2);
    predict(net, x, classes);
}
