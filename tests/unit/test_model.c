/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras JSON: files that Keras 2 and 3 wrote are understood, and the canonical text means the same.  What is refused:
 * test_model_refused.c. */
#include "model/layers.h"
#include "unit/model_json.h"
#include "unit/model_test.h"

static const char *const files[] = {"keras3_sequential.json", "keras3_branches.json",     "keras3_every_layer.json",
                                    "keras2_functional.json", "keras2_sequential.json",   "keras2_nested.json",
                                    "keras3_nested.json",     "keras3_augmentation.json", "keras3_series.json",
                                    "keras3_tokens.json",     "keras3_volume.json"};
enum { FILES = sizeof files / sizeof *files };

static void canonical_text_means_the_same(void **state) {
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        char *text = golden(files[i]), *canonical, *again;
        Model *model, *back;
        assert_ok(model_parse(text, files[i], &model));
        assert_ok(model_to_json(model, &canonical));
        assert_ok(model_parse(canonical, "canonical", &back));
        assert_ok(model_to_json(back, &again));
        assert_string_equal(canonical, again);
        assert_int_equal(model->layer_count, back->layer_count);
        assert_int_equal(model->keras, back->keras);
        for (size_t k = 0; k < model->layer_count; k++) {
            assert_string_equal(model->layers[k].name, back->layers[k].name);
            assert_true(json_equal(model->layers[k].config, back->layers[k].config));
            assert_int_equal(model->layers[k].trainable, back->layers[k].trainable);
        }
        model_destroy(model);
        model_destroy(back);
        memory_free(canonical);
        memory_free(again);
        free(text);
    }
}

/* The files' layers are those of Keras's model.layers: whatever order a file has, that one comes out. */
static void layers_come_in_the_order_of_keras(void **state) {
    (void)state;
    char *text = golden("keras3_branches.json");
    json_t *root = json_loads(text, 0, NULL), *config = json_object_get(root, "config");
    json_t *layers = json_object_get(config, "layers"), *reversed = json_array();
    for (size_t i = json_array_size(layers); i-- > 0;)
        json_array_append(reversed, json_array_get(layers, i));
    json_incref(layers);
    json_object_set_new(config, "layers", reversed);
    char *shuffled = json_dumps(root, 0);
    Model *model;
    assert_ok(model_parse(shuffled, "reversed", &model));
    assert_int_equal(model->layer_count, json_array_size(layers));
    for (size_t i = 0; i < model->layer_count; i++)
        assert_string_equal(model->layers[i].name,
                            json_string_value(json_object_get(json_array_get(layers, i), "name")));
    model_destroy(model);
    json_decref(layers);
    json_decref(root);
    free(shuffled);
    free(text);
}

static void every_class_is_in_the_files(void **state) {
    (void)state;
    bool seen[128] = {false};
    static const char *const names[] = {
#define LAYER_NAME(symbol, name) #name,
        LAYER_LIST(LAYER_NAME)
#undef LAYER_NAME
    };
    enum { CLASSES = sizeof names / sizeof *names };
    for (size_t i = 0; i < FILES; i++) {
        char *text = golden(files[i]);
        Model *model;
        assert_ok(model_parse(text, files[i], &model));
        for (size_t k = 0; k < model->layer_count; k++)
            for (size_t c = 0; c < CLASSES; c++)
                seen[c] |= strcmp(names[c], model->layers[k].class->name) == 0;
        model_destroy(model);
        free(text);
    }
    for (size_t c = 0; c < CLASSES; c++)
        if (!seen[c])
            fail_msg("no test file has a layer %s", names[c]);
}

/* Defaults, spellings and what Keras 2 calls otherwise. */
static void configs_are_normalized(void **state) {
    (void)state;
    char *text = golden("keras2_functional.json");
    Model *model;
    assert_ok(model_parse(text, "f", &model));
    const ModelLayer *bn = &model->layers[model_find_layer(model, "bn")];
    assert_false(bn->trainable);
    assert_int_equal(json_integer_value(json_object_get(bn->config, "axis")), 3);
    const json_t *gamma = json_object_get(bn->config, "gamma_initializer");
    assert_string_equal(json_string_value(json_object_get(gamma, "class_name")), "Ones");
    assert_int_equal(model->layers[model_find_layer(model, "a")].call_count, 2);
    assert_int_equal(model->keras, 2);
    assert_int_equal(model_find_layer(model, "no such layer"), -1);
    model_destroy(model);
    free(text);
    text = golden("keras2_sequential.json");
    assert_ok(model_parse(text, "s", &model));
    assert_string_equal(model->layers[0].class->name, "InputLayer");
    assert_string_equal(model->layers[0].name, "conv_input");
    const json_t *size = json_object_get(model->layers[1].config, "kernel_size");
    assert_int_equal(json_integer_value(json_array_get(size, 1)), 3);
    model_destroy(model);
    free(text);
    const LayerClass *class; /* as tf_keras writes that of InceptionResNetV2 */
    assert_ok(layer_class_find("Custom>CustomScaleLayer", &class));
    assert_ptr_equal(class, &layer_class_custom_scale_layer);
}

