/* SPDX-License-Identifier: Apache-2.0
 *
 * How a network of the zoo is written down: layer by layer, as calls of Keras layers.
 *
 *     void zoo_example(ZooNet *net, int blocks) {
 *         net->bn_suffix = "_bn";
 *         const char *x = zoo_input(net);
 *         for (int b = 1; b <= blocks; b++) {
 *             x = zoo_conv_bn(net, x, zoo_name(net, "block%d_conv", b), 64, zoo_same(3, 1), "relu");
 *             x = zoo_max_pool(net, x, zoo_name(net, "block%d_pool", b), zoo_valid(2, 2));
 *         }
 *         zoo_predictions(net, zoo_global_average(net, x, "avg_pool"));
 *     }
 *
 * The last layer is the output, unless zoo_output names others.  Functions return the name of the layer that they add,
 * which is how the next one says what it reads.  A name that is given as NULL becomes Keras's automatic one: "conv2d",
 * "conv2d_1", ...  Names are copied; those that are returned live as long as the ZooNet.  After a failure (lack of
 * memory) they are NULL, and zoo_create reports it. */
#ifndef MODEL_ZOO_NET_H
#define MODEL_ZOO_NET_H
#include "model/zoo/zoo.h"

struct ZooNet {
    Shape input;             /* of one example: height, width, channels; or as ZooEntry.input */
    size_t vocabulary;       /* ZooOptions */
    size_t classes;          /* at least 1 */
    double l2;               /* penalty on kernels, from the recipe */
    double stochastic_depth; /* of the last residual block; negative: the network's own */

    /* What is the same in all layers of a network; the builder sets what differs.  0, NULL: Keras's default. */
    bool no_bias;             /* of convolutions */
    const char *initializer;  /* of kernels: "he_normal", or a JSON object; else glorot_uniform */
    double momentum, epsilon; /* of batch normalization; else 0.99 and 0.001 */
    bool no_scale;            /* batch normalization without gamma */
    const char *conv_suffix;  /* names of zoo_conv_bn: name + conv_suffix, name + bn_suffix ("_bn"), */
    const char *bn_suffix;    /* name + act_suffix ("_relu"); */
    const char *act_suffix;   /* without a name all three are automatic */

    /* net.c's */
    json_t *layers, *outputs, *names; /* owned */
    json_t *drops;                    /* owned: the layers of zoo_drop */
    bool failed;
};

/* Where a convolution or a pooling looks. */
typedef struct ZooWindow {
    size_t height, width, stride;
    const char *padding;
} ZooWindow;

static inline ZooWindow zoo_same(size_t extent, size_t stride) {
    return (ZooWindow){extent, extent, stride, "same"};
}

static inline ZooWindow zoo_valid(size_t extent, size_t stride) {
    return (ZooWindow){extent, extent, stride, "valid"};
}

/* The text that printf would print, for use as a name: zoo_name(net, "block%d_conv", 3). */
const char *zoo_name(ZooNet *net, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The example that the network reads. */
const char *zoo_input(ZooNet *net);

/* Makes x an output; the first that is named is the first output. */
void zoo_output(ZooNet *net, const char *x);

/* Any layer of one input: its configuration is the json_pack format with its values. */
const char *zoo_layer(ZooNet *net, const char *x, const char *class_name, const char *name, const char *format, ...);

/* Convolution; activation: "relu", or NULL for none. */
const char *zoo_conv(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window,
                     const char *activation);

/* The same, one for each channel (without penalty: its weights are few), and SeparableConv2D: one for each channel,
 * then 1x1 to `filters`. */
const char *zoo_depthwise(ZooNet *net, const char *x, const char *name, ZooWindow window);
const char *zoo_separable(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window);

const char *zoo_batch_norm(ZooNet *net, const char *x, const char *name);

/* A layer Activation. */
const char *zoo_activation(ZooNet *net, const char *x, const char *name, const char *activation);

/* Convolution, batch normalization and, where it is not NULL, activation: three layers. */
const char *zoo_conv_bn(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window,
                        const char *activation);

const char *zoo_max_pool(ZooNet *net, const char *x, const char *name, ZooWindow window);
const char *zoo_average_pool(ZooNet *net, const char *x, const char *name, ZooWindow window);
const char *zoo_global_average(ZooNet *net, const char *x, const char *name);
const char *zoo_pad(ZooNet *net, const char *x, const char *name, size_t margin); /* zeros on all four sides */
const char *zoo_flatten(ZooNet *net, const char *x, const char *name);
const char *zoo_dropout(ZooNet *net, const char *x, const char *name, double rate);

/* The end of a residual block's body, which training leaves out for some examples: with probability `rate`, the
 * network's own (0: never), or as ZooNet.stochastic_depth says. */
const char *zoo_drop_body(ZooNet *net, const char *x, const char *name, double rate);
const char *zoo_dense(ZooNet *net, const char *x, const char *name, size_t units, const char *activation);

/* The Dense layer "predictions" with softmax. */
const char *zoo_predictions(ZooNet *net, const char *x);

/* Channels in whole eights, but not less than 90 % of `channels`: how MobileNet and EfficientNet round. */
size_t zoo_round8(double channels);

/* Layers of several inputs: Add, Multiply, Concatenate, ...  `count` names follow. */
const char *zoo_merge(ZooNet *net, const char *class_name, const char *name, size_t count, ...);

/* The families' builders; `variant` is the table's. */
typedef void ZooBuild(ZooNet *net, int variant);
ZooBuild zoo_digits_net, zoo_keras_mnist, zoo_keras_mnist3, zoo_lenet5;
ZooBuild zoo_alexnet, zoo_vgg, zoo_googlenet, zoo_inception_v3, zoo_squeezenet, zoo_xception;
ZooBuild zoo_resnet_cifar, zoo_resnet18_cifar, zoo_resnet, zoo_resnet50_v15, zoo_resnet_keras, zoo_resnet_keras_v2;
ZooBuild zoo_fcn_1d, zoo_resnet_1d, zoo_audio_cnn, zoo_text_cnn, zoo_mlp, zoo_c3d;
ZooBuild zoo_densenet, zoo_mobilenet, zoo_mobilenet_v2, zoo_mobilenet_v3, zoo_efficientnet;

#endif
