/* SPDX-License-Identifier: Apache-2.0
 *
 * Predictions, or features, as a dataset file: like the one that is read, with other numbers in the place of x. */
#ifndef TRAIN_PREDICT_FILE_H
#define TRAIN_PREDICT_FILE_H
#include "train/predict.h"

/* Runs all examples; rank 0 writes x = the only output's numbers, and the labels.  An existing file is replaced with
 * `force` only.  Collective, agreed; prints a line. */
Status predict_to_dataset(Predictor *predictor, const char *path, bool force);

#endif
