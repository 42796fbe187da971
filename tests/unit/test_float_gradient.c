/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradients in float32 are as good as PyTorch's: per tensor, the largest distance from float64 PyTorch's gradient, over
 * the tensor's largest element, is at most twice that of float32 PyTorch in the worse of its two memory layouts, or six
 * units in the last place (of short sums either may be lucky), or 24 in the deep network, whose batch normalizations of
 * few numbers enlarge what was rounded before them, and with Winograd's algorithm, which rounds more.
 * golden/make_training.py makes the files and the numbers; the networks, weights and examples are those of
 * mpi/test_training.c. */
#include "base/memory.h"
#include "data/dataset.h"
#include "graph/executor.h"
#include "io/checkpoint.h"
#include "model/model.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include "train/record.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXAMPLES = 24, PIXELS = 8 * 8 * 2, SIDES = 2 };

static const struct Torch {
    const char *network, *layer, *tensor;
    double contiguous, channels_last; /* largest distance from float64, over the largest element */
} torch[] = {
#include "golden/training/gradients.inc"
};
enum { TORCH_COUNT = sizeof torch / sizeof *torch };

static const char *golden_path(const char *network, const char *ending) {
    static char path[2][TMPDIR_PATH];
    static unsigned next;
    const char *root = getenv("CNN_SOURCE_DIR");
    char *out = path[next++ % 2];
    snprintf(out, TMPDIR_PATH, "%s/tests/golden/training/%s%s", root ? root : ".", network, ending);
    return out;
}

/* ---- one network ---- */

typedef struct Network {
    Model *model;
    Graph *graph;
    Real *weights, *gradients;
    Checkpoint *expected;
} Network;

static void open_network(Network *net, const char *name) {
    const char *path = golden_path(name, ".h5");
    const ModelLoss losses[] = {{.output = "class", .kind = LOSS_SPARSE_CROSSENTROPY, .weight = 1},
                                {.output = "side", .kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    const ModelLoss only = {.kind = LOSS_SPARSE_CROSSENTROPY, .weight = 1};
    Checkpoint *start;
    size_t loaded;
    assert_ok(checkpoint_read(path, CHECKPOINT_ANY, &start));
    assert_ok(model_parse(start->model_config, path, &net->model));
    assert_ok(graph_create(&net->graph));
    size_t count = net->model->output_count;
    assert_ok(
        model_build(net->model, &(ModelBuild){.losses = count > 1 ? losses : &only, .loss_count = count}, net->graph));
    assert_ok(graph_finish(net->graph));
    assert_ok(memory_new(&net->weights, net->graph->weight_count, "weights"));
    assert_ok(memory_new(&net->gradients, net->graph->gradient_count, "gradients"));
    assert_ok(record_load_weights(net->model, net->graph, net->weights, start, path, &loaded));
    checkpoint_destroy(start);
    assert_ok(checkpoint_read(golden_path(name, ".gradient.h5"), CHECKPOINT_ANY, &net->expected));
}

static void close_network(Network *net) {
    checkpoint_destroy(net->expected);
    memory_free(net->weights);
    memory_free(net->gradients);
    graph_destroy(net->graph);
    model_destroy(net->model);
}

/* Gradient sums of the training examples. */
static void run(Network *net, const char *backend, Winograd winograd) {
    static Real x[EXAMPLES * PIXELS], y[EXAMPLES], side[EXAMPLES * SIDES];
    uint64_t rows[EXAMPLES];
    Dataset *data;
    Plan *plan;
    void *arena;
    for (size_t i = 0; i < EXAMPLES; i++)
        rows[i] = i;
    assert_ok(dataset_open(golden_path("data", ".h5"), &data));
    assert_int_equal(dataset_info(data)->label_count, 2);
    assert_ok(dataset_read(data, DATASET_TRAIN, rows, EXAMPLES, NULL, x, (Real *[]){y, side}));
    dataset_close(data);
    assert_ok(
        plan_create(net->graph, PASS_TRAIN, EXAMPLES, &(PlanOptions){.backend = backend, .winograd = winograd}, &plan));
    assert_ok(memory_alloc(plan->arena_bytes, 1, "arena", &arena));
    executor_bind(plan, arena, net->weights);
    ExecutorRun one = {.inputs = (const Real *[]){x, y, side}, .gradients = net->gradients};
    executor_forward(plan, &one);
    executor_backward(plan, &one, NULL, NULL);
    plan_destroy(plan);
    memory_free(arena);
}

/* ---- the comparison ---- */

/* The golden gradients are read as Real, which rounds them: up to half a unit in the last place of our error. */
static double distance(const Network *net, const char *layer, const char *tensor) {
    const CheckpointTensor *exact = checkpoint_find(net->expected->layers, net->expected->layer_count, layer, tensor);
    double largest = 0, error = 0;
    assert_non_null(exact);
    for (size_t p = 0; p < net->graph->param_count; p++) {
        const Param *param = &net->graph->params[p];
        if (strcmp(param->spec.layer, layer) != 0 || strcmp(param->spec.name, tensor) != 0)
            continue;
        for (size_t i = 0; i < param->count; i++) {
            double ours = (double)net->gradients[param->offset + i] / EXAMPLES, wanted = (double)exact->data[i];
            largest = fmax(largest, fabs(wanted));
            error = fmax(error, isnan(ours) ? INFINITY : fabs(ours - wanted));
        }
    }
    assert_true(largest > 0);
    return error / largest;
}

static void check_backend(const char *backend, Winograd winograd, const char *shown) {
    const char *open = "";
    Network net;
    size_t failed = 0;
    double ours = 0, theirs = 0;
    for (size_t i = 0; i < TORCH_COUNT; i++) {
        const struct Torch *t = &torch[i];
        if (strcmp(open, t->network) != 0) {
            if (i > 0)
                close_network(&net);
            open_network(&net, open = t->network);
            run(&net, backend, winograd);
        }
        double error = distance(&net, t->layer, t->tensor), torch_error = fmax(t->contiguous, t->channels_last);
        double units = winograd == WINOGRAD_AUTO || strcmp(t->network, "residual") == 0 ? 24 : 6;
        bool good = error <= fmax(2 * torch_error, units * FLT_EPSILON);
        print_message("%-8s %-5s %-5s %-6s %.2e   PyTorch %.2e %.2e%s\n", shown, t->network, t->layer, t->tensor, error,
                      t->contiguous, t->channels_last, good ? "" : "   TOO FAR");
        failed += !good;
        ours = fmax(ours, error);
        theirs = fmax(theirs, torch_error);
    }
    close_network(&net);
    print_message("%-8s at most %.2e, PyTorch %.2e\n", shown, ours, theirs);
    assert_int_equal(failed, 0);
}

static void test_default(void **state) {
    (void)state;
    check_backend(NULL, WINOGRAD_OFF, "default");
}

static void test_winograd(void **state) {
    (void)state;
    check_backend(NULL, WINOGRAD_AUTO, "winograd");
}

static void test_cpu(void **state) {
    (void)state;
    check_backend("cpu", WINOGRAD_OFF, "cpu");
}

static void test_ref(void **state) {
    (void)state;
    check_backend("ref", WINOGRAD_OFF, "ref");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_default), cmocka_unit_test(test_winograd),
                                       cmocka_unit_test(test_cpu), cmocka_unit_test(test_ref)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed || memory_stats().live_count != 0;
}
