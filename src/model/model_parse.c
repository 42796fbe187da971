/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON text to Model.  What the dialects have in common is read here; how layers are connected, in model_connect.c. */
#include "base/memory.h"
#include "model/layers.h"
#include "model/model_internal.h"
#include "model/values.h"
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

static const char keras_1[] = "load the network with a Keras of version 2 and save it again";

static Status check_class(const json_t *given, const char *class_name) {
    const char *module = json_string_value(json_object_get(given, "module"));
    static const char *const words[] = {"nb_filter", "border_mode", "dim_ordering"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (json_object_get(json_object_get(given, "config"), words[i]))
            return status_fail(STATUS_FAILED, "%.60s with key %s is of Keras 1: %s", class_name, words[i], keras_1);
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

/* What a network inside knows from outside. */
typedef struct Reading {
    int keras; /* 2 or 3 */
    int depth; /* 0: the whole */
} Reading;

static Status parse_network(const json_t *root, Reading reading, Model **out);

static bool is_sequential(const char *class_name) {
    return strcmp(class_name, "Sequential") == 0;
}

static bool is_network(const char *class_name) {
    return is_sequential(class_name) || strcmp(class_name, "Functional") == 0 || strcmp(class_name, "Model") == 0;
}

static Status parse_layer(json_t *given, Reading reading, ModelLayer *layer) {
    const char *class_name = json_string_value(json_object_get(given, "class_name"));
    const json_t *config = json_object_get(given, "config"), *outer = json_object_get(given, "name");
    bool network = class_name && is_network(class_name);
    if (class_name == NULL || !(json_is_object(config) || (network && json_is_array(config))))
        return status_fail(STATUS_FAILED, "a layer must be an object with class_name and config");
    TRY(known_keys(given, "a layer", envelope_keys));
    const json_t *name = json_object_get(config, "name");
    if (name && outer && !json_equal(name, outer))
        return status_fail(STATUS_FAILED, "has two different names, beside its config and in it");
    if (name || outer) { /* else automatic_name gives one */
        TRY(check_name(json_string_value(name ? name : outer)));
        TRY(model__copy_name(json_string_value(name ? name : outer), &layer->name));
    }
    TRY(model__operation(given));
    class_name = json_string_value(json_object_get(given, "class_name"));
    config = json_object_get(given, "config");
    TRY(check_class(given, class_name));
    if (network) {
        layer->class = is_sequential(class_name) ? &model__sequential : &model__functional;
        reading.depth++;
        return parse_network(given, reading, &layer->network);
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

/* The list of layers of a network's config; Keras 1 and 2.0: the config of a Sequential network is that list. */
static json_t *layer_list_of(const json_t *config) {
    return json_is_array(config) ? (json_t *)config : json_object_get(config, "layers");
}

/* The shape that a layer, or the first one of a network, says its input has; NULL where it says none. */
static json_t *own_input_shape(const json_t *layer, int depth) {
    const json_t *config = json_object_get(layer, "config"), *layers = layer_list_of(config);
    if (layers && depth < MODEL_MAX_DEPTH)
        return own_input_shape(json_array_get(layers, 0), depth + 1);
    json_t *shape = json_object_get(config, "batch_input_shape");
    shape = json_deep_copy(shape ? shape : json_object_get(config, "batch_shape"));
    if (shape == NULL && json_is_array(json_object_get(config, "input_shape"))) {
        shape = json_deep_copy(json_object_get(config, "input_shape"));
        json_array_insert_new(shape, 0, json_null());
    }
    return shape;
}

/* A Sequential model without InputLayer has the input's shape in its first layer (Keras 1 and 2) or, once built, in its
 * own config (Keras 3).  Inserts an InputLayer, named as Keras 2 does. */
static Status insert_input(json_t *layers, const json_t *built_shape) {
    const json_t *first = json_array_get(layers, 0);
    const char *class_name = json_string_value(json_object_get(first, "class_name"));
    const char *name = json_string_value(json_object_get(json_object_get(first, "config"), "name"));
    if (class_name && strcmp(class_name, "InputLayer") == 0)
        return STATUS_OK;
    json_t *shape = own_input_shape(first, 0);
    if (shape == NULL && built_shape)
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
    model->inputs[0] = (ModelTensor){.layer = 0};
    model->outputs[0] = (ModelTensor){.layer = model->layer_count - 1};
    for (size_t i = 0; i < model->layer_count; i++) {
        ModelLayer *layer = &model->layers[i];
        TRY(memory_new(&layer->calls, 1, "model"));
        layer->call_count = 1;
        model->order[model->order_count++] = (ModelTensor){.layer = i};
        size_t inputs = i == 0 ? 0 : 1;
        if (inputs < layer->class->min_inputs || inputs > layer->class->max_inputs)
            return status_fail(STATUS_FAILED, "layer %s (%s) cannot stand at place %zu of a Sequential network",
                               layer->name, layer->class->name, i + 1);
        TRY(memory_new(&layer->calls[0].inputs, inputs, "model"));
        layer->calls[0].input_count = inputs;
        if (inputs)
            layer->calls[0].inputs[0] = (ModelTensor){.layer = i - 1};
    }
    return STATUS_OK;
}

/* ---- the model ---- */

static bool has_batch_shape(const json_t *layers, int depth) {
    size_t i;
    json_t *layer;
    json_array_foreach((json_t *)layers, i, layer) {
        const json_t *config = json_object_get(layer, "config"), *inner = layer_list_of(config);
        if (json_object_get(config, "batch_shape") ||
            (inner && depth < MODEL_MAX_DEPTH && has_batch_shape(inner, depth + 1)))
            return true;
    }
    return false;
}

/* 2 or 3: what the file says, else by the key of an input's shape, which Keras 3 renamed. */
static int dialect(const json_t *root) {
    const char *version = json_string_value(json_object_get(root, "keras_version"));
    if (version)
        return atoi(version) >= 3 ? 3 : 2;
    return has_batch_shape(layer_list_of(json_object_get(root, "config")), 0) ? 3 : 2;
}

/* The name that Keras gives to a layer without: its class in snake case, from the second of the class on with a
 * number. */
static Status automatic_name(const Model *model, const ModelLayer *layer, char **name) {
    char *snake;
    size_t earlier = 0;
    TRY(model__snake_case(layer->class->name, &snake));
    for (const ModelLayer *other = model->layers; other < layer; other++)
        earlier += other->class == layer->class;
    Status status = earlier ? memory_format(name, "%s_%zu", snake, earlier) : memory_strdup(snake, name);
    memory_free(snake);
    return status;
}

static Status parse_layers(Model *model, const json_t *layers, Reading reading) {
    size_t count = json_array_size(layers);
    if (count < 1 || count > MODEL_MAX_LAYERS)
        return status_fail(STATUS_FAILED, "a network must have a list of 1 to %d layers", MODEL_MAX_LAYERS);
    TRY(memory_new(&model->layers, count, "model"));
    json_t *names = json_object();
    Status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        ModelLayer *layer = &model->layers[model->layer_count++];
        TRY_GOTO(at_layer(parse_layer(json_array_get(layers, i), reading, layer), layer, i + 1), done);
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

static Status parse_config(Model *model, json_t *config, Reading reading) {
    TRY(known_keys(json_is_array(config) ? NULL : config, "the network's config", model_keys));
    json_t *layers = layer_list_of(config);
    const char *name = json_string_value(json_object_get(config, "name"));
    TRY(memory_strdup(name ? name : "network", &model->name));
    if (model->sequential && json_array_size(layers) > 0)
        TRY(insert_input(layers, json_object_get(config, "build_input_shape")));
    TRY(parse_layers(model, layers, reading));
    if (json_is_false(json_object_get(config, "trainable")))
        for (size_t i = 0; i < model->layer_count; i++)
            model->layers[i].trainable = false;
    for (size_t i = 0; i < model->layer_count; i++)
        model->layers[i].trainable_in_file = model->layers[i].trainable;
    if (model->sequential)
        return chain(model);
    TRY(model__connect(model, config, layers));
    return model__sort(model);
}

/* Reads a network whose root is {class_name, config}.  *out is NULL after a failure. */
static Status parse_network(const json_t *root, Reading reading, Model **out) {
    const char *class_name = json_string_value(json_object_get(root, "class_name"));
    json_t *config = json_object_get(root, "config");
    *out = NULL;
    if (reading.depth > MODEL_MAX_DEPTH)
        return status_fail(STATUS_FAILED, "networks lie more than %d deep in each other", MODEL_MAX_DEPTH);
    if (class_name == NULL || config == NULL)
        return status_fail(STATUS_FAILED, "is no Keras network: class_name and config are missing");
    if (!is_network(class_name))
        return status_fail(STATUS_FAILED, "network class \"%.60s\" is not supported, only Sequential and Functional",
                           class_name);
    TRY(known_keys(root, "the network", envelope_keys));
    const char *version = json_string_value(json_object_get(root, "keras_version"));
    if (version && version[0] == '1' && version[1] == '.')
        return status_fail(STATUS_FAILED, "was written by Keras %.20s: %s", version, keras_1);
    Model *model;
    TRY(memory_new(&model, 1, "model"));
    model->sequential = is_sequential(class_name);
    model->keras = reading.keras;
    Status status = parse_config(model, config, reading);
    if (status == STATUS_OK)
        status = model__locate(model);
    if (status == STATUS_OK)
        status = model__flatten(&model);
    if (status != STATUS_OK) {
        model_destroy(model);
        return status;
    }
    *out = model;
    return STATUS_OK;
}

Status model_parse(const char *text, const char *source, Model **out) {
    json_error_t error;
    *out = NULL;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return status_fail(STATUS_FAILED, "%s: line %d: not valid JSON: %s", source, error.line, error.text);
    Status status = parse_network(root, (Reading){.keras = dialect(root)}, out);
    json_decref(root);
    return status == STATUS_OK ? STATUS_OK : status_context(status, "%s", source);
}
