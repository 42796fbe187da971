/* SPDX-License-Identifier: Apache-2.0
 *
 * Other classes and other sizes of images for networks that are there: every named network, Keras's JSON files,
 * networks in networks; and which layers freeze and thaw. */
#include "model/model_edit.h"
#include "model/zoo/zoo.h"
#include "train/freeze.h"
#include "unit/model_test.h"

static Graph *build(const Model *model) {
    Graph *graph;
    assert_ok(graph_create(&graph));
    assert_ok(model_build(model, &(ModelBuild){0}, graph));
    return graph;
}

/* Gives each head 5 classes; then every output has them, and no weight in front of the heads another shape.  The
 * network that is written and read again is the same. */
static void resize_heads(Model *model, size_t classes) {
    Graph *before = build(model), *after;
    bool *part = calloc(model->layer_count, sizeof *part);
    for (size_t i = 0; i < model->output_count; i++) {
        ModelHead head = model_head(model, i);
        assert_int_equal(head.kind, HEAD_CLASSES);
        assert_int_equal(head.classes, classes);
        model_head_layers(model, i, part);
        assert_ok(model_head_resize(model, i, 5));
    }
    after = build(model);
    for (size_t i = 0; i < model->output_count; i++)
        assert_true(shape_equal(&after->nodes[after->outputs[i].node].op.y, &SHAPE(5)));
    size_t changed = 0;
    assert_int_equal(before->param_count, after->param_count);
    for (size_t p = 0; p < after->param_count; p++) {
        const ParamSpec *spec = &after->params[p].spec;
        bool same = shape_equal(&before->params[p].spec.shape, &spec->shape);
        changed += !same;
        assert_true(same || part[model_find_layer(model, spec->layer)]);
    }
    assert_true(changed >= model->output_count); /* a kernel each, and mostly a bias */
    char *text, *again;
    Model *read;
    assert_ok(model_to_json(model, &text));
    assert_ok(model_parse(text, "written", &read));
    assert_ok(model_to_json(read, &again));
    assert_string_equal(text, again);
    memory_free(text);
    memory_free(again);
    model_destroy(read);
    free(part);
    graph_destroy(before);
    graph_destroy(after);
}

static void heads_of_the_zoo(void **state) {
    (void)state;
    for (size_t i = 0; i < zoo_count; i++) {
        Model *model;
        assert_ok(zoo_create(zoo_entries[i].name, zoo_entries[i].input, 9, &model));
        resize_heads(model, 9);
        model_destroy(model);
    }
}

/* MobileNet of Keras: a 1x1 convolution, whose output a Reshape names.  And a head with a batch norm behind it. */
static void heads_of_several_layers(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"mobile\",\"layers\":["
        "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"x\",\"batch_input_shape\":[null,4,4,8]}},"
        "{\"class_name\":\"GlobalAveragePooling2D\",\"config\":{\"name\":\"pool\",\"keepdims\":true}},"
        "{\"class_name\":\"Conv2D\",\"config\":{\"name\":\"conv_preds\",\"filters\":7,\"kernel_size\":1}},"
        "{\"class_name\":\"Reshape\",\"config\":{\"name\":\"reshape_2\",\"target_shape\":[7]}},"
        "{\"class_name\":\"Activation\",\"config\":{\"name\":\"predictions\",\"activation\":\"softmax\"}}]}}",
        "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"norm\",\"layers\":["
        "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"x\",\"batch_input_shape\":[null,4,4,8]}},"
        "{\"class_name\":\"Conv2D\",\"config\":{\"name\":\"conv\",\"filters\":7,\"kernel_size\":1}},"
        "{\"class_name\":\"BatchNormalization\",\"config\":{\"name\":\"bn\"}},"
        "{\"class_name\":\"GlobalAveragePooling2D\",\"config\":{\"name\":\"pool\"}},"
        "{\"class_name\":\"Softmax\",\"config\":{\"name\":\"softmax\"}}]}}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Model *model;
        assert_ok(model_parse(texts[i], "text", &model));
        resize_heads(model, 7);
        model_destroy(model);
    }
}

