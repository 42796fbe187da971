/* SPDX-License-Identifier: Apache-2.0
 *
 * The layer classes that are understood: one table, each row with the keys of its configuration and the function that
 * turns one call of the layer into operations.  Inside model/ only, but for LayerClass.name.
 *
 * A new layer: a LayerClass in the file of its family, and its name in LAYER_LIST. */
#ifndef MODEL_LAYERS_H
#define MODEL_LAYERS_H
#include "model/model.h"

typedef enum KeyType {
    KEY_BOOL,
    KEY_NUMBER,
    KEY_NUMBER_OR_NULL,
    KEY_COUNT,  /* whole number, 1 .. LAYER_MAX_EXTENT */
    KEY_SINGLE, /* a count, or a list of one; kept as a number */
    KEY_SINGLE_OR_NULL,
    KEY_SINGLE0_OR_NULL, /* the same from 0 */
    KEY_PAIR,            /* a count, or two: [height, width]; kept as two */
    KEY_PAIR_OR_NULL,
    KEY_PAIR0_OR_NULL,
    KEY_TRIPLE, /* a count, or three: [depth, height, width]; kept as three */
    KEY_TRIPLE_OR_NULL,
    KEY_MARGIN1, /* n or [left, right]; kept as the last */
    KEY_MARGIN,  /* n, [n, m] or [[top, bottom], [left, right]]; kept as the last */
    KEY_MARGIN3, /* the like of three axes */
    KEY_AXIS,    /* whole number, or a list of one; kept as a number */
    KEY_INTEGERS_OR_NULL,
    KEY_INTEGERS,        /* list of whole numbers */
    KEY_EXTENTS_OR_NULL, /* list of extents, each may be null */
    KEY_NUMBERS,         /* number, or nested lists of numbers; kept as a number or a flat list */
    KEY_NUMBERS_OR_NULL, /* number or nested lists of numbers, or null; kept as a flat list */
    KEY_CHOICE,          /* one of the words in `choices` */
    KEY_ACTIVATION,      /* values.h */
    KEY_INITIALIZER,
    KEY_REGULARIZER,
    KEY_BATCH_SHAPE, /* [null, ...]: extents of an input, null for the batch */
    KEY_DTYPE,       /* float32 in any spelling; kept as null */
    KEY_ANY
} KeyType;

typedef enum KeyUse {
    KEY_USED,    /* decides the result */
    KEY_WRITTEN, /* the same, and Keras 3 does not load a network without it */
    KEY_FIXED,   /* only its default is supported */
    KEY_IGNORED  /* cannot change the result; the row says why */
} KeyUse;

typedef struct LayerKey {
    const char *name;
    KeyType type;
    KeyUse use;
    const char *standard; /* default value as JSON text; NULL: the key must be given */
    const char *choices;  /* KEY_CHOICE: "valid same" */
    const char *alias;    /* the key's name in the other dialect, or NULL */
} LayerKey;

/* Rows of a key table. */
#define KEY_USE(name, type, standard)                                                                                  \
    { name, type, KEY_USED, standard, NULL, NULL }
#define KEY_WRITE(name, type, standard)                                                                                \
    { name, type, KEY_WRITTEN, standard, NULL, NULL }
#define KEY_NEED(name, type)                                                                                           \
    { name, type, KEY_USED, NULL, NULL, NULL }
#define KEY_WORD(name, standard, choices)                                                                              \
    { name, KEY_CHOICE, KEY_USED, "\"" standard "\"", choices, NULL }
#define KEY_ONLY(name, type, standard)                                                                                 \
    { name, type, KEY_FIXED, standard, NULL, NULL }
#define KEY_SKIP(name)                                                                                                 \
    { name, KEY_ANY, KEY_IGNORED, NULL, NULL, NULL }
#define KEY_END                                                                                                        \
    { NULL, KEY_ANY, KEY_IGNORED, NULL, NULL, NULL }
#define KEY_CHANNELS_LAST                                                                                              \
    { "data_format", KEY_CHOICE, KEY_FIXED, "\"channels_last\"", "channels_last", NULL }
/* The three keys of one weight. */
#define KEY_WEIGHT(prefix, initializer)                                                                                \
    KEY_USE(prefix "_initializer", KEY_INITIALIZER, "\"" initializer "\""),                                            \
        KEY_USE(prefix "_regularizer", KEY_REGULARIZER, "null"), KEY_ONLY(prefix "_constraint", KEY_ANY, "null")

