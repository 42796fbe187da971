/* SPDX-License-Identifier: Apache-2.0
 *
 * How long steps take by the clock, for --verbose: the median and the best of whole steps say what the machine can do,
 * an epoch's mean also what else it had to do. */
#ifndef TRAIN_STEP_TIMES_H
#define TRAIN_STEP_TIMES_H
#include "base/status.h"
#include <stddef.h>

enum { STEP_TIMES_MAX = 1 << 16, STEP_TIMES_TEXT = 160 };

typedef struct StepTimes {
    float *seconds; /* owned, [STEP_TIMES_MAX]; NULL: nothing is kept */
    size_t count;
} StepTimes;

Status step_times_create(StepTimes *times);
void step_times_destroy(StepTimes *times); /* accepts one that was never created */

/* Keeps one step's time; the first STEP_TIMES_MAX stay, the later ones are dropped. */
void step_times_add(StepTimes *times, double seconds);

/* "640 steps, median 3.21 ms (19938 images/s), best 3.10 ms (20645 images/s)" for steps of `examples`; "" without any.
 * Sorts the times. */
const char *step_times_format(StepTimes *times, size_t examples, char text[STEP_TIMES_TEXT]);

#endif