/* Networks that end in features: what they are called with, and what they end in then. */
static void heads_are_added(void **state) {
    (void)state;
    static const struct {
        const char *layers;
        Shape features;
        size_t added;
        const char *last;
    } cases[] = {
        {"{\"class_name\":\"Conv2D\",\"config\":{\"name\":\"predictions\",\"filters\":7,\"kernel_size\":1,"
         "\"activation\":\"relu\"}}",
         {3, {4, 4, 7}},
         3,
         "predictions_2"},
        {"{\"class_name\":\"Conv2D\",\"config\":{\"name\":\"conv\",\"filters\":7,\"kernel_size\":1}},"
         "{\"class_name\":\"GlobalAveragePooling2D\",\"config\":{\"name\":\"pool\"}}",
         {1, {7}},
         2,
         "predictions"},
        {"{\"class_name\":\"Flatten\",\"config\":{\"name\":\"flat\"}},"
         "{\"class_name\":\"Dense\",\"config\":{\"name\":\"embedding\",\"units\":7,\"activation\":\"relu\"}}",
         {1, {7}},
         2,
         "predictions"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1000];
        Model *model;
        snprintf(text, sizeof text,
                 "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"net\",\"layers\":["
                 "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"x\",\"batch_input_shape\":[null,4,4,8]}},%s]}}",
                 cases[i].layers);
        assert_ok(model_parse(text, "text", &model));
        size_t layers = model->layer_count;
        assert_int_equal(model_head(model, 0).kind, HEAD_FEATURES);
        assert_ok(model_head_add(model, 0, &cases[i].features, 3, 0.4));
        assert_int_equal(model->layer_count, layers + cases[i].added);
        assert_string_equal(model->layers[model->outputs[0].layer].name, cases[i].last);
        assert_int_equal(model_head(model, 0).kind, HEAD_CLASSES);
        resize_heads(model, 3);
        model_destroy(model);
    }
}

static void ends_that_are_no_single_layers(void **state) {
    (void)state;
    static const char text[] = "{\"class_name\":\"Functional\",\"config\":{\"name\":\"two\",\"layers\":["
                               "{\"class_name\":\"InputLayer\",\"name\":\"x\",\"inbound_nodes\":[],\"config\":{"
                               "\"name\":\"x\",\"batch_input_shape\":[null,4]}},"
                               "{\"class_name\":\"Dense\",\"name\":\"a\",\"inbound_nodes\":[[[\"x\",0,0,{}]]],"
                               "\"config\":{\"name\":\"a\",\"units\":3}},"
                               "{\"class_name\":\"Dense\",\"name\":\"b\",\"inbound_nodes\":[[[\"x\",0,0,{}]]],"
                               "\"config\":{\"name\":\"b\",\"units\":3}},"
                               "{\"class_name\":\"Add\",\"name\":\"sum\",\"inbound_nodes\":[[[\"a\",0,0,{}],[\"b\",0,0,"
                               "{}]]],\"config\":{\"name\":\"sum\"}},"
                               "{\"class_name\":\"Softmax\",\"name\":\"y\",\"inbound_nodes\":[[[\"sum\",0,0,{}]]],"
                               "\"config\":{\"name\":\"y\"}}],"
                               "\"input_layers\":[[\"x\",0,0]],\"output_layers\":[[\"y\",0,0]]}}";
    Model *model;
    assert_ok(model_parse(text, "text", &model));
    assert_int_equal(model_head(model, 0).kind, HEAD_UNKNOWN);
    model_destroy(model);
}

static void inputs_of_another_size(void **state) {
    (void)state;
    Model *model;
    Shape before;
    assert_ok(zoo_create("squeezenet", SHAPE(224, 224, 3), 9, &model));
    assert_false(model_set_input(model, &SHAPE(224, 224, 3), &before));
    assert_false(model_set_input(model, &SHAPE(96, 64, 1), &before)); /* other channels: left to the layers' messages */
    assert_true(model_set_input(model, &SHAPE(96, 64, 3), &before));
    assert_true(shape_equal(&before, &SHAPE(224, 224, 3)));
    Graph *graph = build(model);
    Shape x = graph_shape(graph, graph_find_input(graph, "x"));
    assert_true(shape_equal(&x, &SHAPE(96, 64, 3)));
    release(model, graph);
}

/* ---- freezing ---------------------------------------------------------------------------------------------------- */

/* "01101": which of the layers train. */
static const char *trained(const Model *model) {
    static char text[100];
    size_t l = 0;
    for (; l < model->layer_count && l + 1 < sizeof text; l++)
        text[l] = model->layers[l].trainable ? '1' : '0';
    text[l] = '\0';
    return text;
}

#define DENSE(name) "{\"class_name\":\"Dense\",\"config\":{\"name\":\"" name "\",\"units\":3}}"
#define INPUT       "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"x\",\"batch_input_shape\":[null,4]}},"
static const char chain[] = "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"net\",\"layers\":[" INPUT DENSE(
    "a1") "," DENSE("a2") ",{\"class_name\":\"Sequential\",\"config\":{\"name\":\"base\",\"layers\":[" INPUT
    DENSE("b1") "," DENSE("b2") "]}}," DENSE("c") "]}}";

