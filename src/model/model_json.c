/* SPDX-License-Identifier: Apache-2.0
 *
 * Model to JSON, in the one form that Keras 3 and Keras 2 both load: the Keras 2 dialect with batch_input_shape and
 * lists of inputs, and no key that one of them does not know.  Keys with their default value are left out for that
 * reason. */
#include "base/memory.h"
#include "model/layers.h"
#include "model/model_internal.h"
#include <stdlib.h>

static json_t *tensor_json(const Model *model, ModelTensor t, bool with_arguments) {
    json_t *json = json_pack("[s,i,i]", model->layers[t.layer].name, (int)t.call, 0);
    if (with_arguments)
        json_array_append_new(json, json_object());
    return json;
}

static json_t *tensors_json(const Model *model, const ModelTensor *tensors, size_t count, bool with_arguments) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, tensor_json(model, tensors[i], with_arguments));
    return list;
}

static Status layer_json(const Model *model, const ModelLayer *layer, json_t **out) {
    json_t *config, *calls = json_array();
    Status status = layer_config_short(layer->class, layer->config, &config);
    json_object_set_new(config, "name", json_string(layer->name));
    if (!layer->trainable)
        json_object_set_new(config, "trainable", json_false());
    if (layer->class->max_inputs == 0) { /* both Keras versions write these two */
        json_object_set_new(config, "dtype", json_string("float32"));
        json_object_set_new(config, "sparse", json_false());
    }
    for (size_t i = 0; i < layer->call_count && layer->class->max_inputs > 0; i++)
        json_array_append_new(calls, tensors_json(model, layer->calls[i].inputs, layer->calls[i].input_count, true));
    *out = json_pack("{s:s,s:o}", "class_name", layer->class->name, "config", config);
    if (!model->sequential) {
        json_object_set_new(*out, "name", json_string(layer->name));
        json_object_set(*out, "inbound_nodes", calls);
    }
    json_decref(calls);
    return status;
}

static Status model_json(const Model *model, json_t **out) {
    json_t *layers = json_array(), *config = json_pack("{s:s,s:o}", "name", model->name, "layers", layers);
    *out = json_pack("{s:s,s:o}", "class_name", model->sequential ? "Sequential" : "Functional", "config", config);
    if (model->keras == 3) /* the meaning of hard_sigmoid */
        json_object_set_new(*out, "keras_version", json_string("3.0.0"));
    for (size_t i = 0; i < model->layer_count; i++) {
        json_t *layer = NULL;
        Status status = layer_json(model, &model->layers[i], &layer);
        json_array_append_new(layers, layer);
        TRY(status);
    }
    if (!model->sequential) {
        json_object_set_new(config, "input_layers", tensors_json(model, model->inputs, model->input_count, false));
        json_object_set_new(config, "output_layers", tensors_json(model, model->outputs, model->output_count, false));
    }
    return STATUS_OK;
}

/* The shortest text that reads back as the same numbers: 15 digits write 0.3 as 0.3, some need 17. */
static char *dump(const json_t *json) {
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_t *back = text ? json_loads(text, 0, NULL) : NULL;
    if (!json_equal(json, back)) {
        free(text);
        text = json_dumps(json, JSON_COMPACT);
    }
    json_decref(back);
    return text;
}

Status model_to_json(const Model *model, char **text) {
    json_t *json = NULL;
    *text = NULL;
    Status status = model_json(model, &json);
    char *dumped = status == STATUS_OK ? dump(json) : NULL;
    json_decref(json);
    TRY(status);
    if (dumped == NULL)
        return status_fail(STATUS_FAILED, "out of memory");
    status = memory_strdup(dumped, text);
    free(dumped);
    return status;
}
