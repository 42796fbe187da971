/* SPDX-License-Identifier: Apache-2.0
 *
 * The learning rate as a pure function of the step: nothing to save, and a resumed run has the same rate at the same
 * step.
 *
 *   e = step / steps_per_epoch, E = epochs, W = warmup (epochs), D = decay_epochs, r = decay_rate
 *   constant      lr
 *   step          lr * r^floor(e / D)
 *   exponential   lr * r^(e / D)                                        (keras.optimizers.schedules.ExponentialDecay)
 *   cosine        min_lr + (lr - min_lr) * (1 + cos(pi * (e - W) / (E - W))) / 2  (Loshchilov, Hutter, SGDR, 2017)
 *   polynomial    min_lr + (lr - min_lr) * (1 - (e - W) / (E - W))^power           (Keras's PolynomialDecay)
 *   restarts      min_lr + (lr - min_lr) * c^i * (1 + cos(pi * x)) / 2, at x of period i, counted from W; period i is
 *                 D * cycle_mult^i epochs long, c = cycle_decay                    (SGDR; Keras's CosineDecayRestarts)
 *   one-cycle     from lr / 25 to lr up to step w - 1, then down to lr / 250000 at the last step, both along half a
 *                 cosine; w = round(W * steps_per_epoch), W = 0.3 E when it is 0   (Smith, Topin 2018, with
 *                 the constants of PyTorch's OneCycleLR; momentum stays as it is)
 *   plateau       lr, from which train/monitor.h takes away
 *   step, exponential: never below min_lr
 * Warm-up, but for one-cycle: for the first w = round(W * steps_per_epoch) steps the rate is the schedule's own times
 * (step + 1) / w (Goyal et al. 2017); cosine, polynomial and restarts then count from step w. */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H
#include <stdint.h>

typedef enum ScheduleKind {
    SCHEDULE_CONSTANT,
    SCHEDULE_STEP,
    SCHEDULE_EXPONENTIAL,
    SCHEDULE_COSINE,
    SCHEDULE_POLYNOMIAL,
    SCHEDULE_RESTARTS,
    SCHEDULE_ONE_CYCLE,
    SCHEDULE_PLATEAU,
    SCHEDULE_KINDS
} ScheduleKind;

typedef struct ScheduleOptions {
    ScheduleKind kind;
    double lr; /* the peak */
    double min_lr;
    double warmup;       /* epochs, may be a fraction */
    double decay_epochs; /* step, exponential, restarts; above 0 */
    double decay_rate;   /* step, exponential */
    double power;        /* polynomial; above 0 */
    double cycle_mult;   /* restarts: at least 1 */
    double cycle_decay;  /* restarts: above 0, at most 1 */
} ScheduleOptions;

/* Learning rate of step `step` (from 0, over the whole run).  steps_per_epoch and epochs at least 1.  Beyond the last
 * step cosine and polynomial stay at min_lr, one-cycle at its end. */
double schedule_lr(const ScheduleOptions *options, uint64_t step, uint64_t steps_per_epoch, uint64_t epochs);

#endif