/* Arithmetic between layers, in the words of Keras 2 and Keras 3, and the layer that it becomes. */
static const struct {
    const char *layer, *class;
    double scale, offset; /* of Rescaling */
} operations[] = {
    {LAMBDA("__operators__.add", "[\"in\",0,0,{\"y\":3.0,\"name\":null}]"), "Rescaling", 1, 3},
    {LAMBDA("math.multiply", "[\"in\",0,0,{\"y\":0.5,\"name\":null}]"), "Rescaling", 0.5, 0},
    {LAMBDA("math.subtract", "[\"in\",0,0,{\"y\":2,\"name\":null}]"), "Rescaling", 1, -2},
    {LAMBDA("math.subtract", "[\"_CONSTANT_VALUE\",-1,2.0,{\"y\":[\"in\",0,0]}]"), "Rescaling", -1, 2},
    {LAMBDA("math.truediv", "[\"in\",0,0,{\"y\":4.0,\"name\":null}]"), "Rescaling", 0.25, 0},
    {LAMBDA("__operators__.add", "[\"in\",0,0,{\"y\":[\"in\",0,0]}]"), "Add", 0, 0},
    {OP3("Add", T3("in"), "3.0"), "Rescaling", 1, 3},
    {OP3("Add", "3.0", T3("in")), "Rescaling", 1, 3},
    {OP3("Subtract", "1", T3("in")), "Rescaling", -1, 1},
    {OP3("Divide", T3("in"), "8"), "Rescaling", 0.125, 0},
    {OP3("Multiply", T3("in"), T3("in")), "Multiply", 0, 0},
};

static void arithmetic_becomes_layers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        char text[2048];
        snprintf(text, sizeof text,
                 "{\"class_name\":\"Functional\",\"config\":{\"layers\":[{\"class_name\":\"InputLayer\",\"config\":"
                 "{\"name\":\"in\",\"batch_input_shape\":[null,4]},\"inbound_nodes\":[]},{%s}],"
                 "\"input_layers\":[[\"in\",0,0]],\"output_layers\":[[\"op\",0,0]]}}",
                 operations[i].layer);
        Model *model;
        assert_ok(model_parse(text, operations[i].layer, &model));
        const ModelLayer *layer = &model->layers[1];
        assert_string_equal(layer->class->name, operations[i].class);
        assert_string_equal(layer->name, "op");
        if (strcmp(operations[i].class, "Rescaling") == 0) {
            assert_float_equal(json_number_value(json_object_get(layer->config, "scale")), operations[i].scale, 1e-12);
            assert_float_equal(json_number_value(json_object_get(layer->config, "offset")), operations[i].offset,
                               1e-12);
        } else {
            assert_int_equal(layer->calls[0].input_count, 2);
        }
        model_destroy(model);
    }
}

/* Defaults are left out, but for those without which Keras 3 does not load the layer. */
static void canonical_text_is_short(void **state) {
    (void)state;
    Model *model;
    char *text;
    assert_ok(model_parse(LAYER("AveragePooling2D", ",\"strides\":null,\"padding\":\"valid\""), "net", &model));
    assert_ok(model_to_json(model, &text));
    assert_non_null(strstr(text, "\"config\":{\"pool_size\":[2,2],\"name\":\"a\"}"));
    model_destroy(model);
    memory_free(text);
    assert_ok(model_parse(LAYER("Rescaling", ",\"scale\":0.3"), "net", &model));
    assert_ok(model_to_json(model, &text));
    assert_non_null(strstr(text, "\"config\":{\"scale\":0.3,\"offset\":0.0,\"name\":\"a\"}"));
    model_destroy(model);
    memory_free(text);
}

