/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model_edit.h"
#include "base/memory.h"
#include "model/layers.h"
#include <string.h>

/* ---- finding ----------------------------------------------------------------------------------------------------- */

/* The key with the number of channels that come out of a layer, which its weights follow; NULL: it has none. */
static const char *width_key(const ModelLayer *layer) {
    static const char *const keys[] = {"units", "filters"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_is_integer(json_object_get(layer->config, keys[i])))
            return keys[i];
    return NULL;
}

static bool has_word(const ModelLayer *layer, const char *key, const char *word) {
    const char *value = json_string_value(json_object_get(layer->config, key));
    return value && strcmp(value, word) == 0;
}

/* What a layer ends in: does it make probabilities? */
static bool ends_in_softmax(const ModelLayer *layer) {
    return strcmp(layer->class->name, "Softmax") == 0 || has_word(layer, "activation", "softmax");
}

static bool ends_in_sigmoid(const ModelLayer *layer) {
    return has_word(layer, "activation", "sigmoid");
}

/* One layer back from t; false: it has not exactly one input. */
static bool step_back(const Model *model, ModelTensor *t) {
    const ModelCall *call = &model->layers[t->layer].calls[t->call];
    if (call->input_count != 1)
        return false;
    *t = call->inputs[0];
    return true;
}

ModelHead model_head(const Model *model, size_t output) {
    ModelTensor t = model->outputs[output];
    const ModelLayer *last = &model->layers[t.layer];
    bool softmax = false, sigmoid = false;
    do {
        const ModelLayer *layer = &model->layers[t.layer];
        const char *key = width_key(layer);
        softmax = softmax || ends_in_softmax(layer);
        sigmoid = sigmoid || ends_in_sigmoid(layer);
        if (key == NULL)
            continue;
        bool logits =
            layer == last && strcmp(layer->class->name, "Dense") == 0 && has_word(layer, "activation", "linear");
        if (!softmax && !sigmoid && !logits)
            return (ModelHead){.kind = HEAD_FEATURES};
        return (ModelHead){.kind = HEAD_CLASSES,
                           .layer = t.layer,
                           .classes = (size_t)json_integer_value(json_object_get(layer->config, key)),
                           .sigmoid = sigmoid && !softmax};
    } while (step_back(model, &t));
    return (ModelHead){.kind = softmax || sigmoid ? HEAD_UNKNOWN : HEAD_FEATURES};
}

void model_head_layers(const Model *model, size_t output, bool *part) {
    size_t head = model_head(model, output).layer;
    ModelTensor t = model->outputs[output];
    do
        part[t.layer] = true;
    while (t.layer != head && step_back(model, &t));
}

/* ---- changing ---------------------------------------------------------------------------------------------------- */

static Status set_integer(json_t *object, const char *key, size_t value) {
    if (json_object_set_new(object, key, json_integer((json_int_t)value)) != 0)
        return status_fail(STATUS_FAILED, "out of memory: network");
    return STATUS_OK;
}

Status model_head_resize(Model *model, size_t output, size_t classes) {
    ModelHead head = model_head(model, output);
    CHECK(head.kind == HEAD_CLASSES, "output %zu of network %s has no head", output, model->name);
    ModelTensor t = model->outputs[output];
    for (; t.layer != head.layer; step_back(model, &t)) {
        json_t *target = json_object_get(model->layers[t.layer].config, "target_shape"), *extent;
        size_t i;
        json_array_foreach(target, i, extent) if (json_integer_value(extent) == (json_int_t)head.classes)
            json_array_set_new(target, i, json_integer((json_int_t)classes));
    }
    ModelLayer *layer = &model->layers[head.layer];
    return set_integer(layer->config, width_key(layer), classes);
}

static Status free_name(const Model *model, const char *wanted, char **name) {
    TRY(memory_strdup(wanted, name));
    for (size_t i = 2; model_find_layer(model, *name) >= 0; i++) {
        memory_free(*name);
        TRY(memory_format(name, "%s_%zu", wanted, i));
    }
    return STATUS_OK;
}

