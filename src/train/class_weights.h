/* SPDX-License-Identifier: Apache-2.0
 *
 * --class-weights: how much the loss of an example counts in training, by its class.  As in Keras's fit(class_weight):
 * the loss of a batch is the sum of weighted losses over the number of examples, validation is not weighted, accuracy
 * neither. */
#ifndef TRAIN_CLASS_WEIGHTS_H
#define TRAIN_CLASS_WEIGHTS_H
#include "train/setup.h"

/* setup->targets.class_weights, of the classes of the first label, from config->class_weights:
 *     balanced        n / (classes * n_c) over the n examples of `view` of the training split, as in scikit-learn; a
 *                     class without examples has weight 0
 *     3=2,cat=0.5     by number or name of the class; the others have weight 1
 *     FILE.json       the same as {"3": 2, "cat": 0.5}
 * "": none.  After setup_graph.  Not collective.  STATUS_USAGE: labels that are no classes, no such class, no weight of
 * at least 0; several outputs (as in Keras). */
Status class_weights_set(Setup *setup, const Config *config, const SamplerView *view);

#endif
