/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan and executor on networks drawn at random from everything that makes memory planning hard: fan-out, one tensor
 * read twice by an operation, layers called several times, reshapes, chains that work in place or are fused, several
 * losses, frozen layers, slices.
 * In double: gradients against central differences; in float: every backend against ref.  In both: outputs do not
 * depend on which other tensors must be kept, and a network that is cut in two computes what the whole one does. */
#include "backend/select.h"
#include "base/memory.h"
#include "graph/executor.h"
#include "support/assert_status.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 5, SIDE = 3, C = 4, STEPS = 14, FRONT = 6, MAX_LOSSES = 3, MAX_INPUTS = 1 + MAX_LOSSES, NETWORKS = 200 };

/* ---- drawing a network ---- */

typedef struct Draw {
    RngKey key;
    uint64_t drawn;
    Graph *graph;
    int tensors[1 + STEPS]; /* nodes of shape [SIDE, SIDE, C] */
    size_t count;
    bool frozen; /* what is added now */
    int kernels[STEPS], norms[STEPS][4];
    size_t kernel_count, norm_count;
} Draw;

static size_t pick(Draw *d, size_t choices) {
    return (size_t)(rng_uniform(d->key, d->drawn++, 0) * (double)choices);
}

static int any_tensor(Draw *d) {
    size_t back = pick(d, 2) ? d->count : d->count < 3 ? d->count : 3; /* often a recent one: chains */
    return d->tensors[d->count - 1 - pick(d, back)];
}

static int param(Draw *d, const char *name, Shape shape, ParamRole role, double mean) {
    char layer[32]; /* decides the initial values */
    snprintf(layer, sizeof layer, "layer%zu", d->graph->param_count);
    ParamSpec spec = {.layer = layer,
                      .name = name,
                      .shape = shape,
                      .role = role,
                      .init = {.kind = INIT_NORMAL, .a = mean, .b = 0.3},
                      .momentum = 0.9};
    int made;
    assert_ok(graph_param(d->graph, &spec, &made));
    return made;
}

static ParamRole weight_role(Draw *d) {
    return pick(d, 4) && !d->frozen ? PARAM_TRAINED : PARAM_FROZEN;
}

static int op(Draw *d, OpDesc desc, size_t inputs, const int *x, size_t params, const int *w) {
    int node;
    assert_ok(graph_op(d->graph, "layer", &desc, inputs, x, params, w, &node));
    return node;
}

static int op1(Draw *d, OpDesc desc, int x) {
    return op(d, desc, 1, &x, 0, NULL);
}

static int activation(Draw *d, int x) {
    static const Activation kinds[] = {ACTIVATION_LINEAR, ACTIVATION_RELU,    ACTIVATION_ELU,
                                       ACTIVATION_TANH,   ACTIVATION_SIGMOID, ACTIVATION_SILU};
    ActivationAttr attr = {.kind = kinds[pick(d, 6)], .max_value = INFINITY, .alpha = 1};
    attr.slope = pick(d, 2) ? 0.3 : 0;
    attr.max_value = pick(d, 2) ? INFINITY : 2;
    return op1(d, (OpDesc){.kind = OP_ACTIVATION, .attr.activation = attr}, x);
}

static int convolution(Draw *d, int x) {
    size_t channels = graph_shape(d->graph, x).dim[2];
    OpDesc desc = {.kind = OP_CONV2D,
                   .attr.conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1, .filters = C}};
    int w = -1;
    if (channels == C && d->kernel_count > 0 && pick(d, 2))
        w = d->kernels[pick(d, d->kernel_count)];
    else
        w = param(d, "kernel", SHAPE(1, 1, channels, C), weight_role(d), 0);
    if (channels == C)
        d->kernels[d->kernel_count++] = w;
    return op(d, desc, 1, &x, 1, &w);
}

