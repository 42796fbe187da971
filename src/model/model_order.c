/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of layers in Keras.  Weights in a legacy file are matched by the order of layers, and Keras, when it loads
 * a network, sorts layers by itself: by depth (the longest way to an output, in calls), then by the time at which a
 * walk from the outputs first meets them (keras.src.ops.function.map_graph).  So the same is done here. */
#include "base/memory.h"
#include "model/model_internal.h"
#include <stdlib.h>

Status model__call_bases(const Model *model, size_t **bases) {
    TRY(memory_new(bases, model->layer_count + 1, "model"));
    for (size_t i = 0; i < model->layer_count; i++)
        (*bases)[i + 1] = (*bases)[i] + model->layers[i].call_count;
    return STATUS_OK;
}

enum { UNSEEN, OPEN, DONE };

typedef struct Rank {
    size_t depth, met, layer; /* met: 1, 2, ... in the order of the walk; 0: not met */
} Rank;

typedef struct Walk {
    Model *model;
    size_t *bases;        /* see model__call_bases */
    unsigned char *state; /* of each call */
    size_t *depth;        /* of each call */
    Rank *ranks;          /* of each layer */
    size_t met;
} Walk;

/* Appends a call to the order after everything that it reads.  The depth of recursion is at most the number of calls,
 * MODEL_MAX_LAYERS. */
static Status visit(Walk *w, ModelTensor t) {
    const ModelLayer *layer = &w->model->layers[t.layer];
    unsigned char *state = &w->state[w->bases[t.layer] + t.call];
    if (*state == DONE)
        return STATUS_OK;
    if (*state == OPEN)
        return status_fail(STATUS_FAILED, "layer %s reads its own output: the network has a cycle", layer->name);
    *state = OPEN;
    if (w->ranks[t.layer].met == 0)
        w->ranks[t.layer].met = ++w->met;
    for (size_t i = 0; i < layer->calls[t.call].input_count; i++)
        TRY(visit(w, layer->calls[t.call].inputs[i]));
    *state = DONE;
    w->model->order[w->model->order_count++] = t;
    return STATUS_OK;
}

/* A call lies one deeper than what reads it, and not less deep than later calls of its layer. */
static void measure(Walk *w) {
    for (size_t i = w->model->order_count; i-- > 0;) {
        ModelTensor t = w->model->order[i];
        const ModelCall *call = &w->model->layers[t.layer].calls[t.call];
        size_t *depth = &w->depth[w->bases[t.layer] + t.call], *deepest = &w->ranks[t.layer].depth;
        if (*deepest > *depth)
            *depth = *deepest;
        *deepest = *depth;
        for (size_t k = 0; k < call->input_count; k++) {
            size_t *below = &w->depth[w->bases[call->inputs[k].layer] + call->inputs[k].call];
            if (*below < *depth + 1)
                *below = *depth + 1;
        }
    }
}

static int by_depth(const void *a, const void *b) {
    const Rank *x = a, *y = b;
    if (x->depth != y->depth)
        return x->depth > y->depth ? -1 : 1;
    return x->met < y->met ? -1 : 1;
}

static void renumber(ModelTensor *tensors, size_t count, const size_t *place) {
    for (size_t i = 0; i < count; i++)
        tensors[i].layer = place[tensors[i].layer];
}

/* Puts layers into the order of w->ranks and renumbers every tensor. */
static Status rearrange(Walk *w) {
    Model *model = w->model;
    ModelLayer *sorted;
    size_t *place;
    TRY(memory_new(&sorted, model->layer_count, "model"));
    Status status = memory_new(&place, model->layer_count, "model");
    if (status != STATUS_OK) {
        memory_free(sorted);
        return status;
    }
    for (size_t i = 0; i < model->layer_count; i++) {
        place[w->ranks[i].layer] = i;
        sorted[i] = model->layers[w->ranks[i].layer];
    }
    memory_free(model->layers);
    model->layers = sorted;
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t c = 0; c < sorted[i].call_count; c++)
            renumber(sorted[i].calls[c].inputs, sorted[i].calls[c].input_count, place);
    renumber(model->inputs, model->input_count, place);
    renumber(model->outputs, model->output_count, place);
    renumber(model->order, model->order_count, place);
    memory_free(place);
    return STATUS_OK;
}

static Status sort(Walk *w) {
    Model *model = w->model;
    size_t calls = w->bases[model->layer_count];
    TRY(memory_new(&w->state, calls, "model"));
    TRY(memory_new(&w->depth, calls, "model"));
    TRY(memory_new(&w->ranks, model->layer_count, "model"));
    TRY(memory_new(&model->order, calls, "model"));
    for (size_t i = 0; i < model->output_count; i++)
        TRY(visit(w, model->outputs[i]));
    for (size_t i = 0; i < model->layer_count; i++) {
        for (size_t c = 0; c < model->layers[i].call_count; c++)
            if (w->state[w->bases[i] + c] != DONE)
                return status_fail(STATUS_FAILED, "layer %s (call %zu) leads to no output", model->layers[i].name, c);
        w->ranks[i].layer = i;
    }
    measure(w);
    qsort(w->ranks, model->layer_count, sizeof *w->ranks, by_depth);
    return rearrange(w);
}

Status model__sort(Model *model) {
    Walk w = {.model = model};
    Status status = model__call_bases(model, &w.bases);
    if (status == STATUS_OK)
        status = sort(&w);
    memory_free(w.bases);
    memory_free(w.state);
    memory_free(w.depth);
    memory_free(w.ranks);
    return status;
}
