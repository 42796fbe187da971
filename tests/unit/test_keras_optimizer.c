/* SPDX-License-Identifier: Apache-2.0
 *
 * Training goes on where Keras stopped: files of Keras 2 and 3 (tests/golden/make_optimizer_files.py) are read with
 * their optimizer, one step is done here, and all weights are those that the next step gave in Keras. */
#include "train/keras_optimizer.h"
#include "train/replica.h"
#include "unit/model_test.h"
#include <math.h>
#include <unistd.h>

enum { EXAMPLES = 8, EXTENT = 4, CLASSES = 3, WEIGHTS = 200 };

static const struct {
    const char *file;
    double expected[WEIGHTS];
} cases[] = {
#include "golden/optimizer_files/keras2.inc"
#include "golden/optimizer_files/keras3.inc"
};

typedef struct Run {
    Checkpoint *file;
    Config config;
    Model *model;
    Graph *graph;
    Replica *replica;
    Optimizer *optimizer;
    Matches matches;
} Run;

static void open_file(const char *path, Run *r) {
    memset(r, 0, sizeof *r);
    assert_ok(checkpoint_read(path, CHECKPOINT_ANY, &r->file));
    assert_ok(model_parse(r->file->model_config, path, &r->model));
    assert_ok(graph_create(&r->graph));
    const ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
    assert_ok(model_build(r->model, &(ModelBuild){.losses = &loss, .loss_count = 1}, r->graph));
    assert_ok(graph_finish(r->graph));
    assert_ok(replica_create(r->graph, (PlanOptions){0}, &r->replica));
    assert_ok(replica_prepare(r->replica, PASS_TRAIN, EXAMPLES));
    assert_ok(replica_ready(r->replica));
    assert_ok(match_weights(r->model, r->graph, r->file, path, (MatchOptions){0}, &r->matches));
    match_copy(&r->matches, r->replica->weights);
}

static void close_file(Run *r) {
    match_free(&r->matches);
    optimizer_destroy(r->optimizer);
    replica_destroy(r->replica);
    graph_destroy(r->graph);
    model_destroy(r->model);
    checkpoint_destroy(r->file);
}

static Status take_optimizer(Run *r, uint64_t *iteration) {
    TRY(keras_optimizer_options(r->file, "file", &r->config));
    TRY(config_fill(&r->config, NULL));
    optimizer_destroy(r->optimizer);
    TRY(optimizer_create(&r->config.optimizer, r->graph, NULL, &r->optimizer));
    return keras_optimizer_restore(&r->matches, "file", r->optimizer, iteration);
}

static void step(Run *r, uint64_t iteration) {
    Real x[EXAMPLES * EXTENT], y[EXAMPLES], *gradient;
    for (size_t k = 0; k < EXAMPLES * EXTENT; k++)
        x[k] = (Real)sin(1 + 0.7 * (double)k);
    for (size_t i = 0; i < EXAMPLES; i++)
        y[i] = (Real)(i % CLASSES);
    assert_ok(memory_new(&gradient, r->graph->gradient_count, "gradient"));
    Plan *plan = replica_plan(r->replica, PASS_TRAIN, EXAMPLES);
    const ExecutorRun run = {.inputs = (const Real *const[]){x, y}, .gradients = gradient, .context.seed = 1};
    executor_forward(plan, &run);
    executor_backward(plan, &run, NULL, NULL);
    optimizer_apply(r->optimizer, r->config.schedule.lr, iteration, r->replica->weights, gradient, EXAMPLES, EXAMPLES);
    memory_free(gradient);
}

/* Layers in the order of Keras, weights as get_weights has them. */
static void compare(const Run *r, const char *file, const double *expected) {
    size_t j = 0;
    for (size_t l = 0; l < r->model->layer_count; l++) {
        int params[MODEL_LAYER_PARAMS];
        size_t n = model_layer_params(r->model, l, r->graph, params);
        for (size_t p = 0; p < n; p++) {
            const Param *param = &r->graph->params[params[p]];
            for (size_t k = 0; k < param->count; k++, j++) {
                double found = (double)r->replica->weights[param->offset + k];
                if (fabs(found - expected[j]) > 2e-6 * fmax(0.1, fabs(expected[j])))
                    fail_msg("%s: %s/%s [%zu] is %.9g, in Keras %.9g", file, param->spec.layer, param->spec.name, k,
                             found, expected[j]);
            }
        }
    }
    assert_int_equal(j, 93);
}

static const char *golden_file(const char *name) {
    static char path[1024];
    const char *root = getenv("CNN_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/tests/golden/optimizer_files/%s", root ? root : ".", name);
    return path;
}

static void training_goes_on(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Run run;
        uint64_t iteration = 0;
        open_file(golden_file(cases[i].file), &run);
        assert_ok(take_optimizer(&run, &iteration));
        assert_int_equal(iteration, 3);
        step(&run, iteration);
        compare(&run, cases[i].file, cases[i].expected);
        close_file(&run);
    }
}

