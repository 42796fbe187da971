/* SPDX-License-Identifier: Apache-2.0
 *
 * The gradient of a training step of whole networks from Keras files, in double, against central differences: every
 * layer class that has a gradient, shared layers, several inputs and outputs, a frozen layer above trained ones.  The
 * networks are those of test_model_keras.c, which checks their forward pass. */
#include "graph/executor.h"
#include "unit/model_test.h"
#include <math.h>

enum { EXAMPLES = 3, MOST_INPUTS = 8, COORDINATES = 4 };
static const double step = 1e-6;

typedef struct Network {
    Model *model;
    Graph *graph;
    Plan *plan;
    void *arena;
    Real *weights, *gradients;
    Real *inputs[MOST_INPUTS];
} Network;

static const Node *loss_of_label(const Graph *graph, int input) {
    for (size_t i = 0; i < graph->loss_count; i++)
        if (graph->nodes[graph->losses[i]].inputs[1] == input)
            return &graph->nodes[graph->losses[i]];
    return NULL;
}

/* Labels that change from element to element, and other inputs without structure. */
static void fill_input(Network *net, size_t i) {
    int node = net->graph->inputs[i];
    Shape shape = graph_shape(net->graph, node);
    const Node *loss = loss_of_label(net->graph, node);
    assert_true(i < MOST_INPUTS);
    assert_ok(memory_new(&net->inputs[i], EXAMPLES * shape_count(&shape), "input"));
    for (size_t k = 0; k < EXAMPLES * shape_count(&shape); k++) {
        double value = 2 * rng_uniform(rng_key(1, RNG_TEST, 0, i), k, 0) - 1;
        net->inputs[i][k] = loss                              ? (Real)(k % 2)
                            : reads_numbers(net->graph, node) ? (Real)floor(3 + 3 * value)
                                                              : (Real)value;
    }
}

static void open_network(const char *name, const ModelLoss *losses, size_t count, Network *net) {
    char *text = golden(name);
    *net = (Network){0};
    assert_ok(model_parse(text, name, &net->model));
    free(text);
    assert_ok(graph_create(&net->graph));
    assert_ok(model_build(net->model, &(ModelBuild){.losses = losses, .loss_count = count}, net->graph));
    assert_ok(graph_finish(net->graph));
    assert_ok(plan_create(net->graph, PASS_TRAIN, EXAMPLES, &(PlanOptions){.backend = "ref"}, &net->plan));
    assert_ok(memory_alloc(net->plan->arena_bytes, 1, "arena", &net->arena));
    assert_ok(memory_new(&net->weights, net->graph->weight_count, "weights"));
    assert_ok(memory_new(&net->gradients, net->graph->gradient_count, "gradients"));
    graph_initialize(net->graph, 5, net->weights);
    for (size_t i = 0; i < net->graph->trained_count; i++) /* biases and betas are zero at first */
        net->weights[i] += (Real)(0.1 * (rng_uniform(rng_key(2, RNG_TEST, 0, 0), i, 0) - 0.5));
    for (size_t i = 0; i < net->graph->input_count; i++)
        fill_input(net, i);
    executor_bind(net->plan, net->arena, net->weights);
}

static void close_network(Network *net) {
    for (size_t i = 0; i < MOST_INPUTS; i++)
        memory_free(net->inputs[i]);
    plan_destroy(net->plan);
    memory_free(net->arena);
    memory_free(net->weights);
    memory_free(net->gradients);
    graph_destroy(net->graph);
    model_destroy(net->model);
}

/* Sum of all losses over the examples, with the gradient where wanted. */
static double run(Network *net, bool backward) {
    ExecutorRun run = {.inputs = (const Real *const *)net->inputs, .gradients = net->gradients, .context = {.seed = 3}};
    const Graph *graph = net->graph;
    double loss = 0;
    executor_forward(net->plan, &run);
    if (backward)
        executor_backward(net->plan, &run, NULL, NULL);
    for (size_t i = 0; i < graph->loss_count; i++)
        loss += graph->nodes[graph->losses[i]].op.attr.loss.weight *
                net->gradients[graph->sums_offset + i * LOSS_SUMS + LOSS_SUM_LOSS];
    return loss;
}

