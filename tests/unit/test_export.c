/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms by name, and where the head of a network begins.  The files themselves: cli/export, cli/keras. */
#include "base/memory.h"
#include "model/zoo/zoo.h"
#include "train/export.h"
#include "train/export_internal.h"
#include "unit/model_test.h"

static void forms_go_by_the_name(void **state) {
    (void)state;
    static const struct {
        const char *path;
        ExportForm form;
    } forms[] = {{"a.keras", EXPORT_KERAS},
                 {"b/a.weights.h5", EXPORT_WEIGHTS},
                 {"a.weights.x.h5", EXPORT_HDF5},
                 {"a.h5", EXPORT_HDF5},
                 {"net.json", EXPORT_JSON}};
    ExportForm form;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_ok(export_form(forms[i].path, &form));
        assert_int_equal(form, forms[i].form);
    }
    assert_int_equal(export_form("a.hdf5", &form), STATUS_USAGE);
    assert_int_equal(export_form(".keras", &form), STATUS_USAGE);
}

static Status headless(const char *text, Model **out) {
    Model *model;
    Graph *graph;
    char *cut = NULL;
    assert_ok(model_parse(text, "net", &model));
    assert_ok(graph_create(&graph));
    assert_ok(model_build(model, &(ModelBuild){0}, graph));
    Status status = export__headless(model, graph, &cut);
    if (status == STATUS_OK)
        assert_ok(model_parse(cut, "headless", out));
    memory_free(cut);
    release(model, graph);
    return status;
}

static char *zoo_text(const char *name) {
    Model *model;
    char *text;
    const ZooEntry *entry = zoo_find(name);
    assert_non_null(entry);
    assert_ok(zoo_create(name, entry->input, entry->classes, &model));
    assert_ok(model_to_json(model, &text));
    model_destroy(model);
    return text;
}

