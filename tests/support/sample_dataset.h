/* SPDX-License-Identifier: Apache-2.0
 *
 * Small dataset files made on the fly. */
#ifndef TESTS_SAMPLE_DATASET_H
#define TESTS_SAMPLE_DATASET_H
#include "data/dataset.h"

/* What pixel j of example i of a split is: tells every example from every other. */
uint8_t sample_pixel(DatasetSplit split, size_t i, size_t j);

/* Writes train, val, test of count[] examples (0: none) of 4x3x2 uint8, with the label i % 5 of example i. */
Status sample_dataset(const char *path, const size_t count[DATASET_SPLITS]);
enum { SAMPLE_NUMBERS = 4 * 3 * 2, SAMPLE_CLASSES = 5 };

#endif
