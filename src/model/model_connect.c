/* SPDX-License-Identifier: Apache-2.0
 *
 * Who reads whose output, in both dialects.  One call of a layer is
 *     Keras 2   [["a", 0, 0, {}], ["b", 0, 0, {}]]                           layer, call, output number, arguments
 *     Keras 3   {"args": [T] or [[T, T]], "kwargs": {}},  T = {"class_name": "__keras_tensor__",
 *                                                             "config": {"keras_history": ["a", 0, 0], ...}} */
#include "base/memory.h"
#include "model/layers.h"
#include "model/model_internal.h"
#include <string.h>

typedef struct Connect {
    Model *model;
    json_t *names; /* layer name -> index */
    size_t calls;  /* made so far, of all layers */
} Connect;

/* ["a", 0, 0, ...] -> the tensor.  Calls are checked later: those of a layer further down are not made yet. */
static Status read_tensor(const Connect *c, const json_t *given, ModelTensor *tensor) {
    const char *name = json_string_value(json_array_get(given, 0));
    const json_t *call = json_array_get(given, 1), *output = json_array_get(given, 2);
    if (name == NULL || !json_is_integer(call) || !json_is_integer(output) || json_array_size(given) > 4)
        return status_fail(STATUS_FAILED, "an input must be given as [\"layer\", call, 0]");
    const json_t *index = json_object_get(c->names, name);
    if (index == NULL)
        return status_fail(STATUS_FAILED, "reads layer \"%.60s\", which does not exist", name);
    if (json_integer_value(call) < 0 || json_integer_value(call) > MODEL_MAX_LAYERS || json_integer_value(output) != 0)
        return status_fail(STATUS_FAILED, "reads call %lld, output %lld of layer %.60s, which does not exist",
                           (long long)json_integer_value(call), (long long)json_integer_value(output), name);
    *tensor = (ModelTensor){(size_t)json_integer_value(index), (size_t)json_integer_value(call)};
    return STATUS_OK;
}

/* Arguments of a call beside its inputs: only those that say nothing.  `training` is in the files of Keras 3, where fit
 * and predict override it; Keras 2 keeps to it. */
static Status check_arguments(const json_t *arguments, bool keras3) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)arguments, key, value) {
        if (!json_is_null(value) && !(keras3 && strcmp(key, "training") == 0))
            return status_fail(STATUS_FAILED, "the call argument %.60s is not supported", key);
    }
    return STATUS_OK;
}

static Status new_inputs(ModelLayer *layer, ModelCall *call, size_t count) {
    if (count < layer->class->min_inputs || count > layer->class->max_inputs)
        return status_fail(STATUS_FAILED, "has %zu inputs; %s takes %zu to %zu", count, layer->class->name,
                           layer->class->min_inputs, layer->class->max_inputs);
    call->input_count = count;
    return memory_new(&call->inputs, count, "model");
}

static Status connect_call2(const Connect *c, ModelLayer *layer, const json_t *given, ModelCall *call) {
    TRY(new_inputs(layer, call, json_array_size(given)));
    for (size_t i = 0; i < call->input_count; i++) {
        const json_t *input = json_array_get(given, i);
        TRY(read_tensor(c, input, &call->inputs[i]));
        TRY(check_arguments(json_array_get(input, 3), false));
    }
    return STATUS_OK;
}

static Status connect_call3(const Connect *c, ModelLayer *layer, const json_t *given, ModelCall *call) {
    const json_t *args = json_object_get(given, "args");
    const json_t *first = json_array_get(args, 0);
    TRY(check_arguments(json_object_get(given, "kwargs"), true));
    if (json_array_size(args) != 1)
        return status_fail(STATUS_FAILED, "a call must have one argument: a tensor or a list of tensors");
    TRY(new_inputs(layer, call, json_is_array(first) ? json_array_size(first) : 1));
    for (size_t i = 0; i < call->input_count; i++) {
        const json_t *tensor = json_is_array(first) ? json_array_get(first, i) : first;
        TRY(read_tensor(c, json_object_get(json_object_get(tensor, "config"), "keras_history"), &call->inputs[i]));
    }
    return STATUS_OK;
}

