/* SPDX-License-Identifier: Apache-2.0
 *
 * The ways to find a layer's weights in a file: by name, by path, by order. */
#include "train/match_internal.h"
#include <string.h>

static const Param *wanted(const Matching *m, const Unit *unit, size_t k) {
    return &m->out->graph->params[unit->params[k]];
}

/* The unit of one layer, whose parameters go to params. */
static Unit layer_unit(const Matching *m, size_t layer, int params[MODEL_LAYER_PARAMS]) {
    return (Unit){.name = m->model->layers[layer].name,
                  .params = params,
                  .count = model_layer_params(m->model, layer, m->out->graph, params)};
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

/* '/' and '_' are the same: the one is not allowed in all versions of Keras. */
static bool same_start(const char *a, const char *b, size_t length) {
    for (; length > 0; a++, b++, length--)
        if (*a != *b && !((*a == '/' || *a == '_') && (*b == '/' || *b == '_')))
            return false;
    return true;
}

static bool same_name(const char *a, const char *b) {
    return strlen(a) == strlen(b) && same_start(a, b, strlen(a));
}

/* What starts anew has the shape of what it replaces but for the number of classes, which need not be the same. */
static bool fits_param(const Matching *m, int param, const Shape *shape) {
    const Shape *wanted = &m->out->graph->params[param].spec.shape;
    return m->fresh[param] ? shape->rank == wanted->rank : shape_equal(shape, wanted);
}

static bool fits(const Matching *m, const Unit *unit, const CheckpointLayer *from) {
    if (from->count != unit->count)
        return false;
    for (size_t k = 0; k < unit->count; k++)
        if (!fits_param(m, unit->params[k], &from->weights[k].shape))
            return false;
    return true;
}

static bool is_fresh(const Matching *m, const Unit *unit) {
    for (size_t k = 0; k < unit->count; k++)
        if (!m->fresh[unit->params[k]])
            return false;
    return true;
}

/* Why `from` does not fit. */
static Status misfit(const Matching *m, const Unit *unit, const CheckpointLayer *from) {
    static const char advice[] =
        "Is it of another network? --allow-mismatch starts layers without fitting weights anew";
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    if (from->count != unit->count)
        return status_fail(STATUS_FAILED, "%s: layer %s has %zu weights, %s of the network has %zu. %s.", m->origin,
                           from->name, from->count, unit->name, unit->count, advice);
    for (size_t k = 0; k < unit->count; k++) {
        const Param *param = wanted(m, unit, k);
        const CheckpointTensor *tensor = &from->weights[k];
        if (!fits_param(m, unit->params[k], &tensor->shape))
            return status_fail(STATUS_FAILED, "%s: %s/%s has the shape %s, %s/%s of the network has %s. %s.", m->origin,
                               from->name, tensor->name, shape_format(&tensor->shape, have), param->spec.layer,
                               param->spec.name, shape_format(&param->spec.shape, want), advice);
    }
    return STATUS_OK;
}

static void set_match(Matching *m, int param, const CheckpointLayer *layer, const CheckpointTensor *tensor,
                      MatchWay way) {
    if (m->fresh[param])
        m->fresh[param] = FRESH_SEEN;
    else
        m->out->of[param] = (Match){.way = way, .layer = layer, .tensor = tensor};
    m->taken[layer - m->out->checkpoint->layers] = true;
}

static void set_unit(Matching *m, const Unit *unit, const CheckpointLayer *from, MatchWay way) {
    for (size_t k = 0; k < unit->count; k++)
        set_match(m, unit->params[k], from, &from->weights[k], way);
}

static bool is_done(const Matching *m, const Unit *unit) {
    for (size_t k = 0; k < unit->count; k++)
        if (m->out->of[unit->params[k]].way == MATCH_NONE && !m->fresh[unit->params[k]])
            return false;
    return true;
}

/* ---- by name ----------------------------------------------------------------------------------------------------- */

static const CheckpointLayer *find_layer(const Matching *m, const char *name) {
    for (size_t i = 0; i < m->out->checkpoint->layer_count; i++) {
        const CheckpointLayer *layer = &m->out->checkpoint->layers[i];
        if (layer->count > 0 && same_name(layer->name, name))
            return layer;
    }
    return NULL;
}

/* Do network and file have the same made-up names, and do their weights fit? */
static bool automatic_names_agree(const Matching *m) {
    size_t here = 0, there = 0;
    for (size_t u = 0; u < m->unit_count; u++) {
        const Unit *unit = &m->units[u];
        if (!model_is_automatic_name(unit->name))
            continue;
        const CheckpointLayer *from = find_layer(m, unit->name);
        if (from == NULL && is_fresh(m, unit))
            continue;
        if (from == NULL || !fits(m, unit, from))
            return false;
        here++;
    }
    for (size_t i = 0; i < m->out->checkpoint->layer_count; i++) {
        const CheckpointLayer *layer = &m->out->checkpoint->layers[i];
        there += layer->count > 0 && model_is_automatic_name(layer->name);
    }
    return here == there;
}

Status match__groups(Matching *m) {
    bool agree = automatic_names_agree(m);
    for (size_t u = 0; u < m->unit_count; u++) {
        const Unit *unit = &m->units[u];
        const CheckpointLayer *from = find_layer(m, unit->name);
        if (from == NULL || (!agree && model_is_automatic_name(unit->name)))
            continue;
        if (fits(m, unit, from))
            set_unit(m, unit, from, MATCH_BY_NAME);
        else if (!m->options.allow_mismatch && !unit->network && !is_fresh(m, unit))
            return misfit(m, unit, from);
    }
    return STATUS_OK;
}

/* Is "conv1/conv/kernel:0" a weight of layer conv1_conv?  Is "resnet50/conv1_conv/kernel:0", if something may stand in
 * front? */
static bool is_weight_of(const char *stored, const char *layer, bool in_front) {
    const char *slash = strrchr(stored, '/');
    size_t length = strlen(layer);
    if (slash == NULL || (size_t)(slash - stored) < length)
        return false;
    const char *start = slash - length;
    return same_start(start, layer, length) && (start == stored || (in_front && start[-1] == '/'));
}

/* Looks for a layer's weights in a file's group of several layers. */
static void match_inside(Matching *m, const Unit *layer, const CheckpointLayer *from, bool in_front) {
    const CheckpointTensor *found[MODEL_LAYER_PARAMS];
    size_t used = 0;
    for (size_t k = 0; k < from->count; k++)
        if (is_weight_of(from->weights[k].stored, layer->name, in_front)) {
            if (used == layer->count || !shape_equal(&from->weights[k].shape, &wanted(m, layer, used)->spec.shape))
                return;
            found[used++] = &from->weights[k];
        }
    for (size_t k = 0; used == layer->count && k < used; k++)
        set_match(m, layer->params[k], from, found[k], MATCH_BY_NAME);
}

/* One side has a network inside a network, the other side has it flat. */
void match__layers(Matching *m) {
    for (size_t l = 0; l < m->model->layer_count; l++) {
        int params[MODEL_LAYER_PARAMS];
        Unit layer = layer_unit(m, l, params);
        if (layer.count == 0 || is_done(m, &layer) || model_is_automatic_name(layer.name))
            continue;
        const CheckpointLayer *from = find_layer(m, layer.name);
        if (from && fits(m, &layer, from))
            set_unit(m, &layer, from, MATCH_BY_NAME);
        size_t files = m->out->checkpoint->layer_count; /* layers in the file: once for whole names, once for ends */
        for (size_t k = 0; k < 2 * files && !is_done(m, &layer); k++)
            match_inside(m, &layer, &m->out->checkpoint->layers[k % files], k >= files);
    }
}

/* ---- by path ----------------------------------------------------------------------------------------------------- */

/* Does a/b/c end in b/c? */
static bool ends_in(const char *path, const char *end) {
    size_t length = strlen(path), n = strlen(end);
    return length >= n && strcmp(path + length - n, end) == 0 && (length == n || path[length - n - 1] == '/');
}

/* The file's layer of that path, else the only one that ends in it or in which it ends. */
static const CheckpointLayer *find_path(const Matching *m, const char *path) {
    const CheckpointLayer *found = NULL;
    size_t similar = 0;
    for (size_t i = 0; i < m->out->checkpoint->layer_count; i++) {
        const CheckpointLayer *layer = &m->out->checkpoint->layers[i];
        if (strcmp(layer->name, path) == 0)
            return layer;
        if (ends_in(layer->name, path) || ends_in(path, layer->name)) {
            found = layer;
            similar++;
        }
    }
    return similar == 1 ? found : NULL;
}

Status match__paths(Matching *m) {
    for (size_t l = 0; l < m->model->layer_count; l++) {
        int params[MODEL_LAYER_PARAMS];
        Unit layer = layer_unit(m, l, params);
        const CheckpointLayer *from = layer.count > 0 ? find_path(m, m->model->layers[l].path) : NULL;
        if (from && fits(m, &layer, from))
            set_unit(m, &layer, from, MATCH_BY_PATH);
        else if (from && !m->options.allow_mismatch && !is_fresh(m, &layer))
            return misfit(m, &layer, from);
    }
    return STATUS_OK;
}

/* ---- by order ---------------------------------------------------------------------------------------------------- */

Status match__order(Matching *m) {
    size_t next = 0;
    for (size_t u = 0; u < m->unit_count; u++) {
        const Unit *unit = &m->units[u];
        const Checkpoint *checkpoint = m->out->checkpoint;
        bool fresh = is_fresh(m, unit);
        if (fresh ? m->fresh[unit->params[0]] == FRESH_SEEN : is_done(m, unit))
            continue;
        while (next < checkpoint->layer_count && (m->taken[next] || checkpoint->layers[next].count == 0))
            next++;
        if (next == checkpoint->layer_count)
            return STATUS_OK;
        const CheckpointLayer *from = &checkpoint->layers[next];
        if (fits(m, unit, from))
            set_unit(m, unit, from, MATCH_BY_ORDER);
        else if (fresh)
            continue; /* the file has no head */
        else if (!m->options.allow_mismatch)
            return misfit(m, unit, from);
        next++;
    }
    return STATUS_OK;
}
