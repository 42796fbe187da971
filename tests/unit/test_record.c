/* SPDX-License-Identifier: Apache-2.0
 *
 * The checkpoint of a run: wherever memory runs out while it is made, the failure is told and all is given back. */
#include "base/memory.h"
#include "support/assert_status.h"
#include "train/record.h"

static const char network[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", \"batch_input_shape\": [null, 4]}},"
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"fc\", \"units\": 3, \"activation\": \"softmax\"}}]}}";

static void image_survives_every_failing_allocation(void **state) {
    (void)state;
    static Config config;
    TrainState progress = {0};
    Record record = {
        .config = &config, .state = &progress, .preprocess = "{}", .fingerprint = "", .environment = "", .ranks = 1};
    Model *model;
    Graph *graph;
    unsigned char *image;
    size_t size, failures = 0;
    assert_ok(config_fill(&config, NULL)); /* adam: two slots */
    assert_ok(model_parse(network, "net", &model));
    assert_ok(graph_create(&graph));
    assert_ok(model_build(model, &(ModelBuild){0}, graph));
    assert_ok(graph_finish(graph));
    record.model = model;
    record.graph = graph;
    assert_ok(memory_new(&record.weights, graph->weight_count, "weights"));
    assert_ok(optimizer_create(&config.optimizer, graph, NULL, &record.optimizer));
    assert_ok(history_create(NULL, 0, NULL, 0, &record.history));
    size_t before = memory_stats().live_count;
    for (;; failures++) {
        memory_fail_at(failures + 1);
        Status status = record_image(&record, &image, &size);
        memory_fail_at(0);
        if (status == STATUS_OK)
            break;
        assert_non_null(strstr(status_message(), "out of memory"));
        assert_null(image);
        assert_int_equal(memory_stats().live_count, before);
    }
    assert_true(failures > 10);
    memory_free(image);
    history_destroy(record.history);
    optimizer_destroy(record.optimizer);
    memory_free(record.weights);
    graph_destroy(graph);
    model_destroy(model);
    assert_int_equal(memory_stats().live_count, 0);
}

/* The file's version decides what hard_sigmoid means, unless the text has one itself. */
/* Runs from before kernels alone decayed go on as they began. */
static void old_runs_decay_all(void **state) {
    (void)state;
    static const struct {
        const char *options;
        bool all;
    } cases[] = {{"{\"weight-decay\": 0.1}", true},
                 {"{\"weight-decay\": 0.1, \"weight-decay-all\": false}", false},
                 {"{\"weight-decay\": 0}", false},
                 {"{}", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        RecordState saved;
        snprintf(
            text, sizeof text,
            "{\"step\": 1, \"epoch\": 0, \"batch\": 1, \"totals\": {\"sums\": [], \"penalty\": 0, \"examples\": 1}, "
            "\"best_loss\": 1, \"best_epoch\": 0, \"epoch_seconds\": 0, \"seconds\": 0, \"train_examples\": 1, "
            "\"options\": %s}",
            cases[i].options);
        if (record_parse(text, "file", &saved) != STATUS_OK)
            fail_msg("%s", status_message());
        assert_true(saved.config.optimizer.decay_all == cases[i].all);
        record_free(&saved);
    }
}

static void network_has_the_version_of_its_file(void **state) {
    (void)state;
    static const char versioned[] = "{\"keras_version\": \"2.4.0\", \"class_name\": \"Sequential\", \"config\": ["
                                    "{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 4]}}]}";
    static const struct {
        const char *config, *writer;
        int keras;
    } cases[] = {{network, "keras 3.15.1", 3},
                 {network, "keras 2.15.0", 2},
                 {network, "", 2},
                 {versioned, "keras 3.15.1", 2},
                 {network, "cnn 0.1.0", 2}};
    char *text;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model;
        const Checkpoint file = {.model_config = cases[i].config, .writer = cases[i].writer};
        assert_ok(record_network(&file, "file", &text));
        assert_ok(model_parse(text, "file", &model));
        assert_int_equal(model->keras, cases[i].keras);
        memory_free(text);
        model_destroy(model);
    }
    assert_int_equal(record_network(&(Checkpoint){.writer = ""}, "file", &text), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "file holds weights only: say which network with --model"));
    assert_ok(record_network(&(Checkpoint){.model_config = "{damaged", .writer = "keras 2.0.0"}, "file", &text));
    assert_string_equal(text, "{damaged");
    memory_free(text);
    assert_int_equal(memory_stats().live_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(old_runs_decay_all),
                                       cmocka_unit_test(network_has_the_version_of_its_file),
                                       cmocka_unit_test(image_survives_every_failing_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
