/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums that cancel, sums in any order and of parts: the exact value. */
#include "base/exact_sum.h"
#include "base/rng.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static double sum_of(const double *terms, size_t count) {
    uint64_t sum[EXACT_DIGITS] = {0};
    for (size_t i = 0; i < count; i++)
        exact_add(sum, terms[i]);
    return exact_value(sum);
}

static void known_sums(void **state) {
    (void)state;
    static const struct {
        double terms[5], sum;
    } cases[] = {
        {{0}, 0},
        {{-0.0, 0.1}, 0.1},
        {{-1.5}, -1.5},
        {{1e300, 1, -1e300}, 1},
        {{1e300, -1e-300, -1e300}, -1e-300},
        {{0x1p-1074, 0x1p-1074}, 0x1p-1073},
        {{-0x1p-1074, DBL_MAX, 0x1p-1074}, DBL_MAX},
        {{-DBL_MAX}, -DBL_MAX},
        {{0.1, 0.2, 0.3, -0.6}, 0x1p-55}, /* of the doubles: their exact sum */
        {{1, 0x1p-60, -1}, 0x1p-60},
        {{3, -4}, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double sum = sum_of(cases[i].terms, 5);
        if (sum != cases[i].sum)
            fail_msg("case %zu: %a, not %a", i, sum, cases[i].sum);
    }
    assert_true(isnan(sum_of((double[]){1, INFINITY}, 2)) && isnan(sum_of((double[]){NAN}, 1)));
}

/* Integers times a power of two, whose sum a long integer holds. */
static void random_sums_in_parts(void **state) {
    (void)state;
    for (int scale = -1074; scale <= 900; scale += 47) {
        uint64_t all[EXACT_DIGITS] = {0}, parts[3][EXACT_DIGITS] = {{0}}, added[EXACT_DIGITS];
        int64_t total = 0;
        for (uint64_t i = 0; i < 3000; i++) {
            int64_t term = (int64_t)((rng_uniform(rng_key(5, RNG_TEST, 0, 0), i, 0) - 0.5) * 0x1p44);
            double value = ldexp((double)term, scale);
            total += term;
            exact_add(all, value);
            exact_add(parts[i % 3], value);
        }
        for (size_t d = 0; d < EXACT_DIGITS; d++)
            added[d] = parts[0][d] + parts[1][d] + parts[2][d];
        assert_true(exact_value(all) == ldexp((double)total, scale));
        assert_true(exact_value(added) == exact_value(all));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_sums), cmocka_unit_test(random_sums_in_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