static void layers_freeze(void **state) {
    (void)state;
    static const struct {
        const char *freeze, *until, *unfreeze;
        size_t epoch;
        const char *expected; /* or a part of the message */
    } cases[] = {
        {"", "", "", 1, "111111"}, /* x a1 a2 b1 b2 c; the input is never frozen */
        {"a*", "", "", 1, "100111"},
        {"a1,c", "", "", 1, "101110"},
        {"base", "", "", 1, "111001"}, /* all of the network inside */
        {"[ab]2", "", "", 1, "110101"},
        {"sequential/layers/*", "", "", 1, "111001"},
        {"", "c", "", 1, "100001"},
        {"", "base", "", 1, "100111"},
        {"c", "b2", "", 1, "100010"},
        {"", "c", "b2@2", 1, "100001"},
        {"", "c", "b2@2", 2, "100011"},
        {"", "c", "b2@2,a2@3", 9, "101111"},
        {"", "c", "a*@2", 2, "111001"},
        {"d", "", "", 1, "--freeze d: network net has no such layer. Near: c, "},
        {"b3*", "", "", 1, "--freeze b3*: network net has no such layer. Near: b1, b2, "},
        {"", "d", "", 1, "--freeze-until d: network net has no such layer"},
        {"", "c", "d@7", 1, "--unfreeze d: network net has no such layer"},
        {"", "c", "d*@7", 1, "--unfreeze d*: network net has no such layer"},
        {"", "c", "b2", 1, "--unfreeze b2: must be LAYER@EPOCH"},
        {"", "c", "b2@0", 1, "--unfreeze b2@0: must be"},
        {"", "c", "b2@1x", 1, "--unfreeze b2@1x: must be"},
        {"", "c", "@1", 1, "--unfreeze @1: must be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model;
        bool changed;
        assert_ok(model_parse(chain, "text", &model));
        Status status = freeze_layers(model, cases[i].freeze, cases[i].until);
        if (status == STATUS_OK)
            status = freeze_thaw(model, cases[i].unfreeze, cases[i].epoch, &changed);
        const char *found = status == STATUS_OK ? trained(model) : status_message();
        assert_true(status == STATUS_OK || status == STATUS_USAGE);
        if (strstr(found, cases[i].expected) == NULL)
            fail_msg("case %zu: \"%s\", expected \"%s\"", i, found, cases[i].expected);
        model_destroy(model);
    }
}

static void epochs_of_phases(void **state) {
    (void)state;
    assert_int_equal(freeze_next("a@3,b*@2,c@9", 0), 2);
    assert_int_equal(freeze_next("a@3,b*@2,c@9", 2), 3);
    assert_int_equal(freeze_next("a@3,b*@2,c@9", 3), 9);
    assert_int_equal(freeze_next("a@3,b*@2,c@9", 9), 0);
    assert_int_equal(freeze_next("", 0), 0);
}

/* Where the frozen front ends; -1 without one, and where two ways lead out of it. */
static void frontiers(void **state) {
    (void)state;
    static const struct { const char *until, *layer; } cases[] = {{"a1", NULL}, {"a2", "a1"}, {"c", "b2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model;
        Graph *graph;
        assert_ok(model_parse(chain, "text", &model));
        assert_ok(freeze_layers(model, "", cases[i].until));
        assert_ok(graph_create(&graph));
        assert_ok(model_build(
            model, &(ModelBuild){.losses = &(ModelLoss){.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}, .loss_count = 1},
            graph));
        assert_ok(graph_finish(graph));
        int node = graph_frontier(graph);
        assert_int_equal(node < 0, cases[i].layer == NULL);
        if (node >= 0)
            assert_string_equal(graph->nodes[node].layer, cases[i].layer);
        release(model, graph);
    }
    Model *model; /* a residual network, cut inside a block */
    Graph *graph;
    assert_ok(zoo_create("resnet20", SHAPE(32, 32, 3), 10, &model));
    const char *inside = model->layers[model->order[12].layer].name;
    assert_ok(freeze_layers(model, "", inside));
    assert_ok(graph_create(&graph));
    assert_ok(model_build(
        model, &(ModelBuild){.losses = &(ModelLoss){.kind = MODEL_LOSS_AUTO, .weight = 1}, .loss_count = 1}, graph));
    assert_ok(graph_finish(graph));
    assert_int_equal(graph_frontier(graph), -1);
    release(model, graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(heads_of_the_zoo, nothing_left),
        cmocka_unit_test_teardown(heads_of_several_layers, nothing_left),
        cmocka_unit_test_teardown(heads_are_added, nothing_left),
        cmocka_unit_test_teardown(ends_that_are_no_single_layers, nothing_left),
        cmocka_unit_test_teardown(inputs_of_another_size, nothing_left),
        cmocka_unit_test_teardown(layers_freeze, nothing_left),
        cmocka_unit_test_teardown(epochs_of_phases, nothing_left),
        cmocka_unit_test_teardown(frontiers, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
