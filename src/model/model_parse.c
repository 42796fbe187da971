/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON text to Model.  What the dialects have in common is read here; how layers are connected, in model_connect.c. */
#include "base/memory.h"
#include "model/layers.h"
#include "model/model_internal.h"
#include "model/values.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 200 };

/* Fails at the first key of `object` that is not in the NULL-terminated list. */
static Status known_keys(const json_t *object, const char *what, const char *const *known) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (known[i] == NULL)
            return status_fail(STATUS_FAILED, "unknown key \"%.60s\" in %s", key, what);
    }
    return STATUS_OK;
}

/* Beside class_name and config: where Keras finds the class, what it was built and compiled with, who wrote it. */
static const char *const envelope_keys[] = {"class_name",   "config",         "module",           "registered_name",
                                            "build_config", "compile_config", "keras_version",    "backend",
                                            "name",         "inbound_nodes",  "shared_object_id", NULL};
static const char *const model_keys[] = {"name",          "trainable",         "dtype", "layers", "input_layers",
                                         "output_layers", "build_input_shape", NULL};

/* ---- one layer ---- */

static Status check_class(const json_t *given, const char *class_name) {
    const char *module = json_string_value(json_object_get(given, "module"));
    if (strcmp(class_name, "Sequential") == 0 || strcmp(class_name, "Functional") == 0 ||
        strcmp(class_name, "Model") == 0)
        return status_fail(STATUS_FAILED, "a network inside a network (%s) is not supported: give its layers directly",
                           class_name);
    if (module && strncmp(module, "keras.src.ops", 13) == 0)
        return status_fail(STATUS_FAILED, "the operation %s outside of a layer is not supported: use a layer",
                           class_name);
    return STATUS_OK;
}

static Status check_name(const char *name) {
    size_t length = name ? strlen(name) : 0;
    if (length < 1 || length > NAME_MAX_LENGTH)
        return status_fail(STATUS_FAILED, "a layer's name must have 1 to %d bytes", NAME_MAX_LENGTH);
    return STATUS_OK;
}

static Status parse_layer(const json_t *given, ModelLayer *layer) {
    const char *class_name = json_string_value(json_object_get(given, "class_name"));
    const json_t *config = json_object_get(given, "config"), *outer = json_object_get(given, "name");
    if (class_name == NULL || !json_is_object(config))
        return status_fail(STATUS_FAILED, "a layer must be an object with class_name and config");
    TRY(known_keys(given, "a layer", envelope_keys));
    TRY(check_class(given, class_name));
    const json_t *name = json_object_get(config, "name");
    if (name && outer && !json_equal(name, outer))
        return status_fail(STATUS_FAILED, "has two different names, beside its config and in it");
    if (name || outer) { /* else automatic_name gives one */
        TRY(check_name(json_string_value(name ? name : outer)));
        TRY(memory_strdup(json_string_value(name ? name : outer), &layer->name));
    }
    const json_t *trainable = json_object_get(config, "trainable");
    if (trainable && !json_is_boolean(trainable))
        return status_fail(STATUS_FAILED, "key trainable: it must be true or false");
    layer->trainable = !json_is_false(trainable);
    TRY(layer_class_find(class_name, &layer->class));
    Status status = layer_config(layer->class, config, &layer->config);
    return status == STATUS_OK ? STATUS_OK : status_context(status, "%s", class_name);
}

/* Names the layer in front of a message: by its name where it has one. */
static Status at_layer(Status status, const ModelLayer *layer, size_t number) {
    if (status == STATUS_OK)
        return STATUS_OK;
    return layer->name ? status_context(status, "layer %s", layer->name)
                       : status_context(status, "layer number %zu", number);
}

/* ---- Sequential ---- */

/* A Sequential model without InputLayer has the input's shape in its first layer (Keras 1 and 2) or, once built, in its
 * own config (Keras 3).  Inserts an InputLayer, named as Keras 2 does. */
static Status insert_input(json_t *layers, const json_t *built_shape) {
    json_t *first = json_object_get(json_array_get(layers, 0), "config"), *shape = NULL;
    const char *class_name = json_string_value(json_object_get(json_array_get(layers, 0), "class_name"));
    const char *name = json_string_value(json_object_get(first, "name"));
    if (class_name && strcmp(class_name, "InputLayer") == 0)
        return STATUS_OK;
    if (json_object_get(first, "batch_input_shape"))
        shape = json_deep_copy(json_object_get(first, "batch_input_shape"));
    else if (json_object_get(first, "batch_shape"))
        shape = json_deep_copy(json_object_get(first, "batch_shape"));
    else if (json_is_array(json_object_get(first, "input_shape"))) {
        shape = json_deep_copy(json_object_get(first, "input_shape"));
        json_array_insert_new(shape, 0, json_null());
    } else if (built_shape)
        shape = json_deep_copy(built_shape);
    if (shape == NULL)
        return status_fail(STATUS_FAILED,
                           "the input's shape is missing: start with an InputLayer with batch_input_shape");
    json_t *input = json_pack("{s:s,s:{s:o,s:s+}}", "class_name", "InputLayer", "config", "batch_input_shape", shape,
                              "name", name ? name : "layer", "_input");
    if (input == NULL || json_array_insert_new(layers, 0, input) != 0)
        return status_fail(STATUS_FAILED, "out of memory");
    return STATUS_OK;
}