static int batch_norm(Draw *d, int x) {
    int *w = d->norms[d->norm_count];
    bool frozen = !pick(d, 4) || d->frozen;
    if (d->norm_count > 0 && pick(d, 2)) {
        memcpy(w, d->norms[pick(d, d->norm_count)], sizeof d->norms[0]);
    } else {
        w[0] = param(d, "gamma", SHAPE(C), weight_role(d), 1);
        w[1] = param(d, "beta", SHAPE(C), weight_role(d), 0);
        w[2] = param(d, "mean", SHAPE(C), PARAM_STATISTIC, 0);
        w[3] = param(d, "variance", SHAPE(C), PARAM_STATISTIC, 3);
    }
    d->norm_count++;
    return op(d, (OpDesc){.kind = OP_BATCH_NORM, .attr.norm = {.epsilon = 0.1, .frozen = frozen}}, 1, &x, 4, w);
}

/* Flat and back: the same memory under three nodes. */
static int reshape_twice(Draw *d, int x) {
    int flat = op1(d, (OpDesc){.kind = OP_RESHAPE, .attr.reshape = {SHAPE(SIDE * SIDE * C)}}, x);
    if (pick(d, 2))
        flat = activation(d, flat);
    return op1(d, (OpDesc){.kind = OP_RESHAPE, .attr.reshape = {SHAPE(SIDE, SIDE, C)}}, flat);
}

static int merge(Draw *d, OpKind kind) {
    int x[3] = {any_tensor(d), any_tensor(d), any_tensor(d)};
    int y = op(d, (OpDesc){.kind = kind}, kind == OP_SUBTRACT ? 2 : 2 + pick(d, 2), x, 0, NULL);
    return kind == OP_MULTIPLY
               ? op1(d, (OpDesc){.kind = OP_ACTIVATION, .attr.activation = {.kind = ACTIVATION_TANH}}, y)
               : y;
}

static int squeeze_and_excite(Draw *d, int x) {
    int x2[] = {x, op1(d, (OpDesc){.kind = OP_GLOBAL_AVERAGE_POOL2D, .attr.pool.keepdims = true}, x)};
    return op(d, (OpDesc){.kind = pick(d, 2) ? OP_MULTIPLY : OP_ADD}, 2, x2, 0, NULL);
}

/* What is fused: an operation, perhaps an addition, then a ReLU, none of which anything else reads. */
static int fused(Draw *d, int x) {
    ActivationAttr relu = {.kind = ACTIVATION_RELU, .max_value = pick(d, 2) ? 1 : INFINITY};
    int y = pick(d, 2) ? convolution(d, x) : batch_norm(d, x);
    if (pick(d, 2))
        y = op(d, (OpDesc){.kind = OP_ADD}, 2, pick(d, 2) ? (int[]){x, y} : (int[]){y, any_tensor(d)}, 0, NULL);
    return pick(d, 4) ? op1(d, (OpDesc){.kind = OP_ACTIVATION, .attr.activation = relu}, y) : y;
}

static int next_tensor(Draw *d) {
    int x = any_tensor(d);
    switch (pick(d, 16)) {
    case 0:
    case 1:
    case 2:
        return activation(d, x);
    case 3:
        return batch_norm(d, x);
    case 4:
        return reshape_twice(d, x);
    case 5:
        return merge(d, OP_SUBTRACT);
    case 6:
        return merge(d, OP_AVERAGE);
    case 7:
        return merge(d, OP_MULTIPLY);
    case 8:
        return squeeze_and_excite(d, x);
    case 9:
        return convolution(d,
                           op(d, (OpDesc){.kind = OP_CONCAT, .attr.axis = 2}, 2, (int[]){x, any_tensor(d)}, 0, NULL));
    case 10:
        if (d->frozen)
            return convolution(d, x);
        return op1(d, (OpDesc){.kind = OP_DROPOUT, .attr.dropout = {.rate = 0.3, .stream = d->drawn}}, x);
    case 11:
    case 12:
        return fused(d, x);
    case 13:
        return merge(d, OP_ADD);
    case 14:
        return op1(d, (OpDesc){.kind = OP_RESCALE, .attr.rescale = {0.8, 0.1}}, x);
    default:
        return convolution(d, x);
    }
}

/* all_outputs: every tensor is an output, so that a prediction reuses none of them.  cut, if wanted: a node behind the
 * input, in front of which nothing is trained or random. */
