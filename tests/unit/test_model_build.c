/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks as graphs: sizes, sharing, freezing, penalties; and descriptions that fit no graph. */
#include "graph/graph.h"
#include "io/h5io.h"
#include "unit/model_json.h"
#include "unit/model_test.h"
#include <sys/stat.h>

#define PADDED(amount, layer)                                                                                          \
    NET("9,9,2", "{\"class_name\":\"ReLU\",\"config\":{\"name\":\"relu\"}},{\"class_name\":\"ZeroPadding2D\","         \
                 "\"config\":{\"name\":\"pad\",\"padding\":" amount "}}," layer)

/* Pads before the window of a valid convolution, or of a maximum of numbers that are not negative, go into it. */
static void zero_padding_becomes_part_of_a_window(void **state) {
    (void)state;
    const struct {
        const char *text;
        bool taken;
    } cases[] = {
        {PADDED("2", ONE("Conv2D", ",\"filters\":1,\"kernel_size\":3")), true},
        {PADDED("3", ONE("Conv2D", ",\"filters\":1,\"kernel_size\":3")), false},
        {PADDED("3", ONE("Conv2D", ",\"filters\":1,\"kernel_size\":3,\"dilation_rate\":2")), true},
        {PADDED("1", ONE("Conv2D", ",\"filters\":1,\"kernel_size\":3,\"padding\":\"same\"")), false},
        {PADDED("[[0,1],[0,1]]", ONE("DepthwiseConv2D", ",\"kernel_size\":3,\"strides\":2")), true},
        {PADDED("1", ONE("SeparableConv2D", ",\"filters\":3,\"kernel_size\":3")), true},
        {PADDED("1", ONE("MaxPooling2D", ",\"pool_size\":3")), true},
        {PADDED("1", ONE("AveragePooling2D", ",\"pool_size\":3")), false},
        {NET("9,9,2", "{\"class_name\":\"ZeroPadding2D\",\"config\":{\"name\":\"pad\"}}," ONE("MaxPooling2D",
                                                                                              ",\"pool_size\":3")),
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model;
        Graph *graph;
        assert_ok(build_text(cases[i].text, NULL, 0, &model, &graph));
        size_t run = 0;
        for (size_t k = 0; k < graph->node_count; k++)
            run += graph->nodes[k].in_prediction && graph->nodes[k].op.kind == OP_PAD2D;
        assert_int_equal(run, !cases[i].taken);
        release(model, graph);
    }
}

/* ---- parameters ---- */

static void shared_layers_share_parameters(void **state) {
    (void)state;
    char *text = golden("keras3_branches.json");
    Model *model;
    Graph *graph;
    assert_ok(build_text(text, NULL, 0, &model, &graph));
    int params[MODEL_LAYER_PARAMS];
    size_t shared = (size_t)model_find_layer(model, "shared"), uses = 0;
    assert_int_equal(model_layer_params(model, shared, graph, params), 2);
    assert_string_equal(graph->params[params[0]].spec.name, "kernel");
    assert_string_equal(graph->params[params[1]].spec.name, "bias");
    for (size_t i = 0; i < graph->node_count; i++)
        uses += graph->nodes[i].op.kind == OP_CONV2D && graph->nodes[i].params[0] == params[0];
    assert_int_equal(uses, 2);
    assert_true(graph_find_input(graph, "left") >= 0 && graph_find_input(graph, "right") >= 0);
    assert_true(graph_find_output(graph, "class") >= 0 && graph_find_output(graph, "flag") >= 0);
    assert_int_equal(graph_find_input(graph, "x"), -1);
    release(model, graph);
    free(text);
}

/* Outputs may name the calls of a shared layer in any order, so that a later call is built first. */
static void calls_of_a_shared_layer_are_built_in_any_order(void **state) {
    (void)state;
    static const char text[] =
        "{\"class_name\":\"Functional\",\"config\":{\"layers\":["
        "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"a\",\"batch_input_shape\":[null,4]},\"inbound_nodes\":[]"
        "},"
        "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"b\",\"batch_input_shape\":[null,4]},\"inbound_nodes\":[]"
        "},"
        "{\"class_name\":\"Dense\",\"config\":{\"name\":\"d\",\"units\":3},\"inbound_nodes\":[[[\"a\",0,0]],[[\"b\",0,"
        "0]]]}],"
        "\"input_layers\":[[\"a\",0,0],[\"b\",0,0]],\"output_layers\":[[\"d\",1,0],[\"d\",0,0]]}}";
    Model *model;
    Graph *graph;
    assert_ok(build_text(text, NULL, 0, &model, &graph));
    assert_int_equal(saved_count(graph), 4 * 3 + 3);
    assert_int_equal(graph->nodes[graph_find_output(graph, "d")].inputs[0], graph_find_input(graph, "b"));
    assert_int_equal(graph->nodes[graph_find_output(graph, "d_1")].inputs[0], graph_find_input(graph, "a"));
    release(model, graph);
}

static void configuration_reaches_the_parameters(void **state) {
    (void)state;
    char *text = golden("keras2_functional.json");
    Model *model;
    Graph *graph;
    assert_ok(build_text(text, NULL, 0, &model, &graph));
    assert_int_equal(find_param(graph, "bn", "gamma")->spec.role, PARAM_FROZEN); /* trainable: false */
    assert_true(find_param(graph, "bn", "moving_mean")->spec.momentum == 0.9);
    assert_true(find_param(graph, "bn", "moving_variance")->spec.init.a == 1);
    const ParamSpec *kernel = &find_param(graph, "b", "kernel")->spec;
    assert_true(kernel->l1 == 0 && kernel->l2 == 0.009999999776482582);
    assert_int_equal(kernel->init.kind, INIT_VARIANCE_SCALING);
    assert_int_equal(kernel->init.mode, FAN_AVERAGE);
    assert_int_equal(kernel->init.spread, SPREAD_UNIFORM);
    assert_int_equal(kernel->role, PARAM_TRAINED);
    for (size_t i = 0; i < graph->node_count; i++) {
        const OpDesc *op = &graph->nodes[i].op;
        if (op->kind == OP_BATCH_NORM)
            assert_true(op->attr.norm.frozen && op->attr.norm.epsilon == 1e-5);
        if (op->kind == OP_ACTIVATION && op->attr.activation.kind == ACTIVATION_HARD_SIGMOID)
            assert_true(op->attr.activation.alpha == 0.2); /* Keras 2 */
    }
    release(model, graph);
    free(text);
}

#define KERNEL(initializer) NET("4", ONE("Dense", ",\"units\":3,\"kernel_initializer\":" initializer))
#define OBJECT(class, keys) KERNEL("{\"class_name\":\"" class "\",\"config\":{" keys "}}")

static void initializers_mean_what_keras_says(void **state) {
    (void)state;
    const struct {
        const char *text;
        Initializer expected;
    } cases[] = {
        {KERNEL("\"zeros\""), {.kind = INIT_CONSTANT}},
        {KERNEL("\"Ones\""), {.kind = INIT_CONSTANT, .a = 1}},
        {OBJECT("Constant", "\"value\":0.5"), {.kind = INIT_CONSTANT, .a = 0.5}},
        {KERNEL("\"random_uniform\""), {.kind = INIT_UNIFORM, .a = -0.05, .b = 0.05}},
        {OBJECT("RandomUniform", "\"minval\":0,\"seed\":7"), {.kind = INIT_UNIFORM, .a = 0, .b = 0.05}},
        {OBJECT("RandomNormal", "\"stddev\":1"), {.kind = INIT_NORMAL, .b = 1}},
        {KERNEL("\"truncated_normal\""), {.kind = INIT_TRUNCATED_NORMAL, .b = 0.05}},
        {KERNEL("\"glorot_uniform\""), {INIT_VARIANCE_SCALING, 0, 0, 1, FAN_AVERAGE, SPREAD_UNIFORM}},
        {KERNEL("\"glorot_normal\""), {INIT_VARIANCE_SCALING, 0, 0, 1, FAN_AVERAGE, SPREAD_TRUNCATED}},
        {KERNEL("\"he_uniform\""), {INIT_VARIANCE_SCALING, 0, 0, 2, FAN_IN, SPREAD_UNIFORM}},
        {OBJECT("HeNormal", "\"seed\":null"), {INIT_VARIANCE_SCALING, 0, 0, 2, FAN_IN, SPREAD_TRUNCATED}},
        {KERNEL("\"lecun_uniform\""), {INIT_VARIANCE_SCALING, 0, 0, 1, FAN_IN, SPREAD_UNIFORM}},
        {KERNEL("\"lecun_normal\""), {INIT_VARIANCE_SCALING, 0, 0, 1, FAN_IN, SPREAD_TRUNCATED}},
        {OBJECT("VarianceScaling", ""), {INIT_VARIANCE_SCALING, 0, 0, 1, FAN_IN, SPREAD_TRUNCATED}},
        {OBJECT("VarianceScaling", "\"scale\":3,\"mode\":\"fan_out\",\"distribution\":\"untruncated_normal\""),
         {INIT_VARIANCE_SCALING, 0, 0, 3, FAN_OUT, SPREAD_NORMAL}},
        {OBJECT("VarianceScaling", "\"distribution\":\"normal\""),
         {INIT_VARIANCE_SCALING, 0, 0, 1, FAN_IN, SPREAD_TRUNCATED}},
        {OBJECT("Orthogonal", "\"gain\":2"), {.kind = INIT_ORTHOGONAL, .a = 2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *model;
        Graph *graph;
        assert_ok(build_text(cases[i].text, NULL, 0, &model, &graph));
        Initializer made = find_param(graph, "a", "kernel")->spec.init, expected = cases[i].expected;
        assert_int_equal(made.kind, expected.kind);
        assert_true(made.a == expected.a && made.b == expected.b && made.scale == expected.scale);
        assert_int_equal(made.mode, expected.mode);
        assert_int_equal(made.spread, expected.spread);
        release(model, graph);
    }
}

static void frozen_layers_have_no_penalty_and_no_gradient(void **state) {
    (void)state;
    char *text = golden("keras3_sequential.json");
    Model *model;
    Graph *graph;
    assert_ok(model_parse(text, "net", &model));
    model->layers[model_find_layer(model, "conv")].trainable = false;
    assert_ok(graph_create(&graph));
    assert_ok(model_build(model, &(ModelBuild){0}, graph));
    assert_int_equal(find_param(graph, "conv", "kernel")->spec.role, PARAM_FROZEN);
    assert_true(find_param(graph, "conv", "kernel")->spec.l2 == 0);
    assert_int_equal(find_param(graph, "bn", "gamma")->spec.role, PARAM_TRAINED);
    assert_int_equal(find_param(graph, "bn", "moving_mean")->spec.role, PARAM_STATISTIC);
    release(model, graph);
    free(text);
}

/* ---- what fits no graph ---- */

static const struct {
    const char *text, *message;
} refused[] = {
    {NET("null,8,1", ONE("Flatten", "")), "layer in (InputLayer): batch_input_shape leaves dimension 1 open"},
    {NET("8,8", ONE("Conv2D", ",\"filters\":1,\"kernel_size\":3")),
     "layer a (Conv2D): needs an input of 3 dimensions, got 8x8"},
    {NET("2,2,1", ONE("Conv2D", ",\"filters\":1,\"kernel_size\":3")), "layer a"},
    {NET("8,8,3", ONE("Conv2D", ",\"filters\":4,\"kernel_size\":3,\"groups\":2")),
     "groups 2 does not divide 3 input channels"},
    {NET("16777216,16777216,16777216", ONE("Flatten", "")), "too large"},
    {NET("16777216,1024", ONE("Dense", ",\"units\":16777216")), "too large"},
    {NET("9,9,1048576", ONE("Conv2D", ",\"filters\":16777216,\"kernel_size\":9")), "kernel is too large"},
    {NET("65536,65536,1", ONE("UpSampling2D", ",\"size\":16777216")), "too large"},
    {NET("4,4,1", ONE("ZeroPadding2D", ",\"padding\":16777216")), "too large"},
    {NET("4,4,1", ONE("Cropping2D", ",\"cropping\":2")), "layer a"},
    {NET("4,4,1", ONE("Reshape", ",\"target_shape\":[3,-1]")), "target_shape does not fit an input of 4x4x1"},
    {NET("4,4,1", ONE("Reshape", ",\"target_shape\":[-1,-1]")), "target_shape does not fit"},
    {NET("4,4,1", ONE("Reshape", ",\"target_shape\":[2,2]")), "target_shape does not fit"},
    {NET("4,4,1", ONE("Reshape", ",\"target_shape\":[16,1,1,1,1,1]")), "at most 5 are supported"},
    {NET("4,4,1", ONE("Permute", ",\"dims\":[1,1,2]")), "each of the 3 input dimensions once"},
    {NET("4,4,1", ONE("Permute", ",\"dims\":[2,1]")), "each of the 3 input dimensions once"},
    {NET("4,4,2", ONE("BatchNormalization", ",\"axis\":1")), "axis 1 is not supported, only the last one (-1 or 3)"},
    {NET("4,4,2", ONE("BatchNormalization", ",\"momentum\":2")), "momentum 2 is not between 0 and 1"},
    {NET("4,4,2", ONE("LayerNormalization", ",\"axis\":[1]")), "only the last axes can be normalized"},
    {NET("4,4,2", ONE("LayerNormalization", ",\"axis\":[3,3]")), "only the last axes can be normalized"},
    {NET("4,4,2", ONE("LayerNormalization", ",\"axis\":[-5]")), "only the last axes can be normalized"},
    {NET("4,4,2", ONE("GroupNormalization", ",\"groups\":3")), "groups 3 does not divide 2 channels"},
    {NET("4,4,2", ONE("Normalization", ",\"mean\":1")), "mean and variance must be given both or none"},
    {NET("4,4,2", ONE("Normalization", ",\"mean\":[1,1,1],\"variance\":1")), "mean has 3 numbers for 2 channels"},
    {NET("4,4,2", ONE("Softmax", ",\"axis\":1")), "axis 1 is not supported"},
    {NET("4,4,2", ONE("PReLU", ",\"shared_axes\":[4]")), "shared_axes: axis 4 does not exist"},
    {NET("4,4,2", ONE("Dropout", ",\"rate\":1.5")), "rate 1.5 is not between 0 and 1"},
    {NET("4,4,2", ONE("Dropout", ",\"rate\":0.5,\"noise_shape\":[null,2,1,1]")),
     "noise_shape must be null for the batch"},
    {NET("4,4,2", ONE("Dropout", ",\"rate\":0.5,\"noise_shape\":[null,1]")), "noise_shape must be null for the batch"},
    {NET("4,4,2", ONE("ReLU", ",\"negative_slope\":-1")), "must not be negative"},
};

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Model *model;
        Graph *graph;
        if (build_text(refused[i].text, NULL, 0, &model, &graph) == STATUS_OK)
            fail_msg("accepted: %s", refused[i].text);
        assert_message(refused[i].message);
        release(model, graph);
    }
}

static void axes_may_be_counted_from_both_ends(void **state) {
    (void)state;
    Model *model;
    Graph *graph;
    assert_ok(build_text(NET("4,5,2", ONE("LayerNormalization", ",\"axis\":[-1,2]")), NULL, 0, &model, &graph));
    assert_true(shape_equal(&find_param(graph, "a", "gamma")->spec.shape, &SHAPE(5, 2)));
    release(model, graph);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    char *text = golden("keras3_branches.json");
    Model *model;
    Graph *graph = NULL;
    Status status = STATUS_FAILED;
    size_t n = 0;
    assert_ok(model_parse(text, "net", &model));
    while (status != STATUS_OK) {
        memory_fail_at(++n);
        status = graph_create(&graph);
        if (status == STATUS_OK)
            status = model_build(model, &(ModelBuild){0}, graph);
        memory_fail_at(0);
        graph_destroy(graph);
        graph = NULL;
    }
    assert_true(n > 30);
    model_destroy(model);
    free(text);
}

/* ---- files that Keras 2 wrote ---- */

static void networks_in_real_files_have_their_size(void **state) {
    (void)state;
    const struct {
        const char *name;
        size_t parameters;
    } files[] = {{"mnist_cnn.h5", 129066},
                 {"fer2013_mini_XCEPTION.102-0.66.hdf5", 58423},
                 {"fer2013_big_XCEPTION.54-0.66.hdf5", 208871}};
    const char *data = getenv("CNN_TEST_DATA"), *root = getenv("CNN_SOURCE_DIR");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[1024], *text;
        struct stat info;
        H5ioFile *file;
        Model *model;
        Graph *graph;
        snprintf(path, sizeof path, "%s%s/models/%s",
                 data   ? data
                 : root ? root
                        : ".",
                 data ? "" : "/../shared/data", files[i].name);
        if (stat(path, &info) != 0) {
            print_message("no %s: set CNN_TEST_DATA\n", path);
            skip();
        }
        assert_ok(h5io_open(path, &file));
        assert_ok(h5io_attr_read_string(file, "/", "model_config", &text));
        assert_ok(h5io_close(file));
        assert_ok(build_text(text, NULL, 0, &model, &graph));
        assert_int_equal(saved_count(graph), files[i].parameters);
        memory_free(text);
        release(model, graph);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(zero_padding_becomes_part_of_a_window, nothing_left),
        cmocka_unit_test_teardown(shared_layers_share_parameters, nothing_left),
        cmocka_unit_test_teardown(calls_of_a_shared_layer_are_built_in_any_order, nothing_left),
        cmocka_unit_test_teardown(configuration_reaches_the_parameters, nothing_left),
        cmocka_unit_test_teardown(initializers_mean_what_keras_says, nothing_left),
        cmocka_unit_test_teardown(frozen_layers_have_no_penalty_and_no_gradient, nothing_left),
        cmocka_unit_test_teardown(what_does_not_fit_is_refused, nothing_left),
        cmocka_unit_test_teardown(axes_may_be_counted_from_both_ends, nothing_left),
        cmocka_unit_test_teardown(every_failing_allocation_is_survived, nothing_left),
        cmocka_unit_test_teardown(networks_in_real_files_have_their_size, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
