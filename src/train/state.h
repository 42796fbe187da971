/* SPDX-License-Identifier: Apache-2.0
 *
 * How far a run has come: with the weights, the optimizer's slots and the options, all that decides how it goes on. */
#ifndef TRAIN_STATE_H
#define TRAIN_STATE_H
#include "backend/op.h"
#include <stdint.h>

enum { STATE_MAX_LOSSES = 8 };

/* Sums over examples, exact in any order of batches: each batch's numbers come out of the tree. */
typedef struct Totals {
    double sum[STATE_MAX_LOSSES][LOSS_SUMS];
    double penalty; /* sum over batches of penalty * examples */
    double examples;
} Totals;

typedef struct TrainState {
    uint64_t step;    /* optimizer steps done */
    uint64_t before;  /* steps that the optimizer had done when the run began (--with-optimizer) */
    uint64_t epoch;   /* whole epochs done */
    uint64_t batch;   /* batches done of the epoch under way */
    Totals totals;    /* of the epoch under way */
    double best_loss; /* smallest validation (without validation: training) loss at an epoch's end; INFINITY before */
    uint64_t best_epoch;           /* from 1; 0 before */
    double epoch_seconds, seconds; /* of the epoch under way, of the whole run; interruptions not counted */
} TrainState;

/* Loss over all outputs, each times its weight, and the penalty: per example.  weights: of the losses. */
double totals_loss(const Totals *totals, const double *weights, size_t losses);

/* Loss and accuracy of one output; accuracy NAN for losses that have none. */
double totals_output_loss(const Totals *totals, size_t loss);
double totals_accuracy(const Totals *totals, size_t loss);

/* Adds one batch's tree sums [losses][LOSS_SUMS]. */
void totals_add(Totals *totals, const Real *sums, size_t losses, double examples, double penalty);

#endif
