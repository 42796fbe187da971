/* SPDX-License-Identifier: Apache-2.0
 *
 * Optimizers against Keras's, LARS and LAMB against their papers' formulas, and what must hold for any of them. */
#include "base/memory.h"
#include "train/optimizer.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "golden/optimizers.h"

/* float: a few roundings per step, of numbers around 1; sums may cancel. */
static const double tolerance = REAL_IS_DOUBLE ? 1e-12 : 5e-6;

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)

#define assert_near(got, expected, error)                                                                              \
    do {                                                                                                               \
        double near_got = (double)(got), near_expected = (double)(expected);                                           \
        if (!(fabs(near_got - near_expected) <= (error)))                                                              \
            fail_msg("%s is %.17g, not %.17g", #got, near_got, near_expected);                                         \
    } while (0)

static int check_memory(void **state) {
    (void)state;
    if (memory_stats().live_count == 0)
        return 0;
    print_error("%zu blocks were not given back\n", memory_stats().live_count);
    return -1;
}

enum { KERNEL, BIAS, MEAN, VARIANCE, FROZEN };

/* x [3] -> dense [4] -> batch norm with moving statistics alone -> dense with a frozen kernel -> loss. */
static Graph *make_graph(double l1, double l2) {
    Graph *g;
    int x, y, z, label, p[5];
    ParamSpec kernel = {
        .layer = "fc", .name = "kernel", .shape = SHAPE(3, 4), .role = PARAM_TRAINED, .l1 = l1, .l2 = l2};
    ParamSpec bias = {.layer = "fc", .name = "bias", .shape = SHAPE(4), .role = PARAM_TRAINED};
    ParamSpec mean = {
        .layer = "bn", .name = "moving_mean", .shape = SHAPE(4), .role = PARAM_STATISTIC, .momentum = 0.75};
    ParamSpec variance = mean,
              frozen = {.layer = "top", .name = "kernel", .shape = SHAPE(4, 2), .role = PARAM_FROZEN, .l2 = 1};
    variance.name = "moving_variance";
    variance.momentum = 0.5;
    assert_ok(graph_create(&g));
    assert_ok(graph_input(g, "x", SHAPE(3), &x));
    assert_ok(graph_input(g, "y", SHAPE(2), &label));
    assert_ok(graph_param(g, &kernel, &p[KERNEL]));
    assert_ok(graph_param(g, &bias, &p[BIAS]));
    assert_ok(graph_param(g, &mean, &p[MEAN]));
    assert_ok(graph_param(g, &variance, &p[VARIANCE]));
    assert_ok(graph_param(g, &frozen, &p[FROZEN]));
    assert_ok(graph_op(g, "fc", &(OpDesc){.kind = OP_DENSE}, 1, &x, 2, p, &y));
    OpDesc norm = {.kind = OP_BATCH_NORM, .attr.norm = {.epsilon = 1e-3, .momentum = 0.75}};
    assert_ok(graph_op(g, "bn", &norm, 1, &y, 4, (int[]){-1, -1, p[MEAN], p[VARIANCE]}, &y));
    assert_ok(graph_op(g, "top", &(OpDesc){.kind = OP_DENSE}, 1, &y, 2, (int[]){p[FROZEN], -1}, &y));
    assert_ok(graph_output(g, "top", y));
    OpDesc loss = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    assert_ok(graph_op(g, "top", &loss, 2, (int[]){y, label}, 0, NULL, &z));
    assert_ok(graph_finish(g));
    return g;
}

typedef struct Slabs {
    Real *weights, *gradient;
} Slabs;

static Slabs make_slabs(const Graph *g) {
    Slabs s;
    assert_ok(memory_new(&s.weights, g->weight_count, "weights"));
    assert_ok(memory_new(&s.gradient, g->gradient_count, "gradient"));
    return s;
}

static void free_slabs(Slabs s) {
    memory_free(s.weights);
    memory_free(s.gradient);
}

/* Between a slab and the goldens' 12 numbers of the kernel and 4 of the bias. */
static void put(const Graph *g, Real *slab, const double *flat) {
    for (size_t i = 0; i < GOLDEN_COUNT; i++)
        slab[i < GOLDEN_KERNEL ? g->params[KERNEL].offset + i : g->params[BIAS].offset + i - GOLDEN_KERNEL] =
            (Real)flat[i];
}

static void expect(const Graph *g, const Real *slab, const double *flat, const char *name) {
    double sum = 0, all = 0;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        Real got = slab[i < GOLDEN_KERNEL ? g->params[KERNEL].offset + i : g->params[BIAS].offset + i - GOLDEN_KERNEL];
        if (!(fabs((double)got - flat[i]) <= tolerance * fmax(1, fabs(flat[i]))))
            fail_msg("%s: element %zu is %.17g, not %.17g", name, i, (double)got, flat[i]);
        sum += fabs((double)got);
    }
    for (size_t i = 0; i < g->trained_count; i++)
        all += fabs((double)slab[i]);
    if (fabs(all - sum) > 1e-5)
        fail_msg("%s: padding is not 0", name);
}

