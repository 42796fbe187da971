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

static Status find_layer(const Connect *c, const char *given, size_t *layer) {
    char *name;
    TRY(model__copy_name(given, &name));
    const json_t *index = json_object_get(c->names, name);
    memory_free(name);
    if (index == NULL)
        return status_fail(STATUS_FAILED, "reads layer \"%.60s\", which does not exist", given);
    *layer = (size_t)json_integer_value(index);
    return STATUS_OK;
}

/* ["a", 0, 0, ...] -> the tensor.  Calls are checked later: those of a layer further down are not made yet. */
static Status read_tensor(const Connect *c, const json_t *given, ModelTensor *tensor) {
    const char *name = json_string_value(json_array_get(given, 0));
    const json_t *call = json_array_get(given, 1), *output = json_array_get(given, 2);
    if (name == NULL || !json_is_integer(call) || !json_is_integer(output) || json_array_size(given) > 4)
        return status_fail(STATUS_FAILED, "an input must be given as [\"layer\", call, 0]");
    TRY(find_layer(c, name, &tensor->layer));
    const Model *network = c->model->layers[tensor->layer].network;
    json_int_t outputs = network ? (json_int_t)network->output_count : 1;
    if (json_integer_value(call) < 0 || json_integer_value(call) > MODEL_MAX_LAYERS || json_integer_value(output) < 0 ||
        json_integer_value(output) >= outputs)
        return status_fail(STATUS_FAILED, "reads call %lld, output %lld of layer %.60s, which does not exist",
                           (long long)json_integer_value(call), (long long)json_integer_value(output), name);
    tensor->call = (size_t)json_integer_value(call);
    tensor->output = (size_t)json_integer_value(output);
    return STATUS_OK;
}

/* null, or a list of it: [null, null] is the mask of two inputs without. */
static bool says_nothing(const json_t *value) {
    size_t i;
    const json_t *entry;
    json_array_foreach((json_t *)value, i, entry) if (!json_is_null(entry)) return false;
    return json_is_null(value) || json_is_array(value);
}

/* Does training make no difference to the layer?  A frozen batch normalization uses its moving statistics anyway. */
static bool same_in_training(const ModelLayer *layer) {
    const char *class = layer->class->name;
    for (size_t i = 0; layer->network && i < layer->network->layer_count; i++)
        if (!same_in_training(&layer->network->layers[i]))
            return false;
    return strstr(class, "Dropout") == NULL && !layer_is_augmentation(layer->class) &&
           strcmp(class, "StochasticDepth") != 0 && (strcmp(class, "BatchNormalization") != 0 || !layer->trainable);
}

/* Arguments of a call beside its inputs: only those that say nothing.  `training` is in the files of Keras 3, where fit
 * and predict override it; Keras 2 keeps to it, so there it must make no difference: base(x, training=False) of a
 * frozen network. */
static Status check_arguments(const ModelLayer *layer, const json_t *arguments, bool keras3) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)arguments, key, value) {
        bool training = strcmp(key, "training") == 0;
        if (training && !keras3 && json_is_false(value) && !same_in_training(layer))
            return status_fail(STATUS_FAILED, "the call argument training=False is supported only where it changes "
                                              "nothing: for frozen layers and without dropout");
        if (!says_nothing(value) && !(training && (keras3 || json_is_false(value))))
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
        TRY(check_arguments(layer, json_array_get(input, 3), false));
    }
    return STATUS_OK;
}

static Status connect_call3(const Connect *c, ModelLayer *layer, const json_t *given, ModelCall *call) {
    const json_t *args = json_object_get(given, "args");
    const json_t *first = json_array_get(args, 0);
    TRY(check_arguments(layer, json_object_get(given, "kwargs"), true));
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

typedef void VisitTensor(ModelTensor *tensor, size_t *lowest);

static void find_lowest(ModelTensor *tensor, size_t *lowest) {
    if (tensor->call < lowest[tensor->layer])
        lowest[tensor->layer] = tensor->call;
}

static void count_from_zero(ModelTensor *tensor, size_t *lowest) {
    tensor->call -= lowest[tensor->layer];
}

static void visit_tensors(Model *model, VisitTensor *visit, size_t *lowest) {
    for (size_t l = 0; l < model->layer_count; l++)
        for (size_t c = 0; c < model->layers[l].call_count; c++)
            for (size_t i = 0; i < model->layers[l].calls[c].input_count; i++)
                visit(&model->layers[l].calls[c].inputs[i], lowest);
    for (size_t i = 0; i < model->output_count; i++)
        visit(&model->outputs[i], lowest);
}

/* Calls of a network in a network are counted from 0 in Keras 3; from 1 in Keras 2, where the network's own making is
 * call 0, but not for a Sequential network that was made without its input's shape.  Since every call leads to an
 * output, the lowest number says which it is. */
static Status number_calls(Model *model) {
    size_t *lowest;
    TRY(memory_new(&lowest, model->layer_count, "model"));
    for (size_t l = 0; l < model->layer_count; l++)
        lowest[l] = model->layers[l].network ? 1 : 0;
    visit_tensors(model, find_lowest, lowest);
    visit_tensors(model, count_from_zero, lowest);
    memory_free(lowest);
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
    return STATUS_OK;
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
    TRY(read_ends(c, config, "input_layers", &model->inputs, &model->input_count));
    TRY(read_ends(c, config, "output_layers", &model->outputs, &model->output_count));
    TRY(number_calls(model));
    TRY(check_tensors(model, model->inputs, model->input_count, "input_layers"));
    TRY(check_tensors(model, model->outputs, model->output_count, "output_layers"));
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t k = 0; k < model->layers[i].call_count; k++)
            TRY(check_tensors(model, model->layers[i].calls[k].inputs, model->layers[i].calls[k].input_count,
                              model->layers[i].name));
    return check_inputs(model);
}

Status model__connect(Model *model, const json_t *config, const json_t *layers) {
    Connect c = {.model = model, .names = json_object()};
    Status status = c.names ? connect_all(&c, config, layers) : status_fail(STATUS_FAILED, "out of memory");
    json_decref(c.names);
    return status;
}