/* Appends a layer that reads *end, which becomes its output.  config: a reference that is taken over. */
static Status append(Model *model, const char *class_name, const char *name, json_t *config, ModelTensor *end) {
    ModelLayer layer = {.trainable = true, .trainable_in_file = true, .place = model->layer_count, .call_count = 1};
    for (size_t l = 0; l < model->layer_count; l++)
        if (model->layers[l].place >= layer.place)
            layer.place = model->layers[l].place + 1;
    Status status = layer_class_find(class_name, &layer.class);
    if (status == STATUS_OK)
        status = layer_config(layer.class, config, &layer.config);
    json_decref(config);
    TRY(status);
    TRY_GOTO(memory_grow(&model->layers, model->layer_count, 1, "model"), failed);
    TRY_GOTO(memory_grow(&model->order, model->order_count, 1, "model"), failed);
    TRY_GOTO(free_name(model, name, &layer.name), failed);
    TRY_GOTO(memory_strdup(layer.name, &layer.group), failed);
    TRY_GOTO(memory_strdup(layer.name, &layer.path), failed); /* of no file */
    TRY_GOTO(memory_new(&layer.calls, 1, "model"), failed);
    TRY_GOTO(memory_new(&layer.calls[0].inputs, 1, "model"), failed);
    layer.calls[0].input_count = 1;
    layer.calls[0].inputs[0] = *end;
    *end = (ModelTensor){.layer = model->layer_count};
    model->order[model->order_count++] = *end;
    model->layers[model->layer_count++] = layer;
    return STATUS_OK;
failed:
    json_decref(layer.config);
    memory_free(layer.name);
    memory_free(layer.group);
    memory_free(layer.path);
    if (layer.calls)
        memory_free(layer.calls[0].inputs);
    memory_free(layer.calls);
    return status;
}

Status model_head_add(Model *model, size_t output, const Shape *features, size_t classes, double dropout) {
    ModelTensor *end = &model->outputs[output];
    if (features->rank == 2)
        TRY(append(model, "GlobalAveragePooling1D", "global_average_pooling1d", json_object(), end));
    if (features->rank == 4)
        TRY(append(model, "GlobalAveragePooling3D", "global_average_pooling3d", json_object(), end));
    if (features->rank == 3)
        TRY(append(model, "GlobalAveragePooling2D", "global_average_pooling2d", json_object(), end));
    if (dropout > 0)
        TRY(append(model, "Dropout", "dropout", json_pack("{s:f}", "rate", dropout), end));
    return append(model, "Dense", "predictions",
                  json_pack("{s:I, s:s}", "units", (json_int_t)classes, "activation", "softmax"), end);
}

bool model_replace_softmax(Model *model, size_t output, const char *activation) {
    ModelTensor t = model->outputs[output];
    do {
        ModelLayer *layer = &model->layers[t.layer];
        if (has_word(layer, "activation", "softmax"))
            return json_object_set_new(layer->config, "activation", json_string(activation)) == 0;
        if (width_key(layer))
            return false;
    } while (step_back(model, &t));
    return false;
}

/* Its noise_shape is [null, 1, ..]: one decision for the whole example. */
static bool drops_examples(const ModelLayer *layer) {
    const json_t *noise = json_object_get(layer->config, "noise_shape");
    bool all = json_array_size(noise) > 1;
    for (size_t i = 1; i < json_array_size(noise); i++)
        all = all && json_integer_value(json_array_get(noise, i)) == 1;
    return all;
}

size_t model_set_dropout(Model *model, double rate) {
    size_t count = 0;
    for (size_t l = 0; l < model->layer_count; l++) {
        ModelLayer *layer = &model->layers[l];
        if (strcmp(layer->class->name, "Dropout") == 0 && !drops_examples(layer))
            count += json_object_set_new(layer->config, "rate", json_real(rate)) == 0;
    }
    return count;
}

size_t model_set_momentum(Model *model, double momentum) {
    size_t count = 0;
    for (size_t l = 0; l < model->layer_count; l++) {
        ModelLayer *layer = &model->layers[l];
        if (strcmp(layer->class->name, "BatchNormalization") == 0)
            count += json_object_set_new(layer->config, "momentum", json_real(momentum)) == 0;
    }
    return count;
}

Shape model_input_shape(const Model *model) {
    const json_t *extents = json_object_get(model->layers[model->inputs[0].layer].config, "batch_input_shape");
    Shape shape = {.rank = json_array_size(extents) > 0 ? json_array_size(extents) - 1 : 0};
    for (size_t i = 0; i < shape.rank; i++)
        shape.dim[i] = (size_t)json_integer_value(json_array_get(extents, i + 1)); /* 0 of null */
    return shape;
}

bool model_set_input(Model *model, const Shape *shape, Shape *before) {
    json_t *extents = json_object_get(model->layers[model->inputs[0].layer].config, "batch_input_shape");
    bool changed = false;
    *before = *shape;
    if (model->input_count != 1 || shape->rank != 3 || json_array_size(extents) != 4 ||
        json_integer_value(json_array_get(extents, 3)) != (json_int_t)shape->dim[2])
        return false;
    for (size_t i = 1; i < 3; i++) {
        const json_t *extent = json_array_get(extents, i);
        if (json_is_null(extent) || json_integer_value(extent) == (json_int_t)shape->dim[i - 1])
            continue;
        before->dim[i - 1] = (size_t)json_integer_value(extent);
        json_array_set_new(extents, i, json_integer((json_int_t)shape->dim[i - 1]));
        changed = true;
    }
    return changed;
}
