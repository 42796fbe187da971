/* SPDX-License-Identifier: Apache-2.0
 *
 * Kim, Convolutional neural networks for sentence classification, EMNLP 2014 (arXiv:1408.5882): vectors of words,
 * windows of three, four and five words under 100 filters each, of each filter its largest value.  The vectors are
 * trained from random ones (the paper's CNN-rand), and the last layer has no limit on its norm. */
#include "model/zoo/net.h"

void zoo_text_cnn(ZooNet *net, int variant) {
    const char *pools[3];
    (void)variant;
    const char *x = zoo_layer(net, zoo_input(net), "Embedding", "embedding", "{s:I, s:i}", "input_dim",
                              (json_int_t)net->vocabulary, "output_dim", 300);
    for (int i = 0; i < 3; i++) {
        const char *y = zoo_layer(net, x, "Conv1D", zoo_name(net, "conv%d", 3 + i), "{s:i, s:i, s:s}", "filters", 100,
                                  "kernel_size", 3 + i, "activation", "relu");
        pools[i] = zoo_layer(net, y, "GlobalMaxPooling1D", zoo_name(net, "max%d", 3 + i), "{}");
    }
    x = zoo_merge(net, "Concatenate", "concatenate", 3, pools[0], pools[1], pools[2]);
    zoo_predictions(net, zoo_dropout(net, x, "dropout", 0.5));
}
