/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras JSON that is not understood is refused with a message that names it; damage is survived. */
#include "unit/model_json.h"
#include "unit/model_test.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_not_understood_is_refused, nothing_left),
        cmocka_unit_test_teardown(frozen_layers_may_be_called_for_prediction, nothing_left),
        cmocka_unit_test_teardown(networks_inside_have_limits, nothing_left),
        cmocka_unit_test_teardown(damaged_text_is_survived, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
