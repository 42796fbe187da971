/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks learn from numbers of about 1: weights are drawn for such, and learning rates chosen.  Of numbers of another
 * scale many learn nothing, without any error. */
#ifndef TRAIN_INPUT_SCALE_H
#define TRAIN_INPUT_SCALE_H
#include "train/setup.h"

/* Warns where x, as preprocessing and a Rescaling at the network's beginning make it, is so large (root mean square
 * above 10) or varies so little (less than 0.05 between least and largest number) that training is likely to fail, and
 * says the way out.  Bytes are taken as 0 to value_max, of floats 32 training examples are read.  Nothing is said of
 * networks that normalize x themselves or read words' numbers.  After setup_preprocess; not collective.
 * STATUS_FAILED: read error. */
Status input_scale_check(const Setup *setup);

#endif
