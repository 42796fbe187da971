/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/net.h"

/* LeNet-5 on 28x28 images: the first convolution is padded, where the paper pads the images to 32x32. */
void zoo_lenet5(ZooNet *net, int variant) {
    (void)variant;
    const char *x = zoo_conv(net, zoo_input(net), "conv1", 6, zoo_same(5, 1), "tanh");
    x = zoo_average_pool(net, x, "pool1", zoo_valid(2, 2));
    x = zoo_conv(net, x, "conv2", 16, zoo_valid(5, 1), "tanh");
    x = zoo_average_pool(net, x, "pool2", zoo_valid(2, 2));
    x = zoo_flatten(net, x, "flatten");
    x = zoo_dense(net, x, "dense1", 120, "tanh");
    x = zoo_dense(net, x, "dense2", 84, "tanh");
    zoo_predictions(net, x);
}
