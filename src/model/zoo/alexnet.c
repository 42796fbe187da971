/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/net.h"

/* AlexNet as one network for one device: Krizhevsky, One weird trick for parallelizing convolutional neural networks,
 * 2014 (arXiv:1404.5997), without local response normalization, as torchvision has it. */
void zoo_alexnet(ZooNet *net, int variant) {
    (void)variant;
    net->initializer = "he_uniform";
    const char *x = zoo_pad(net, zoo_input(net), "conv1_pad", 2);
    x = zoo_conv(net, x, "conv1", 64, zoo_valid(11, 4), "relu");
    x = zoo_max_pool(net, x, "pool1", zoo_valid(3, 2));
    x = zoo_conv(net, x, "conv2", 192, zoo_same(5, 1), "relu");
    x = zoo_max_pool(net, x, "pool2", zoo_valid(3, 2));
    x = zoo_conv(net, x, "conv3", 384, zoo_same(3, 1), "relu");
    x = zoo_conv(net, x, "conv4", 256, zoo_same(3, 1), "relu");
    x = zoo_conv(net, x, "conv5", 256, zoo_same(3, 1), "relu");
    x = zoo_max_pool(net, x, "pool5", zoo_valid(3, 2));
    x = zoo_dropout(net, zoo_flatten(net, x, "flatten"), "drop5", 0.5);
    x = zoo_dropout(net, zoo_dense(net, x, "fc6", 4096, "relu"), "drop6", 0.5);
    zoo_predictions(net, zoo_dense(net, x, "fc7", 4096, "relu"));
}
