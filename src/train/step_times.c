/* SPDX-License-Identifier: Apache-2.0 */
#include "train/step_times.h"
#include "base/memory.h"
#include <stdio.h>
#include <stdlib.h>

Status step_times_create(StepTimes *times) {
    times->count = 0;
    return memory_new(&times->seconds, STEP_TIMES_MAX, "times of steps");
}

void step_times_destroy(StepTimes *times) {
    memory_free(times->seconds);
    *times = (StepTimes){0};
}

void step_times_add(StepTimes *times, double seconds) {
    if (times->seconds && times->count < STEP_TIMES_MAX)
        times->seconds[times->count++] = (float)seconds;
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

const char *step_times_format(StepTimes *times, size_t examples, char text[STEP_TIMES_TEXT]) {
    text[0] = '\0';
    if (times->count == 0)
        return text;
    qsort(times->seconds, times->count, sizeof *times->seconds, compare);
    double median = (double)times->seconds[times->count / 2], best = (double)times->seconds[0], n = (double)examples;
    snprintf(text, STEP_TIMES_TEXT, "%zu steps, median %.4g ms (%.5g images/s), best %.4g ms (%.5g images/s)",
             times->count, 1e3 * median, n / median, 1e3 * best, n / best);
    return text;
}
