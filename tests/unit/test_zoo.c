/* SPDX-License-Identifier: Apache-2.0
 *
 * The named networks: sizes, other inputs, unknown names. */
#include "graph/graph.h"
#include "model/zoo/zoo.h"
#include "unit/model_test.h"

static void networks_of_the_zoo_have_their_size(void **state) {
    (void)state;
    assert_true(zoo_count >= 4);
    for (size_t i = 0; i < zoo_count; i++) {
        const ZooEntry *entry = &zoo_entries[i];
        Model *model;
        Graph *graph;
        assert_ok(zoo_create(entry->name, entry->input, entry->classes, &model));
        assert_ok(graph_create(&graph));
        assert_ok(model_build(model, &(ModelBuild){0}, graph));
        assert_int_equal(saved_count(graph), entry->parameters);
        Shape x = graph_shape(graph, graph_find_input(graph, "x"));
        Shape y = graph_shape(graph, graph->outputs[0].node);
        assert_true(shape_equal(&x, &entry->input));
        assert_true(shape_equal(&y, &SHAPE(entry->classes)));
        release(model, graph);
    }
}

/* Of the network's rank, all extents n, but the second of images, and two channels. */
static Shape small_shape(const ZooEntry *entry, size_t n, size_t second) {
    const Shape shapes[] = {{0}, SHAPE(n), SHAPE(n, 2), SHAPE(n, second, 2), SHAPE(n, n, second, 2)};
    return shapes[entry->input.rank];
}

/* The smallest example builds; one pixel less is refused before any layer complains, and some layer would. */
static void smallest_examples_are_known(void **state) {
    (void)state;
    for (size_t i = 0; i < zoo_count; i++) {
        const ZooEntry *entry = &zoo_entries[i];
        size_t n = entry->smallest;
        Model *model, *none;
        Graph *graph;
        assert_ok(zoo_create(entry->name, small_shape(entry, n, n + 9), 3, &model)); /* any channels, any classes */
        assert_ok(graph_create(&graph));
        assert_ok(model_build(model, &(ModelBuild){0}, graph));
        graph_destroy(graph);
        assert_int_equal(zoo_create(entry->name, small_shape(entry, n - 1, n + 9), 3, &none), STATUS_USAGE);
        assert_message(" of at least ");
        assert_message(entry->name);
        json_t *input = json_object_get(model->layers[0].config, "batch_input_shape");
        json_array_set_new(input, 1, json_integer((json_int_t)n - 1));
        assert_ok(graph_create(&graph));
        if (n > 1)
            assert_int_not_equal(model_build(model, &(ModelBuild){0}, graph), STATUS_OK);
        release(model, graph);
    }
}

static void other_inputs_and_classes_fit(void **state) {
    (void)state;
    Model *model;
    Graph *graph;
    assert_ok(zoo_create("keras-mnist", SHAPE(32, 40, 3), 7, &model));
    assert_ok(graph_create(&graph));
    assert_ok(model_build(model, &(ModelBuild){0}, graph));
    assert_int_equal(find_param(graph, "conv1", "kernel")->count, 3 * 3 * 3 * 32);
    assert_int_equal(find_param(graph, "predictions", "kernel")->count, 128 * 7);
    release(model, graph);
    assert_int_equal(zoo_create("keras-mnist", SHAPE(28, 28, 1), 0, &model), STATUS_USAGE);
    assert_message("network keras-mnist needs at least one channel and one class");
    assert_int_equal(zoo_create("keras-mnist", SHAPE(64), 10, &model), STATUS_USAGE);
    assert_message(
        "network keras-mnist takes images, height x width x channels; an example is 64. For those, --model takes mlp, "
        "text-cnn, or a Keras file");
    assert_ok(zoo_create("fcn-1d", SHAPE(96), 2, &model)); /* one channel */
    model_destroy(model);
    assert_ok(zoo_create("fcn-1d", SHAPE(96, 3, 1), 2, &model)); /* as a dataset has a series of three */
    assert_int_equal(
        json_integer_value(json_array_get(json_object_get(model->layers[0].config, "batch_input_shape"), 2)), 3);
    model_destroy(model);
    assert_int_equal(zoo_create("fcn-1d", SHAPE(28, 28, 3), 10, &model), STATUS_USAGE);
    assert_message("network fcn-1d takes series, length x channels; an example is 28x28x3. For those, --model takes a "
                   "network for images");
    assert_int_equal(zoo_create("lenet-5", SHAPE(28, 28, 1), 10, &model), STATUS_USAGE);
    assert_message("unknown network \"lenet-5\". Did you mean lenet5? cnn_train --list-models");
    assert_int_equal(zoo_create("resnet21", SHAPE(28, 28, 1), 10, &model), STATUS_USAGE);
    assert_message("Did you mean resnet20, ");
    assert_int_equal(zoo_create("nothing-like-it", SHAPE(28, 28, 1), 10, &model), STATUS_USAGE);
    assert_message("unknown network \"nothing-like-it\". cnn_train --list-models names all; a Keras file, .json");
}

static size_t trained_elements(const Graph *graph) {
    size_t count = 0;
    for (size_t i = 0; i < graph->param_count; i++)
        if (graph->params[i].spec.role == PARAM_TRAINED)
            count += graph->params[i].count;
    return count;
}

/* How many operations of a kind training runs. */
static size_t trained_nodes(const Graph *graph, OpKind kind) {
    size_t count = 0;
    for (size_t i = 0; i < graph->node_count; i++)
        count += graph->nodes[i].in_training && graph->nodes[i].op.kind == kind;
    return count;
}

