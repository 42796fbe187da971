/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras JSON: files that Keras 2 and 3 wrote are understood, the canonical text means the same, and what is not
 * understood is refused with a message that names it. */
#include "model/layers.h"
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
#define T3(name) "{\"class_name\":\"__keras_tensor__\",\"config\":{\"keras_history\":[\"" name "\",0,0]}}"
#define LAMBDA(function, call)                                                                                         \
    "\"class_name\":\"TFOpLambda\",\"config\":{\"name\":\"op\",\"trainable\":true,\"function\":\"" function            \
    "\"},\"inbound_nodes\":[" call "]"
#define OP3(class, a, b)                                                                                               \
    "\"class_name\":\"" class "\",\"module\":\"keras.src.ops.numpy\",\"registered_name\":\"" class "\",\"config\":{"   \
                                                                                                   "\"name\":\"op\"}," \
                                                                                                   "\"inbound_"        \
                                                                                                   "nodes\":[{"        \
                                                                                                   "\"args\":[" a      \
                                                                                                   "," b               \
                                                                                                   "],\"kwargs\":{}}]"

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

/* ---- what is refused ---- */

#define IN "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"in\",\"batch_input_shape\":[null,8,8,2]}}"

#define SEQUENTIAL(layers) "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"n\",\"layers\":[" layers "]}}"
#define LAYER(class, keys) SEQUENTIAL(IN ",{\"class_name\":\"" class "\",\"config\":{\"name\":\"a\"" keys "}}")
#define F_IN                                                                                                           \
    "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"in\",\"batch_input_shape\":[null,4]},\"inbound_nodes\":[]}"
#define F_RELU(name, nodes) "{\"class_name\":\"ReLU\",\"config\":{\"name\":\"" name "\"},\"inbound_nodes\":" nodes "}"
#define F_DROPOUT(name, nodes)                                                                                         \
    "{\"class_name\":\"Dropout\",\"config\":{\"rate\":0.5,\"name\":\"" name "\"},\"inbound_nodes\":" nodes "}"
#define FUNCTIONAL(layers, inputs, outputs)                                                                            \
    "{\"class_name\":\"Functional\",\"config\":{\"layers\":[" layers "],\"input_layers\":" inputs                      \
    ",\"output_layers\":" outputs "}}"