static void equals_golden_steps(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof golden_cases / sizeof *golden_cases; c++) {
        bool penalty = golden_cases[c].penalty;
        Graph *g = make_graph(penalty ? golden_l1 : 0, penalty ? golden_l2 : 0);
        Slabs s = make_slabs(g);
        Optimizer *o;
        assert_ok(optimizer_create(&golden_cases[c].options, g, NULL, &o));
        put(g, s.weights, golden_start);
        for (size_t step = 0; step < GOLDEN_STEPS; step++) {
            put(g, s.gradient, golden_sums[step]);
            optimizer_apply(o, golden_lr, step, s.weights, s.gradient, golden_weight, 7);
        }
        expect(g, s.weights, golden_cases[c].weights, golden_cases[c].name);
        assert_int_equal(o->slot_count, golden_cases[c].slot_count);
        assert_int_equal(optimizer_slot_count(&o->options), o->slot_count);
        for (size_t k = 0; k < o->slot_count; k++)
            expect(g, o->slots[k].slab, golden_cases[c].slots[k], golden_cases[c].name);
        optimizer_destroy(o);
        free_slabs(s);
        graph_destroy(g);
    }
}

static void reports_penalty_and_norm(void **state) {
    (void)state;
    Graph *g = make_graph(golden_l1, golden_l2);
    Slabs s = make_slabs(g);
    Optimizer *o;
    assert_ok(optimizer_create(&(OptimizerOptions){.kind = OPTIMIZER_SGD, .clip_norm = 1e9}, g, NULL, &o));
    put(g, s.weights, golden_start);
    put(g, s.gradient, golden_sums[0]);
    double penalty = 0, squares = 0;
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        double w = golden_start[i], gradient = golden_sums[0][i] / golden_weight;
        if (i < GOLDEN_KERNEL) {
            penalty += golden_l1 * fabs(w) + golden_l2 * w * w;
            gradient += golden_l1 * ((w > 0) - (w < 0)) + 2 * golden_l2 * w;
        }
        squares += gradient * gradient;
    }
    s.weights[g->params[FROZEN].offset] = 5; /* no penalty for what is not trained */
    assert_near(optimizer_penalty(g, s.weights), penalty, 1e-6);
    OptimizerResult result = optimizer_apply(o, 0.1, 0, s.weights, s.gradient, golden_weight, 7);
    assert_near(result.penalty, penalty, 1e-6);
    assert_near(result.gradient_norm, sqrt(squares), 1e-6);
    o->options.clip_norm = 0;
    assert_true(isnan(optimizer_apply(o, 0.1, 1, s.weights, s.gradient, 1, 1).gradient_norm));
    optimizer_destroy(o);
    free_slabs(s);
    graph_destroy(g);
}

