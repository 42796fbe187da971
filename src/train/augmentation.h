/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run's training images go through: the operations of --augment, then those of the network's own layers. */
#ifndef TRAIN_AUGMENTATION_H
#define TRAIN_AUGMENTATION_H
#include "data/augment.h"
#include "train/setup.h"

/* *out = the operations that --augment lists, followed by the Random... layers at the network's beginning, checked
 * against the data; count 0: none.  After setup_preprocess.
 *
 * A layer counts as at the beginning when nothing but Random..., Rescaling, Normalization and Resizing lies between it
 * and the input x.  Behind Resizing it acts on the image before that, which is the same up to interpolation;
 * RandomRotation only where Resizing keeps width / height.  Behind Normalization with adapted mean and variance, which
 * are weights, layers that need to know their values (RandomContrast, RandomBrightness, fill_mode constant) are
 * refused.  In prediction and evaluation such layers are the identity, wherever they stand; here one that stands
 * elsewhere is STATUS_USAGE, as nobody would apply it.
 *
 * The formulas are Keras's (keras/src/layers/preprocessing/image_preprocessing), on the values that reach the layer:
 * preprocessing, Rescaling and Normalization before it are taken into account.  fill_mode is that of data/augment.h,
 * where wrap differs from Keras on TensorFlow between the last and the first pixel.  RandomFlip of both directions
 * turns by 180 degrees in Keras 3, which draws once for both, and draws for each in Keras 2. */
Status augmentation_create(const Setup *setup, const char *list, uint64_t seed, Augment *out);

/* Says in one line what was made of `list`, if there is anything. */
void augmentation_say(const char *list, const Augment *augment);

#endif