/* Where Keras's files have the weights: kerasN_nested.h5 and keras3_nested.weights.h5 have these groups. */
static void layers_of_networks_inside_are_located(void **state) {
    (void)state;
    static const struct {
        const char *name, *group, *path;
    } expected[] = {{"conv", "conv", "conv2d"},
                    {"shared_conv", "shared", "functional/layers/conv2d"},
                    {"bn2", "shared", "functional/layers/sequential/layers/batch_normalization"},
                    {"other_bn2", "other", "functional_1/layers/sequential/layers/batch_normalization"},
                    {"other_last", "other", "functional_1/layers/conv2d_1"},
                    {"mix", "two_ends", "functional_2/layers/conv2d"},
                    {"fc", "head", "sequential/layers/dense"}};
    for (size_t k = 0; k < 2; k++) {
        char *text = golden(k ? "keras3_nested.json" : "keras2_nested.json");
        Model *model;
        assert_ok(model_parse(text, "nested", &model));
        for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
            int layer = model_find_layer(model, expected[i].name);
            assert_true(layer >= 0);
            assert_string_equal(model->layers[layer].group, expected[i].group);
            assert_string_equal(model->layers[layer].path, expected[i].path);
        }
        assert_int_equal(model->layers[model_find_layer(model, "shared_conv")].call_count, 2);
        assert_false(model->layers[model_find_layer(model, "other_last")].trainable);
        model_destroy(model);
        free(text);
    }
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    char *text = golden("keras3_nested.json"), *canonical = NULL;
    Model *model;
    size_t n = 0;
    Status status = STATUS_FAILED;
    while (status != STATUS_OK) {
        memory_fail_at(++n);
        status = model_parse(text, "f", &model);
        if (status == STATUS_OK)
            status = model_to_json(model, &canonical);
        memory_fail_at(0);
        if (status != STATUS_OK)
            assert_message("out of memory");
        model_destroy(model);
        memory_free(canonical);
        canonical = NULL;
    }
    assert_true(n > 40);
    free(text);
}

static void layers_without_names_get_keras_s(void **state) {
    (void)state;
    static const char *const classes[] = {"Conv2D\",\"config\":{\"filters\":2,\"kernel_size\":1}}",
                                          "Conv2DTranspose\",\"config\":{\"filters\":2,\"kernel_size\":1}}",
                                          "PReLU\",\"config\":{}}",
                                          "MaxPooling2D\",\"config\":{}}",
                                          "ELU\",\"config\":{}}",
                                          "MaxPooling2D\",\"config\":{}}"};
    static const char *const names[] = {"in",  "conv2d",         "conv2d_transpose", "p_re_lu", "max_pooling2d",
                                        "elu", "max_pooling2d_1"};
    char layers[2000] = IN;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        snprintf(layers + strlen(layers), sizeof layers - strlen(layers), ",{\"class_name\":\"%s", classes[i]);
    char text[2200];
    snprintf(text, sizeof text, "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[%s]}}", layers);
    Model *model;
    assert_ok(model_parse(text, "test", &model));
    assert_int_equal(model->layer_count, sizeof names / sizeof *names);
    for (size_t i = 0; i < model->layer_count; i++)
        assert_string_equal(model->layers[i].name, names[i]);
    model_destroy(model);
}

static void losses_have_their_keras_names(void **state) {
    (void)state;
    int kind;
    for (int k = 0; k < LOSS_KINDS; k++) {
        assert_ok(model_loss_find(model_loss_name((LossKind)k), &kind));
        assert_int_equal(kind, k);
    }
    assert_ok(model_loss_find("auto", &kind));
    assert_int_equal(kind, MODEL_LOSS_AUTO);
    assert_int_equal(model_loss_find("hinges", &kind), STATUS_FAILED);
    assert_message("unknown loss \"hinges\". Known: auto sparse_categorical_crossentropy");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(canonical_text_means_the_same, nothing_left),
        cmocka_unit_test_teardown(layers_come_in_the_order_of_keras, nothing_left),
        cmocka_unit_test_teardown(every_class_is_in_the_files, nothing_left),
        cmocka_unit_test_teardown(configs_are_normalized, nothing_left),
        cmocka_unit_test_teardown(arithmetic_becomes_layers, nothing_left),
        cmocka_unit_test_teardown(canonical_text_is_short, nothing_left),
        cmocka_unit_test_teardown(layers_of_networks_inside_are_located, nothing_left),
        cmocka_unit_test_teardown(every_failing_allocation_is_survived, nothing_left),
        cmocka_unit_test_teardown(layers_without_names_get_keras_s, nothing_left),
        cmocka_unit_test_teardown(losses_have_their_keras_names, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
