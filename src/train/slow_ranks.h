/* SPDX-License-Identifier: Apache-2.0
 *
 * Names ranks that hold the others up.  Each measures the time of its own work, from the wait for its data to the end
 * of its backward pass; waiting for the other ranks is not counted.  At the end of an epoch, one line on rank 0 for
 * each that took more than 1.2 times as long per example as the median rank (of an even number the faster of the two in
 * the middle: of two ranks, as the other):
 *
 *     cnn_train: warning: rank 5 (node3) is slow: 4.21 ms an example in epoch 7, 32 % more than the median
 *         rank (3.19 ms)
 *
 * Silent where it would be noise: when the median rank has measured less than 5 seconds, and about nodes with more
 * ranks than cores, where the scheduler decides who is slow. */
#ifndef TRAIN_SLOW_RANKS_H
#define TRAIN_SLOW_RANKS_H
#include "dist/dist.h"
#include <stdbool.h>

typedef struct RankTime {
    double seconds, examples; /* of its own work; 0 examples: does not count */
    char host[48];
} RankTime;

/* slow[i]: rank i is to be named.  Returns the median seconds per example, 0 when there is nothing to say. */
double slow_ranks_find(const RankTime *times, size_t count, bool *slow);

/* Prints the lines of an epoch (from 1).  Collective. */
void slow_ranks_report(Dist *dist, double seconds, uint64_t examples, uint64_t epoch);

#endif
