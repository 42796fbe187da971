/* SPDX-License-Identifier: Apache-2.0
 *
 * What cnn_inspect says of a dataset: the figures of data/survey.h as tables of at most 80 columns, or as JSON. */
#ifndef TRAIN_INSPECT_DATA_H
#define TRAIN_INSPECT_DATA_H
#include "data/dataset.h"

/* Prints to stdout.  read_x: also what needs all of x. */
Status inspect_data(Dataset *dataset, bool read_x, bool json);

#endif
