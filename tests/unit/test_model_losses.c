/* SPDX-License-Identifier: Apache-2.0
 *
 * Losses of networks: what they read, and which belong to what. */
#include "unit/model_json.h"
#include "unit/model_test.h"

static const Node *loss_node(const Graph *graph, size_t i) {
    return &graph->nodes[graph->losses[i]];
}

static void a_loss_looks_behind_softmax_and_sigmoid(void **state) {
    (void)state;
    char *text = golden("keras3_branches.json");
    const ModelLoss losses[] = {{.output = "class", .kind = MODEL_LOSS_AUTO, .weight = 1, .label_smoothing = 0.1},
                                {.output = "flag", .kind = MODEL_LOSS_AUTO, .weight = 0.5}};
    Model *model;
    Graph *graph;
    assert_ok(build_text(text, losses, 2, &model, &graph));
    assert_int_equal(graph->loss_count, 2);
    const Node *class = loss_node(graph, 0), *flag = loss_node(graph, 1);
    assert_int_equal(class->op.attr.loss.kind, LOSS_SPARSE_CROSSENTROPY);
    assert_int_equal(flag->op.attr.loss.kind, LOSS_BINARY_CROSSENTROPY);
    assert_true(class->op.attr.loss.from_logits && flag->op.attr.loss.from_logits);
    assert_int_equal(graph->nodes[class->inputs[0]].op.kind, OP_DENSE);
    assert_int_equal(graph->nodes[flag->inputs[0]].op.kind, OP_DENSE);
    assert_int_equal(graph->nodes[graph_find_output(graph, "class")].op.kind, OP_SOFTMAX);
    assert_true(flag->op.attr.loss.weight == 0.5 && class->op.attr.loss.label_smoothing == 0.1);
    assert_int_equal(graph_shape(graph, graph_find_input(graph, "class")).rank, 0);
    assert_int_equal(graph_shape(graph, graph_find_input(graph, "flag")).dim[0], 1);
    release(model, graph);
    assert_int_equal(build_text(text, &(ModelLoss){.kind = MODEL_LOSS_AUTO}, 1, &model, &graph), STATUS_FAILED);
    assert_message("the network has 2 outputs: say which one");
    release(model, graph);
    assert_int_equal(build_text(text, &(ModelLoss){.output = "sum", .kind = MODEL_LOSS_AUTO}, 1, &model, &graph),
                     STATUS_FAILED);
    assert_message("a loss is for output sum, which does not exist");
    release(model, graph);
    free(text);
}

#define DENSE(activation) NET("4", ONE("Dense", ",\"units\":3,\"activation\":\"" activation "\""))

static void losses_follow_the_output_and_the_label(void **state) {
    (void)state;
    const struct {
        const char *text;
        int kind;
        const Shape *label;
        LossKind expected;
        bool from_logits;
        size_t label_rank;
    } cases[] = {
        {DENSE("softmax"), MODEL_LOSS_AUTO, NULL, LOSS_SPARSE_CROSSENTROPY, true, 0},
        {DENSE("softmax"), MODEL_LOSS_AUTO, &SHAPE(3), LOSS_CROSSENTROPY, true, 1},
        {DENSE("softmax"), MODEL_LOSS_AUTO, &SHAPE(1), LOSS_SPARSE_CROSSENTROPY, true, 0},
        {DENSE("softmax"), LOSS_MEAN_SQUARED_ERROR, NULL, LOSS_MEAN_SQUARED_ERROR, false, 1},
        {DENSE("sigmoid"), MODEL_LOSS_AUTO, NULL, LOSS_BINARY_CROSSENTROPY, true, 1},
        {DENSE("sigmoid"), LOSS_CROSSENTROPY, NULL, LOSS_CROSSENTROPY, false, 1},
        {DENSE("linear"), MODEL_LOSS_AUTO, NULL, LOSS_MEAN_SQUARED_ERROR, false, 1},
        {DENSE("linear"), MODEL_LOSS_AUTO, &SHAPE(3), LOSS_MEAN_SQUARED_ERROR, false, 1},
        {DENSE("linear"), MODEL_LOSS_AUTO, &(Shape){0}, LOSS_SPARSE_CROSSENTROPY, true, 0},
        {DENSE("linear"), LOSS_HUBER, NULL, LOSS_HUBER, false, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model;
        Graph *graph;
        ModelLoss loss = {.kind = cases[i].kind, .weight = 1, .label = cases[i].label};
        assert_ok(build_text(cases[i].text, &loss, 1, &model, &graph));
        const LossAttr *attr = &loss_node(graph, 0)->op.attr.loss;
        assert_int_equal(attr->kind, cases[i].expected);
        assert_int_equal(attr->from_logits, cases[i].from_logits);
        assert_true(attr->delta == 1);
        assert_int_equal(graph_shape(graph, graph_find_input(graph, "y")).rank, cases[i].label_rank);
        release(model, graph);
    }
}

static void crossentropy_takes_a_linear_end_for_logits(void **state) {
    (void)state;
    for (int kind = 0; kind <= LOSS_BINARY_CROSSENTROPY; kind++) {
        Model *model;
        Graph *graph;
        assert_ok(build_text(DENSE("linear"), &(ModelLoss){.kind = kind, .weight = 1}, 1, &model, &graph));
        assert_true(loss_node(graph, 0)->op.attr.loss.from_logits);
        assert_int_equal(loss_node(graph, 0)->inputs[0], graph->outputs[0].node);
        release(model, graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_loss_looks_behind_softmax_and_sigmoid, nothing_left),
        cmocka_unit_test_teardown(losses_follow_the_output_and_the_label, nothing_left),
        cmocka_unit_test_teardown(crossentropy_takes_a_linear_end_for_logits, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
