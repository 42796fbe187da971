/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks in networks.  A layer that is a network, called k times, is replaced by the layers of that network but its
 * InputLayers; a layer that is called n times in there has k * n calls afterwards: call c of the network makes n of
 * them, c * n + 0, 1, ...  What read an output of the network reads the layer that gives it; what read an InputLayer in
 * there, what the network was called with. */
#include "base/memory.h"
#include "model/layers.h"
#include "model/model_internal.h"
#include <ctype.h>
#include <string.h>

const LayerClass model__functional = {"Functional", NULL, 1, MODEL_MAX_LAYERS, NULL};
const LayerClass model__sequential = {"Sequential", NULL, 1, MODEL_MAX_LAYERS, NULL};

Status model__copy_name(const char *given, char **name) {
    TRY(memory_strdup(given, name));
    for (char *c = *name; *c; c++)
        if (*c == '/')
            *c = '_';
    return STATUS_OK;
}

Status model__snake_case(const char *class_name, char **snake) {
    size_t used = 0;
    TRY(memory_new(snake, 2 * strlen(class_name) + 1, "model"));
    for (const char *c = class_name; *c; c++) {
        bool begins = isupper((unsigned char)*c) && c > class_name &&
                      (islower((unsigned char)c[-1]) || islower((unsigned char)c[1]));
        if (begins)
            (*snake)[used++] = '_';
        (*snake)[used++] = (char)tolower((unsigned char)*c);
    }
    return STATUS_OK;
}

/* ---- where files have the weights ---- */

/* Replaces the owned text *old by PREFIX MIDDLE TEXT. */
static Status replace(char **old, const char *prefix, const char *middle, const char *text) {
    char *made;
    TRY(memory_format(&made, "%s%s%s", prefix, middle, text));
    memory_free(*old);
    *old = made;
    return STATUS_OK;
}

/* *place = the first place that is free behind the layer; `part`: its part of the path. */
static Status locate_layer(ModelLayer *layer, const char *part, size_t *place) {
    size_t end = 0;
    if (layer->network == NULL) {
        layer->place = (*place)++;
        TRY(replace(&layer->group, layer->name, "", ""));
        return replace(&layer->path, part, "", "");
    }
    for (size_t i = 0; i < layer->network->layer_count; i++) {
        ModelLayer *inner = &layer->network->layers[i];
        end = inner->place + 1 > end ? inner->place + 1 : end;
        inner->place += *place;
        TRY(replace(&inner->group, layer->name, "", ""));
        TRY(replace(&inner->path, part, "/layers/", inner->path));
    }
    *place += end;
    return STATUS_OK;
}

Status model__locate(Model *model) {
    size_t place = 0;
    for (size_t l = 0; l < model->layer_count; l++) {
        char *snake, *part;
        size_t earlier = 0;
        for (size_t i = 0; i < l; i++)
            earlier += model->layers[i].class == model->layers[l].class;
        TRY(model__snake_case(model->layers[l].class->name, &snake));
        Status status = earlier ? memory_format(&part, "%s_%zu", snake, earlier) : memory_strdup(snake, &part);
        memory_free(snake);
        TRY(status);
        status = locate_layer(&model->layers[l], part, &place);
        memory_free(part);
        TRY(status);
    }
    return STATUS_OK;
}

/* ---- flattening ---- */

static const size_t nowhere = SIZE_MAX;

typedef struct Flattening {
    Model *model, *flat;
    size_t *first;  /* of each layer: its row in `target`, or that of the first layer of the network that it is */
    size_t *target; /* rows: number of the layer in `flat`; nowhere for an InputLayer of a network inside */
    size_t calls;   /* in `flat` */
    json_t *names;  /* taken in `flat` */
} Flattening;

static bool is_input(const ModelLayer *layer) {
    return layer->class->max_inputs == 0;
}