static Graph *draw_network(uint64_t number, bool all_outputs, int *cut) {
    Draw d = {.key = rng_key(number, RNG_TEST, 0, 0), .count = 1, .frozen = cut != NULL};
    OpDesc loss = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    assert_ok(graph_create(&d.graph));
    assert_ok(graph_input(d.graph, "x", SHAPE(SIDE, SIDE, C), &d.tensors[0]));
    d.tensors[d.count++] = convolution(&d, d.tensors[0]);
    while (d.count <= STEPS) {
        d.tensors[d.count++] = next_tensor(&d);
        if (cut && d.count == 1 + FRONT) {
            d.frozen = false;
            d.norm_count = 0; /* statistics that move are not shared with the front */
            *cut = d.tensors[1 + number % FRONT];
        }
    }
    for (size_t i = 0, losses = 1 + pick(&d, MAX_LOSSES); i < losses; i++) {
        int x[] = {i == 0 ? d.tensors[STEPS] : any_tensor(&d), 0};
        assert_ok(graph_input(d.graph, (const char *[]){"y", "y1", "y2"}[i], SHAPE(SIDE, SIDE, C), &x[1]));
        op(&d, loss, 2, x, 0, NULL);
    }
    for (size_t i = 1; i < d.count; i++)
        if (all_outputs || i % 5 == 4)
            assert_ok(graph_output(d.graph, "output", d.tensors[i]));
    assert_ok(graph_finish(d.graph));
    return d.graph;
}

/* ---- running it ---- */

typedef struct Network {
    Graph *graph;
    Plan *plan;
    void *arena;
    Real *weights, *gradients;
    Real values[MAX_INPUTS][N * SIDE * SIDE * C];
    const Real *inputs[MAX_INPUTS];
    ExecutorRun run;
} Network;

/* Plan, memory and weights for net->graph. */
static void make_ready(Network *net, uint64_t number, Pass pass, const char *backend, PlanPart part) {
    /* one slice, some, or as many as there are examples; fewer where an operation has weights */
    PlanOptions options = {.backend = backend, .part = part, .slice_bytes = (size_t[]){0, 800, 1}[number % 3]};
    assert_ok(plan_create(net->graph, pass, N, &options, &net->plan));
    assert_ok(memory_alloc(net->plan->arena_bytes, 1, "arena", &net->arena));
    assert_ok(memory_new(&net->weights, net->graph->weight_count, "weights"));
    assert_ok(memory_new(&net->gradients, net->graph->gradient_count, "gradients"));
    memset(net->arena, 0xff, net->plan->arena_bytes); /* NaN: what was not written shows */
    graph_initialize(net->graph, number, net->weights);
    for (size_t p = 0; p < net->graph->param_count; p++) /* a variance is positive */
        for (size_t i = 0; i < net->graph->params[p].count; i++)
            if (strcmp(net->graph->params[p].spec.name, "variance") == 0)
                net->weights[net->graph->params[p].offset + i] = 1 + (Real)fabs((double)net->weights[i]);
    executor_bind(net->plan, net->arena, net->weights);
    for (size_t i = 0; i < MAX_INPUTS; i++)
        for (size_t k = 0; k < N * SIDE * SIDE * C; k++)
            net->values[i][k] = (Real)rng_normal(rng_key(number, RNG_TEST, 1, i), k, 0);
    for (size_t i = 0; i < MAX_INPUTS; i++)
        net->inputs[i] = net->values[i];
    net->run = (ExecutorRun){.inputs = net->inputs, .gradients = net->gradients, .context = {.seed = 1}};
}

static void open_network(Network *net, uint64_t number, bool all_outputs, Pass pass, const char *backend) {
    net->graph = draw_network(number, all_outputs, NULL);
    make_ready(net, number, pass, backend, (PlanPart){0});
}

static void close_network(Network *net) {
    plan_destroy(net->plan);
    graph_destroy(net->graph);
    memory_free(net->arena);
    memory_free(net->weights);
    memory_free(net->gradients);
}

/* Sum of the losses. */
static double run(Network *net, bool backward) {
    double loss = 0;
    executor_forward(net->plan, &net->run);
    if (backward)
        executor_backward(net->plan, &net->run, NULL, NULL);
    for (size_t i = 0; i < net->graph->loss_count; i++)
        loss += net->gradients[net->graph->sums_offset + i * LOSS_SUMS + LOSS_SUM_LOSS];
    return loss;
}

static bool near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance * (fabs(a) + fabs(b) + 0.01);
}

