/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"
#include "base/memory.h"
#include "model/model_internal.h"
#include <string.h>

void model_destroy(Model *model) {
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->layer_count; i++) {
        ModelLayer *layer = &model->layers[i];
        for (size_t c = 0; c < layer->call_count; c++)
            memory_free(layer->calls[c].inputs);
        memory_free(layer->calls);
        memory_free(layer->name);
        memory_free(layer->group);
        memory_free(layer->path);
        model_destroy(layer->network);
        json_decref(layer->config);
    }
    memory_free(model->layers);
    memory_free(model->inputs);
    memory_free(model->outputs);
    memory_free(model->order);
    memory_free(model->name);
    memory_free(model);
}

int model_find_layer(const Model *model, const char *name) {
    for (size_t i = 0; i < model->layer_count; i++)
        if (strcmp(model->layers[i].name, name) == 0)
            return (int)i;
    return -1;
}

size_t model_layer_params(const Model *model, size_t layer, const Graph *graph, int params[MODEL_LAYER_PARAMS]) {
    size_t count = 0;
    for (size_t i = 0; i < graph->param_count; i++) {
        const ParamSpec *spec = &graph->params[i].spec;
        if (spec->role != PARAM_CONSTANT && strcmp(spec->layer, model->layers[layer].name) == 0) {
            CHECK(count < MODEL_LAYER_PARAMS, "layer %s has too many parameters", spec->layer);
            params[count++] = (int)i;
        }
    }
    return count;
}

/* Keras's name of each loss, then the other spellings it knows. */
static const struct {
    const char *name;
    LossKind kind;
} losses[] = {
    {"sparse_categorical_crossentropy", LOSS_SPARSE_CROSSENTROPY},
    {"categorical_crossentropy", LOSS_CROSSENTROPY},
    {"binary_crossentropy", LOSS_BINARY_CROSSENTROPY},
    {"mean_squared_error", LOSS_MEAN_SQUARED_ERROR},
    {"mean_absolute_error", LOSS_MEAN_ABSOLUTE_ERROR},
    {"huber", LOSS_HUBER},
    {"log_cosh", LOSS_LOG_COSH},
    {"mean_squared_logarithmic_error", LOSS_MEAN_SQUARED_LOGARITHMIC_ERROR},
    {"mean_absolute_percentage_error", LOSS_MEAN_ABSOLUTE_PERCENTAGE_ERROR},
    {"poisson", LOSS_POISSON},
    {"hinge", LOSS_HINGE},
    {"squared_hinge", LOSS_SQUARED_HINGE},
    {"binary_focal_crossentropy", LOSS_BINARY_FOCAL},
    {"categorical_focal_crossentropy", LOSS_CATEGORICAL_FOCAL},
    {"kl_divergence", LOSS_KL_DIVERGENCE},
    {"cosine_similarity", LOSS_COSINE_SIMILARITY},
    {"categorical_hinge", LOSS_CATEGORICAL_HINGE},
    {"contrastive", LOSS_CONTRASTIVE},
    {"triplet", LOSS_TRIPLET},
    {"triplet_hard", LOSS_TRIPLET_HARD},
    {"msle", LOSS_MEAN_SQUARED_LOGARITHMIC_ERROR},
    {"mape", LOSS_MEAN_ABSOLUTE_PERCENTAGE_ERROR},
    {"mse", LOSS_MEAN_SQUARED_ERROR},
    {"mae", LOSS_MEAN_ABSOLUTE_ERROR},
};
enum { LOSS_NAMES = sizeof losses / sizeof *losses };

const char *model_loss_name(LossKind kind) {
    size_t i = 0;
    while (losses[i].kind != kind)
        i++;
    return losses[i].name;
}

Status model_loss_find(const char *name, int *kind) {
    *kind = MODEL_LOSS_AUTO;
    if (strcmp(name, "auto") == 0)
        return STATUS_OK;
    for (size_t i = 0; i < LOSS_NAMES; i++)
        if (strcmp(losses[i].name, name) == 0) {
            *kind = (int)losses[i].kind;
            return STATUS_OK;
        }
    Status status = status_fail(STATUS_FAILED, "unknown loss \"%.60s\". Known: auto", name);
    for (size_t i = 0; i < LOSS_NAMES; i++)
        status = status_fail(status, "%s %s", status_message(), losses[i].name);
    return status;
}
