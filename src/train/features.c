/* SPDX-License-Identifier: Apache-2.0 */
#include "train/features.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/evaluate.h"
#include "train/signals.h"
#include "train/watchdog.h"
#include <string.h>

/* With "auto" features that take more are not kept: a constant, so that the same command does the same everywhere. */
static const double most_bytes = 1e9;

/* ---- which ------------------------------------------------------------------------------------------------------- */

static bool is_mode(const Config *config, const char *mode) {
    return strcmp(config->cache_features, mode) == 0;
}

/* Examples of all splits that have features. */
static size_t example_count(const Features *features, const Setup *setup) {
    size_t count = 0;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        count += features->of[split] ? setup->info->count[split] : 0;
    return count;
}

static double table_bytes(const Features *features, const Setup *setup) {
    return (double)example_count(features, setup) * (double)features->width * sizeof(Real);
}

void features_say(const Features *features, const Config *config, const Setup *setup) {
    const char *mode = config->cache_features;
    double megabytes = table_bytes(features, setup) / 1e6;
    size_t count = example_count(features, setup);
    if (is_mode(config, "off"))
        return;
    if (features->constant < 0) {
        if (!is_mode(config, "auto"))
            log_warn("--cache-features %s: no features are kept, as no part at the front of the network is frozen "
                     "and without randomness. Look at --freeze, --freeze-until",
                     mode);
        return;
    }
    const char *layer = setup->graph->nodes[features->constant].layer;
    if (features->node)
        log_info("features: the output of layer %s for %zu examples is computed once, %.1f MB in %s of each node\n",
                 layer, count, megabytes, features->folder ? features->folder : "the memory");
    else if (features->varying)
        log_info("features: the output of layer %s is not kept: with --%s it differs from epoch to epoch\n", layer,
                 features->varying);
    else
        log_info("features: the output of layer %s for %zu examples would take %.0f MB, and is not kept; "
                 "--cache-features memory or a folder would\n",
                 layer, count, megabytes);
}

Status features_choose(const Config *config, const Setup *setup, bool validates, const char *varying, Features *out) {
    bool automatic = is_mode(config, "auto");
    *out = (Features){.of = {[DATASET_TRAIN] = true, [DATASET_VAL] = validates}, .constant = -1, .varying = varying};
    if (is_mode(config, "off") || setup->model->input_count > 1) /* features are made of the images alone */
        return STATUS_OK;
    TRY(graph_constant(setup->graph, &out->constant));
    if (out->constant < 0)
        return STATUS_OK;
    Shape shape = graph_shape(setup->graph, out->constant);
    out->width = shape_count(&shape);
    if (!automatic && !is_mode(config, "memory"))
        out->folder = config->cache_features;
    if (!varying && (!automatic || table_bytes(out, setup) <= most_bytes))
        out->node = out->constant;
    return STATUS_OK;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

Status features_prepare(const Features *features, const Setup *setup, Replica *replica) {
    for (DatasetSplit split = 0; features->node && split < DATASET_SPLITS; split++)
        if (features->of[split])
            TRY(evaluate_prepare_part(replica, PASS_PREDICT, setup->info->count[split],
                                      (PlanPart){.to = features->node}));
    return STATUS_OK;
}

static LoaderOptions loader_options(const Setup *setup, DatasetSplit split) {
    SamplerView view = sampler_whole(setup->info->count[split]);
    LoaderOptions options = evaluate_loader_options(setup, split, view);
    options.without_labels = options.once = true;
    return options;
}

double features_bytes(const Features *features, const Setup *setup) {
    double loader = 0;
    bool brings = dist_local_rank(setup->dist) == 0 && features->folder == NULL;
    if (!features->node)
        return 0;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        LoaderOptions options = loader_options(setup, split);
        if (features->of[split] && (double)loader_bytes(&options) > loader)
            loader = (double)loader_bytes(&options);
    }
    return loader + (brings ? table_bytes(features, setup) : 0);
}

/* This rank's blocks of a split, each to its place in the table. */
static Status run_blocks(const Features *features, const Setup *setup, const Replica *replica, Loader *loader,
                         Real *rows) {
    const Real *inputs[SETUP_MAX_INPUTS];
    for (LoaderBatch batch;;) {
        TRY(loader_next(loader, &batch));
        if (batch.end)
            return STATUS_OK;
        Plan *plan = replica_plan_part(replica, PASS_PREDICT, batch.n, (PlanPart){.to = features->node});
        for (size_t i = 0; i < setup->graph->input_count; i++)
            inputs[i] = setup->input_source[i] == -1 ? batch.x : NULL;
        ExecutorRun run = {.inputs = inputs, .weights_version = 1};
        executor_forward(plan, &run);
        if (signals_stop_requested())
            return status_fail(STATUS_STOPPED, "%s", "");
        memcpy(rows + batch.first * features->width, executor_value(plan, &run, features->node),
               batch.n * features->width * sizeof *rows);
    }
}

static Status fill_table(const Features *features, const Setup *setup, const Replica *replica, DatasetSplit split,
                         Real *rows) {
    Loader *loader = NULL;
    LoaderOptions options = loader_options(setup, split);
    Status status = options.units ? loader_create(&options, &loader) : STATUS_OK;
    if (status == STATUS_OK && loader)
        status = run_blocks(features, setup, replica, loader, rows);
    loader_destroy(loader);
    TRY(dist_agree(setup->dist, status));
    uint64_t count = setup->info->count[split], begin = options.first_unit * EVALUATE_BLOCK;
    uint64_t end = begin + options.units * EVALUATE_BLOCK;
    size_t row = features->width * sizeof *rows;
    shared_spread(setup->dist, rows, (size_t)(begin < count ? begin : count) * row,
                  (size_t)(end < count ? end : count) * row);
    return STATUS_OK;
}

static Status make_split(Features *features, const Setup *setup, const Replica *replica, DatasetSplit split) {
    size_t bytes;
    void *rows;
    if (!memory_multiply(setup->info->count[split], features->width * sizeof(Real), &bytes))
        bytes = SIZE_MAX;
    if (shared_table(setup->dist, features->folder, bytes, "features", &rows, &features->table[split]) != STATUS_OK)
        return dist_agree(setup->dist,
                          status_fail(STATUS_FAILED, "%s. --cache-features off trains without them; %s",
                                      status_message(),
                                      features->folder ? "another folder may do" : "a folder keeps them in a file"));
    features->foreign += features->table[split].total - features->table[split].own;
    TRY(fill_table(features, setup, replica, split, rows));
    dataset_give_features(setup->data, split, rows, features->width);
    return STATUS_OK;
}

Status features_make(Features *features, const Setup *setup, const Replica *replica) {
    double began = dist_time();
    if (!features->node)
        return STATUS_OK;
    watchdog_at(WATCH_FEATURES);
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        if (features->of[split])
            TRY(make_split(features, setup, replica, split));
    log_info("features: computed in %.1f s\n", dist_time() - began);
    return STATUS_OK;
}

void features_drop(Features *features, const Setup *setup) {
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        if (features->table[split].block)
            dataset_give_features(setup->data, split, NULL, 0);
        shared_unmap(&features->table[split]);
    }
    features->node = 0;
}
