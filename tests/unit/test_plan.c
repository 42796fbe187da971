/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan and executor on a whole network with everything that makes memory planning hard: fan-out, a shared layer,
 * reshapes, operations in place, two outputs with losses, an unused branch.  Built in double: gradients against central
 * differences. */
#include "base/memory.h"
#include "base/pulse.h"
#include "graph/executor.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3, CLASSES = 4 };

static int param(Graph *g, const char *layer, const char *name, Shape shape, ParamRole role, double value) {
    Initializer normal = {.kind = INIT_NORMAL, .a = value, .b = 0.3};
    int p;
    ParamSpec spec = {.layer = layer, .name = name, .shape = shape, .role = role, .init = normal, .momentum = 0.9};
    assert_int_equal(graph_param(g, &spec, &p), STATUS_OK);
    return p;
}

static int op(Graph *g, const char *layer, OpDesc desc, size_t nx, const int *x, size_t nw, const int *w) {
    int node = -1;
    Status status = graph_op(g, layer, &desc, nx, x, nw, w, &node);
    assert_string_equal(status == STATUS_OK ? "" : status_message(), "");
    return node;
}

static OpDesc conv(size_t kernel, size_t filters) {
    return (OpDesc){.kind = OP_CONV2D,
                    .attr.conv = {.kernel = {kernel, kernel},
                                  .stride = {1, 1},
                                  .dilation = {1, 1},
                                  .groups = 1,
                                  .filters = filters,
                                  .padding = PADDING_SAME}};
}

static OpDesc activation(Activation kind) {
    return (OpDesc){.kind = OP_ACTIVATION, .attr.activation = {.kind = kind, .max_value = INFINITY, .alpha = 1}};
}

/* x -> conv -> tanh -> +--> conv -----> add -> batch norm -> tanh -> pool -> flatten -> dense -> tanh -> dense -> loss
 *                      +---------------->+                                       |         (the same layer)
 *                                                                                +-> dense2 -> loss 2 */
static Graph *make_graph(void) {
    Graph *g;
    int x, y, y2;
    assert_int_equal(graph_create(&g), STATUS_OK);
    assert_int_equal(graph_input(g, "x", SHAPE(4, 4, 2), &x), STATUS_OK);
    assert_int_equal(graph_input(g, "y", (Shape){0}, &y), STATUS_OK);
    assert_int_equal(graph_input(g, "y2", SHAPE(2), &y2), STATUS_OK);
    int w1[] = {param(g, "c1", "kernel", SHAPE(3, 3, 2, 4), PARAM_TRAINED, 0),
                param(g, "c1", "bias", SHAPE(4), PARAM_TRAINED, 0)};
    int c1 = op(g, "c1", conv(3, 4), 1, &x, 2, w1);
    int a1 = op(g, "a1", activation(ACTIVATION_TANH), 1, &c1, 0, NULL);
    int w2[] = {param(g, "c2", "kernel", SHAPE(1, 1, 4, 4), PARAM_TRAINED, 0), -1};
    int c2 = op(g, "c2", conv(1, 4), 1, &a1, 2, w2);
    int add = op(g, "add", (OpDesc){.kind = OP_ADD}, 2, (int[]){c2, a1}, 0, NULL);
    int wn[] = {param(g, "bn", "gamma", SHAPE(4), PARAM_TRAINED, 1), param(g, "bn", "beta", SHAPE(4), PARAM_TRAINED, 0),
                param(g, "bn", "moving_mean", SHAPE(4), PARAM_STATISTIC, 0),
                param(g, "bn", "moving_variance", SHAPE(4), PARAM_STATISTIC, 1)};
    OpDesc norm = {.kind = OP_BATCH_NORM, .attr.norm = {.epsilon = 1e-3, .momentum = 0.9}};
    int bn = op(g, "bn", norm, 1, &add, 4, wn);
    int a2 = op(g, "a2", activation(ACTIVATION_TANH), 1, &bn, 0, NULL);
    OpDesc pool = {.kind = OP_AVERAGE_POOL2D, .attr.pool = {.size = {2, 2}, .stride = {2, 2}}};
    int p = op(g, "pool", pool, 1, &a2, 0, NULL);
    int flat = op(g, "flat", (OpDesc){.kind = OP_RESHAPE, .attr.reshape = {SHAPE(16)}}, 1, &p, 0, NULL);
    int ws[] = {param(g, "shared", "kernel", SHAPE(16, 16), PARAM_TRAINED, 0), -1};
    int d1 = op(g, "shared", (OpDesc){.kind = OP_DENSE}, 1, &flat, 2, ws);
    int a3 = op(g, "a3", activation(ACTIVATION_TANH), 1, &d1, 0, NULL);
    int d2 = op(g, "shared", (OpDesc){.kind = OP_DENSE}, 1, &a3, 2, ws);
    int w3[] = {param(g, "out", "kernel", SHAPE(16, CLASSES), PARAM_TRAINED, 0),
                param(g, "out", "bias", SHAPE(CLASSES), PARAM_TRAINED, 0)};
    int out = op(g, "out", (OpDesc){.kind = OP_DENSE}, 1, &d2, 2, w3);
    int probability = op(g, "softmax", (OpDesc){.kind = OP_SOFTMAX}, 1, &out, 0, NULL);
    int w4[] = {param(g, "out2", "kernel", SHAPE(16, 2), PARAM_TRAINED, 0), -1};
    int out2 = op(g, "out2", (OpDesc){.kind = OP_DENSE}, 1, &flat, 2, w4);
    OpDesc loss = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_SPARSE_CROSSENTROPY, .from_logits = true, .weight = 1}};
    OpDesc loss2 = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 0.7}};
    op(g, "loss", loss, 2, (int[]){out, y}, 0, NULL);
    op(g, "loss2", loss2, 2, (int[]){out2, y2}, 0, NULL);
    assert_int_equal(graph_output(g, "probability", probability), STATUS_OK);
    assert_int_equal(graph_finish(g), STATUS_OK);
    return g;
}

