/* SPDX-License-Identifier: Apache-2.0
 *
 * The network of Keras's tutorials of tables (structured data): each column is brought to mean 0 and deviation 1, then
 * two hidden layers.  What Normalization learns there before training, a batch normalization learns here while
 * training. */
#include "model/zoo/net.h"

void zoo_mlp(ZooNet *net, int variant) {
    (void)variant;
    net->momentum = 0.9;
    const char *x = zoo_batch_norm(net, zoo_input(net), "columns_bn");
    x = zoo_dense(net, x, "dense1", 64, "relu");
    zoo_predictions(net, zoo_dense(net, x, "dense2", 64, "relu"));
}