static void given_options_count(void **state) {
    (void)state;
    Run run;
    uint64_t iteration;
    open_file(golden_file("keras3_adam.keras"), &run);
    assert_ok(config_set(&run.config, "lr", "0.5", SOURCE_GIVEN));
    assert_ok(config_set(&run.config, "beta-1", "0.25", SOURCE_GIVEN));
    assert_ok(take_optimizer(&run, &iteration));
    assert_true(run.config.schedule.lr == 0.5 && run.config.optimizer.beta_1 == 0.25);
    assert_int_equal(run.config.optimizer.kind, OPTIMIZER_ADAM);
    memset(&run.config, 0, sizeof run.config);
    assert_ok(config_set(&run.config, "optimizer", "sgd", SOURCE_GIVEN));
    assert_int_equal(take_optimizer(&run, &iteration), STATUS_USAGE);
    assert_message("file: was trained with Adam: leave --optimizer");
    close_file(&run);
}

static void set_text(const char **text, const char *to) {
    memory_free((void *)*text);
    *text = NULL;
    if (to)
        assert_ok(memory_strdup(to, (char **)text));
}

static void refuse(Run *run, const char *config, const char *message) {
    uint64_t iteration;
    set_text(&run->file->training_config, config);
    memset(&run->config, 0, sizeof run->config);
    assert_int_not_equal(take_optimizer(run, &iteration), STATUS_OK);
    assert_message(message);
}

#define OPTIMIZER(name, config) "{\"optimizer_config\":{\"class_name\":\"" name "\",\"config\":{" config "}}}"

static void what_is_missing_is_named(void **state) {
    (void)state;
    Run run;
    open_file(golden_file("keras2_old_adam.h5"), &run);
    refuse(&run, NULL, "file: was saved without its optimizer: leave --with-optimizer away");
    refuse(&run, "{\"optimizer_config\":7}", "was saved without its optimizer");
    refuse(&run, "[", "was saved without its optimizer");
    refuse(&run, OPTIMIZER("Ftrl", ""), "optimizer Ftrl is not supported, only SGD");
    refuse(&run, OPTIMIZER("Adam", "\"amsgrad\":true"), "optimizer Adam: key amsgrad is not supported");
    refuse(&run, OPTIMIZER("Adam", "\"beta_3\":1"), "optimizer Adam: unknown key \"beta_3\"");
    refuse(&run, OPTIMIZER("Adam", "\"beta_1\":[1]"), "key beta_1 must be a number");
    refuse(&run, OPTIMIZER("Adam", "\"beta_1\":7"), "beta-1");
    refuse(&run, OPTIMIZER("Adam", "\"learning_rate\":{\"class_name\":\"CosineDecay\"}"),
           "the learning rate follows a schedule (CosineDecay): give --lr");
    refuse(&run, OPTIMIZER("SGD", "\"momentum\":0.9"),
           "file: holds 12 optimizer variables beside the number of steps, "
           "but 1 slots of 6 trained weights make 6");
    refuse(&run, OPTIMIZER("Custom>Adam", ""), "optimizer variable m has the shape 5x3, m of alpha/gamma needs 5: the");
    size_t count = run.file->optimizer_count;
    run.file->optimizer_count = 0;
    refuse(&run, OPTIMIZER("Adam", ""), "file: holds no state of the optimizer");
    run.file->optimizer_count = count;
    run.file->ours = true;
    refuse(&run, OPTIMIZER("Adam", ""), "was written here: --resume goes on");
    close_file(&run);
}

/* The files of fer2013 come from Keras 2.0.5, which sorted weights by name: two slots of all weights fit in that
 * order. */
static void weights_sorted_by_name(void **state) {
    (void)state;
    const char *data = getenv("CNN_TEST_DATA"), *root = getenv("CNN_SOURCE_DIR");
    char path[1024];
    Run run;
    uint64_t iteration = 0;
    snprintf(path, sizeof path, "%s%s/models/fer2013_mini_XCEPTION.102-0.66.hdf5",
             data   ? data
             : root ? root
                    : ".",
             data ? "" : "/../shared/data");
    if (access(path, R_OK) != 0) {
        print_message("skipped: no %s (see CNN_TEST_DATA)\n", path);
        skip();
    }
    memset(&run, 0, sizeof run);
    assert_ok(checkpoint_read(path, CHECKPOINT_ANY, &run.file));
    assert_ok(model_parse(run.file->model_config, path, &run.model));
    assert_ok(graph_create(&run.graph));
    assert_ok(model_build(run.model, &(ModelBuild){0}, run.graph));
    assert_ok(graph_finish(run.graph));
    assert_ok(match_weights(run.model, run.graph, run.file, path, (MatchOptions){0}, &run.matches));
    assert_ok(take_optimizer(&run, &iteration));
    assert_true(iteration > 1000);
    assert_true(run.config.optimizer.epsilon == 1e-8);
    /* Squared gradients: no slot is negative, and none of a trained weight is all zeros. */
    for (size_t i = 0; i < run.graph->trained_count; i++)
        assert_true(run.optimizer->slots[1].slab[i] >= 0);
    set_text(&run.file->writer, "keras 2.2.4");
    assert_int_equal(take_optimizer(&run, &iteration), STATUS_FAILED);
    assert_message("has the shape");
    close_file(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(training_goes_on, nothing_left),
        cmocka_unit_test_teardown(given_options_count, nothing_left),
        cmocka_unit_test_teardown(what_is_missing_is_named, nothing_left),
        cmocka_unit_test_teardown(weights_sorted_by_name, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