/* The last layer that stays, and how many go. */
static void heads_of_the_zoo(void **state) {
    (void)state;
    static const struct {
        const char *network, *end;
        size_t gone;
    } cases[] = {
        {"lenet5", "flatten", 3},    /* 3 dense layers */
        {"vgg16", "flatten", 5},     /* fc1, dropout, fc2, dropout, predictions */
        {"resnet50", "avg_pool", 1}, /* predictions */
        {"mobilenet", "avg_pool", 4},
        {"mobilenet-v3-small", "avg_pool", 5}, /* not a pooling of squeeze-and-excitation */
        {"efficientnet-b0", "avg_pool", 2},    /* top_dropout, predictions */
        {"squeezenet", "drop9", 3},            /* conv10, pooling, softmax: no flattening before conv10 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Model *whole, *cut;
        char *text = zoo_text(cases[i].network);
        assert_ok(headless(text, &cut));
        assert_ok(model_parse(text, "whole", &whole));
        memory_free(text);
        assert_int_equal(cut->output_count, 1);
        if (strcmp(cut->layers[cut->outputs[0].layer].name, cases[i].end) != 0 ||
            whole->layer_count - cut->layer_count != cases[i].gone)
            fail_msg("%s ends with %s, %zu layers are gone", cases[i].network, cut->layers[cut->outputs[0].layer].name,
                     whole->layer_count - cut->layer_count);
        model_destroy(whole);
        model_destroy(cut);
    }
}

/* Nothing goes before all inputs have been read, not even behind a Flatten. */
static void a_second_input_is_no_head(void **state) {
    (void)state;
    Model *cut;
    assert_ok(headless(
        "{\"class_name\":\"Functional\",\"config\":{\"name\":\"two\",\"layers\":["
        "{\"class_name\":\"InputLayer\",\"name\":\"x\",\"config\":{\"name\":\"x\",\"batch_input_shape\":[null,2,2,1]},"
        "\"inbound_nodes\":[]},"
        "{\"class_name\":\"Flatten\",\"name\":\"flat\",\"config\":{\"name\":\"flat\"},"
        "\"inbound_nodes\":[[[\"x\",0,0,{}]]]},"
        "{\"class_name\":\"InputLayer\",\"name\":\"more\",\"config\":{\"name\":\"more\",\"batch_input_shape\":[null,3]}"
        ","
        "\"inbound_nodes\":[]},"
        "{\"class_name\":\"Concatenate\",\"name\":\"all\",\"config\":{\"name\":\"all\"},"
        "\"inbound_nodes\":[[[\"flat\",0,0,{}],[\"more\",0,0,{}]]]},"
        "{\"class_name\":\"Dense\",\"name\":\"fc\",\"config\":{\"name\":\"fc\",\"units\":2},"
        "\"inbound_nodes\":[[[\"all\",0,0,{}]]]}],"
        "\"input_layers\":[[\"x\",0,0],[\"more\",0,0]],\"output_layers\":[[\"fc\",0,0]]}}",
        &cut));
    assert_int_equal(cut->input_count, 2);
    assert_string_equal(cut->layers[cut->outputs[0].layer].name, "all");
    model_destroy(cut);
}

static void no_head_is_an_error(void **state) {
    (void)state;
    Model *none;
    char *text = zoo_text("googlenet");
    assert_int_equal(headless(text, &none), STATUS_FAILED);
    assert_message("3 outputs");
    memory_free(text);
    assert_int_equal(
        headless("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"flat\",\"layers\":["
                 "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,4],\"name\":\"in\"}},"
                 "{\"class_name\":\"Softmax\",\"config\":{\"name\":\"out\"}}]}}",
                 &none),
        STATUS_FAILED);
    assert_message("has no head");
}

static void keras_3_words(void **state) {
    (void)state;
    Model *model;
    char *text;
    assert_ok(model_parse("{\"class_name\":\"Sequential\",\"config\":{\"name\":\"net\",\"layers\":["
                          "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,4],\"name\":\"in\"}},"
                          "{\"class_name\":\"Dense\",\"config\":{\"units\":3,\"name\":\"fc\",\"kernel_regularizer\":"
                          "{\"class_name\":\"L2\",\"config\":{\"l2\":0.5}}}}]}}",
                          "net", &model));
    assert_ok(export__keras3(model,
                             "{\"loss\":[{\"class_name\":\"Huber\",\"config\":{}},\"mse\"],\"optimizer_config\":"
                             "{\"class_name\":\"SGD\",\"config\":{\"learning_rate\":1}}}",
                             0.25, &text));
    json_t *json = json_loads(text, 0, NULL);
    const char *module, *regularizer, *loss, *optimizer;
    json_t *layer, *shape;
    double rate;
    assert_int_equal(json_unpack(json, "{s:s, s:{s:o}, s:{s:[{s:s}], s:{s:s, s:{s:F}}}}", "module", &module, "config",
                                 "layers", &layer, "compile_config", "loss", "module", &loss, "optimizer", "module",
                                 &optimizer, "config", "learning_rate", &rate),
                     0);
    assert_string_equal(module, "keras");
    assert_string_equal(loss, "keras.losses");
    assert_string_equal(optimizer, "keras.optimizers");
    assert_true(rate == 0.25);
    shape = json_object_get(json_object_get(json_array_get(layer, 0), "config"), "batch_shape");
    assert_int_equal(json_array_size(shape), 2);
    assert_int_equal(json_unpack(json_array_get(layer, 1), "{s:s, s:{s:{s:s}}}", "module", &module, "config",
                                 "kernel_regularizer", "module", &regularizer),
                     0);
    assert_string_equal(module, "keras.layers");
    assert_string_equal(regularizer, "keras.regularizers");
    json_decref(json);
    memory_free(text);
    model_destroy(model);
}

/* The word means another function in Keras 3. */
static void hard_sigmoid_of_keras_2_is_refused(void **state) {
    (void)state;
    static const char net[] =
        "{\"class_name\":\"Sequential\",%s\"config\":{\"name\":\"net\",\"layers\":["
        "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,4],\"name\":\"in\"}},"
        "{\"class_name\":\"Activation\",\"config\":{\"activation\":\"hard_sigmoid\",\"name\":\"a\"}}]}}";
    char text[1024], *out;
    for (int version = 2; version <= 3; version++) {
        Model *model;
        snprintf(text, sizeof text, net, version == 3 ? "\"keras_version\":\"3.0.0\"," : "");
        assert_ok(model_parse(text, "net", &model));
        assert_int_equal(export__keras3(model, NULL, 0, &out), version == 3 ? STATUS_OK : STATUS_FAILED);
        if (version == 2)
            assert_message("hard_sigmoid of Keras 2");
        else
            memory_free(out);
        model_destroy(model);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_go_by_the_name),
        cmocka_unit_test(heads_of_the_zoo),
        cmocka_unit_test(a_second_input_is_no_head),
        cmocka_unit_test(no_head_is_an_error),
        cmocka_unit_test(keras_3_words),
        cmocka_unit_test(hard_sigmoid_of_keras_2_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
