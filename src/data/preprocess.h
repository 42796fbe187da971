/* SPDX-License-Identifier: Apache-2.0
 *
 * From the numbers of a file to the input of a network, for channel c of an example with values up to value_max:
 *     y[c] = x[r(c)] * scale[c] + offset[c],   r(c) = C-1-c when channels are reversed, else c
 * The modes are those of Keras's imagenet_utils (keras/src/applications/imagenet_utils.py), v = x * 255 / value_max:
 *     none     x                            unit    x / value_max
 *     tf       v / 127.5 - 1                torch   (v / 255 - mean) / deviation of ImageNet, RGB
 *     caffe    v - mean of ImageNet, BGR    dataset (x - mean) / deviation per channel over the train split
 * Belongs to the network: stored in the checkpoint, used again by evaluation and prediction. */
#ifndef DATA_PREPROCESS_H
#define DATA_PREPROCESS_H
#include "data/dataset.h"

typedef enum PreprocessMode {
    PREPROCESS_NONE,
    PREPROCESS_UNIT,
    PREPROCESS_TF,
    PREPROCESS_CAFFE,
    PREPROCESS_TORCH,
    PREPROCESS_DATASET,
    PREPROCESS_MODES
} PreprocessMode;

enum { PREPROCESS_CHANNELS = 64 };

/* Plain data: may be copied and sent as bytes. */
typedef struct Preprocess {
    PreprocessMode mode;
    bool reverse_channels; /* RGB to BGR */
    Shape shape;           /* of one example; its last extent is the channel */
    size_t channels;       /* entries of scale and offset: 1 (the same for all) or the last extent of shape */
    double scale[PREPROCESS_CHANNELS], offset[PREPROCESS_CHANNELS];
    bool is_pictures; /* the network learned from pictures that came to `shape` by `fit` */
    ImageFit fit;     /* not said: IMAGE_CROP */
} Preprocess;

/* "none", "unit", ...; NULL at PREPROCESS_MODES, so that the table serves as a list of choices. */
extern const char *const preprocess_names[PREPROCESS_MODES + 1];

/* name: a mode, or NULL or "" for the default: unit for uint8, none for float.  `dataset` mode reads the whole train
 * split (in file order, in double: the same numbers on every rank); examples that are plain vectors count as one
 * channel, and where all numbers are equal the deviation is taken as 1.  STATUS_USAGE: unknown name, or a mode that
 * does not fit the channels or the data. */
Status preprocess_create(Dataset *dataset, const char *name, Preprocess *out);

/* The same for examples without a dataset: pictures to be predicted.  `dataset` mode: STATUS_USAGE. */
Status preprocess_create_for(const DatasetInfo *info, const char *name, Preprocess *out);

/* How pictures come to a network with this preprocessing: says nothing where its examples are none of 1 or 3
 * channels. */
PictureRule preprocess_rule(const Preprocess *preprocess);

/* Largest value of the data that the network was trained on, where the mode depends on it; else 255. */
double preprocess_value_max(const Preprocess *preprocess);

/* y[n * shape] from n examples in uint8 or float.  Cannot fail. */
void preprocess_uint8(const Preprocess *preprocess, const uint8_t *x, size_t n, Real *y);
void preprocess_float(const Preprocess *preprocess, const float *x, size_t n, Real *y);

/* JSON text for a checkpoint: mode, shape, scale, offset, order of channels, fit, class names (may be NULL, 0).  The
 * caller frees with memory_free. */
Status preprocess_to_json(const Preprocess *preprocess, char *const class_names[], size_t class_count, char **json);

/* Reads it back; *class_names is one block freed with memory_free, NULL when there are none.  STATUS_FAILED: not such a
 * text. */
Status preprocess_from_json(const char *json, Preprocess *out, char ***class_names, size_t *class_count);

#endif
