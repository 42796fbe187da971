/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks for time series (Wang, Yan, Oates, Time series classification from scratch with deep neural networks: a
 * strong baseline, IJCNN 2017, arXiv:1611.06455), and the small convolutional network for sounds. */
#include "model/zoo/net.h"

static const char *conv_bn(ZooNet *net, const char *x, const char *name, size_t filters, size_t kernel) {
    x = zoo_layer(net, x, "Conv1D", zoo_name(net, "%s_conv", name), "{s:I, s:I, s:s}", "filters", (json_int_t)filters,
                  "kernel_size", (json_int_t)kernel, "padding", "same");
    return zoo_batch_norm(net, x, zoo_name(net, "%s_bn", name));
}

static const char *relu(ZooNet *net, const char *x, const char *name) {
    return zoo_layer(net, x, "ReLU", zoo_name(net, "%s_relu", name), "{}");
}

static void predict(ZooNet *net, const char *x) {
    zoo_predictions(net, zoo_layer(net, x, "GlobalAveragePooling1D", "pool", "{}"));
}

/* Kernels of 8, 5 and 3 samples; the length stays. */
void zoo_fcn_1d(ZooNet *net, int variant) {
    static const size_t filters[] = {128, 256, 128}, kernels[] = {8, 5, 3};
    (void)variant;
    net->momentum = 0.9;
    const char *x = zoo_input(net);
    for (int i = 0; i < 3; i++) {
        const char *name = zoo_name(net, "block%d", i + 1);
        x = relu(net, conv_bn(net, x, name, filters[i], kernels[i]), name);
    }
    predict(net, x);
}

/* Three residual blocks of the same three kernels; a shortcut is normalized, too, and projected where its width
 * changes. */
void zoo_resnet_1d(ZooNet *net, int variant) {
    static const size_t filters[] = {64, 128, 128}, kernels[] = {8, 5, 3};
    (void)variant;
    net->momentum = 0.9;
    const char *x = zoo_input(net);
    for (int b = 0; b < 3; b++) {
        const char *block = zoo_name(net, "block%d", b + 1), *shortcut = zoo_name(net, "%s_shortcut", block), *y = x;
        for (int i = 0; i < 3; i++) {
            const char *name = zoo_name(net, "%s_%d", block, i + 1);
            y = conv_bn(net, y, name, filters[b], kernels[i]);
            y = i < 2 ? relu(net, y, name) : y;
        }
        bool wider = b == 0 || filters[b] != filters[b - 1];
        x = wider ? conv_bn(net, x, shortcut, filters[b], 1) : zoo_batch_norm(net, x, zoo_name(net, "%s_bn", shortcut));
        y = zoo_drop_body(net, y, zoo_name(net, "%s_drop", block), 0);
        x = relu(net, zoo_merge(net, "Add", zoo_name(net, "%s_add", block), 2, y, x), block);
    }
    predict(net, x);
}

/* Log-mel spectrograms [frames, bands, 1].  Kong, Cao, Iqbal, Wang, Wang, Plumbley, PANNs, 2020 (arXiv:1912.10211):
 * CNN6 with a quarter of its channels, kernels of 3x3, and one average of the last image.  Bands are normalized each by
 * itself. */
void zoo_audio_cnn(ZooNet *net, int variant) {
    json_int_t frames = (json_int_t)net->input.dim[0], bands = (json_int_t)net->input.dim[1];
    json_int_t channels = (json_int_t)net->input.dim[2];
    (void)variant;
    net->momentum = 0.9;
    const char *x = zoo_input(net);
    x = zoo_layer(net, x, "Reshape", "bands", "{s:[I, I]}", "target_shape", frames, bands * channels);
    x = zoo_batch_norm(net, x, "bands_bn");
    x = zoo_layer(net, x, "Reshape", "spectrogram", "{s:[I, I, I]}", "target_shape", frames, bands, channels);
    net->no_bias = true;
    for (int i = 0; i < 4; i++) {
        x = zoo_conv_bn(net, x, zoo_name(net, "block%d", i + 1), (size_t)16 << i, zoo_same(3, 1), "relu");
        if (i < 3)
            x = zoo_average_pool(net, x, zoo_name(net, "block%d_pool", i + 1), zoo_same(2, 2));
        x = zoo_dropout(net, x, zoo_name(net, "block%d_dropout", i + 1), 0.2);
    }
    zoo_predictions(net, zoo_global_average(net, x, "pool"));
}
