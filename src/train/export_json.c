/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "model/layers.h"
#include "train/export_internal.h"
#include <stdlib.h>
#include <string.h>

/* 15 digits: 0.1 stays 0.1. */
static Status dump(json_t *json, char **text) {
    char *dumped = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(json);
    Status status =
        dumped != NULL ? memory_strdup(dumped, text) : status_fail(STATUS_FAILED, "out of memory: network as JSON");
    free(dumped);
    return status;
}

/* ---- without the head ---- */

static size_t weights_of(const Model *model, const Graph *graph, size_t layer) {
    int params[MODEL_LAYER_PARAMS];
    return model_layer_params(model, layer, graph, params);
}

static bool flattens(const Model *model, size_t layer) {
    static const char *const names[] = {"Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(model->layers[layer].class->name, names[i]) == 0)
            return true;
    return false;
}

/* Whether call number `at` of the order is the only thing that later calls read of what is before them, no layer is
 * called on both sides, and the network has read all its inputs. */
static bool is_cut(const Model *model, size_t at) {
    for (size_t later = at + 1; later < model->order_count; later++) {
        ModelTensor t = model->order[later];
        const ModelCall *call = &model->layers[t.layer].calls[t.call];
        if (call->input_count == 0)
            return false;
        for (size_t before = 0; before <= at; before++) {
            ModelTensor b = model->order[before];
            if (b.layer == t.layer)
                return false;
            for (size_t i = 0; i < call->input_count && before < at; i++)
                if (call->inputs[i].layer == b.layer && call->inputs[i].call == b.call)
                    return false;
        }
    }
    return true;
}

/* *cut = the number in the order of the last call before the head. */
static Status find_cut(const Model *model, const Graph *graph, size_t *cut) {
    size_t last = model->order_count, plain = 0;
    if (model->output_count != 1)
        return status_fail(STATUS_FAILED, "network %s has %zu outputs; only the head of one can be left off",
                           model->name, model->output_count);
    while (last > 0 && weights_of(model, graph, model->order[last - 1].layer) == 0)
        last--;
    for (size_t at = last > 0 ? last - 1 : 0; at-- > 0;) {
        bool flat = flattens(model, model->order[at].layer);
        if ((!flat && plain > 0) || !is_cut(model, at))
            continue;
        *cut = at;
        if (flat)
            return STATUS_OK;
        plain = at;
    }
    if (plain == 0)
        return status_fail(STATUS_FAILED, "network %s has no head that could be left off", model->name);
    *cut = plain;
    return STATUS_OK;
}

Status export__headless(const Model *model, const Graph *graph, char **text) {
    size_t cut = 0;
    TRY(find_cut(model, graph, &cut));
    TRY(model_to_json(model, text));
    json_t *json = json_loads(*text, 0, NULL), *config = json_object_get(json, "config");
    json_t *layers = json_object_get(config, "layers");
    memory_free(*text);
    *text = NULL;
    for (size_t i = json_array_size(layers); i-- > 0;) {
        json_t *layer = json_array_get(layers, i);
        const char *name = json_string_value(json_object_get(json_object_get(layer, "config"), "name"));
        for (size_t later = cut + 1; name != NULL && later < model->order_count; later++)
            if (strcmp(name, model->layers[model->order[later].layer].name) == 0) {
                json_array_remove(layers, i);
                break;
            }
    }
    ModelTensor end = model->order[cut];
    if (!model->sequential)
        json_object_set_new(config, "output_layers",
                            json_pack("[[s,i,i]]", model->layers[end.layer].name, (int)end.call, 0));
    return dump(json, text);
}

/* ---- Keras 3's words ---- */

static void set_module(json_t *object, const char *module) {
    json_object_set_new(object, "module", json_string(module));
    json_object_set_new(object, "registered_name", json_null());
}

/* Initializers, regularizers and constraints say what they are by the end of their key. */
static void convert_member(const char *key, json_t *value) {
    static const char *const modules[][2] = {{"_initializer", "keras.initializers"},
                                             {"_regularizer", "keras.regularizers"},
                                             {"_constraint", "keras.constraints"}};
    if (!json_is_string(json_object_get(value, "class_name")))
        return;
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        size_t length = strlen(key), end = strlen(modules[i][0]);
        if (length > end && strcmp(key + length - end, modules[i][0]) == 0)
            set_module(value, modules[i][1]);
    }
}

