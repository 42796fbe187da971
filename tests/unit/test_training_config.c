/* SPDX-License-Identifier: Apache-2.0
 *
 * training_config, from which Keras compiles a checkpoint's network: optimizer and losses with all numbers that are not
 * Keras's defaults, and metrics in the one form per number of outputs that Keras 3 takes.  That Keras really takes it
 * is cli/keras.sh's. */
#include "base/memory.h"
#include "support/assert_status.h"
#include "train/record.h"

/* A graph with the losses over outputs of two numbers, and its training_config.  `logits`: the losses read what the
 * network gives out. */
static char *training_config(const Config *config, const LossAttr *losses, size_t count, bool logits) {
    Graph *graph;
    char *text;
    assert_ok(graph_create(&graph));
    for (size_t i = 0; i < count; i++) {
        int inputs[2];
        char name[8] = {'x', (char)('0' + i)};
        Shape label = losses[i].kind == LOSS_SPARSE_CROSSENTROPY ? (Shape){0} : SHAPE(2);
        assert_ok(graph_input(graph, name, SHAPE(2), &inputs[0]));
        if (logits)
            assert_ok(graph_output(graph, name, inputs[0]));
        name[0] = 'y';
        assert_ok(graph_input(graph, name, label, &inputs[1]));
        int node;
        OpDesc loss = {.kind = OP_LOSS, .attr.loss = losses[i]};
        assert_ok(graph_op(graph, name, &loss, 2, inputs, 0, NULL, &node));
    }
    assert_ok(graph_finish(graph));
    assert_ok(record_training_config(graph, config, &text));
    graph_destroy(graph);
    return text;
}

static void one_output(void **state) {
    (void)state;
    const Config config = {.schedule.lr = 0.5,
                           .optimizer = {.kind = OPTIMIZER_SGD, .momentum = 0.25, .nesterov = true}};
    const LossAttr loss = {.kind = LOSS_SPARSE_CROSSENTROPY, .from_logits = true, .weight = 1};
    char *text = training_config(&config, &loss, 1, false);
    assert_string_equal(text, "{\"loss\":\"sparse_categorical_crossentropy\",\"metrics\":[\"accuracy\"],"
                              "\"weighted_metrics\":null,\"loss_weights\":null,\"optimizer_config\":{"
                              "\"class_name\":\"SGD\",\"config\":{\"learning_rate\":0.5,\"momentum\":0.25,"
                              "\"nesterov\":true,\"name\":\"SGD\"}}}");
    memory_free(text);
}

static void logits_are_said(void **state) {
    (void)state;
    const Config config = {.optimizer = {.kind = OPTIMIZER_SGD}};
    const LossAttr loss = {.kind = LOSS_SPARSE_CROSSENTROPY, .from_logits = true, .weight = 1};
    char *text = training_config(&config, &loss, 1, true);
    const char *start =
        "{\"loss\":{\"class_name\":\"SparseCategoricalCrossentropy\",\"config\":{\"from_logits\":true}},";
    assert_memory_equal(text, start, strlen(start));
    memory_free(text);
}

static void several_outputs(void **state) {
    (void)state;
    const Config config = {.schedule.lr = 0.5,
                           .optimizer = {.kind = OPTIMIZER_ADAMW,
                                         .beta_1 = 0.5,
                                         .beta_2 = 0.75,
                                         .epsilon = 0.125,
                                         .weight_decay = 0.0625,
                                         .clip_norm = 2}};
    const LossAttr losses[] = {{.kind = LOSS_CROSSENTROPY, .label_smoothing = 0.25, .weight = 1},
                               {.kind = LOSS_HUBER, .delta = 0.5, .weight = 0.25},
                               {.kind = LOSS_HUBER, .delta = 1, .weight = 1},
                               {.kind = LOSS_BINARY_CROSSENTROPY, .label_smoothing = 0.5, .weight = 2}};
    char *text = training_config(&config, losses, 4, false);
    assert_string_equal(text,
                        "{\"loss\":[{\"class_name\":\"CategoricalCrossentropy\",\"config\":{\"label_smoothing\":0.25}},"
                        "{\"class_name\":\"Huber\",\"config\":{\"delta\":0.5}},\"huber\","
                        "{\"class_name\":\"BinaryCrossentropy\",\"config\":{\"label_smoothing\":0.5}}],"
                        "\"metrics\":[[\"accuracy\"],[],[],[\"accuracy\"]],\"weighted_metrics\":null,"
                        "\"loss_weights\":[1.0,0.25,1.0,2.0],\"optimizer_config\":{\"class_name\":\"AdamW\","
                        "\"config\":{\"learning_rate\":0.5,\"beta_1\":0.5,\"beta_2\":0.75,\"epsilon\":0.125,"
                        "\"amsgrad\":false,\"name\":\"AdamW\",\"weight_decay\":0.0625,\"global_clipnorm\":2.0}}}");
    memory_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_output), cmocka_unit_test(logits_are_said),
                                       cmocka_unit_test(several_outputs)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed || memory_stats().live_count != 0;
}