static Status connect_layer(Connect *c, ModelLayer *layer, const json_t *given) {
    const json_t *nodes = json_object_get(given, "inbound_nodes");
    bool input = layer->class->max_inputs == 0;
    if (!json_is_array(nodes) || (json_array_size(nodes) == 0) != input)
        return status_fail(STATUS_FAILED, input ? "an InputLayer must have inbound_nodes []"
                                                : "inbound_nodes must be a list with the inputs of each call");
    size_t count = input ? 1 : json_array_size(nodes);
    if ((c->calls += count) > MODEL_MAX_LAYERS)
        return status_fail(STATUS_FAILED, "more than %d calls of layers", MODEL_MAX_LAYERS);
    TRY(memory_new(&layer->calls, count, "model"));
    layer->call_count = count;
    for (size_t i = 0; i < count && !input; i++) {
        const json_t *node = json_array_get(nodes, i);
        TRY((json_is_object(node) ? connect_call3 : connect_call2)(c, layer, node, &layer->calls[i]));
    }
    return STATUS_OK;
}

/* Every tensor must be the output of a call that exists. */
static Status check_tensors(const Model *model, const ModelTensor *tensors, size_t count, const char *reader) {
    for (size_t i = 0; i < count; i++) {
        const ModelLayer *layer = &model->layers[tensors[i].layer];
        if (tensors[i].call >= layer->call_count)
            return status_fail(STATUS_FAILED, "%s reads call %zu of layer %s, which is called %zu times", reader,
                               tensors[i].call, layer->name, layer->call_count);
    }
    return STATUS_OK;
}

/* input_layers, output_layers: [["in", 0, 0], ...], or ["in", 0, 0] for a single one. */
static Status read_ends(const Connect *c, const json_t *config, const char *key, ModelTensor **tensors, size_t *count) {
    const json_t *list = json_object_get(config, key);
    bool single = json_is_string(json_array_get(list, 0));
    size_t ends = single ? 1 : json_array_size(list);
    if (ends < 1 || ends > MODEL_MAX_LAYERS)
        return status_fail(STATUS_FAILED, "%s must be a list of [\"layer\", call, 0]", key);
    TRY(memory_new(tensors, ends, "model"));
    *count = ends;
    for (size_t i = 0; i < ends; i++) {
        Status status = read_tensor(c, single ? list : json_array_get(list, i), &(*tensors)[i]);
        if (status != STATUS_OK)
            return status_context(status, "%s", key);
    }
    return check_tensors(c->model, *tensors, ends, key);
}

/* The inputs must be the InputLayers, each once. */
static Status check_inputs(const Model *model) {
    size_t inputs = 0;
    for (size_t i = 0; i < model->layer_count; i++)
        inputs += model->layers[i].class->max_inputs == 0;
    for (size_t i = 0; i < model->input_count; i++) {
        const ModelLayer *layer = &model->layers[model->inputs[i].layer];
        for (size_t k = 0; k < i; k++)
            if (model->inputs[k].layer == model->inputs[i].layer)
                return status_fail(STATUS_FAILED, "input_layers names %s twice", layer->name);
        if (layer->class->max_inputs != 0)
            return status_fail(STATUS_FAILED, "input_layers names %s, which is no InputLayer", layer->name);
    }
    if (inputs != model->input_count)
        return status_fail(STATUS_FAILED, "there are %zu InputLayers, but %zu input_layers", inputs,
                           model->input_count);
    return STATUS_OK;
}

static Status connect_all(Connect *c, const json_t *config, const json_t *layers) {
    Model *model = c->model;
    for (size_t i = 0; i < model->layer_count; i++)
        if (json_object_set_new(c->names, model->layers[i].name, json_integer((json_int_t)i)) != 0)
            return status_fail(STATUS_FAILED, "out of memory");
    for (size_t i = 0; i < model->layer_count; i++) {
        Status status = connect_layer(c, &model->layers[i], json_array_get(layers, i));
        if (status != STATUS_OK)
            return status_context(status, "layer %s", model->layers[i].name);
    }
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t k = 0; k < model->layers[i].call_count; k++)
            TRY(check_tensors(model, model->layers[i].calls[k].inputs, model->layers[i].calls[k].input_count,
                              model->layers[i].name));
    TRY(read_ends(c, config, "input_layers", &model->inputs, &model->input_count));
    TRY(read_ends(c, config, "output_layers", &model->outputs, &model->output_count));
    return check_inputs(model);
}

Status model__connect(Model *model, const json_t *config, const json_t *layers) {
    Connect c = {.model = model, .names = json_object()};
    Status status = c.names ? connect_all(&c, config, layers) : status_fail(STATUS_FAILED, "out of memory");
    json_decref(c.names);
    return status;
}
