/* SPDX-License-Identifier: Apache-2.0
 *
 * The graph of a network computes what Keras computes: the same weights in the same order, and the same numbers from
 * the same input.  The files are made by tests/golden/make_keras_json.py.  In double, so that only Keras's own rounding
 * is left. */
#include "graph/executor.h"
#include "unit/model_test.h"
#include <math.h>

enum { EXAMPLES = 2 };

typedef struct Network {
    Model *model;
    Graph *graph;
    Real *weights;
} Network;

static void open_network(const char *name, Network *net) {
    char file[64];
    snprintf(file, sizeof file, "%s.json", name);
    char *text = golden(file);
    assert_ok(model_parse(text, file, &net->model));
    free(text);
    assert_ok(graph_create(&net->graph));
    assert_ok(model_build(net->model, &(ModelBuild){.open = &SHAPE(10, 10, 3)}, net->graph));
    assert_ok(graph_finish(net->graph));
    assert_ok(memory_new(&net->weights, net->graph->weight_count, "weights"));
    graph_initialize(net->graph, 1, net->weights);
}

static void close_network(Network *net) {
    memory_free(net->weights);
    graph_destroy(net->graph);
    model_destroy(net->model);
}

/* The layer that stands at that place; layer_count: none, an InputLayer of a network inside. */
static size_t layer_at(const Model *model, size_t place) {
    size_t i = 0;
    while (i < model->layer_count && model->layers[i].place != place)
        i++;
    return i;
}

/* One line per weight as in the .weights files, and the weights' values by the formula given there. */
static void list_weights(const Network *net, char *text, size_t size) {
    size_t used = 0, j = 0;
    for (size_t place = 0; place < 2 * net->model->layer_count; place++) {
        int params[MODEL_LAYER_PARAMS];
        size_t i = layer_at(net->model, place);
        size_t count = i < net->model->layer_count ? model_layer_params(net->model, i, net->graph, params) : 0;
        for (size_t p = 0; p < count; p++, j++) {
            const Param *param = &net->graph->params[params[p]];
            bool one = strstr(param->spec.name, "gamma") || strstr(param->spec.name, "variance");
            for (size_t k = 0; k < param->count; k++)
                net->weights[param->offset + k] = (Real)(0.3 * sin(1 + 1.3 * (double)j + 0.7 * (double)k) + one);
            used += (size_t)snprintf(text + used, size - used, "%s", param->spec.layer);
            for (size_t d = 0; d < param->spec.shape.rank; d++)
                used += (size_t)snprintf(text + used, size - used, " %zu", param->spec.shape.dim[d]);
            used += (size_t)snprintf(text + used, size - used, "\n");
        }
    }
}

/* Compares the outputs of one run with the numbers in `expected`. */
static void compare_outputs(const Network *net, const Plan *plan, const ExecutorRun *run, char *expected) {
    char *line = strtok(expected, "\n");
    for (size_t i = 0; i < net->model->output_count; i++) {
        int node = net->graph->outputs[i].node;
        Shape shape = graph_shape(net->graph, node);
        const Real *values = executor_value(plan, run, node);
        for (size_t k = 0; k < EXAMPLES * shape_count(&shape); k++, line = strtok(NULL, "\n")) {
            assert_non_null(line);
            if (!(fabs((double)values[k] - atof(line)) < 1e-6 * fmax(1, fabs(atof(line)))))
                fail_msg("output %s [%zu] is %.8g, in Keras %s", net->graph->outputs[i].name, k, (double)values[k],
                         line);
        }
    }
    assert_null(line);
}

static void check(const char *name) {
    Network net;
    char listed[4096] = "", file[64];
    open_network(name, &net);
    list_weights(&net, listed, sizeof listed);
    snprintf(file, sizeof file, "%s.weights", name);
    char *expected = golden(file);
    assert_string_equal(listed, expected);
    free(expected);

    Plan *plan;
    void *arena;
    Real *inputs[4];
    assert_ok(plan_create(net.graph, PASS_PREDICT, EXAMPLES, &(PlanOptions){.backend = "ref"}, &plan));
    assert_ok(memory_alloc(plan->arena_bytes, 1, "arena", &arena));
    for (size_t i = 0; i < net.graph->input_count; i++) {
        Shape shape = graph_shape(net.graph, net.graph->inputs[i]);
        assert_ok(memory_new(&inputs[i], EXAMPLES * shape_count(&shape), "input"));
        for (size_t k = 0; k < EXAMPLES * shape_count(&shape); k++) {
            double value = sin(1 + 0.7 * (double)k + (double)i);
            inputs[i][k] = (Real)(reads_numbers(net.graph, net.graph->inputs[i]) ? floor(3 + 3 * value) : value);
        }
    }
    executor_bind(plan, arena, net.weights);
    const ExecutorRun run = {.inputs = (const Real *const *)inputs};
    executor_forward(plan, &run);
    snprintf(file, sizeof file, "%s.output", name);
    expected = golden(file);
    compare_outputs(&net, plan, &run, expected);
    free(expected);
    for (size_t i = 0; i < net.graph->input_count; i++)
        memory_free(inputs[i]);
    plan_destroy(plan);
    memory_free(arena);
    close_network(&net);
}

static void sequential(void **state) {
    (void)state;
    check("keras3_sequential");
}

static void branches(void **state) {
    (void)state;
    check("keras3_branches");
}

static void activations(void **state) {
    (void)state;
    check("keras3_activations");
}

static void every_layer(void **state) {
    (void)state;
    check("keras3_every_layer");
}

static void nested(void **state) {
    (void)state;
    check("keras3_nested");
    check("keras2_nested");
}

/* One block of each family of networks. */
static void families(void **state) {
    static const char *const names[] = {"inverted_residual", "dense_block", "inception", "convnext", "nasnet_cell",
                                        "augmentation",      "series",      "tokens",    "volume"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[64];
        snprintf(file, sizeof file, "keras3_%s", names[i]);
        check(file);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nested, nothing_left),      cmocka_unit_test_teardown(sequential, nothing_left),
        cmocka_unit_test_teardown(branches, nothing_left),    cmocka_unit_test_teardown(activations, nothing_left),
        cmocka_unit_test_teardown(every_layer, nothing_left), cmocka_unit_test_teardown(families, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