/* What a build function works on: one call of one layer. */
typedef struct LayerBuild {
    const ModelLayer *layer;
    int keras;   /* 2 or 3 */
    size_t call; /* number of this call; not the order in which calls are built */
    Graph *graph;
    int inputs[OP_MAX_INPUTS];
    size_t input_count;
    int output; /* set by the build function: a node */
} LayerBuild;

typedef struct LayerClass {
    const char *name;
    const LayerKey *keys; /* beside those that every layer has; ends with a row without name */
    size_t min_inputs, max_inputs;
    Status (*build)(LayerBuild *b);
} LayerClass;

/* symbol, class name; by family, as the files layers_*.c */
/* clang-format off */
#define LAYER_LIST(X)                                                                                      \
    X(input, InputLayer)                                                                                   \
    X(conv2d, Conv2D) X(conv2d_transpose, Conv2DTranspose) X(depthwise_conv2d, DepthwiseConv2D)            \
    X(separable_conv2d, SeparableConv2D) X(dense, Dense) X(embedding, Embedding)                           \
    X(max_pooling2d, MaxPooling2D) X(average_pooling2d, AveragePooling2D)                                  \
    X(global_max_pooling2d, GlobalMaxPooling2D) X(global_average_pooling2d, GlobalAveragePooling2D)        \
    X(conv1d, Conv1D) X(conv1d_transpose, Conv1DTranspose) X(depthwise_conv1d, DepthwiseConv1D)            \
    X(separable_conv1d, SeparableConv1D)                                                                   \
    X(max_pooling1d, MaxPooling1D) X(average_pooling1d, AveragePooling1D)                                  \
    X(global_max_pooling1d, GlobalMaxPooling1D) X(global_average_pooling1d, GlobalAveragePooling1D)        \
    X(zero_padding1d, ZeroPadding1D) X(cropping1d, Cropping1D) X(up_sampling1d, UpSampling1D)              \
    X(conv3d, Conv3D) X(max_pooling3d, MaxPooling3D) X(average_pooling3d, AveragePooling3D)                \
    X(global_max_pooling3d, GlobalMaxPooling3D) X(global_average_pooling3d, GlobalAveragePooling3D)        \
    X(zero_padding3d, ZeroPadding3D) X(cropping3d, Cropping3D) X(up_sampling3d, UpSampling3D)              \
    X(flatten, Flatten) X(reshape, Reshape) X(permute, Permute) X(zero_padding2d, ZeroPadding2D)           \
    X(cropping2d, Cropping2D) X(up_sampling2d, UpSampling2D) X(resizing, Resizing)                         \
    X(batch_normalization, BatchNormalization) X(layer_normalization, LayerNormalization)                  \
    X(group_normalization, GroupNormalization) X(rescaling, Rescaling) X(normalization, Normalization)     \
    X(layer_scale, LayerScale)                                                                             \
    X(random_flip, RandomFlip) X(random_rotation, RandomRotation) X(random_translation, RandomTranslation) \
    X(random_zoom, RandomZoom) X(random_contrast, RandomContrast) X(random_brightness, RandomBrightness)   \
    X(random_crop, RandomCrop)                                                                             \
    X(add, Add) X(subtract, Subtract) X(multiply, Multiply) X(average, Average) X(maximum, Maximum)        \
    X(custom_scale_layer, CustomScaleLayer)                                                                \
    X(concatenate, Concatenate)                                                                            \
    X(identity, Identity) X(activation, Activation) X(re_lu, ReLU) X(leaky_re_lu, LeakyReLU) X(elu, ELU)   \
    X(softmax, Softmax)                                                                                    \
    X(p_re_lu, PReLU) X(dropout, Dropout) X(spatial_dropout2d, SpatialDropout2D)                           \
    X(spatial_dropout1d, SpatialDropout1D) X(spatial_dropout3d, SpatialDropout3D)                          \
    X(gaussian_dropout, GaussianDropout)                                                                   \
    X(alpha_dropout, AlphaDropout) X(gaussian_noise, GaussianNoise)                                        \
    X(stochastic_depth, StochasticDepth)
/* clang-format on */

