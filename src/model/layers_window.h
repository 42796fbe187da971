/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that look through a window at images, and at series and volumes as images: what those of one, two and three
 * dimensions have in common.
 *
 * A series [L,C] is an image [1,L,C], one row high.  The layers of 1-D are built by the functions of 2-D on that image,
 * between layer_row and layer_row_end; reshapes cost nothing, so all backends and their speed serve.  Single numbers of
 * a 1-D layer's configuration are pairs [1, n] there (layer_pair). */
#ifndef MODEL_LAYERS_WINDOW_H
#define MODEL_LAYERS_WINDOW_H
#include "model/layers.h"

/* Keys of layers that end in a bias and an activation. */
#define KEY_OUTPUT                                                                                                     \
    KEY_USE("activation", KEY_ACTIVATION, "null"), KEY_USE("use_bias", KEY_BOOL, "true"), KEY_WEIGHT("bias", "zeros"), \
        KEY_ONLY("activity_regularizer", KEY_ANY, "null")

/* What Keras 2 writes for depthwise and separable convolutions, as their base class has it, and does not read. */
#define KEY_UNREAD                                                                                                     \
    KEY_SKIP("groups"), KEY_SKIP("kernel_initializer"), KEY_SKIP("kernel_regularizer"), KEY_SKIP("kernel_constraint")

/* Keys of convolutions.  numbers: KEY_SINGLE of series, KEY_PAIR of images, KEY_TRIPLE of volumes. */
#define KEY_WINDOW(numbers, paddings)                                                                                  \
    KEY_NEED("kernel_size", numbers), KEY_USE("strides", numbers, "1"), KEY_WORD("padding", "valid", paddings),        \
        KEY_CHANNELS_LAST
#define KEY_CONV(numbers, paddings)                                                                                    \
    KEY_NEED("filters", KEY_COUNT), KEY_WINDOW(numbers, paddings), KEY_USE("dilation_rate", numbers, "1"),             \
        KEY_USE("groups", KEY_COUNT, "1"), KEY_OUTPUT, KEY_WEIGHT("kernel", "glorot_uniform")
#define KEY_CONV_TRANSPOSE(numbers, numbers0_or_null)                                                                  \
    KEY_NEED("filters", KEY_COUNT), KEY_WINDOW(numbers, "valid same"),                                                 \
        KEY_USE("output_padding", numbers0_or_null, "null"), KEY_ONLY("dilation_rate", numbers, "1"),                  \
        KEY_ONLY("groups", KEY_COUNT, "1"), KEY_OUTPUT, KEY_WEIGHT("kernel", "glorot_uniform")
#define KEY_DEPTHWISE(numbers, paddings)                                                                               \
    KEY_WINDOW(numbers, paddings), KEY_USE("depth_multiplier", KEY_COUNT, "1"),                                        \
        KEY_USE("dilation_rate", numbers, "1"), KEY_OUTPUT, KEY_WEIGHT("depthwise", "glorot_uniform"), KEY_UNREAD

/* Keys of pooling beside pool_size; the strides are that when null. */
#define KEY_POOL(numbers_or_null)                                                                                      \
    KEY_USE("strides", numbers_or_null, "null"), KEY_WORD("padding", "valid", "valid same"), KEY_CHANNELS_LAST

extern const LayerKey layer_global_pool_keys[];

/* Is it a layer of series? */
bool layer_is_1d(const LayerBuild *b);

/* Makes input 0, a series [L,C], an image [1,L,C]: that of the 1-D layer before, if one made the series. */
Status layer_row(LayerBuild *b);

/* Makes b->output, an image [1,L,C], a series [L,C]. */
Status layer_row_end(LayerBuild *b);

/* *bias = the parameter [channels], or -1 without use_bias. */
Status layer_bias(const LayerBuild *b, size_t channels, int *bias);

/* Conv2D, Conv2DTranspose, DepthwiseConv2D, SeparableConv2D; the weights of a 1-D layer have no height. */
Status layer_conv_build(LayerBuild *b);
Status layer_conv_transpose_build(LayerBuild *b);
Status layer_depthwise_build(LayerBuild *b);
Status layer_separable_build(LayerBuild *b);

/* Pooling by windows, and of the whole image, by operations of that kind. */
Status layer_pool_build(LayerBuild *b, OpKind kind);
Status layer_global_pool_build(LayerBuild *b, OpKind kind);

#endif
