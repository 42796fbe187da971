/* SPDX-License-Identifier: Apache-2.0 */
#include "train/schedule.h"
#include <math.h>

static double decayed(const ScheduleOptions *options, double periods) {
    double lr = options->lr * pow(options->decay_rate, periods);
    return lr > options->min_lr ? lr : options->min_lr;
}

/* From 1 at `progress` 0 to 0 at 1 and beyond. */
static double half_cosine(double progress) {
    return progress < 1 ? (1 + cos(acos(-1) * progress)) / 2 : 0;
}

double schedule_lr(const ScheduleOptions *options, uint64_t step, uint64_t steps_per_epoch, uint64_t epochs) {
    double warm = round(options->warmup * (double)steps_per_epoch), now = (double)step;
    double total = (double)steps_per_epoch * (double)epochs;
    double lr = options->lr;
    switch (options->kind) {
    case SCHEDULE_STEP:
        lr = decayed(options, floor(now / (options->decay_epochs * (double)steps_per_epoch)));
        break;
    case SCHEDULE_EXPONENTIAL:
        lr = decayed(options, now / (options->decay_epochs * (double)steps_per_epoch));
        break;
    case SCHEDULE_COSINE:
        if (now >= warm)
            lr = options->min_lr + (lr - options->min_lr) * half_cosine((now - warm) / (total - warm));
        break;
    default:
        break;
    }
    return now < warm ? lr * (now + 1) / warm : lr;
}
