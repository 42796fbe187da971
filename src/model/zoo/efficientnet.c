/* SPDX-License-Identifier: Apache-2.0
 *
 * EfficientNet B0 to B7 (Tan, Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019,
 * arXiv:1905.11946), named as in Keras Applications: the blocks of MobileNetV2 with a gate on the channels (squeeze and
 * excitation) and silu, in one network that is scaled in width, depth and resolution.
 *
 * Input: pixels from 0 to 255.  The network scales them to 0 .. 1 and normalizes them by the mean and variance that
 * Keras's pretrained files hold; what they hold as variance is the standard deviation, so that Keras divides by its
 * root once more when it loads them.  This network always does. */
#include "model/zoo/net.h"
#include <math.h>

/* Variances 2 / (kernel area x filters) and 1 / (3 x classes). */
static const char conv_initializer[] = "{\"class_name\": \"VarianceScaling\", \"config\": "
                                       "{\"scale\": 2.0, \"mode\": \"fan_out\"}}";
static const char dense_initializer[] = "{\"class_name\": \"VarianceScaling\", \"config\": "
                                        "{\"scale\": 0.3333333333333333, \"mode\": \"fan_out\", "
                                        "\"distribution\": \"uniform\"}}";

static const struct Scale {
    double width, depth; /* factors on channels and on repeats */
    double dropout;      /* before the classes */
} scales[] = {{1.0, 1.0, 0.2}, {1.0, 1.1, 0.2}, {1.1, 1.2, 0.3}, {1.2, 1.4, 0.3},
              {1.4, 1.8, 0.4}, {1.6, 2.2, 0.4}, {1.8, 2.6, 0.5}, {2.0, 3.1, 0.5}};

/* x times a weight of 0 to 1 for each channel; narrow: channels in between. */
static const char *gate(ZooNet *net, const char *x, const char *name, size_t filters, size_t narrow) {
    const char *z =
        zoo_layer(net, x, "GlobalAveragePooling2D", zoo_name(net, "%s_squeeze", name), "{s:b}", "keepdims", 1);
    net->no_bias = false;
    z = zoo_conv(net, z, zoo_name(net, "%s_reduce", name), narrow, zoo_same(1, 1), "silu");
    z = zoo_conv(net, z, zoo_name(net, "%s_expand", name), filters, zoo_same(1, 1), "sigmoid");
    net->no_bias = true;
    return zoo_merge(net, "Multiply", zoo_name(net, "%s_excite", name), 2, x, z);
}

typedef struct Block {
    size_t expand, kernel, stride, from, to;
    double drop; /* how often training leaves out the body of a block that adds its input */
} Block;

/* The dropout of whole bodies: Huang et al., Deep Networks with Stochastic Depth, ECCV 2016. */
static const char *inverted(ZooNet *net, const char *input, const char *name, Block b) {
    const char *x = input;
    if (b.expand > 1)
        x = zoo_conv_bn(net, x, zoo_name(net, "%s_expand", name), b.expand * b.from, zoo_same(1, 1), "silu");
    x = zoo_depthwise(net, x, zoo_name(net, "%s_dwconv", name), zoo_same(b.kernel, b.stride));
    x = zoo_batch_norm(net, x, zoo_name(net, "%s_bn", name));
    x = zoo_activation(net, x, zoo_name(net, "%s_activation", name), "silu");
    x = gate(net, x, zoo_name(net, "%s_se", name), b.expand * b.from, b.from / 4);
    x = zoo_conv_bn(net, x, zoo_name(net, "%s_project", name), b.to, zoo_same(1, 1), NULL);
    if (b.stride > 1 || b.from != b.to)
        return x;
    x = zoo_drop_body(net, x, zoo_name(net, "%s_drop", name), b.drop);
    return zoo_merge(net, "Add", zoo_name(net, "%s_add", name), 2, x, input);
}

/* The roots are those of ImageNet's standard deviations of red, green and blue. */
static const char *stem(ZooNet *net) {
    const char *x = zoo_layer(net, zoo_input(net), "Rescaling", "rescaling", "{s:f}", "scale", 1.0 / 255);
    x = zoo_layer(net, x, "Normalization", "normalization", "{}");
    if (net->input.dim[2] == 3)
        x = zoo_layer(net, x, "Rescaling", "rescaling_1", "{s:[f, f, f]}", "scale", 1 / sqrt(0.229), 1 / sqrt(0.224),
                      1 / sqrt(0.225));
    return x;
}

/* variant: 0 to 7. */
void zoo_efficientnet(ZooNet *net, int variant) {
    static const struct {
        size_t expand, kernel, stride, filters, repeats;
    } stages[] = {{1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3},
                  {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
    enum { STAGES = sizeof stages / sizeof *stages };
    const struct Scale *scale = &scales[variant];
    size_t repeats[STAGES], total = 0, done = 0;
    for (size_t i = 0; i < STAGES; i++)
        total += repeats[i] = (size_t)ceil(scale->depth * (double)stages[i].repeats);
    net->no_bias = true;
    net->initializer = conv_initializer;
    net->conv_suffix = "_conv";
    net->act_suffix = "_activation";
    Block b = {.from = zoo_round8(32 * scale->width)};
    const char *x = zoo_conv_bn(net, stem(net), "stem", b.from, zoo_same(3, 2), "silu");
    for (size_t i = 0; i < STAGES; i++) {
        b.expand = stages[i].expand;
        b.kernel = stages[i].kernel;
        b.to = zoo_round8((double)stages[i].filters * scale->width);
        for (size_t j = 0; j < repeats[i]; j++) {
            b.stride = j ? 1 : stages[i].stride;
            b.drop = 0.2 * (double)done++ / (double)total;
            x = inverted(net, x, zoo_name(net, "block%zu%c", i + 1, (char)('a' + j)), b);
            b.from = b.to;
        }
    }
    x = zoo_conv_bn(net, x, "top", zoo_round8(1280 * scale->width), zoo_same(1, 1), "silu");
    net->initializer = dense_initializer;
    zoo_predictions(net, zoo_dropout(net, zoo_global_average(net, x, "avg_pool"), "top_dropout", scale->dropout));
}
