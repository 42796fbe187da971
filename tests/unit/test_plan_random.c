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
#include "unit/draw_network.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