#define LAYER_EXTERN(symbol, name) extern const LayerClass layer_class_##symbol;
LAYER_LIST(LAYER_EXTERN)
#undef LAYER_EXTERN

enum {
    LAYER_MAX_EXTENT = 1 << 24, /* of one dimension, and any count in a configuration: no product of a few overflows */
    LAYER_MAX_AXES = SHAPE_MAX + 1
};

/* Is it one of the Random... layers, which are the identity but in training? */
bool layer_is_augmentation(const LayerClass *class);

/* The option of cnn_train that does what Keras's layer `class`, which is not known, does in training; NULL: there is
 * none. */
const char *layer_instead(const char *class);

/* The class of that name, also as "Custom>NAME", or an error that says what to use instead, or lists the known ones. */
Status layer_class_find(const char *name, const LayerClass **out);

/* Checks `given`, the config of a layer, and makes the normalized one.  Keys that every layer has (name, trainable,
 * dtype, input shapes) are checked here, but read by model_parse.  Messages name the key; the caller adds the layer. */
Status layer_config(const LayerClass *class, const json_t *given, json_t **out);

/* For layer_config.  `count` whole numbers from `least` on: given as one for all, or as a list of so many; a new list,
 * or the number where count is 1.  NULL: `given` is neither. */
json_t *layer_extents(const json_t *given, size_t count, json_int_t least);

/* What two sides of `axes` axes have: one number for all, one for each axis, or [[before, after], ...]; a new list of
 * the last form.  Of one axis: n or [before, after], kept as that.  NULL: `given` is none of these. */
json_t *layer_margins(const json_t *given, size_t axes);

/* The smallest config that means the same: keys that have their default value are left out. */
Status layer_config_short(const LayerClass *class, const json_t *config, json_t **out);

/* Reading a normalized config; the key must be one of the class. */
double layer_number(const LayerBuild *b, const char *key);
size_t layer_count(const LayerBuild *b, const char *key);
bool layer_flag(const LayerBuild *b, const char *key);
bool layer_is_null(const LayerBuild *b, const char *key);
void layer_pair(const LayerBuild *b, const char *key, size_t pair[2]); /* of a single number n: [1, n] */
void layer_triple(const LayerBuild *b, const char *key, size_t triple[3]);
bool layer_choice(const LayerBuild *b, const char *key, const char *word); /* is the value this word? */

/* The initializer `key`. */
Initializer layer_initializer(const LayerBuild *b, const char *key);

/* The value of a list key. */
const json_t *layer_list(const LayerBuild *b, const char *key);

/* A failure whose message starts with the layer's name and class. */
Status layer_fail(const LayerBuild *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Shape of input number `input`. */
Shape layer_shape(const LayerBuild *b, size_t input);

/* Fails unless input 0 has that rank (without the batch). */
Status layer_needs_rank(const LayerBuild *b, size_t rank);

/* Fails unless the KEY_AXIS `key` is the last axis of input 0. */
Status layer_last_axis(const LayerBuild *b, const char *key);

/* The parameter `name` of this layer: made with the values of PREFIX_initializer and PREFIX_regularizer by the call of
 * a shared layer that is built first, found again by the others. */
Status layer_weight(const LayerBuild *b, const char *name, const char *prefix, Shape shape, int *param);

/* The same for a parameter that no gradient trains; spec->layer is filled in. */
Status layer_state(const LayerBuild *b, ParamSpec spec, int *param);

/* Adds an operation and checks that its output is not larger than a memory could be. */
Status layer_op(const LayerBuild *b, const OpDesc *op, size_t input_count, const int *inputs, size_t param_count,
                const int *params, int *node);

/* Input 0 for a window of `extent` (height, width) without padding of its own.  Where a zero padding that is smaller
 * than the window makes that input, the node before it, and *padding and pad tell the operation to pad: no padded copy
 * is made.  Else input 0 itself, and they stay as they are. */
int layer_padded_input(const LayerBuild *b, const size_t extent[2], Padding *padding, size_t pad[2][2]);

/* layer_op on one node without parameters. */
Status layer_op1(const LayerBuild *b, const OpDesc *op, int input, int *node);

/* The end of most layers: adds the activation that `key` names (none for linear) to `node` and sets b->output. */
Status layer_activate(LayerBuild *b, const char *key, int node);

#endif