static const struct {
    const char *text, *message;
} refused[] = {
    {"", "not valid JSON"},
    {"{\"class_name\":\"Sequential\"", "not valid JSON"},
    {"[]", "class_name and config are missing"},
    {"{\"a\":1,\"a\":2}", "duplicate object key"},
    {"{\"class_name\":\"Transformer\",\"config\":{}}", "network class \"Transformer\" is not supported"},
    {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":[]}}", "1 to 10000 layers"},
    {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":5}}", "1 to 10000 layers"},
    {"{\"class_name\":\"Sequential\",\"config\":{\"layers\":[],\"lr\":1}}",
     "unknown key \"lr\" in the network's config"},
    {SEQUENTIAL("7"), "the input's shape is missing"},
    {SEQUENTIAL(IN ",7"), "layer number 2: a layer must be an object"},
    {SEQUENTIAL(IN "," IN), "two layers have the name in"},
    {LAYER("InputLayer", ",\"batch_shape\":[null,3]"), "cannot stand at place 2"},
    {SEQUENTIAL(IN ",{\"class_name\":\"ReLU\",\"config\":{\"name\":\"\"}}"), "a layer's name must have 1 to"},
    {SEQUENTIAL("{\"class_name\":\"ReLU\",\"config\":{\"name\":\"a\"}}"), "the input's shape is missing"},
    {FUNCTIONAL(F_IN ",{" LAMBDA("nn.relu", "[\"in\",0,0,{\"name\":null}]") "}", "[[\"in\",0,0]]", "[[\"op\",0,0]]"),
     "layer op: the operation nn.relu outside of a layer is not supported"},
    {FUNCTIONAL(F_IN ",{" OP3("Divide", "1.0", T3("in")) "}", "[[\"in\",0,0]]", "[[\"op\",0,0]]"),
     "layer op: only the division by a number other than 0"},
    {FUNCTIONAL(F_IN ",{" OP3("Divide", T3("in"), T3("in")) "}", "[[\"in\",0,0]]", "[[\"op\",0,0]]"),
     "layer op: the operation Divide of these operands"},
    {FUNCTIONAL(F_IN ",{" OP3("Add", T3("in"), "\"3\"") "}", "[[\"in\",0,0]]", "[[\"op\",0,0]]"),
     "layer op: this operand is not supported"},
    {LAYER("Other>ReLU", ""), "layer a: unknown layer class \"Other>ReLU\""},
    {LAYER("LSTM", ""), "layer a: unknown layer class \"LSTM\". Known: InputLayer Conv2D"},
    {LAYER("Sequential", ""), "layer a: a network must have a list of 1 to 10000 layers"},
    {LAYER("Sequential", ",\"layers\":[{\"class_name\":\"LSTM\",\"config\":{\"name\":\"deep\"}}]"),
     "layer a: the input's shape is missing"},
    {LAYER("Sequential", ",\"layers\":[" IN ",{\"class_name\":\"LSTM\",\"config\":{\"name\":\"deep\"}}]"),
     "layer a: layer deep: unknown layer class \"LSTM\""},
    {LAYER("ReLU", ",\"min_value\":1"), "layer a: ReLU: unknown key \"min_value\""},
    {LAYER("ReLU", ",\"max_value\":\"6\""), "key max_value: \"6\" is not supported, it must be a number or null"},
    {LAYER("ReLU", ",\"dtype\":\"float16\""), "key dtype: \"float16\" is not supported, it must be float32"},
    {LAYER("ReLU", ",\"dtype\":{\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"mixed_float16\"}}"), "key dtype"},
    {LAYER("ReLU", ",\"trainable\":1"), "key trainable"},
    {LAYER("Conv2D", ",\"kernel_size\":3"), "layer a: Conv2D: key filters is missing"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":0"), "key filters: 0 is not supported, it must be a whole number"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":16777217"), "key filters: 16777217"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":99999999999999999999"), "not valid JSON: too big integer"},
    {LAYER("Conv2D", ",\"kernel_size\":[3,3,3],\"filters\":1"), "key kernel_size: [3,3,3] is not supported"},
    {LAYER("Conv2D", ",\"kernel_size\":[3,-3],\"filters\":1"), "key kernel_size"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"padding\":\"causal\""),
     "\"causal\" is not supported, only: valid"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"padding\":\"\""), "only: valid same"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"padding\":\"val\""), "only: valid same"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"data_format\":\"channels_first\""), "only: channels_last"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"activation\":\"reul\""),
     "activation \"reul\" is not supported, only:"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"use_bias\":1"),
     "key use_bias: 1 is not supported, it must be true"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"kernel_constraint\":{\"class_name\":\"MaxNorm\"}"),
     "only null"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"kernel_initializer\":\"identity\""),
     "initializer \"identity\""},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"kernel_initializer\":{\"class_name\":\"Constant\",\"config\":"
                     "{\"value\":[1]}}"),
     "key kernel_initializer: initializer Constant: value = [1]"},
    {LAYER("Conv2D", ",\"kernel_size\":3,\"filters\":1,\"kernel_regularizer\":\"l3\""), "regularizer \"l3\""},
    {LAYER("Conv2D",
           ",\"kernel_size\":3,\"filters\":1,\"kernel_regularizer\":{\"class_name\":\"L2\",\"config\":{\"l2\":-1}}"),
     "l2 = -1"},
    {LAYER("LeakyReLU", ",\"alpha\":0.1,\"negative_slope\":0.1"), "keys alpha and negative_slope mean the same"},
    {LAYER("Resizing", ",\"height\":2,\"width\":2,\"antialias\":true"),
     "key antialias: true is not supported, only false"},
    {LAYER("ZeroPadding2D", ",\"padding\":[[1,2],[3]]"), "key padding"},
    {LAYER("Normalization", ",\"mean\":[[[\"a\"]]],\"variance\":1"), "key mean"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"b\",0,0,{}]]]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"),
     "layer a: reads layer \"b\", which does not exist"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",1,0,{}]]]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"),
     "a reads call 1 of layer in, which is called 1 times"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,1,{}]]]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"),
     "output 1 of layer in"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0,{\"training\":true}]]]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"),
     "the call argument training is not supported"},
    {FUNCTIONAL(F_IN "," F_DROPOUT("d", "[[[\"in\",0,0,{\"training\":false}]]]"), "[[\"in\",0,0]]", "[[\"d\",0,0]]"),
     "layer d: the call argument training=False is supported only where it changes nothing"},
    {"{\"class_name\":\"Sequential\",\"keras_version\":\"1.2.2\",\"config\":[]}",
     "was written by Keras 1.2.2: load the network with a Keras of version 2"},
    {LAYER("Convolution2D", ",\"nb_filter\":3"), "layer a: Convolution2D with key nb_filter is of Keras 1: load"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0],[\"in\",0,0]]]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"),
     "has 2 inputs"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"), "inbound_nodes must be a list"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[]]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"), "has 0 inputs"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[7]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"), "has 0 inputs"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[{\"args\":[],\"kwargs\":{}}]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"),
     "one argument"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[{\"args\":[3.5],\"kwargs\":{}}]"), "[[\"in\",0,0]]", "[[\"a\",0,0]]"),
     "an input must be given as"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"b\",0,0]]]") "," F_RELU("b", "[[[\"a\",0,0]]]"), "[[\"in\",0,0]]",
                "[[\"a\",0,0]]"),
     "the network has a cycle"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0]]]") "," F_RELU("b", "[[[\"a\",0,0]]]"), "[[\"in\",0,0]]",
                "[[\"a\",0,0]]"),
     "layer b (call 0) leads to no output"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0]]]"), "[]", "[[\"a\",0,0]]"), "input_layers must be a list"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0]]]"), "{\"x\":[\"in\",0,0]}", "[[\"a\",0,0]]"),
     "input_layers must be"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0]]]"), "[[\"a\",0,0]]", "[[\"a\",0,0]]"), "which is no InputLayer"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0]]]"), "[[\"in\",0,0],[\"in\",0,0]]", "[[\"a\",0,0]]"), "in twice"},
    {FUNCTIONAL(F_IN "," F_RELU("a", "[[[\"in\",0,0]]]"), "[[\"in\",0,0]]", "[[\"q\",0,0]]"),
     "output_layers: reads layer \"q\""},
};

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

