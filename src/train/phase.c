/* SPDX-License-Identifier: Apache-2.0
 *
 * Gradual unfreezing (--unfreeze): a run goes on with more of its layers trained.  Graph, plans, optimizer and exchange
 * are made anew, as for a new run; weights, and the optimizer's slots of what was trained before, go over by name. */
#include "base/log.h"
#include "base/memory.h"
#include "train/freeze.h"
#include "train/rates.h"
#include "train/trainer_internal.h"
#include <string.h>

/* What the phase before leaves behind; owned. */
typedef struct Before {
    Graph *graph;
    Real *weights;
    Optimizer *optimizer;
    Average *average;
} Before;

static const Param *find_param(const Graph *graph, const ParamSpec *spec) {
    for (size_t p = 0; p < graph->param_count; p++)
        if (strcmp(graph->params[p].spec.layer, spec->layer) == 0 &&
            strcmp(graph->params[p].spec.name, spec->name) == 0)
            return &graph->params[p];
    return NULL;
}

/* Copies numbers of parameters from a slab of one graph of the network to one of another; trained: those that both
 * train. */
static void copy_slab(const Graph *old, const Real *from, const Graph *new, Real *to, bool trained) {
    for (size_t p = 0; p < new->param_count; p++) {
        const Param *param = &new->params[p], *before = find_param(old, &param->spec);
        bool both = before && param->spec.role == PARAM_TRAINED && before->spec.role == PARAM_TRAINED;
        if (before && (both || !trained))
            memcpy(to + param->offset, from + before->offset, param->count * sizeof *to);
    }
}

/* Takes out of the trainer what depends on which layers are trained. */
static Before leave_phase(Trainer *t) {
    Before before = {t->setup.graph, t->replica->weights, t->optimizer, t->average};
    gradsync_destroy(t->sync);
    loader_destroy(t->loader);
    evaluate_destroy(t->validation);
    features_drop(&t->features, &t->setup);
    t->loader = NULL;
    t->validation = NULL;
    t->replica->weights = NULL;
    replica_destroy(t->replica);
    t->setup.graph = NULL;
    t->replica = NULL;
    t->optimizer = NULL;
    t->average = NULL;
    memory_free(t->multipliers);
    t->multipliers = NULL;
    t->sync = NULL;
    return before;
}

static Status carry_over(Trainer *t, const Before *before) {
    const Graph *graph = t->setup.graph;
    TRY(replica_ready(t->replica));
    TRY(rates_multipliers(t->config, graph, &t->multipliers));
    TRY(optimizer_create(&t->config->optimizer, graph, t->multipliers, &t->optimizer));
    TRY(average_create(graph, t->config->average_weights, &t->average));
    copy_slab(before->graph, before->weights, graph, t->replica->weights, false);
    average_start(t->average, t->replica->weights);
    if (t->average)
        copy_slab(before->graph, before->average->slab, graph, t->average->slab, false);
    for (size_t i = 0; i < t->optimizer->slot_count; i++)
        copy_slab(before->graph, before->optimizer->slots[i].slab, graph, t->optimizer->slots[i].slab, true);
    return STATUS_OK;
}

static size_t trained_parameters(const Graph *graph) {
    size_t count = 0;
    for (size_t p = 0; p < graph->param_count; p++)
        count += graph->params[p].spec.role == PARAM_TRAINED ? graph->params[p].count : 0;
    return count;
}

static Status enter_phase(Trainer *t, const Before *before) {
    double bytes;
    TRY(setup_graph(&t->setup, t->config));
    TRY(dist_agree(t->dist, trainer__prepare_plans(t)));
    TRY(dist_agree(t->dist, carry_over(t, before)));
    features_say(&t->features, t->config, &t->setup);
    TRY(features_make(&t->features, &t->setup, t->replica));
    GradSyncOptions sync = trainer__sync_options(t);
    TRY(gradsync_create(t->dist, &sync, &t->sync));
    TRY(dist_agree(t->dist, trainer__open_loaders(t)));
    bytes = (double)(t->setup.graph->weight_count + t->setup.graph->trained_count * t->optimizer->slot_count) *
                sizeof(Real) +
            (double)gradsync_bytes(&sync, dist_ranks(t->dist), dist_nodes(t->dist)) + (double)t->replica->arena_bytes;
    log_info("unfrozen: %zu parameters are trained from epoch %llu on, before %zu; weights, gradients, optimizer and "
             "activations take %.1f MB\n",
             trained_parameters(t->setup.graph), (unsigned long long)t->state.epoch + 1,
             trained_parameters(before->graph), bytes / 1e6);
    return STATUS_OK;
}

Status trainer__begin_phase(Trainer *t) {
    bool changed;
    TRY(dist_agree(t->dist, freeze_thaw(t->setup.model, t->config->unfreeze, (size_t)t->state.epoch + 1, &changed)));
    if (!changed)
        return STATUS_OK;
    Before before = leave_phase(t);
    Status status = enter_phase(t, &before);
    optimizer_destroy(before.optimizer);
    average_destroy(before.average);
    memory_free(before.weights);
    graph_destroy(before.graph);
    return status;
}