static void convert_layer(json_t *layer) {
    /* Classes of Keras's that are not in keras.layers. */
    static const char *const elsewhere[][2] = {{"LayerScale", "keras.src.applications.convnext"},
                                               {"StochasticDepth", "keras.src.applications.convnext"},
                                               {"CustomScaleLayer", "keras.src.applications.inception_resnet_v2"}};
    const char *class = json_string_value(json_object_get(layer, "class_name")), *key;
    json_t *config = json_object_get(layer, "config"), *value;
    set_module(layer, "keras.layers");
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (strcmp(class, elsewhere[i][0]) == 0) {
            json_object_set_new(layer, "module", json_string(elsewhere[i][1]));
            json_object_set_new(layer, "registered_name", json_string(class));
        }
    json_object_foreach(config, key, value) convert_member(key, value);
    value = json_object_get(config, "batch_input_shape");
    if (value != NULL) {
        json_object_set(config, "batch_shape", value);
        json_object_del(config, "batch_input_shape");
    }
}

/* A loss: a name, an object, or a list of them. */
static void convert_loss(json_t *loss) {
    size_t i;
    json_t *one;
    if (json_is_object(loss))
        set_module(loss, "keras.losses");
    json_array_foreach(loss, i, one) convert_loss(one);
}

static Status compile_config(const char *training_config, double lr, json_t **out) {
    json_t *training = json_loads(training_config, 0, NULL), *optimizer = json_object_get(training, "optimizer_config");
    json_t *config = json_object_get(optimizer, "config");
    if (!json_is_object(config)) {
        json_decref(training);
        return status_fail(STATUS_FAILED, "the checkpoint's training_config names no optimizer");
    }
    json_object_set_new(config, "learning_rate", json_real(lr));
    set_module(optimizer, "keras.optimizers");
    convert_loss(json_object_get(training, "loss"));
    json_object_set(training, "optimizer", optimizer);
    json_object_del(training, "optimizer_config");
    *out = training;
    return STATUS_OK;
}

/* Keras 2's hard_sigmoid, clip(0.2 x + 0.5, 0, 1), has no name in Keras 3, where the word means relu6(x + 3) / 6. */
static Status check_meaning(const Model *model, const char *text) {
    if (model->keras == 3 || strstr(text, "\"hard_sigmoid\"") == NULL)
        return STATUS_OK;
    return status_fail(
        STATUS_FAILED,
        "network %s uses the hard_sigmoid of Keras 2, which Keras 3 does not know. Write an .h5 file, for "
        "Keras 2",
        model->name);
}

Status export__keras3(const Model *model, const char *training_config, double lr, char **text) {
    json_t *json, *layer, *compile = NULL;
    size_t i;
    TRY(model_to_json(model, text));
    Status status = check_meaning(model, *text);
    if (status == STATUS_OK && training_config != NULL)
        status = compile_config(training_config, lr, &compile);
    json = json_loads(*text, 0, NULL);
    memory_free(*text);
    *text = NULL;
    if (status != STATUS_OK) {
        json_decref(json);
        return status;
    }
    set_module(json, "keras");
    json_object_del(json, "keras_version");
    if (!model->sequential) { /* as Keras 3 itself writes it */
        json_object_set_new(json, "module", json_string("keras.src.models.functional"));
        json_object_set_new(json, "registered_name", json_string("Functional"));
    }
    json_array_foreach(json_object_get(json_object_get(json, "config"), "layers"), i, layer) convert_layer(layer);
    if (compile != NULL)
        json_object_set_new(json, "compile_config", compile);
    return dump(json, text);
}