static void statistics_move_and_fixed_weights_do_not(void **state) {
    (void)state;
    Graph *g = make_graph(0, 0);
    Slabs s = make_slabs(g);
    Optimizer *o;
    assert_ok(optimizer_create(&(OptimizerOptions){.kind = OPTIMIZER_SGD, .weight_decay = 0.5}, g, NULL, &o));
    Real *mean = s.weights + g->params[MEAN].offset, *variance = s.weights + g->params[VARIANCE].offset;
    Real *frozen = s.weights + g->params[FROZEN].offset;
    mean[1] = 8;
    variance[2] = 1;
    frozen[3] = 3;
    s.gradient[g->params[MEAN].offset + 1] = 40; /* the mean of 10 examples is 4 */
    s.gradient[g->params[VARIANCE].offset + 2] = 30;
    optimizer_apply(o, 0.1, 0, s.weights, s.gradient, 2, 10);
    assert_near(mean[1], 0.75 * 8 + 0.25 * 4, 1e-6);
    assert_near(variance[2], 0.5 * 1 + 0.5 * 3, 1e-6);
    assert_near(mean[0], 0, 0);
    assert_near(frozen[3], 3, 0);
    optimizer_apply(o, 0.1, 1, s.weights, s.gradient, 2, 0); /* no examples */
    assert_near(mean[1], 7, 1e-6);
    g->params[MEAN].uses = 2; /* a layer that is called twice: two moves towards the mean of both calls */
    s.gradient[g->params[MEAN].offset + 1] = 60;
    optimizer_apply(o, 0.1, 2, s.weights, s.gradient, 2, 10);
    assert_near(mean[1], 0.75 * (0.75 * 7 + 0.25 * 3) + 0.25 * 3, 1e-6);
    optimizer_destroy(o);
    free_slabs(s);
    graph_destroy(g);
}

static void batch_without_weight(void **state) {
    (void)state;
    Graph *g = make_graph(0, 0.5);
    Slabs s = make_slabs(g);
    Optimizer *o;
    assert_ok(optimizer_create(&(OptimizerOptions){.kind = OPTIMIZER_SGD, .clip_norm = 100}, g, NULL, &o));
    put(g, s.weights, golden_start);
    optimizer_apply(o, 0.1, 0, s.weights, s.gradient, 0, 0);
    Real got = s.weights[g->params[KERNEL].offset], bias = s.weights[g->params[BIAS].offset];
    assert_near(got, golden_start[0] * (1 - 0.1 * 2 * 0.5), 1e-6); /* the penalty alone */
    assert_near(bias, (Real)golden_start[GOLDEN_KERNEL], 0);
    optimizer_destroy(o);
    free_slabs(s);
    graph_destroy(g);
}

/* A graph of `layers` dense layers without bias, [width, width] each. */
static Graph *make_chain(size_t layers, size_t height, size_t width) {
    Graph *g;
    int x, kernel;
    assert_ok(graph_create(&g));
    assert_ok(graph_input(g, "x", SHAPE(height), &x));
    for (size_t i = 0; i < layers; i++) {
        char name[16];
        snprintf(name, sizeof name, "fc%zu", i);
        ParamSpec spec = {.layer = name, .name = "kernel", .shape = SHAPE(height, width), .role = PARAM_TRAINED};
        assert_ok(graph_param(g, &spec, &kernel));
        assert_ok(graph_op(g, name, &(OpDesc){.kind = OP_DENSE}, 1, &x, 2, (int[]){kernel, -1}, &x));
    }
    assert_ok(graph_output(g, "out", x));
    assert_ok(graph_finish(g));
    return g;
}

/* The same slab, cut into one parameter or nine: the same bits, and those of the plain sum to rounding. */
static void norm_depends_on_the_slab_alone(void **state) {
    (void)state;
    Graph *graphs[] = {make_chain(9, 48, 48), make_chain(1, 48, 9 * 48)};
    double norms[2], plain = 0;
    for (int k = 0; k < 2; k++) {
        Graph *g = graphs[k];
        Slabs s = make_slabs(g);
        Optimizer *o;
        assert_int_equal(g->trained_count, 9 * 48 * 48);
        assert_ok(optimizer_create(&(OptimizerOptions){.kind = OPTIMIZER_SGD, .clip_norm = 1}, g, NULL, &o));
        plain = 0;
        for (size_t i = 0; i < g->trained_count; i++) {
            s.gradient[i] = (Real)(rng_uniform(rng_key(3, RNG_TEST, 0, 0), i, 0) * 2 - 1);
            plain += (double)s.gradient[i] * (double)s.gradient[i];
        }
        norms[k] = optimizer_apply(o, 1, 0, s.weights, s.gradient, 1, 1).gradient_norm;
        double length = 0; /* weights were 0, so this is the clipped gradient's */
        for (size_t i = 0; i < g->trained_count; i++)
            length += (double)s.weights[i] * (double)s.weights[i];
        assert_near(sqrt(length), 1, 1e-5);
        optimizer_destroy(o);
        free_slabs(s);
        graph_destroy(g);
    }
    assert_memory_equal(&norms[0], &norms[1], sizeof *norms);
    assert_near(norms[0], sqrt(plain), 1e-9);
}

