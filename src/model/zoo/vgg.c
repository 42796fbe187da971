/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/net.h"

/* Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015 (arXiv:1409.1556):
 * five blocks of 3x3 convolutions, each followed by a pooling, then three Dense layers.  `variant` counts the layers
 * with weights: 11, 13, 16, 19.  Layers are called as in Keras, which leaves out the paper's dropout. */
void zoo_vgg(ZooNet *net, int variant) {
    static const size_t filters[] = {64, 128, 256, 512, 512};
    const int first = variant == 11 ? 1 : 2, later = (variant - 3 - 2 * first) / 3; /* convolutions of blocks */
    net->initializer = "he_uniform";
    const char *x = zoo_input(net);
    for (int b = 0; b < 5; b++) {
        for (int c = 1; c <= (b < 2 ? first : later); c++)
            x = zoo_conv(net, x, zoo_name(net, "block%d_conv%d", b + 1, c), filters[b], zoo_same(3, 1), "relu");
        x = zoo_max_pool(net, x, zoo_name(net, "block%d_pool", b + 1), zoo_valid(2, 2));
    }
    x = zoo_flatten(net, x, "flatten");
    x = zoo_dropout(net, zoo_dense(net, x, "fc1", 4096, "relu"), "drop1", 0.5);
    x = zoo_dropout(net, zoo_dense(net, x, "fc2", 4096, "relu"), "drop2", 0.5);
    zoo_predictions(net, x);
}
