/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/initializer.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <math.h>
#include <stdlib.h>

enum { MOST = 40000 };
static Real values[MOST], again[MOST];

typedef struct Summary {
    double mean, deviation, least, most;
} Summary;

/* Of MOST values in the given shape. */
static Summary summarize(const Initializer *init, Shape shape) {
    Summary s = {.least = INFINITY, .most = -INFINITY};
    assert_int_equal(shape_count(&shape), MOST);
    initializer_fill(init, &shape, rng_key(1, RNG_INIT, 2, 0), values);
    for (size_t k = 0; k < MOST; k++)
        s.mean += values[k] / (double)MOST;
    for (size_t k = 0; k < MOST; k++) {
        s.deviation += (values[k] - s.mean) * (values[k] - s.mean) / MOST;
        s.least = fmin(s.least, values[k]);
        s.most = fmax(s.most, values[k]);
    }
    s.deviation = sqrt(s.deviation);
    return s;
}

/* Mean and deviation to five standard errors. */
static void assert_like(Summary s, double mean, double deviation) {
    assert_true(fabs(s.mean - mean) < 5 * deviation / sqrt(MOST));
    assert_true(fabs(s.deviation / deviation - 1) < 5 / sqrt(2.0 * MOST));
}

static void plain_distributions(void **state) {
    (void)state;
    Shape shape = SHAPE(200, 200);
    Summary s = summarize(&(Initializer){.kind = INIT_CONSTANT, .a = 0.25}, shape);
    assert_true(s.least == 0.25 && s.most == 0.25);
    s = summarize(&(Initializer){.kind = INIT_UNIFORM, .a = -0.05, .b = 0.15}, shape);
    assert_like(s, 0.05, 0.2 / sqrt(12));
    assert_true(s.least >= (Real)-0.05 && s.most <= (Real)0.15 && s.least < -0.0499 && s.most > 0.1499);
    s = summarize(&(Initializer){.kind = INIT_NORMAL, .a = 1, .b = 0.5}, shape);
    assert_like(s, 1, 0.5);
    assert_true(s.least < 1 - 3 * 0.5 && s.most > 1 + 3 * 0.5);
    s = summarize(&(Initializer){.kind = INIT_TRUNCATED_NORMAL, .a = 1, .b = 0.5}, shape);
    assert_like(s, 1, 0.5 * 0.87962566103423978);
    assert_true(s.least >= 0 && s.most <= 2 && s.least < 0.01 && s.most > 1.99);
}

/* Deviations of Glorot, He and LeCun for dense, convolution, depthwise kernels and vectors. */
static void variance_scaling_knows_the_fans(void **state) {
    (void)state;
    static const struct {
        Shape shape;
        double in, out;
    } fans[] = {{SHAPE(400, 100), 400, 100},
                {SHAPE(5, 5, 16, 100), 400, 2500},
                {SHAPE(10, 10, 400, 1), 40000, 100},
                {SHAPE(40000), 40000, 40000}};
    for (size_t i = 0; i < sizeof fans / sizeof *fans; i++) {
        double in = fans[i].in, out = fans[i].out;
        Initializer init = {.kind = INIT_VARIANCE_SCALING, .scale = 1, .mode = FAN_AVERAGE, .spread = SPREAD_UNIFORM};
        Summary s = summarize(&init, fans[i].shape);
        double limit = sqrt(6 / (in + out)); /* glorot_uniform */
        assert_like(s, 0, limit / sqrt(3));
        assert_true(s.most <= limit * 1.0001 && s.most > limit * 0.999);
        init = (Initializer){.kind = INIT_VARIANCE_SCALING, .scale = 2, .mode = FAN_IN, .spread = SPREAD_TRUNCATED};
        s = summarize(&init, fans[i].shape); /* he_normal: the cut does not change the deviation */
        assert_like(s, 0, sqrt(2 / in));
        assert_true(s.most <= 2.0001 * sqrt(2 / in) / 0.87962566103423978);
        init = (Initializer){.kind = INIT_VARIANCE_SCALING, .scale = 1, .mode = FAN_OUT, .spread = SPREAD_NORMAL};
        assert_like(summarize(&init, fans[i].shape), 0, sqrt(1 / out));
    }
}

/* A value depends on the key and its number alone: not on the extents behind it. */
static void element_is_a_function_of_key_and_number(void **state) {
    (void)state;
    Initializer init = {.kind = INIT_TRUNCATED_NORMAL, .b = 1};
    RngKey key = rng_key(1, RNG_INIT, 2, 0), other = rng_key(1, RNG_INIT, 3, 0);
    Shape large = SHAPE(MOST), small = SHAPE(100);
    initializer_fill(&init, &large, key, values);
    initializer_fill(&init, &small, key, again);
    assert_memory_equal(values, again, 100 * sizeof *values);
    initializer_fill(&init, &small, other, again);
    assert_memory_not_equal(values, again, 100 * sizeof *values);
}

/* Q' Q = gain^2 for the columns, or Q Q' for the rows of a wide matrix. */
static void check_orthogonal(Shape shape, size_t rows, size_t columns, double gain) {
    size_t vectors = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    size_t step = rows < columns ? 1 : columns, next = rows < columns ? columns : 1;
    Initializer init = {.kind = INIT_ORTHOGONAL, .a = gain};
    initializer_fill(&init, &shape, rng_key(1, RNG_INIT, 2, 0), values);
    for (size_t i = 0; i < vectors; i++)
        for (size_t j = 0; j < vectors; j++) {
            double dot = 0;
            for (size_t k = 0; k < length; k++)
                dot += (double)values[i * next + k * step] * values[j * next + k * step];
            assert_true(fabs(dot - (i == j ? gain * gain : 0)) < 1e-5 * gain * gain);
        }
}

static void orthogonal_is_orthogonal(void **state) {
    (void)state;
    check_orthogonal(SHAPE(30, 20), 30, 20, 1);
    check_orthogonal(SHAPE(20, 30), 20, 30, 1);
    check_orthogonal(SHAPE(25, 25), 25, 25, 2);
    check_orthogonal(SHAPE(3, 3, 4, 8), 36, 8, 1);
    check_orthogonal(SHAPE(7), 1, 7, 1);
    check_orthogonal(SHAPE(1, 1), 1, 1, 1);
}

/* Uniform among the orthogonal matrices: both signs of an element occur equally often (a QR without its signs fixed has
 * a first diagonal element of one sign). */
static void orthogonal_has_no_preferred_sign(void **state) {
    (void)state;
    enum { KEYS = 2000 };
    Initializer init = {.kind = INIT_ORTHOGONAL, .a = 1};
    Shape shape = SHAPE(3, 3);
    for (size_t element = 0; element < 9; element++) {
        int positive = 0;
        for (uint64_t k = 0; k < KEYS; k++) {
            initializer_fill(&init, &shape, rng_key(k, RNG_INIT, 0, 0), values);
            positive += values[element] > 0;
        }
        assert_true(abs(positive - KEYS / 2) < 5 * sqrt(KEYS / 4.0));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_distributions),
        cmocka_unit_test(variance_scaling_knows_the_fans),
        cmocka_unit_test(element_is_a_function_of_key_and_number),
        cmocka_unit_test(orthogonal_is_orthogonal),
        cmocka_unit_test(orthogonal_has_no_preferred_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
