/* SPDX-License-Identifier: Apache-2.0
 *
 * Loss, accuracy and metrics of the network over a set of examples, the same bits for any number of ranks: the examples
 * are cut into blocks of a fixed size, whole blocks are dealt to ranks, and the blocks' sums are added in the fixed
 * tree. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H
#include "train/assess.h"
#include "train/replica.h"
#include "train/setup.h"

enum { EVALUATE_BLOCK = 32 }; /* a constant: sgemm's bits depend on the number of rows */

/* *values[batch->n][...] = what stands for the value of part.from; valid until the next call. */
typedef Status EvaluateValues(void *user, const LoaderBatch *batch, const Real **values);

typedef struct Evaluation {
    const Setup *setup;        /* borrowed */
    PlanPart part;             /* of the network; the whole unless the creator says otherwise */
    EvaluateValues *values_of; /* what part.from is fed with; NULL: the loader's x */
    void *values_user;
    Loader *loader;
    size_t blocks; /* over all ranks */
    double *sums;  /* [blocks][width] */
    double *mine;  /* this rank's part */
    Real *block_sums;
    size_t width;               /* losses * LOSS_SUMS */
    uint64_t count;             /* examples */
    Metrics *metrics;           /* NULL: none */
    double values[METRICS_MAX]; /* theirs, after evaluate_run */
    Assessment *assessment;     /* of this rank's examples, to be collected after evaluate_run; borrowed.  NULL: none */
} Evaluation;

/* Plans the passes for `count` examples; before replica_ready. */
Status evaluate_prepare(Replica *replica, uint64_t count);

/* The same for another pass, or a part of the network, over `count` examples in blocks. */
Status evaluate_prepare_part(Replica *replica, Pass pass, uint64_t count, PlanPart part);

/* This rank's blocks of `view`. */
LoaderOptions evaluate_loader_options(const Setup *setup, DatasetSplit split, SamplerView view);

/* Bytes that evaluate_create takes for its loader and metrics. */
size_t evaluate_bytes(const Setup *setup, DatasetSplit split, SamplerView view);

/* Loader and memory to evaluate the examples of `view` any number of times.  Not collective. */
Status evaluate_create(const Setup *setup, DatasetSplit split, SamplerView view, Evaluation **out);
void evaluate_destroy(Evaluation *evaluation); /* accepts NULL */

/* *totals = sums over all examples with the replica's weights, penalty included; evaluation->values.  Collective;
 * agreed.  STATUS_STOPPED: a rank was asked to stop (signals.h) and left it; the evaluation can then only be
 * destroyed. */
Status evaluate_run(Evaluation *evaluation, Replica *replica, Totals *totals);

/* Prints "test: loss 0.1 accuracy 0.9 f1 0.8 (359 examples)". */
void evaluate_print(const Evaluation *evaluation, const char *split, const Totals *totals);

#endif
