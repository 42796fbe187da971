/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks that others trained with Keras 2, from files of Keras 2.0 to 2.10: read, with the preprocessing that each
 * was trained with, they predict what Keras predicts (tests/golden/make_real.py).  Needs CNN_TEST_DATA/models. */
#include "data/preprocess.h"
#include "model/zoo/zoo.h"
#include "train/match.h"
#include "train/replica.h"
#include "unit/model_test.h"
#include <math.h>
#include <unistd.h>

enum { EXAMPLES = 2, CLASSES = 10 };

static const struct {
    const char *file, *network, *preprocess;
    size_t classes;
    double expected[EXAMPLES * CLASSES];
} cases[] = {
#include "golden/real.inc"
};

/* Pixels by the formula of make_real.py, preprocessed as data/preprocess.h says. */
static void make_input(const char *mode, const Shape *shape, Real *input) {
    Preprocess p = {.shape = *shape, .channels = 1, .scale = {1}};
    size_t count = EXAMPLES * shape_count(shape);
    float *pixels;
    if (strcmp(mode, "tf") == 0) {
        p.scale[0] = 1 / 127.5;
        p.offset[0] = -1;
    } else if (strcmp(mode, "caffe") == 0)
        p = (Preprocess){.reverse_channels = true,
                         .shape = *shape,
                         .channels = 3,
                         .scale = {1, 1, 1},
                         .offset = {-103.939, -116.779, -123.68}};
    assert_ok(memory_new(&pixels, count, "pixels"));
    for (size_t k = 0; k < count; k++)
        pixels[k] = (float)floor(127.5 + 127.5 * sin(1 + 0.37 * (double)k));
    preprocess_float(&p, pixels, EXAMPLES, input);
    memory_free(pixels);
}

/* The last convolution of SqueezeNet, which its file lacks. */
static void fill_new(const Matches *matches, Real *weights) {
    for (size_t i = 0; i < matches->count; i++) {
        const Param *param = &matches->graph->params[matches->order[i]];
        if (matches->of[matches->order[i]].way == MATCH_NONE)
            for (size_t k = 0; k < param->count; k++)
                weights[param->offset + k] = (Real)(0.05 * sin(1 + 0.7 * (double)k));
    }
}

static void check(size_t i, const char *path) {
    Checkpoint *file;
    Model *model;
    Graph *graph;
    Replica *replica;
    Matches matches;
    Real *input;
    bool alone = cases[i].network != NULL; /* weights only */
    assert_ok(checkpoint_read(path, CHECKPOINT_ANY, &file));
    if (alone)
        assert_ok(zoo_create(cases[i].network, SHAPE(227, 227, 3), cases[i].classes, &model));
    else
        assert_ok(model_parse(file->model_config, cases[i].file, &model));
    assert_ok(graph_create(&graph));
    assert_ok(model_build(model, &(ModelBuild){0}, graph));
    assert_ok(graph_finish(graph));
    assert_ok(replica_create(graph, (PlanOptions){0}, &replica));
    assert_ok(replica_prepare(replica, PASS_PREDICT, EXAMPLES));
    assert_ok(replica_ready(replica));
    assert_ok(match_weights(model, graph, file, cases[i].file, (MatchOptions){.allow_mismatch = alone}, &matches));
    assert_int_equal(matches.found[MATCH_BY_NAME], matches.count - (alone ? 2 : 0));
    assert_int_equal(matches.unused, 0);
    match_copy(&matches, replica->weights);
    fill_new(&matches, replica->weights);
    Shape shape = graph_shape(graph, graph->inputs[0]);
    assert_ok(memory_new(&input, EXAMPLES * shape_count(&shape), "input"));
    make_input(cases[i].preprocess, &shape, input);
    const ExecutorRun run = {.inputs = (const Real *const *)&input};
    Plan *plan = replica_plan(replica, PASS_PREDICT, EXAMPLES);
    executor_forward(plan, &run);
    const Real *y = executor_value(plan, &run, graph->outputs[0].node);
    for (size_t k = 0; k < EXAMPLES * cases[i].classes; k++)
        if (!(fabs((double)y[k] - cases[i].expected[k]) <= 1e-4 * fabs(cases[i].expected[k])))
            fail_msg("%s: output %zu is %.8g, in Keras %.8g", cases[i].file, k, (double)y[k], cases[i].expected[k]);
    memory_free(input);
    match_free(&matches);
    replica_destroy(replica);
    graph_destroy(graph);
    model_destroy(model);
    checkpoint_destroy(file);
}

static void predictions(void **state) {
    (void)state;
    const char *data = getenv("CNN_TEST_DATA"), *root = getenv("CNN_SOURCE_DIR");
    size_t found = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[1024];
        if (data)
            snprintf(path, sizeof path, "%s/models/%s", data, cases[i].file);
        else
            snprintf(path, sizeof path, "%s/../shared/data/models/%s", root ? root : ".", cases[i].file);
        if (access(path, R_OK) == 0) {
            check(i, path);
            found++;
        } else
            print_message("skipped: no %s (see CNN_TEST_DATA)\n", path);
    }
    if (found == 0)
        skip();
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(predictions, nothing_left)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