/* Numbers the layers of the flat network. */
static Status number_layers(Flattening *f) {
    const Model *model = f->model;
    size_t rows = 0, count = 0;
    TRY(memory_new(&f->first, model->layer_count, "model"));
    for (size_t l = 0; l < model->layer_count; l++) {
        f->first[l] = rows;
        rows += model->layers[l].network ? model->layers[l].network->layer_count : 1;
    }
    TRY(memory_new(&f->target, rows, "model"));
    for (size_t l = 0; l < model->layer_count; l++) {
        const Model *network = model->layers[l].network;
        if (network == NULL)
            f->target[f->first[l]] = count++;
        for (size_t i = 0; network && i < network->layer_count; i++)
            f->target[f->first[l] + i] = is_input(&network->layers[i]) ? nowhere : count++;
    }
    if (count > MODEL_MAX_LAYERS)
        return status_fail(STATUS_FAILED, "more than %d layers, those of networks in it included", MODEL_MAX_LAYERS);
    TRY(memory_new(&f->flat->layers, count, "model"));
    f->flat->layer_count = count;
    return STATUS_OK;
}

static ModelTensor resolve(const Flattening *f, ModelTensor t);

/* The flat tensor for tensor t of the network that layer l is, in its call c. */
static ModelTensor resolve_inner(const Flattening *f, size_t l, size_t c, ModelTensor t) {
    const ModelLayer *outer = &f->model->layers[l];
    size_t target = f->target[f->first[l] + t.layer], input = 0;
    if (target != nowhere)
        return (ModelTensor){.layer = target, .call = c * outer->network->layers[t.layer].call_count + t.call};
    while (outer->network->inputs[input].layer != t.layer)
        input++;
    return resolve(f, outer->calls[c].inputs[input]);
}

/* The flat tensor for tensor t of the network.  Ends, since the network was sorted and so has no cycle. */
static ModelTensor resolve(const Flattening *f, ModelTensor t) {
    const Model *network = f->model->layers[t.layer].network;
    if (network)
        return resolve_inner(f, t.layer, t.call, network->outputs[t.output]);
    return (ModelTensor){.layer = f->target[f->first[t.layer]], .call = t.call};
}

/* The calls of flat layer `to`: those of `from`, which is layer l or lies in the network that layer l is. */
static Status copy_calls(Flattening *f, size_t l, const ModelLayer *from, ModelLayer *to) {
    const ModelLayer *outer = &f->model->layers[l];
    size_t times = outer->network ? outer->call_count : 1, own = from->call_count;
    if ((f->calls += times * own) > MODEL_MAX_LAYERS)
        return status_fail(STATUS_FAILED, "more than %d calls of layers, those of networks in it included",
                           MODEL_MAX_LAYERS);
    TRY(memory_new(&to->calls, times * own, "model"));
    to->call_count = times * own;
    for (size_t i = 0; i < to->call_count; i++) {
        const ModelCall *old = &from->calls[i % own];
        TRY(memory_new(&to->calls[i].inputs, old->input_count, "model"));
        to->calls[i].input_count = old->input_count;
        for (size_t k = 0; k < old->input_count; k++)
            to->calls[i].inputs[k] =
                outer->network ? resolve_inner(f, l, i / own, old->inputs[k]) : resolve(f, old->inputs[k]);
    }
    return STATUS_OK;
}

/* Gives a layer of the network called `network` another name where its own is taken. */
static Status rename_layer(Flattening *f, const char *network, ModelLayer *layer) {
    if (json_object_get(f->names, layer->name))
        TRY(replace(&layer->name, network, "_", layer->name));
    while (json_object_get(f->names, layer->name))
        TRY(replace(&layer->name, layer->name, "_", "2"));
    return STATUS_OK;
}

/* Moves what is not a call. */
static void move_layer(ModelLayer *from, ModelLayer *to) {
    to->class = from->class;
    to->trainable = from->trainable;
    to->trainable_in_file = from->trainable_in_file;
    to->place = from->place;
    to->name = from->name;
    to->group = from->group;
    to->path = from->path;
    to->config = from->config;
    from->name = from->group = from->path = NULL;
    from->config = NULL;
}