static void fill(Real *slab, size_t count, uint64_t stream) {
    for (size_t i = 0; i < count; i++)
        slab[i] = (Real)(rng_uniform(rng_key(3, RNG_TEST, stream, 0), i, 0) * 2 - 1);
}

/* Three equal layers, the middle one at a quarter of the rate: what happens to each is what happens to it alone at its
 * own rate, to the bit; neighbours of one rate are one span. */
static void multipliers_scale_the_rate(void **state) {
    (void)state;
    Graph *g = make_chain(3, 6, 6), *alone = make_chain(1, 6, 6);
    const double multipliers[] = {1, 0.25, 1}, equal[] = {0.25, 0.25, 0.25};
    Optimizer *o;
    for (int kind = 0; kind < OPTIMIZER_KINDS; kind++) {
        OptimizerOptions options = {.kind = (OptimizerKind)kind,
                                    .momentum = 0.9,
                                    .beta_1 = 0.9,
                                    .beta_2 = 0.99,
                                    .epsilon = 1e-3,
                                    .trust = 0.1,
                                    .weight_decay = 0.25,
                                    .rho = 0.5};
        bool layerwise = kind == OPTIMIZER_LARS || kind == OPTIMIZER_LAMB;
        assert_ok(optimizer_create(&options, g, equal, &o));
        assert_int_equal(o->span_count, layerwise ? 3 : 1);
        optimizer_destroy(o);
        for (size_t p = 0; p < 3; p++) {
            Slabs whole = make_slabs(g), one = make_slabs(alone);
            Optimizer *single;
            fill(whole.weights, g->trained_count, 0);
            assert_ok(optimizer_create(&options, g, multipliers, &o));
            assert_ok(optimizer_create(&options, alone, NULL, &single));
            assert_int_equal(o->span_count, 3);
            size_t at = g->params[p].offset;
            memcpy(one.weights, whole.weights + at, 36 * sizeof(Real));
            for (uint64_t step = 0; step < 3; step++) {
                fill(whole.gradient, g->trained_count, step + 1);
                memcpy(one.gradient, whole.gradient + at, 36 * sizeof(Real));
                optimizer_apply(o, 0.5, step, whole.weights, whole.gradient, 2, 1);
                optimizer_apply(single, 0.5 * multipliers[p], step, one.weights, one.gradient, 2, 1);
            }
            assert_memory_equal(one.weights, whole.weights + at, 36 * sizeof(Real));
            optimizer_destroy(o);
            optimizer_destroy(single);
            free_slabs(whole);
            free_slabs(one);
        }
    }
    graph_destroy(g);
    graph_destroy(alone);
}

static void kernels_alone_decay(void **state) {
    (void)state;
    Graph *g = make_graph(0, 0);
    Slabs s = make_slabs(g);
    Optimizer *o;
    for (int all = 0; all < 2; all++) {
        OptimizerOptions options = {.kind = OPTIMIZER_SGD, .weight_decay = 0.5, .decay_all = all};
        assert_ok(optimizer_create(&options, g, NULL, &o));
        assert_int_equal(o->span_count, all ? 1 : 2);
        put(g, s.weights, golden_start);
        put(g, s.gradient, (double[GOLDEN_COUNT]){0});
        optimizer_apply(o, 0.1, 0, s.weights, s.gradient, 1, 0);
        Real kernel = s.weights[g->params[KERNEL].offset + 1], bias = s.weights[g->params[BIAS].offset + 1];
        assert_near(kernel, 0.95 * golden_start[1], 1e-7);
        assert_near(bias, (all ? 0.95 : 1) * golden_start[GOLDEN_KERNEL + 1], 1e-7);
        optimizer_destroy(o);
    }
    free_slabs(s);
    graph_destroy(g);
}

