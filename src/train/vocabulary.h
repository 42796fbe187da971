/* SPDX-License-Identifier: Apache-2.0
 *
 * Examples that are sequences of whole numbers (words, bytes), which an Embedding of the network reads. */
#ifndef TRAIN_VOCABULARY_H
#define TRAIN_VOCABULARY_H
#include "train/setup.h"

/* Whether an Embedding reads input x.  Numbers then must reach it as they are: no scaling, augmentation, mixing. */
bool vocabulary_is_read(const Model *model);

/* Fails with STATUS_USAGE, `option` having been asked for, where vocabulary_is_read. */
Status vocabulary_refuse(const Model *model, const char *option);

/* All numbers of x, in all splits, are whole and have a row in the Embeddings that read graph input `node`.  Reads all
 * data, unless bytes cannot be wrong.  Not collective: for one rank.  STATUS_FAILED: not so, or a read error. */
Status vocabulary_check(const Setup *setup, int node);

#endif
