/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning rates: worked by hand from the formulas of the header, and those of Keras's and PyTorch's schedules. */
#include "train/schedule.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { GOLDEN_STEPS_PER_EPOCH = 15, GOLDEN_EPOCHS = 4, GOLDEN_STEPS = 60 };
static const struct {
    const char *name;
    ScheduleOptions options;
    double lr[GOLDEN_STEPS];
} golden_cases[] = {
#include "golden/schedules.inc"
};

static void equals_keras_and_pytorch(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof golden_cases / sizeof *golden_cases; c++)
        for (uint64_t step = 0; step < GOLDEN_STEPS; step++) {
            double expected = golden_cases[c].lr[step];
            double got = schedule_lr(&golden_cases[c].options, step, GOLDEN_STEPS_PER_EPOCH, GOLDEN_EPOCHS);
            if (!(fabs(got - expected) <= 1e-14))
                fail_msg("%s, step %d: %.17g, not %.17g", golden_cases[c].name, (int)step, got, expected);
        }
}

/* 100 steps an epoch, 10 epochs */
static void expect(const ScheduleOptions *options, uint64_t step, double lr) {
    double got = schedule_lr(options, step, 100, 10);
    if (!(fabs(got - lr) <= 1e-14))
        fail_msg("step %llu: %.17g, not %.17g", (unsigned long long)step, got, lr);
}

static void constant(void **state) {
    (void)state;
    ScheduleOptions options = {.kind = SCHEDULE_CONSTANT, .lr = 0.1};
    expect(&options, 0, 0.1);
    expect(&options, 999, 0.1);
    options.warmup = 0.05; /* 5 steps */
    expect(&options, 0, 0.02);
    expect(&options, 3, 0.08);
    expect(&options, 4, 0.1);
    expect(&options, 5, 0.1);
}

static void step(void **state) {
    (void)state;
    ScheduleOptions options = {.kind = SCHEDULE_STEP, .lr = 0.8, .decay_epochs = 3, .decay_rate = 0.5};
    expect(&options, 0, 0.8);
    expect(&options, 299, 0.8);
    expect(&options, 300, 0.4);
    expect(&options, 899, 0.2);
    expect(&options, 900, 0.1);
    options.decay_epochs = 0.5;
    expect(&options, 49, 0.8);
    expect(&options, 50, 0.4);
    options.min_lr = 0.3;
    expect(&options, 100, 0.3);
    options.warmup = 1; /* the schedule counts from the run's start, warm-up or not */
    expect(&options, 9, 0.8 * 10 / 100);
    expect(&options, 59, 0.4 * 60 / 100);
}

static void exponential(void **state) {
    (void)state;
    ScheduleOptions options = {.kind = SCHEDULE_EXPONENTIAL, .lr = 1, .decay_epochs = 2, .decay_rate = 0.25};
    expect(&options, 0, 1);
    expect(&options, 100, 0.5);
    expect(&options, 200, 0.25);
    expect(&options, 300, 0.125);
    expect(&options, 50, sqrt(0.5));
}

static void cosine(void **state) {
    (void)state;
    ScheduleOptions options = {.kind = SCHEDULE_COSINE, .lr = 1, .min_lr = 0.2};
    expect(&options, 0, 1);
    expect(&options, 250, 0.2 + 0.8 * (1 + sqrt(0.5)) / 2);
    expect(&options, 500, 0.6);
    expect(&options, 750, 0.2 + 0.8 * (1 - sqrt(0.5)) / 2);
    expect(&options, 1000, 0.2);
    expect(&options, 5000, 0.2);
    options.warmup = 2;
    expect(&options, 0, 1.0 / 200);
    expect(&options, 99, 0.5);
    expect(&options, 199, 1);
    expect(&options, 200, 1);
    expect(&options, 600, 0.6); /* half way between 200 and 1000 */
    options.warmup = 10;        /* warm-up all the way */
    expect(&options, 999, 1);
    expect(&options, 1000, 0.2);
}

static void polynomial(void **state) {
    (void)state;
    ScheduleOptions options = {.kind = SCHEDULE_POLYNOMIAL, .lr = 1, .min_lr = 0.2, .power = 2, .warmup = 2};
    expect(&options, 99, 0.5);
    expect(&options, 199, 1);
    expect(&options, 600, 0.2 + 0.8 / 4); /* half way between 200 and 1000 */
    expect(&options, 1000, 0.2);
    expect(&options, 5000, 0.2);
    options.warmup = 10; /* warm-up all the way */
    expect(&options, 999, 1);
    expect(&options, 1000, 0.2);
}

static void restarts(void **state) {
    (void)state;
    ScheduleOptions options = {.kind = SCHEDULE_RESTARTS, .lr = 1, .min_lr = 0.2, .decay_epochs = 2};
    options.cycle_mult = 2;
    options.cycle_decay = 0.5;
    options.warmup = 1;
    expect(&options, 49, 0.5);
    expect(&options, 100, 1);
    expect(&options, 200, 0.6);
    expect(&options, 300, 0.2 + 0.8 * 0.5); /* the second period, twice as long */
    expect(&options, 500, 0.2 + 0.8 * 0.25);
    expect(&options, 700, 0.2 + 0.8 * 0.25);
    options.cycle_mult = 1;
    expect(&options, 300, 0.6);
    expect(&options, 400, 0.2 + 0.8 * 0.5 / 2);
}

static void one_cycle(void **state) {
    (void)state;
    ScheduleOptions options = {.kind = SCHEDULE_ONE_CYCLE, .lr = 1};
    expect(&options, 0, 0.04);
    expect(&options, 299, 1);
    expect(&options, 999, 4e-6);
    expect(&options, 5000, 4e-6);
    options.warmup = 0.01; /* the top is the first step */
    expect(&options, 0, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_keras_and_pytorch),
        cmocka_unit_test(constant),
        cmocka_unit_test(step),
        cmocka_unit_test(exponential),
        cmocka_unit_test(cosine),
        cmocka_unit_test(polynomial),
        cmocka_unit_test(restarts),
        cmocka_unit_test(one_cycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