/* Norms that are 0 leave the plain step. */
static void layerwise_steps_from_nothing(void **state) {
    (void)state;
    Graph *g = make_chain(1, 2, 3);
    Slabs s = make_slabs(g);
    Optimizer *o;
    assert_ok(optimizer_create(&(OptimizerOptions){.kind = OPTIMIZER_LARS, .trust = 0.1}, g, NULL, &o));
    s.gradient[1] = 2;
    optimizer_apply(o, 0.5, 0, s.weights, s.gradient, 1, 0);
    assert_near(s.weights[1], -1, 0);
    s.gradient[1] = 0;
    optimizer_apply(o, 0.5, 1, s.weights, s.gradient, 1, 0);
    assert_near(s.weights[1], -1, 0);
    optimizer_destroy(o);
    assert_ok(optimizer_create(&(OptimizerOptions){.kind = OPTIMIZER_LAMB, .epsilon = 1}, g, NULL, &o));
    s.weights[1] = 0;
    s.gradient[1] = 3;
    optimizer_apply(o, 0.5, 0, s.weights, s.gradient, 1, 0);
    assert_near(s.weights[1], -0.5 * 3 / (3 + 1), 1e-7);
    for (size_t i = 0; i < g->trained_count; i++)
        assert_true(i == 1 || s.weights[i] == 0);
    optimizer_destroy(o);
    free_slabs(s);
    graph_destroy(g);
}

static void steps_allocate_nothing(void **state) {
    (void)state;
    Graph *g = make_graph(golden_l1, golden_l2);
    Slabs s = make_slabs(g);
    for (int kind = 0; kind < OPTIMIZER_KINDS; kind++) {
        Optimizer *o;
        OptimizerOptions options = {
            .kind = (OptimizerKind)kind, .momentum = 0.9, .clip_norm = 1, .epsilon = 1e-7, .trust = 1};
        assert_ok(optimizer_create(&options, g, NULL, &o));
        size_t before = memory_stats().total_count;
        for (uint64_t step = 0; step < 3; step++)
            optimizer_apply(o, 0.1, step, s.weights, s.gradient, 1, 1);
        assert_int_equal(memory_stats().total_count, before);
        optimizer_destroy(o);
    }
    free_slabs(s);
    graph_destroy(g);
}

static void create_survives_any_failed_allocation(void **state) {
    (void)state;
    Graph *g = make_graph(0, 0);
    Optimizer *o = NULL;
    size_t n = 0, live = memory_stats().live_count;
    Status status;
    do {
        memory_fail_at(++n);
        status = optimizer_create(&(OptimizerOptions){.kind = OPTIMIZER_ADAM}, g, NULL, &o);
        memory_fail_at(0);
        if (status != STATUS_OK) {
            assert_null(o);
            assert_int_equal(memory_stats().live_count, live);
        }
    } while (status != STATUS_OK);
    assert_int_equal(n, 5); /* the optimizer, its spans and two slots can fail */
    optimizer_destroy(o);
    graph_destroy(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(equals_golden_steps, check_memory),
        cmocka_unit_test_teardown(reports_penalty_and_norm, check_memory),
        cmocka_unit_test_teardown(statistics_move_and_fixed_weights_do_not, check_memory),
        cmocka_unit_test_teardown(batch_without_weight, check_memory),
        cmocka_unit_test_teardown(norm_depends_on_the_slab_alone, check_memory),
        cmocka_unit_test_teardown(multipliers_scale_the_rate, check_memory),
        cmocka_unit_test_teardown(kernels_alone_decay, check_memory),
        cmocka_unit_test_teardown(layerwise_steps_from_nothing, check_memory),
        cmocka_unit_test_teardown(steps_allocate_nothing, check_memory),
        cmocka_unit_test_teardown(create_survives_any_failed_allocation, check_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
