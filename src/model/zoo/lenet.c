/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/net.h"

/* LeNet-5 on 28x28 images: the first convolution is padded, where the paper pads the images to 32x32. */
void zoo_lenet5(ZooNet *net, Shape input, size_t classes) {
    const char *x = zoo_input(net, input);
    x = zoo_layer(net, x, "Conv2D", "conv1", "{s:i, s:i, s:s, s:s}", "filters", 6, "kernel_size", 5, "padding", "same",
                  "activation", "tanh");
    x = zoo_layer(net, x, "AveragePooling2D", "pool1", "{s:i}", "pool_size", 2);
    x = zoo_layer(net, x, "Conv2D", "conv2", "{s:i, s:i, s:s}", "filters", 16, "kernel_size", 5, "activation", "tanh");
    x = zoo_layer(net, x, "AveragePooling2D", "pool2", "{s:i}", "pool_size", 2);
    x = zoo_layer(net, x, "Flatten", "flatten", "{}");
    x = zoo_layer(net, x, "Dense", "dense1", "{s:i, s:s}", "units", 120, "activation", "tanh");
    x = zoo_layer(net, x, "Dense", "dense2", "{s:i, s:s}", "units", 84, "activation", "tanh");
    zoo_layer(net, x, "Dense", "predictions", "{s:I, s:s}", "units", (json_int_t)classes, "activation", "softmax");
}
