/* SPDX-License-Identifier: Apache-2.0
 *
 * What cnn_train --list-models prints. */
#ifndef TRAIN_MODEL_LIST_H
#define TRAIN_MODEL_LIST_H
#include "base/status.h"
#include <stdio.h>

/* Every named network, at most 80 columns wide: name, parameters and forward FLOP of one example (a multiplication and
 * an addition are two) at its usual size, where it comes from, and the options of its recipe. */
Status model_list_print(FILE *stream);

#endif