#ifdef CNN_DOUBLE
/* Along one direction through each parameter. */
static void check_gradient(Network *net, uint64_t number) {
    const double h = 1e-6;
    Real *gradient;
    assert_ok(memory_new(&gradient, net->graph->gradient_count, "copy"));
    assert_true(isfinite(run(net, true)));
    memcpy(gradient, net->gradients, net->graph->gradient_count * sizeof *gradient);
    for (size_t p = 0; p < net->graph->param_count; p++) {
        const Param *param = &net->graph->params[p];
        double exact = 0, side[2];
        if (param->spec.role != PARAM_TRAINED || param->uses == 0)
            continue;
        for (int s = 0; s < 2; s++) {
            for (size_t i = 0; i < param->count; i++)
                net->weights[param->offset + i] += (s ? -2 : 1) * h * (i % 3 ? 1 : -1);
            side[s] = run(net, false);
        }
        for (size_t i = 0; i < param->count; i++) {
            net->weights[param->offset + i] += h * (i % 3 ? 1 : -1);
            exact += (i % 3 ? 1 : -1) * gradient[param->offset + i];
        }
        if (!near(exact, (side[0] - side[1]) / (2 * h), 1e-6))
            fail_msg("network %zu, parameter %zu (%s): gradient %.12g, difference %.12g", (size_t)number, p,
                     param->spec.name, exact, (side[0] - side[1]) / (2 * h));
    }
    memory_free(gradient);
}

static void gradients(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NETWORKS; number++) {
        Network net;
        open_network(&net, number, false, PASS_TRAIN, "ref");
        check_gradient(&net, number);
        close_network(&net);
    }
}
#else
static void gradients(void **state) {
    (void)state;
    for (const char *const *backend = backend_names(); *backend; backend++)
        for (uint64_t number = 0; number < NETWORKS; number++) {
            Network net, ref;
            open_network(&net, number, false, PASS_TRAIN, *backend);
            open_network(&ref, number, false, PASS_TRAIN, "ref");
            assert_true(near(run(&net, true), run(&ref, true), 1e-4));
            for (size_t i = 0; i < net.graph->gradient_count; i++)
                if (!near((double)net.gradients[i], (double)ref.gradients[i], 1e-3))
                    fail_msg("network %zu, backend %s: element %zu is %g, with ref %g", (size_t)number, *backend, i,
                             (double)net.gradients[i], (double)ref.gradients[i]);
            close_network(&net);
            close_network(&ref);
        }
}
#endif

/* What these networks are there for does occur in their plans. */
static void coverage(void **state) {
    size_t relus = 0, residuals = 0, cut = 0, uneven = 0, local = 0, again = 0;
    (void)state;
    for (uint64_t number = 0; number < NETWORKS; number++) {
        Network net;
        open_network(&net, number, false, PASS_TRAIN, NULL);
        for (size_t s = 0; s < net.plan->step_count; s++) {
            const PlanStep *step = &net.plan->steps[s];
            relus += step->op.relu;
            residuals += step->op.kind == OP_BATCH_NORM && step->op.inputs == 2;
            cut += step->slices > 1;
            uneven += step->state[1] != NULL;
            local += step->slices > 1 && step->y_step == 0;
        }
        for (size_t i = 0; i < net.plan->item_count; i++)
            again += net.plan->items[i].phase == PHASE_FORWARD_AGAIN;
        close_network(&net);
    }
    assert_true(relus > 50 && residuals > 20 && cut > 500 && uneven > 100 && local > 50 && again > 10);
}

static void predictions(void **state) {
    (void)state;
    for (uint64_t number = 0; number < NETWORKS; number++) {
        Network net, all;
        open_network(&net, number, false, PASS_PREDICT, NULL);
        open_network(&all, number, true, PASS_PREDICT, NULL);
        run(&net, false);
        run(&all, false);
        for (size_t i = 0; i < net.graph->output_count; i++) {
            int node = net.graph->outputs[i].node;
            const Real *a = executor_value(net.plan, &net.run, node), *b = executor_value(all.plan, &all.run, node);
            for (size_t k = 0; k < N * SIDE * SIDE * C; k++)
                if (!near((double)a[k], (double)b[k], 0) || isnan(a[k]))
                    fail_msg("network %zu, output %zu: element %zu is %g, but %g when all is kept", (size_t)number, i,
                             k, (double)a[k], (double)b[k]);
        }
        close_network(&net);
        close_network(&all);
    }
    assert_int_equal(memory_stats().live_count, 0);
}

