/* SPDX-License-Identifier: Apache-2.0
 *
 * Loss and accuracy of the network over a set of examples, the same bits for any number of ranks: the examples are cut into
 * blocks of a fixed size, whole blocks are dealt to ranks, and the blocks' sums are added in the fixed tree. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H
#include "train/replica.h"
#include "train/setup.h"

enum { EVALUATE_BLOCK = 64 }; /* a constant: sgemm's bits depend on the number of rows */

typedef struct Evaluation {
    const Setup *setup; /* borrowed */
    Loader *loader;
    size_t blocks; /* over all ranks */
    double *sums;  /* [blocks][width] */
    double *mine;  /* this rank's part */
    Real *block_sums;
    size_t width;   /* losses * LOSS_SUMS */
    uint64_t count; /* examples */
} Evaluation;

/* Plans the passes for `count` examples; before replica_ready. */
Status evaluate_prepare(Replica *replica, uint64_t count);

/* Bytes that the loader of evaluate_create takes. */
size_t evaluate_bytes(const Setup *setup, DatasetSplit split, SamplerView view);

/* Loader and memory to evaluate the examples of `view` any number of times.  Not collective. */
Status evaluate_create(const Setup *setup, DatasetSplit split, SamplerView view, Evaluation **out);
void evaluate_destroy(Evaluation *evaluation); /* accepts NULL */

/* *totals = sums over all examples with the replica's weights, penalty included.  Collective; agreed. */
Status evaluate_run(Evaluation *evaluation, Replica *replica, Totals *totals);

#endif