typedef struct Bench {
    Graph *graph;
    Plan *plan;
    void *arena;
    Real *weights, *gradients;
    Real x[N * 32], y[N], y2[N * 2];
} Bench;

static void bench_open(Bench *b, Pass pass) {
    b->graph = make_graph();
    assert_int_equal(plan_create(b->graph, pass, N, NULL, &b->plan), STATUS_OK);
    assert_int_equal(memory_alloc(b->plan->arena_bytes, 1, "arena", &b->arena), STATUS_OK);
    assert_int_equal(memory_new(&b->weights, b->graph->weight_count, "weights"), STATUS_OK);
    assert_int_equal(memory_new(&b->gradients, b->graph->gradient_count, "gradients"), STATUS_OK);
    graph_initialize(b->graph, 7, b->weights);
    executor_bind(b->plan, b->arena, b->weights);
    RngKey key = rng_key(1, RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * 32; i++)
        b->x[i] = (Real)rng_normal(key, i, 0);
    for (size_t i = 0; i < N; i++)
        b->y[i] = (Real)(i % CLASSES);
    for (size_t i = 0; i < N * 2; i++)
        b->y2[i] = (Real)rng_normal(key, i, 1);
}

static void bench_close(Bench *b) {
    plan_destroy(b->plan);
    graph_destroy(b->graph);
    memory_free(b->arena);
    memory_free(b->weights);
    memory_free(b->gradients);
}

static ExecutorRun bench_run(Bench *b, const Real **inputs) {
    inputs[0] = b->x, inputs[1] = b->y, inputs[2] = b->y2;
    return (ExecutorRun){.inputs = inputs, .gradients = b->gradients, .context = {.seed = 1}};
}

static double total_loss(Bench *b) {
    const Real *inputs[3];
    ExecutorRun run = bench_run(b, inputs);
    executor_forward(b->plan, &run);
    const Real *sums = b->gradients + b->graph->sums_offset;
    return sums[LOSS_SUM_LOSS] + 0.7 * sums[LOSS_SUMS + LOSS_SUM_LOSS];
}

typedef struct Seen {
    size_t last, calls, count;
    const Graph *graph;
} Seen;

static void note_prefix(void *user, size_t prefix) {
    Seen *seen = user;
    assert_true(prefix >= seen->last && prefix <= seen->graph->gradient_count);
    seen->last = prefix;
    seen->calls++;
}

static void test_gradients(void **state) {
    (void)state;
    Bench b;
    bench_open(&b, PASS_TRAIN);
    const Real *inputs[3];
    ExecutorRun run = bench_run(&b, inputs);
    Real *analytic;
    assert_int_equal(memory_new(&analytic, b.graph->gradient_count, "copy"), STATUS_OK);
    Seen seen = {.graph = b.graph};
    uint64_t before = pulse_count();
    executor_forward(b.plan, &run);
    assert_true(pulse_count() - before >= b.plan->step_count); /* who watches sees each operation */
    before = pulse_count();
    executor_backward(b.plan, &run, note_prefix, &seen);
    assert_true(pulse_count() > before);
    assert_int_equal(seen.last, b.graph->gradient_count);
    assert_true(seen.calls > 5);
    memcpy(analytic, b.gradients, b.graph->gradient_count * sizeof *analytic);
    size_t checked = 0;
    for (size_t p = 0; p < b.graph->param_count; p++) {
        const Param *param = &b.graph->params[p];
        for (size_t i = 0; param->spec.role == PARAM_TRAINED && i < param->count; i += 3) {
            Real *w = &b.weights[param->offset + i], old = *w;
            const double h = 1e-5;
            *w = (Real)(old + h);
            double up = total_loss(&b);
            *w = (Real)(old - h);
            double down = total_loss(&b);
            *w = old;
            double numeric = (up - down) / (2 * h), exact = analytic[param->offset + i];
            if (fabs(numeric - exact) > 1e-6 * (fabs(numeric) + fabs(exact)) + 1e-8)
                fail_msg("%s/%s[%zu]: gradient %.12g, difference %.12g", param->spec.layer, param->spec.name, i, exact,
                         numeric);
            checked++;
        }
    }
    assert_true(checked > 100);
    memory_free(analytic);
    bench_close(&b);
}