static Status take_name(Flattening *f, const ModelLayer *layer) {
    return json_object_set_new(f->names, layer->name, json_null()) == 0 ? STATUS_OK
                                                                        : status_fail(STATUS_FAILED, "out of memory");
}

/* Moves the layers; those that do not lie in networks have the first choice of names. */
static Status move_layers(Flattening *f) {
    for (size_t l = 0; l < f->model->layer_count; l++)
        if (f->model->layers[l].network == NULL) {
            move_layer(&f->model->layers[l], &f->flat->layers[f->target[f->first[l]]]);
            TRY(take_name(f, &f->flat->layers[f->target[f->first[l]]]));
        }
    for (size_t l = 0; l < f->model->layer_count; l++) {
        const Model *network = f->model->layers[l].network;
        for (size_t i = 0; network && i < network->layer_count; i++) {
            size_t target = f->target[f->first[l] + i];
            if (target == nowhere)
                continue;
            move_layer(&network->layers[i], &f->flat->layers[target]);
            TRY(rename_layer(f, f->model->layers[l].name, &f->flat->layers[target]));
            TRY(take_name(f, &f->flat->layers[target]));
        }
    }
    return STATUS_OK;
}

static Status resolve_ends(const Flattening *f, const ModelTensor *from, size_t count, ModelTensor **to) {
    TRY(memory_new(to, count, "model"));
    for (size_t i = 0; i < count; i++)
        (*to)[i] = resolve(f, from[i]);
    return STATUS_OK;
}

/* A network must be called with what it takes; in a Sequential network, with one tensor, and give one. */
static Status check_network(const Model *model, const ModelLayer *layer) {
    for (size_t c = 0; c < layer->call_count; c++)
        if (layer->calls[c].input_count != layer->network->input_count)
            return status_fail(STATUS_FAILED, "layer %s: call %zu has %zu inputs, but the network takes %zu",
                               layer->name, c, layer->calls[c].input_count, layer->network->input_count);
    if (model->sequential && layer->network->output_count != 1)
        return status_fail(STATUS_FAILED, "layer %s has %zu outputs and cannot stand in a Sequential network",
                           layer->name, layer->network->output_count);
    return STATUS_OK;
}

static Status flatten(Flattening *f) {
    Model *model = f->model, *flat = f->flat;
    flat->sequential = model->sequential;
    flat->keras = model->keras;
    for (size_t l = 0; l < model->layer_count; l++)
        if (model->layers[l].network) {
            flat->sequential = flat->sequential && model->layers[l].network->sequential;
            TRY(check_network(model, &model->layers[l]));
        }
    TRY(number_layers(f));
    for (size_t l = 0; l < model->layer_count; l++) {
        const Model *network = model->layers[l].network;
        if (network == NULL)
            TRY(copy_calls(f, l, &model->layers[l], &flat->layers[f->target[f->first[l]]]));
        for (size_t i = 0; network && i < network->layer_count; i++)
            if (f->target[f->first[l] + i] != nowhere)
                TRY(copy_calls(f, l, &network->layers[i], &flat->layers[f->target[f->first[l] + i]]));
    }
    TRY(resolve_ends(f, model->inputs, model->input_count, &flat->inputs));
    flat->input_count = model->input_count;
    TRY(resolve_ends(f, model->outputs, model->output_count, &flat->outputs));
    flat->output_count = model->output_count;
    TRY(move_layers(f));
    flat->name = model->name;
    model->name = NULL;
    return model__sort(flat);
}

Status model__flatten(Model **model) {
    Flattening f = {.model = *model};
    bool any = false;
    for (size_t l = 0; l < f.model->layer_count; l++)
        any |= f.model->layers[l].network != NULL;
    if (!any)
        return STATUS_OK;
    TRY(memory_new(&f.flat, 1, "model"));
    f.names = json_object();
    Status status = f.names ? flatten(&f) : status_fail(STATUS_FAILED, "out of memory");
    json_decref(f.names);
    memory_free(f.first);
    memory_free(f.target);
    if (status == STATUS_OK)
        *model = f.flat;
    model_destroy(status == STATUS_OK ? f.model : f.flat);
    return status;
}