/* Up or down: a direction through all elements of the slab. */
static double sign(size_t element) {
    return rng_uniform(rng_key(3, RNG_TEST, 0, 0), element, 0) < 0.5 ? -1 : 1;
}

/* The derivative along the elements [first, first + count). */
static double difference(Network *net, size_t first, size_t count) {
    double side[2];
    for (int s = 0; s < 2; s++) {
        double h = s ? -step : step;
        for (size_t i = first; i < first + count; i++)
            net->weights[i] += (Real)(h * sign(i));
        side[s] = run(net, false);
        for (size_t i = first; i < first + count; i++)
            net->weights[i] -= (Real)(h * sign(i));
    }
    return (side[0] - side[1]) / (2 * step);
}

static void compare(Network *net, const Param *param, const Real *gradient, size_t first, size_t count) {
    double exact = 0, numeric = difference(net, first, count);
    for (size_t i = first; i < first + count; i++)
        exact += sign(i) * gradient[i];
    if (!(fabs(numeric - exact) <= 1e-6 * (fabs(numeric) + fabs(exact)) + 1e-7))
        fail_msg("%s/%s, %zu elements from %zu: gradient %.12g, difference %.12g", param->spec.layer, param->spec.name,
                 count, first - param->offset, exact, numeric);
}

/* One parameter: all its elements at once, and some of them alone. */
static void check_param(Network *net, const Param *param, const Real *gradient) {
    compare(net, param, gradient, param->offset, param->count);
    for (size_t k = 0; k < COORDINATES; k++)
        compare(net, param, gradient, param->offset + k * param->count / COORDINATES, 1);
}

/* Returns how many parameters were compared. */
static size_t check(const char *name, const ModelLoss *losses, size_t count) {
    Network net;
    Real *gradient;
    size_t checked = 0, moving = 0;
    open_network(name, losses, count, &net);
    assert_true(isfinite(run(&net, true)));
    assert_ok(memory_new(&gradient, net.graph->gradient_count, "copy"));
    memcpy(gradient, net.gradients, net.graph->gradient_count * sizeof *gradient);
    for (size_t p = 0; p < net.graph->param_count; p++) {
        const Param *param = &net.graph->params[p];
        double largest = 0;
        if (param->spec.role != PARAM_TRAINED)
            continue;
        check_param(&net, param, gradient);
        for (size_t i = 0; i < param->count; i++)
            largest = fmax(largest, fabs((double)gradient[param->offset + i]));
        moving += largest > 1e-4;
        checked++;
    }
    assert_true(moving > checked / 2); /* gradients of nothing but zeros prove nothing */
    memory_free(gradient);
    close_network(&net);
    return checked;
}

static void sequential(void **state) {
    (void)state; /* the layer in front of the softmax is frozen */
    const ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
    assert_int_equal(check("keras3_sequential.json", &loss, 1), 8);
}

static void branches(void **state) {
    (void)state;
    const ModelLoss losses[] = {{.output = "class", .kind = MODEL_LOSS_AUTO, .weight = 1, .label_smoothing = 0.1},
                                {.output = "flag", .kind = MODEL_LOSS_AUTO, .weight = 0.7}};
    assert_int_equal(check("keras3_branches.json", losses, 2), 12);
}

static void every_layer(void **state) {
    (void)state;
    const ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
    assert_int_equal(check("keras3_every_layer.json", &loss, 1), 22);
}

static void series(void **state) {
    (void)state;
    const ModelLoss loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1};
    assert_int_equal(check("keras3_series.json", &loss, 1), 24);
}

static void tokens(void **state) {
    (void)state;
    const ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
    assert_int_equal(check("keras3_tokens.json", &loss, 1), 10);
}

static void volume(void **state) {
    (void)state;
    const ModelLoss loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1};
    assert_int_equal(check("keras3_volume.json", &loss, 1), 9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sequential, nothing_left),  cmocka_unit_test_teardown(branches, nothing_left),
        cmocka_unit_test_teardown(every_layer, nothing_left), cmocka_unit_test_teardown(series, nothing_left),
        cmocka_unit_test_teardown(tokens, nothing_left),      cmocka_unit_test_teardown(volume, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
