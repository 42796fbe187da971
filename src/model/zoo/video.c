/* SPDX-License-Identifier: Apache-2.0
 *
 * C3D (Tran, Bourdev, Fergus, Torresani, Paluri, Learning spatiotemporal features with 3D convolutional networks, ICCV
 * 2015, arXiv:1412.0767): eight convolutions of 3x3x3, five poolings, of which the first keeps all frames, two hidden
 * layers.  The authors' pools round up, which "same" does, too. */
#include "model/zoo/net.h"

static const char *conv(ZooNet *net, const char *x, const char *name, int filters) {
    return zoo_layer(net, x, "Conv3D", name, "{s:i, s:i, s:s, s:s}", "filters", filters, "kernel_size", 3, "padding",
                     "same", "activation", "relu");
}

static const char *hidden(ZooNet *net, const char *x, const char *name) {
    return zoo_dropout(net, zoo_dense(net, x, name, 4096, "relu"), zoo_name(net, "%s_dropout", name), 0.5);
}

void zoo_c3d(ZooNet *net, int variant) {
    static const int filters[] = {64, 128, 256, 512, 512};
    (void)variant;
    const char *x = zoo_input(net);
    for (int i = 0; i < 5; i++) {
        x = conv(net, x, zoo_name(net, i < 2 ? "conv%d" : "conv%da", i + 1), filters[i]);
        if (i >= 2)
            x = conv(net, x, zoo_name(net, "conv%db", i + 1), filters[i]);
        x = zoo_layer(net, x, "MaxPooling3D", zoo_name(net, "pool%d", i + 1), "{s:[i, i, i], s:s}", "pool_size",
                      i == 0 ? 1 : 2, 2, 2, "padding", "same");
    }
    x = hidden(net, zoo_flatten(net, x, "flatten"), "fc6");
    zoo_predictions(net, hidden(net, x, "fc7"));
}
