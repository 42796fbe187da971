/* SPDX-License-Identifier: Apache-2.0
 *
 * The moving average of weights against its formula, and noise on gradients: its size, and of what it is a function. */
#include "base/memory.h"
#include "train/average.h"
#include "train/gradient_noise.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)

enum { ROWS = 100, COLUMNS = 90, KERNEL = ROWS * COLUMNS };

static Graph *make_graph(void) {
    Graph *g;
    int x, label, loss, p[4];
    ParamSpec specs[] = {
        {.layer = "fc", .name = "kernel", .shape = SHAPE(ROWS, COLUMNS), .role = PARAM_TRAINED},
        {.layer = "fc", .name = "bias", .shape = SHAPE(COLUMNS), .role = PARAM_TRAINED},
        {.layer = "bn", .name = "moving_mean", .shape = SHAPE(COLUMNS), .role = PARAM_STATISTIC, .momentum = 0.9},
        {.layer = "bn", .name = "moving_variance", .shape = SHAPE(COLUMNS), .role = PARAM_STATISTIC, .momentum = 0.9}};
    assert_ok(graph_create(&g));
    assert_ok(graph_input(g, "x", SHAPE(ROWS), &x));
    assert_ok(graph_input(g, "y", SHAPE(COLUMNS), &label));
    for (int i = 0; i < 4; i++)
        assert_ok(graph_param(g, &specs[i], &p[i]));
    assert_ok(graph_op(g, "fc", &(OpDesc){.kind = OP_DENSE}, 1, &x, 2, p, &x));
    OpDesc norm = {.kind = OP_BATCH_NORM, .attr.norm = {.epsilon = 1e-3, .momentum = 0.9}};
    assert_ok(graph_op(g, "bn", &norm, 1, &x, 4, (int[]){-1, -1, p[2], p[3]}, &x));
    assert_ok(graph_output(g, "out", x));
    OpDesc mse = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    assert_ok(graph_op(g, "out", &mse, 2, (int[]){x, label}, 0, NULL, &loss));
    assert_ok(graph_finish(g));
    return g;
}

static Real *make_slab(const Graph *g) {
    Real *slab;
    assert_ok(memory_new(&slab, g->weight_count, "slab"));
    return slab;
}

static void average_follows_its_formula(void **state) {
    (void)state;
    Graph *g = make_graph();
    Real *weights = make_slab(g);
    Average *average;
    size_t statistic = g->params[2].offset + 5;
    assert_ok(average_create(g, 0.3, &average));
    weights[7] = 2;
    weights[statistic] = 4;
    average_start(average, weights);
    double expected = 2;
    const double decay[] = {2.0 / 11, 3.0 / 12, 0.3, 0.3}; /* from step 3 on 4/13 is above 0.3 */
    size_t before = memory_stats().total_count;
    for (uint64_t step = 1; step <= 4; step++) {
        weights[7] = (Real)(10 * step);
        weights[statistic] += 1;
        average_update(average, step, weights);
        expected = decay[step - 1] * expected + (1 - decay[step - 1]) * (double)(10 * step);
        if (!(fabs((double)average->slab[7] - expected) < 1e-5))
            fail_msg("step %d: %.9g, not %.9g", (int)step, (double)average->slab[7], expected);
    }
    assert_int_equal(memory_stats().total_count, before);
    Real raw = weights[7], averaged = average->slab[7], statistics = average->slab[statistic];
    assert_true(statistics > 7 && statistics < 8);
    average_swap(average, weights);
    assert_true(weights[7] == averaged && average->slab[7] == raw && weights[statistic] == statistics);
    average_swap(average, weights);
    assert_true(weights[7] == raw && average->slab[7] == averaged);
    average_destroy(average);
    memory_free(weights);
    graph_destroy(g);
    assert_int_equal(memory_stats().live_count, 0);
}

static void no_average_costs_nothing(void **state) {
    (void)state;
    Graph *g = make_graph();
    Average *average = (Average *)g;
    size_t before = memory_stats().total_count;
    assert_ok(average_create(g, 0, &average));
    assert_null(average);
    assert_int_equal(memory_stats().total_count, before);
    average_start(average, NULL);
    average_update(average, 1, NULL);
    average_swap(average, NULL);
    average_destroy(average);
    for (size_t n = 1; n <= 2; n++) {
        size_t live = memory_stats().live_count;
        memory_fail_at(n);
        Status status = average_create(g, 0.9, &average);
        memory_fail_at(0);
        assert_true(status != STATUS_OK && average == NULL && memory_stats().live_count == live);
    }
    graph_destroy(g);
}

/* Mean and variance over `count` elements of one step's noise. */
static void moments(const Real *noise, size_t count, double *mean, double *variance) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)noise[i];
        squares += (double)noise[i] * (double)noise[i];
    }
    *mean = sum / (double)count;
    *variance = squares / (double)count - *mean * *mean;
}

static void noise_has_its_variance(void **state) {
    (void)state;
    Graph *g = make_graph();
    Real *noise = make_slab(g), *again = make_slab(g);
    const uint64_t steps[] = {0, 9, 1000};
    for (size_t i = 0; i < 3; i++) {
        double mean, variance, expected = 0.25 / pow(1 + (double)steps[i], 0.55) * 64; /* of sums over a weight of 8 */
        memset(noise, 0, g->weight_count * sizeof *noise);
        memset(again, 0, g->weight_count * sizeof *again);
        gradient_noise_add(g, 0.25, 3, steps[i], 8, noise);
        gradient_noise_add(g, 0.25, 3, steps[i], 8, again);
        assert_memory_equal(noise, again, g->weight_count * sizeof *noise);
        moments(noise + g->params[0].offset, KERNEL, &mean, &variance);
        assert_true(fabs(mean) < 4 * sqrt(expected / KERNEL)); /* four standard errors */
        assert_true(fabs(variance / expected - 1) < 4 * sqrt(2.0 / KERNEL));
        assert_true(noise[g->params[2].offset] == 0);
        assert_true(noise[g->params[0].offset] != noise[g->params[1].offset]);
        gradient_noise_add(g, 0.25, 3, steps[i] + 1, 8, again); /* another step, another seed: other noise */
        assert_true(again[g->params[0].offset] != 2 * noise[g->params[0].offset]);
        gradient_noise_add(g, 0, 3, 0, 8, noise);
    }
    memset(again, 0, g->weight_count * sizeof *again);
    memset(noise, 0, g->weight_count * sizeof *noise);
    gradient_noise_add(g, 0.25, 4, 0, 8, again);
    gradient_noise_add(g, 0.25, 3, 0, 8, noise);
    assert_true(memcmp(noise, again, g->trained_count * sizeof *noise) != 0);
    memory_free(noise);
    memory_free(again);
    graph_destroy(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(average_follows_its_formula),
        cmocka_unit_test(no_average_costs_nothing),
        cmocka_unit_test(noise_has_its_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
