/* SPDX-License-Identifier: Apache-2.0
 *
 * Loss and accuracy of a network over a set of examples, the same bits for any number of ranks: examples are cut into
 * blocks of a fixed size by index, whole blocks are dealt to ranks, and the blocks' sums are added in the fixed tree. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H
#include "data/loader.h"
#include "dist/dist.h"
#include "train/replica.h"
#include "train/state.h"

enum { EVALUATE_BLOCK = 64 };

/* Plans the passes that evaluating `examples` examples needs; before replica_ready. */
Status evaluate_prepare(Replica *replica, size_t examples);

typedef struct Evaluation Evaluation;

/* Memory for evaluating up to `examples` examples of `losses` losses. */
Status evaluate_create(Dist *dist, size_t examples, size_t losses, Evaluation **out);
void evaluate_destroy(Evaluation *evaluation); /* accepts NULL */

#endif
