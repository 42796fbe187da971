/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "train/match_internal.h"
#include <stdlib.h>
#include <string.h>

/* ---- the network's side ------------------------------------------------------------------------------------------ */

static int by_place(const void *a, const void *b) {
    const ModelLayer *x = *(const ModelLayer *const *)a, *y = *(const ModelLayer *const *)b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* In Keras's list of a network's weights those that the file's layers trained stand first. */
static bool is_trained_in_file(const ModelLayer *layer, const Param *param) {
    return layer->trainable_in_file && (param->declared == PARAM_TRAINED || param->declared == PARAM_FROZEN);
}

/* Appends the parameters of a layer: those trained in the file, or the others. */
static size_t append_params(Matching *m, const ModelLayer *layer, bool trained) {
    int params[MODEL_LAYER_PARAMS];
    const Graph *graph = m->out->graph;
    size_t before = m->out->count, n = model_layer_params(m->model, (size_t)(layer - m->model->layers), graph, params);
    for (size_t k = 0; k < n; k++)
        if (is_trained_in_file(layer, &graph->params[params[k]]) == trained)
            m->out->order[m->out->count++] = params[k];
    return m->out->count - before;
}

/* Makes order and units of layers[from .. to - 1], which share a group. */
static void make_unit(Matching *m, const ModelLayer **layers, size_t from, size_t to) {
    Unit unit = {.name = layers[from]->group, .params = m->out->order + m->out->count, .network = to - from > 1};
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = from; i < to; i++)
            unit.count += append_params(m, layers[i], pass == 0);
    if (unit.count > 0)
        m->units[m->unit_count++] = unit;
}

static Status make_units(Matching *m) {
    size_t layers = m->model->layer_count;
    const ModelLayer **sorted;
    TRY(memory_new(&m->out->order, m->out->graph->param_count, "weights"));
    TRY(memory_new(&m->units, layers, "weights"));
    TRY(memory_new(&sorted, layers, "weights"));
    for (size_t i = 0; i < layers; i++)
        sorted[i] = &m->model->layers[i];
    qsort(sorted, layers, sizeof *sorted, by_place);
    for (size_t from = 0, to; from < layers; from = to) {
        for (to = from + 1; to < layers && strcmp(sorted[from]->group, sorted[to]->group) == 0;)
            to++;
        make_unit(m, sorted, from, to);
    }
    memory_free(sorted);
    return STATUS_OK;
}

/* Marks the parameters of layers that start anew. */
static Status mark_fresh(Matching *m) {
    TRY(memory_new(&m->fresh, m->out->graph->param_count, "weights"));
    for (size_t l = 0; m->options.parts && l < m->model->layer_count; l++) {
        int params[MODEL_LAYER_PARAMS];
        MatchPart part = m->options.parts[l];
        size_t n = model_layer_params(m->model, l, m->out->graph, params);
        for (size_t k = 0; (part == MATCH_NEW || (part == MATCH_HEAD && m->new_heads)) && k < n; k++)
            m->fresh[params[k]] = FRESH;
    }
    return STATUS_OK;
}

/* The k-th parameter of a unit. */
/* ---- the whole --------------------------------------------------------------------------------------------------- */

static Status count_matches(Matching *m) {
    Matches *out = m->out;
    size_t stored = 0;
    for (size_t i = 0; i < out->count; i++) {
        const Param *param = &out->graph->params[out->order[i]];
        MatchWay way = out->of[out->order[i]].way;
        out->found[way]++;
        if (way == MATCH_NONE && !m->options.allow_mismatch && !m->fresh[out->order[i]])
            return status_fail(STATUS_FAILED,
                               "%s has no weights for layer %s of the network (%s). Is it of another network? "
                               "--allow-mismatch starts layers without fitting weights anew.",
                               m->origin, param->spec.layer, param->spec.name);
    }
    for (size_t l = 0; l < out->checkpoint->layer_count; l++)
        stored += out->checkpoint->layers[l].count;
    out->unused = stored - (out->count - out->found[MATCH_NONE]);
    if (out->count > 0 && out->found[MATCH_NONE] == out->count)
        return status_fail(STATUS_FAILED, "%s has no weights that fit any layer of the network", m->origin);
    return STATUS_OK;
}

static Status match_all(Matching *m) {
    TRY(mark_fresh(m));
    TRY(memory_new(&m->out->of, m->out->graph->param_count, "weights"));
    TRY(memory_new(&m->taken, m->out->checkpoint->layer_count, "weights"));
    TRY(make_units(m));
    if (m->out->checkpoint->naming == CHECKPOINT_CLASS_PATHS) {
        TRY(match__paths(m));
    } else {
        TRY(match__groups(m));
        match__layers(m);
        TRY(match__order(m));
    }
    return count_matches(m);
}

/* One attempt, with m->new_heads. */
static Status match_once(Matching *m, const Graph *graph, const Checkpoint *checkpoint) {
    match_free(m->out);
    m->out->graph = graph;
    m->out->checkpoint = checkpoint;
    Status status = match_all(m);
    memory_free(m->fresh);
    memory_free(m->units);
    memory_free(m->taken);
    m->fresh = NULL;
    m->units = NULL;
    m->taken = NULL;
    m->unit_count = 0;
    return status;
}

Status match_weights(const Model *model, const Graph *graph, const Checkpoint *checkpoint, const char *origin,
                     MatchOptions options, Matches *out) {
    *out = (Matches){0};
    Matching m = {.out = out, .model = model, .origin = origin, .options = options};
    Status status = match_once(&m, graph, checkpoint);
    for (size_t l = 0; options.parts && l < model->layer_count; l++)
        m.new_heads |= options.parts[l] == MATCH_HEAD;
    return status == STATUS_FAILED && m.new_heads ? match_once(&m, graph, checkpoint) : status;
}

void match_free(Matches *matches) {
    memory_free(matches->order);
    memory_free(matches->of);
    *matches = (Matches){0};
}

void match_copy(const Matches *matches, Real *weights) {
    for (size_t i = 0; i < matches->count; i++) {
        const Param *param = &matches->graph->params[matches->order[i]];
        const CheckpointTensor *tensor = matches->of[matches->order[i]].tensor;
        if (tensor)
            memcpy(weights + param->offset, tensor->data, param->count * sizeof *weights);
    }
}
