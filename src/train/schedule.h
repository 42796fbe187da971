/* SPDX-License-Identifier: Apache-2.0
 *
 * The learning rate as a pure function of the step: nothing to save, and a resumed run has the same rate at the same step.
 *
 *   e = step / steps_per_epoch, E = epochs, W = warmup (epochs), D = decay_epochs, r = decay_rate
 *   constant      lr
 *   step          lr * r^floor(e / D)
 *   exponential   lr * r^(e / D)                                        (keras.optimizers.schedules.ExponentialDecay)
 *   cosine        min_lr + (lr - min_lr) * (1 + cos(pi * (e - W) / (E - W))) / 2   (Loshchilov, Hutter, SGDR, ICLR 2017)
 *   step, exponential: never below min_lr
 * Warm-up: for the first w = round(W * steps_per_epoch) steps the rate is the schedule's own times (step + 1) / w
 * (Goyal et al. 2017); the cosine then counts from step w. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H
#include <stdint.h>

typedef enum ScheduleKind {
    SCHEDULE_CONSTANT,
    SCHEDULE_STEP,
    SCHEDULE_EXPONENTIAL,
    SCHEDULE_COSINE,
    SCHEDULE_KINDS
} ScheduleKind;

typedef struct ScheduleOptions {
    ScheduleKind kind;
    double lr; /* the peak */
    double min_lr;
    double warmup;       /* epochs, may be a fraction */
    double decay_epochs; /* step, exponential; above 0 */
    double decay_rate;   /* step, exponential */
} ScheduleOptions;

/* Learning rate of step `step` (from 0, over the whole run).  steps_per_epoch and epochs at least 1.  Beyond the last step:
 * the cosine stays at min_lr. */
double schedule_lr(const ScheduleOptions *options, uint64_t step, uint64_t steps_per_epoch, uint64_t epochs);

#endif
