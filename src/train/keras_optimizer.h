/* SPDX-License-Identifier: Apache-2.0
 *
 * The optimizer of a Keras file (--with-optimizer): its options, and its state.  Our formulas and slots are Keras's
 * (optimizer.h), so the numbers are taken as they are.  The file's list of variables is
 *
 *     iteration, [learning rate: Keras 3], slots of the trained weights in the order of Keras
 *
 *     Keras 3, tf.keras from 2.11 on   Adam, AdamW: m and v of each weight in turn;  others: slot by slot
 *     tf.keras before, Keras 2         slot by slot: all m, then all v
 *     Keras before 2.2.4               the same, weights sorted by name
 */
#ifndef TRAIN_KERAS_OPTIMIZER_H
#define TRAIN_KERAS_OPTIMIZER_H
#include "train/config.h"
#include "train/match.h"

/* Gives the options that nobody gave the values that the file was compiled with: kind of optimizer, learning rate
 * (without schedule), momentum and so on.  What is not supported is an error that names the key, and so is another
 * --optimizer. */
Status keras_optimizer_options(const Checkpoint *file, const char *origin, Config *config);

/* Fills the optimizer's slots; *iteration = the steps that it has done.  matches: of this file, complete for all
 * trained parameters.  Errors name what is missing. */
Status keras_optimizer_restore(const Matches *matches, const char *origin, Optimizer *optimizer, uint64_t *iteration);

#endif