static void what_is_not_understood_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Model *model;
        if (model_parse(refused[i].text, "net.json", &model) == STATUS_OK)
            fail_msg("accepted: %s", refused[i].text);
        assert_null(model);
        assert_true(strncmp(status_message(), "net.json: ", 10) == 0);
        assert_message(refused[i].message);
    }
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

/* Parses networks, `depth` deep in each other, each of which calls what lies in it twice. */
static Status parse_doubling(int depth) {
    json_t *layer = json_pack("{s:s, s:{s:s}}", "class_name", "ReLU", "config", "name", "l");
    for (int d = 0; d <= depth; d++) {
        json_object_set_new(layer, "inbound_nodes", json_pack("[[[s,i,i]], [[s,i,i]]]", "i", 0, 0, "l", 0, 0));
        json_t *input = json_pack("{s:s, s:{s:s, s:[n,i]}, s:[]}", "class_name", "InputLayer", "config", "name", "i",
                                  "batch_input_shape", 4, "inbound_nodes");
        layer = json_pack("{s:s, s:{s:s, s:[o,o], s:[[s,i,i]], s:[[s,i,i]]}}", "class_name", "Functional", "config",
                          "name", "l", "layers", input, layer, "input_layers", "i", 0, 0, "output_layers", "l", 1, 0);
    }
    Model *model;
    char *text = json_dumps(layer, 0);
    Status status = model_parse(text, "doubling", &model);
    model_destroy(model);
    json_decref(layer);
    free(text);
    return status;
}

/* base(x, training=False) of a frozen network, which is how Keras 2 fine-tunes. */
static void frozen_layers_may_be_called_for_prediction(void **state) {
    (void)state;
    static const char *const frozen[] = {"false", "true"};
    for (size_t i = 0; i < 2; i++) {
        char text[2000];
        Model *model;
        snprintf(text, sizeof text,
                 FUNCTIONAL(F_IN
                            ",{\"class_name\":\"Sequential\",\"config\":{\"name\":\"base\",\"layers\":[" IN
                            ",{\"class_name\":\"BatchNormalization\",\"config\":{\"name\":\"bn\",\"trainable\":%s}}]},"
                            "\"inbound_nodes\":[[[\"in\",0,0,{\"training\":false}]]]}",
                            "[[\"in\",0,0]]", "[[\"base\",1,0]]"),
                 frozen[i]);
        assert_int_equal(model_parse(text, "net", &model), i == 0 ? STATUS_OK : STATUS_FAILED);
        model_destroy(model);
    }
    assert_message("net: layer base: the call argument training=False is supported only");
}

static void networks_inside_have_limits(void **state) {
    (void)state;
    assert_ok(parse_doubling(5));
    assert_int_equal(parse_doubling(14), STATUS_FAILED);
    assert_message("more than 10000 calls of layers");
    assert_int_equal(parse_doubling(20), STATUS_FAILED);
    assert_message("networks lie more than 16 deep in each other");
}

/* Nesting to any depth, and damage anywhere: an answer, and nothing lost. */
static void damaged_text_is_survived(void **state) {
    (void)state;
    static char deep[300001];
    memset(deep, '[', sizeof deep - 1);
    Model *model;
    assert_int_equal(model_parse(deep, "deep", &model), STATUS_FAILED);
    char *text = golden("keras3_branches.json");
    size_t length = strlen(text) - 1, understood = 0;
    while (text[length] != '}')
        length--;
    for (size_t i = 0; i < length; i += 7) {
        char kept = text[i];
        text[i] = '\0';
        assert_int_equal(model_parse(text, "cut", &model), STATUS_FAILED);
        text[i] = "0[{\"x-"[i % 6];
        understood += model_parse(text, "changed", &model) == STATUS_OK;
        model_destroy(model);
        text[i] = kept;
    }
    assert_true(understood < length / 14); /* most changes are noticed */
    assert_ok(model_parse(text, "whole", &model));
    model_destroy(model);
    free(text);
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
        cmocka_unit_test_teardown(what_is_not_understood_is_refused, nothing_left),
        cmocka_unit_test_teardown(layers_of_networks_inside_are_located, nothing_left),
        cmocka_unit_test_teardown(frozen_layers_may_be_called_for_prediction, nothing_left),
        cmocka_unit_test_teardown(networks_inside_have_limits, nothing_left),
        cmocka_unit_test_teardown(damaged_text_is_survived, nothing_left),
        cmocka_unit_test_teardown(every_failing_allocation_is_survived, nothing_left),
        cmocka_unit_test_teardown(layers_without_names_get_keras_s, nothing_left),
        cmocka_unit_test_teardown(losses_have_their_keras_names, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
