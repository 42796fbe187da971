/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "train/step_times.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void median_and_best_of_the_first_steps(void **state) {
    (void)state;
    StepTimes times = {0};
    char text[STEP_TIMES_TEXT];
    assert_string_equal(step_times_format(&times, 10, text), "");
    step_times_add(&times, 1); /* kept nowhere */
    assert_int_equal(times.count, 0);
    assert_int_equal(step_times_create(&times), STATUS_OK);
    const double seconds[] = {0.4, 0.02, 0.05, 0.04, 0.1};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        step_times_add(&times, seconds[i]);
    assert_string_equal(step_times_format(&times, 10, text),
                        "5 steps, median 50 ms (200 images/s), best 20 ms (500 images/s)");
    for (size_t i = 0; i < STEP_TIMES_MAX; i++)
        step_times_add(&times, 1e-3);
    assert_int_equal(times.count, STEP_TIMES_MAX);
    assert_non_null(strstr(step_times_format(&times, 1, text), "65536 steps, median 1 ms (1000 images/s)"));
    step_times_destroy(&times);
    step_times_destroy(&times);
    assert_int_equal(memory_stats().live_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(median_and_best_of_the_first_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