/* Opens the network of `number` whose front is frozen, for this part of it; returns where it is cut. */
static int open_part(Network *net, uint64_t number, Pass pass, bool from, bool to) {
    int cut;
    net->graph = draw_network(number, false, &cut);
    make_ready(net, number, pass, NULL, (PlanPart){.from = from ? cut : 0, .to = to ? cut : 0});
    return cut;
}

static void assert_same(uint64_t number, const char *what, const Real *a, const Real *b, size_t count) {
    for (size_t k = 0; k < count; k++)
        if (!near((double)a[k], (double)b[k], 0) || isnan(a[k]))
            fail_msg("network %zu, %s: element %zu is %g, %g of the whole network", (size_t)number, what, k,
                     (double)a[k], (double)b[k]);
}

/* What is trained from the cut on, fed with what the front gives, has the gradients of the whole network, and predicts
 * what it does. */
static void parts(void **state) {
    size_t smaller = 0;
    (void)state;
    for (uint64_t number = 0; number < NETWORKS; number++) {
        Network whole, front, rest;
        int cut = open_part(&front, number, PASS_PREDICT, false, true);
        run(&front, false);
        for (Pass pass = PASS_TRAIN; pass <= PASS_PREDICT; pass++) {
            open_part(&whole, number, pass, false, false);
            open_part(&rest, number, pass, true, false);
            rest.run.from = executor_value(front.plan, &front.run, cut);
            run(&whole, pass == PASS_TRAIN);
            run(&rest, pass == PASS_TRAIN);
            if (pass != PASS_PREDICT)
                assert_same(number, "gradients", rest.gradients, whole.gradients, whole.graph->gradient_count);
            for (size_t i = 0; pass == PASS_PREDICT && i < whole.graph->output_count; i++) {
                int node = whole.graph->outputs[i].node;
                if (node > cut)
                    assert_same(number, "output", executor_value(rest.plan, &rest.run, node),
                                executor_value(whole.plan, &whole.run, node), N * SIDE * SIDE * C);
            }
            smaller += rest.plan->step_count < whole.plan->step_count;
            close_network(&whole);
            close_network(&rest);
        }
        close_network(&front);
    }
    assert_true(smaller > NETWORKS);
    assert_int_equal(memory_stats().live_count, 0);
}

/* graph_constant names a node only if the rest of the network can be trained on its values: what is trained behind it
 * has the gradients of the whole network, in every step, and nothing but labels is read beside it. */
static void constants(void **state) {
    size_t found = 0, none = 0;
    (void)state;
    for (uint64_t number = 0; number < NETWORKS; number++) {
        Network whole, front, rest;
        int cut, node;
        whole.graph = draw_network(number, false, &cut);
        assert_ok(graph_constant(whole.graph, &node));
        none += node < 0;
        if (node < 0) {
            graph_destroy(whole.graph);
            continue;
        }
        found++;
        make_ready(&whole, number, PASS_TRAIN, NULL, (PlanPart){0});
        front.graph = draw_network(number, false, &cut);
        make_ready(&front, number, PASS_PREDICT, NULL, (PlanPart){.to = node});
        rest.graph = draw_network(number, false, &cut);
        make_ready(&rest, number, PASS_TRAIN, NULL, (PlanPart){.from = node});
        run(&front, false);
        rest.run.from = executor_value(front.plan, &front.run, node);
        rest.inputs[0] = NULL; /* x is not read */
        whole.run.context.step = rest.run.context.step = 5;
        run(&whole, true);
        run(&rest, true);
        assert_same(number, "gradients", rest.gradients, whole.gradients, whole.graph->gradient_count);
        close_network(&whole);
        close_network(&front);
        close_network(&rest);
    }
    assert_true(found > NETWORKS / 20 && none > NETWORKS / 20);
    assert_int_equal(memory_stats().live_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(coverage), cmocka_unit_test(gradients),
                                       cmocka_unit_test(predictions), cmocka_unit_test(parts),
                                       cmocka_unit_test(constants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