static Status chain(Model *model) {
    TRY(memory_new(&model->inputs, 1, "model"));
    TRY(memory_new(&model->outputs, 1, "model"));
    TRY(memory_new(&model->order, model->layer_count, "model"));
    model->input_count = model->output_count = 1;
    model->inputs[0] = (ModelTensor){0, 0};
    model->outputs[0] = (ModelTensor){model->layer_count - 1, 0};
    for (size_t i = 0; i < model->layer_count; i++) {
        ModelLayer *layer = &model->layers[i];
        TRY(memory_new(&layer->calls, 1, "model"));
        layer->call_count = 1;
        model->order[model->order_count++] = (ModelTensor){i, 0};
        size_t inputs = i == 0 ? 0 : 1;
        if (inputs < layer->class->min_inputs || inputs > layer->class->max_inputs)
            return status_fail(STATUS_FAILED, "layer %s (%s) cannot stand at place %zu of a Sequential network",
                               layer->name, layer->class->name, i + 1);
        TRY(memory_new(&layer->calls[0].inputs, inputs, "model"));
        layer->calls[0].input_count = inputs;
        if (inputs)
            layer->calls[0].inputs[0] = (ModelTensor){i - 1, 0};
    }
    return STATUS_OK;
}

/* ---- the model ---- */

/* 2 or 3: what the file says, else by the key of an input's shape, which Keras 3 renamed. */
static int dialect(const json_t *root, const json_t *layers) {
    const char *version = json_string_value(json_object_get(root, "keras_version"));
    size_t i;
    json_t *layer;
    if (version)
        return atoi(version) >= 3 ? 3 : 2;
    json_array_foreach((json_t *)layers, i, layer) {
        if (json_object_get(json_object_get(layer, "config"), "batch_shape"))
            return 3;
    }
    return 2;
}

/* The name that Keras gives to a layer without: its class in snake case (MaxPooling2D: max_pooling2d), from the second of
 * the class on with a number. */
static Status automatic_name(const Model *model, const ModelLayer *layer, char **name) {
    char snake[2 * NAME_MAX_LENGTH] = "";
    const char *class = layer->class->name;
    size_t used = 0, earlier = 0;
    for (const char *c = class; *c; c++) {
        bool begins =
            isupper((unsigned char)*c) && c > class && (islower((unsigned char)c[-1]) || islower((unsigned char)c[1]));
        if (begins)
            snake[used++] = '_';
        snake[used++] = (char)tolower((unsigned char)*c);
    }
    for (const ModelLayer *other = model->layers; other < layer; other++)
        earlier += other->class == layer->class;
    return earlier ? memory_format(name, "%s_%zu", snake, earlier) : memory_strdup(snake, name);
}

static Status parse_layers(Model *model, const json_t *layers) {
    size_t count = json_array_size(layers);
    if (count < 1 || count > MODEL_MAX_LAYERS)
        return status_fail(STATUS_FAILED, "a network must have a list of 1 to %d layers", MODEL_MAX_LAYERS);
    TRY(memory_new(&model->layers, count, "model"));
    json_t *names = json_object();
    Status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        ModelLayer *layer = &model->layers[model->layer_count++];
        TRY_GOTO(at_layer(parse_layer(json_array_get(layers, i), layer), layer, i + 1), done);
        if (layer->name == NULL)
            TRY_GOTO(automatic_name(model, layer, &layer->name), done);
        if (json_object_get(names, layer->name))
            TRY_GOTO(status_fail(STATUS_FAILED, "two layers have the name %s", layer->name), done);
        if (json_object_set_new(names, layer->name, json_null()) != 0)
            TRY_GOTO(status_fail(STATUS_FAILED, "out of memory"), done);
    }
done:
    json_decref(names);
    return status;
}

static Status parse_model(Model *model, const json_t *root) {
    const char *class_name = json_string_value(json_object_get(root, "class_name"));
    json_t *config = json_object_get(root, "config");
    model->sequential = class_name && strcmp(class_name, "Sequential") == 0;
    if (class_name == NULL || config == NULL)
        return status_fail(STATUS_FAILED, "is no Keras network: class_name and config are missing");
    if (!model->sequential && strcmp(class_name, "Functional") != 0 && strcmp(class_name, "Model") != 0)
        return status_fail(STATUS_FAILED, "network class \"%.60s\" is not supported, only Sequential and Functional",
                           class_name);
    TRY(known_keys(root, "the network", envelope_keys));
    bool bare = model->sequential && json_is_array(config); /* Keras 1 and 2.0: the config is the list of layers */
    TRY(known_keys(bare ? NULL : config, "the network's config", model_keys));
    json_t *layers = bare ? config : json_object_get(config, "layers");
    const char *name = json_string_value(json_object_get(config, "name"));
    TRY(memory_strdup(name ? name : "network", &model->name));
    model->keras = dialect(root, layers);
    if (model->sequential && json_array_size(layers) > 0)
        TRY(insert_input(layers, json_object_get(config, "build_input_shape")));
    TRY(parse_layers(model, layers));
    if (json_is_false(json_object_get(config, "trainable")))
        for (size_t i = 0; i < model->layer_count; i++)
            model->layers[i].trainable = false;
    if (model->sequential)
        return chain(model);
    TRY(model__connect(model, config, layers));
    return model__sort(model);
}

Status model_parse(const char *text, const char *source, Model **out) {
    json_error_t error;
    *out = NULL;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return status_fail(STATUS_FAILED, "%s: line %d: not valid JSON: %s", source, error.line, error.text);
    Model *model;
    Status status = memory_new(&model, 1, "model");
    if (status == STATUS_OK)
        status = parse_model(model, root);
    json_decref(root);
    if (status != STATUS_OK) {
        model_destroy(model);
        return status_context(status, "%s", source);
    }
    *out = model;
    return STATUS_OK;
}