/* Places that are in use at the same time do not overlap, and places are reused at all. */
static void test_places(void **state) {
    (void)state;
    Bench b;
    bench_open(&b, PASS_TRAIN);
    size_t sum = 0;
    for (size_t i = 0; i < b.plan->place_count; i++) {
        const PlanPlace *p = &b.plan->places[i];
        sum += p->bytes;
        assert_true(p->offset + p->bytes <= b.plan->arena_bytes && p->offset % MEMORY_ALIGN == 0);
        for (size_t k = 0; k < i; k++) {
            const PlanPlace *q = &b.plan->places[k];
            bool same_time = p->first <= q->last && q->first <= p->last;
            bool same_memory = p->offset < q->offset + q->bytes && q->offset < p->offset + p->bytes;
            assert_false(same_time && same_memory);
        }
    }
    assert_true(b.plan->arena_bytes < sum);
    bench_close(&b);
}

/* Forward twice gives the same, statistics are n times the batch's, the prediction sums to one, a shorter batch
 * agrees. */
static void test_passes(void **state) {
    (void)state;
    Bench b;
    bench_open(&b, PASS_TRAIN);
    double first = total_loss(&b), again = total_loss(&b);
    assert_true(first == again);
    assert_true(b.gradients[b.graph->sums_offset + LOSS_SUM_WEIGHT] == N);
    bench_close(&b);

    bench_open(&b, PASS_PREDICT);
    const Real *inputs[3];
    ExecutorRun run = bench_run(&b, inputs);
    run.gradients = NULL;
    executor_forward(b.plan, &run);
    const Real *p = executor_value(b.plan, &run, graph_find_output(b.graph, "probability"));
    for (size_t n = 0; n < N; n++) {
        double sum = 0;
        for (size_t k = 0; k < CLASSES; k++)
            sum += p[n * CLASSES + k];
        assert_true(fabs(sum - 1) < 1e-12);
    }
    bench_close(&b);
    assert_int_equal(memory_stats().live_count, 0);
}

/* Every allocation of building and planning fails in turn: an error, never a crash or a leak. */
static void test_out_of_memory(void **state) {
    (void)state;
    Graph *g = make_graph();
    for (size_t n = 1;; n++) {
        Plan *plan;
        memory_fail_at(n);
        Status status = plan_create(g, PASS_TRAIN, N, NULL, &plan);
        memory_fail_at(0);
        if (status == STATUS_OK) {
            assert_true(n > 10);
            plan_destroy(plan);
            break;
        }
        assert_null(plan);
    }
    graph_destroy(g);
    assert_int_equal(memory_stats().live_count, 0);
}

/* Sizes whose product no size_t holds: an error, not a small arena. */
static void test_too_large(void **state) {
    (void)state;
    Graph *g;
    Plan *plan;
    int x;
    assert_int_equal(graph_create(&g), STATUS_OK);
    assert_int_equal(graph_input(g, "x", SHAPE(8, 8, 1), &x), STATUS_OK);
    OpDesc resize = {.kind = OP_RESIZE2D, .attr.resize = {.height = 1 << 20, .width = 1 << 20}};
    assert_int_equal(graph_output(g, "large", op(g, "large", resize, 1, &x, 0, NULL)), STATUS_OK);
    assert_int_equal(graph_finish(g), STATUS_OK);
    for (size_t n = 32; n <= 1 << 30; n *= 2) {
        assert_int_equal(plan_create(g, PASS_PREDICT, n, NULL, &plan), STATUS_FAILED);
        assert_non_null(strstr(status_message(), "use a smaller batch"));
        assert_null(plan);
    }
    graph_destroy(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gradients), cmocka_unit_test(test_places),
                                       cmocka_unit_test(test_passes), cmocka_unit_test(test_out_of_memory),
                                       cmocka_unit_test(test_too_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
