/* SPDX-License-Identifier: Apache-2.0
 *
 * The exponential moving average of a run's weights (--average-weights DECAY).  After step t, from 1:
 *
 *     average = d * average + (1 - d) * weights,   d = min(DECAY, (1 + t) / (10 + t))
 *
 * (Polyak, Juditsky 1992; the warm-up of d is that of TensorFlow's ExponentialMovingAverage: without it the first
 * average of a short run would be its initial weights).  Moving statistics are averaged, too.  The average is what
 * evaluation sees and what stands in a checkpoint as the network's weights; the raw weights stand beside the
 * optimizer's slots (train/record.h).
 *
 * Ranks need not exchange it: same arithmetic on the same bits. */
#ifndef TRAIN_AVERAGE_H
#define TRAIN_AVERAGE_H
#include "graph/graph.h"

typedef struct Average {
    double decay;
    size_t moving; /* elements that steps change: trained ones and statistics, the front of the slab */
    size_t count;  /* graph->weight_count */
    Real *slab;    /* [count], owned; laid out like the weights */
} Average;

/* *out = NULL for decay 0.  Fails when memory does. */
Status average_create(const Graph *graph, double decay, Average **out);
void average_destroy(Average *average); /* accepts NULL, as all here do: then there is nothing to do */

/* The average is `weights`. */
void average_start(Average *average, const Real *weights);

/* After step `step` (from 1).  Allocates nothing. */
void average_update(Average *average, uint64_t step, const Real *weights);

/* Exchanges the average and `weights`: what computes with them sees the average, until the next call. */
void average_swap(Average *average, Real *weights);

#endif