static void residual_networks_are_those_of_the_paper(void **state) {
    (void)state;
    const struct {
        const char *name;
        size_t trained, convolutions, pads; /* trained: as in PyTorch */
    } nets[] = {{"resnet20", 269722, 19, 2},   {"resnet32", 464154, 31, 2},         {"resnet44", 658586, 43, 2},
                {"resnet56", 853018, 55, 2},   {"resnet110", 1727962, 109, 2},      {"resnet18", 11689512, 20, 0},
                {"resnet34", 21797672, 36, 0}, {"resnet18-cifar", 11173962, 20, 0}, {"resnet50-v1.5", 25557032, 53, 0}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        const ZooEntry *entry = zoo_find(nets[i].name);
        Model *model;
        Graph *graph;
        assert_ok(zoo_create(nets[i].name, entry->input, entry->classes, &model));
        assert_ok(graph_create(&graph));
        ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
        assert_ok(model_build(model, &(ModelBuild){.losses = &loss, .loss_count = 1}, graph));
        assert_ok(graph_finish(graph));
        assert_int_equal(trained_elements(graph), nets[i].trained);
        assert_int_equal(trained_nodes(graph, OP_CONV2D), nets[i].convolutions);
        assert_int_equal(trained_nodes(graph, OP_BATCH_NORM), nets[i].convolutions);
        assert_int_equal(trained_nodes(graph, OP_PAD2D), nets[i].pads); /* new channels; no image is padded */
        assert_int_equal(trained_nodes(graph, OP_SOFTMAX), 0);
        release(model, graph);
        assert_ok(zoo_create(nets[i].name, SHAPE(33, 20, 2), 7, &model)); /* odd extents */
        assert_ok(graph_create(&graph));
        assert_ok(model_build(model, &(ModelBuild){0}, graph));
        release(model, graph);
    }
}

/* Some weights deep inside, so that Keras's pretrained files find their place.  tests/keras compares all. */
static void networks_of_keras_have_its_names(void **state) {
    (void)state;
    const struct {
        const char *network, *layer, *weight;
        size_t count;
    } weights[] = {{"vgg16", "block5_conv3", "kernel", 9 * 512 * 512},
                   {"vgg19", "block4_conv4", "bias", 512},
                   {"inception-v3", "conv2d_93", "kernel", 2048 * 192},
                   {"inception-v3", "batch_normalization_31", "beta", 128},
                   {"xception", "conv2d_3", "kernel", 728 * 1024},
                   {"xception", "block14_sepconv2", "pointwise_kernel", 1536 * 2048},
                   {"resnet50", "conv3_block1_0_conv", "kernel", 256 * 512},
                   {"resnet101", "conv4_block23_3_bn", "moving_variance", 1024},
                   {"resnet152", "conv4_block36_2_conv", "bias", 256},
                   {"resnet50-v2", "conv5_block3_preact_bn", "gamma", 2048},
                   {"densenet121", "conv5_block16_1_conv", "kernel", 992 * 128},
                   {"densenet169", "pool4_conv", "kernel", 1280 * 640},
                   {"densenet201", "conv4_block48_2_conv", "kernel", 9 * 128 * 32},
                   {"mobilenet", "conv_dw_13", "depthwise_kernel", 9 * 1024},
                   {"mobilenet-v2", "block_16_project_BN", "moving_mean", 320},
                   {"mobilenet-v3-small", "expanded_conv_10_squeeze_excite_conv_1", "kernel", 144 * 576},
                   {"mobilenet-v3-large", "expanded_conv_14_depthwise", "depthwise_kernel", 25 * 960},
                   {"efficientnet-b0", "normalization", "variance", 3},
                   {"efficientnet-b3", "block2c_expand_conv", "kernel", 32 * 192},
                   {"efficientnet-b7", "block7d_se_reduce", "bias", 160}};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        Model *model;
        Graph *graph;
        assert_ok(zoo_create(weights[i].network, SHAPE(75, 75, 3), 10, &model));
        assert_ok(graph_create(&graph));
        assert_ok(model_build(model, &(ModelBuild){0}, graph));
        assert_int_equal(find_param(graph, weights[i].layer, weights[i].weight)->count, weights[i].count);
        release(model, graph);
    }
}

static void googlenet_has_two_auxiliary_outputs(void **state) {
    (void)state;
    Model *model;
    Graph *graph;
    assert_string_equal(zoo_find("googlenet")->recipe->loss_weights, "1,0.3,0.3");
    assert_ok(zoo_create("googlenet", SHAPE(65, 65, 3), 10, &model));
    assert_int_equal(model->output_count, 3);
    assert_ok(graph_create(&graph));
    assert_ok(model_build(model, &(ModelBuild){0}, graph));
    assert_int_equal(graph_find_output(graph, "predictions"), graph->outputs[0].node);
    assert_int_equal(graph_find_output(graph, "aux1"), graph->outputs[1].node);
    assert_int_equal(graph_find_output(graph, "aux2"), graph->outputs[2].node);
    assert_int_equal(find_param(graph, "aux1_conv", "kernel")->count, 512 * 128); /* after inception 4a */
    assert_int_equal(find_param(graph, "aux2_conv", "kernel")->count, 528 * 128); /* after 4d */
    release(model, graph);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(networks_of_the_zoo_have_their_size, nothing_left),
        cmocka_unit_test_teardown(smallest_examples_are_known, nothing_left),
        cmocka_unit_test_teardown(other_inputs_and_classes_fit, nothing_left),
        cmocka_unit_test_teardown(residual_networks_are_those_of_the_paper, nothing_left),
        cmocka_unit_test_teardown(networks_of_keras_have_its_names, nothing_left),
        cmocka_unit_test_teardown(googlenet_has_two_auxiliary_outputs, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
