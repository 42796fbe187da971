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

/* Between the rate `from` at step `first` and `to` at step `last`, and beyond, along half a cosine. */
static double glide(double from, double to, double now, double first, double last) {
    return to + (from - to) * half_cosine(last > first ? (now - first) / (last - first) : 1);
}

static double one_cycle(const ScheduleOptions *options, double now, double warm, double total) {
    double start = options->lr / 25, peak = (warm > 0 ? warm : 0.3 * total) - 1;
    if (now <= peak)
        return glide(start, options->lr, now, 0, peak);
    return glide(options->lr, start / 1e4, now, peak, total - 1);
}

/* The part of lr - min_lr that is left `done` steps after the first period of `length` began. */
static double restarts(const ScheduleOptions *options, double done, double length) {
    double height = 1;
    if (options->cycle_mult == 1) {
        double period = floor(done / length);
        return pow(options->cycle_decay, period) * half_cosine(done / length - period);
    }
    for (; done >= length; length *= options->cycle_mult) {
        done -= length;
        height *= options->cycle_decay;
    }
    return height * half_cosine(done / length);
}

/* What is left of lr - min_lr `done` steps after the warm-up, when `all` steps follow it. */
static double left(const ScheduleOptions *options, double done, double all, double period) {
    switch (options->kind) {
    case SCHEDULE_POLYNOMIAL:
        return done < all ? pow(1 - done / all, options->power) : 0;
    case SCHEDULE_RESTARTS:
        return restarts(options, done, period);
    default:
        return half_cosine(done / all);
    }
}

double schedule_lr(const ScheduleOptions *options, uint64_t step, uint64_t steps_per_epoch, uint64_t epochs) {
    double warm = round(options->warmup * (double)steps_per_epoch), now = (double)step;
    double total = (double)steps_per_epoch * (double)epochs, period = options->decay_epochs * (double)steps_per_epoch;
    double lr = options->lr;
    switch (options->kind) {
    case SCHEDULE_CONSTANT:
    case SCHEDULE_PLATEAU:
        break;
    case SCHEDULE_STEP:
        lr = decayed(options, floor(now / period));
        break;
    case SCHEDULE_EXPONENTIAL:
        lr = decayed(options, now / period);
        break;
    case SCHEDULE_ONE_CYCLE:
        return one_cycle(options, now, warm, total);
    default:
        if (now >= warm)
            lr = options->min_lr + (lr - options->min_lr) * left(options, now - warm, total - warm, period);
    }
    return now < warm ? lr * (now + 1) / warm : lr;
}
