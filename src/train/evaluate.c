/* SPDX-License-Identifier: Apache-2.0 */
#include "train/evaluate.h"
#include "base/log.h"
#include "base/memory.h"
#include "dist/tree.h"
#include "train/optimizer.h"
#include "train/signals.h"
#include <math.h>
#include <string.h>

Status evaluate_prepare(Replica *replica, uint64_t count) {
    return evaluate_prepare_part(replica, PASS_EVALUATE, count, (PlanPart){0});
}

Status evaluate_prepare_part(Replica *replica, Pass pass, uint64_t count, PlanPart part) {
    for (uint64_t i = 0; i < 2; i++) { /* whole blocks, and the rest */
        uint64_t n = i == 0 ? (count < EVALUATE_BLOCK ? count : EVALUATE_BLOCK) : count % EVALUATE_BLOCK;
        TRY(replica_prepare_part(replica, pass, (size_t)n, part));
    }
    return STATUS_OK;
}

LoaderOptions evaluate_loader_options(const Setup *setup, DatasetSplit split, SamplerView view) {
    uint64_t blocks = sampler_blocks(view.count, EVALUATE_BLOCK);
    SamplerPart part = sampler_share(blocks, (size_t)dist_ranks(setup->dist), (size_t)dist_rank(setup->dist));
    return (LoaderOptions){.dataset = setup->data,
                           .split = split,
                           .view = view,
                           .preprocess = &setup->preprocess,
                           .targets = &setup->targets,
                           .block = EVALUATE_BLOCK,
                           .first_unit = part.first,
                           .units = part.count};
}

/* Of this rank. */
static uint64_t own_examples(const LoaderOptions *options) {
    uint64_t first = options->first_unit * EVALUATE_BLOCK, end = first + options->units * EVALUATE_BLOCK;
    uint64_t count = options->view.count;
    return (end < count ? end : count) - (first < count ? first : count);
}

size_t evaluate_bytes(const Setup *setup, DatasetSplit split, SamplerView view) {
    LoaderOptions options = evaluate_loader_options(setup, split, view);
    return view.count > 0 ? loader_bytes(&options) + metrics_bytes(setup->metrics, own_examples(&options), view.count)
                          : 0;
}

Status evaluate_create(const Setup *setup, DatasetSplit split, SamplerView view, Evaluation **out) {
    TRY(memory_new(out, 1, "evaluation"));
    Evaluation *e = *out;
    Status status;
    e->setup = setup;
    e->count = view.count;
    e->blocks = (size_t)sampler_blocks(view.count, EVALUATE_BLOCK);
    e->width = setup->graph->loss_count * LOSS_SUMS;
    LoaderOptions options = evaluate_loader_options(setup, split, view);
    TRY_GOTO(memory_new(&e->sums, e->blocks * e->width, "evaluation"), failed);
    TRY_GOTO(memory_new(&e->mine, options.units * e->width, "evaluation"), failed);
    TRY_GOTO(memory_new(&e->block_sums, e->width, "evaluation"), failed);
    TRY_GOTO(metrics_create(setup->metric_list, setup->graph, true, own_examples(&options), &e->metrics), failed);
    TRY_GOTO(loader_create(&options, &e->loader), failed);
    return STATUS_OK;
failed:
    evaluate_destroy(e);
    *out = NULL;
    return status;
}

void evaluate_destroy(Evaluation *e) {
    if (e == NULL)
        return;
    loader_destroy(e->loader);
    metrics_destroy(e->metrics);
    memory_free(e->sums);
    memory_free(e->mine);
    memory_free(e->block_sums);
    memory_free(e);
}

static void observe(void *user, size_t loss, const OpDesc *op, size_t n, const Real *prediction, const Real *label) {
    Evaluation *e = user;
    if (e->metrics)
        metrics_observe(e->metrics, loss, op, n, prediction, label);
    if (e->assessment)
        assess_observe(e->assessment, loss, op, n, prediction, label);
}

/* The sums of this rank's blocks, one row each. */
static Status run_blocks(Evaluation *e, Replica *replica, size_t *rows) {
    const Real *inputs[SETUP_MAX_INPUTS];
    LoaderBatch batch;
    const Real *from;
    *rows = 0;
    for (;;) {
        TRY(loader_next(e->loader, &batch));
        if (batch.end) {
            loader_restart(e->loader, 0, 0); /* the next evaluation's first blocks are prepared in good time */
            return STATUS_OK;
        }
        if (signals_stop_requested())
            return status_fail(STATUS_STOPPED, "%s", "");
        setup_inputs(e->setup, &batch, inputs);
        from = batch.x;
        if (e->values_of)
            TRY(e->values_of(e->values_user, &batch, &from));
        executor_forward(replica_plan_part(replica, PASS_EVALUATE, batch.n, e->part),
                         &(ExecutorRun){.inputs = inputs,
                                        .from = from,
                                        .gradients = e->block_sums,
                                        .weights_version = *rows > 0, /* 0: others than the last time */
                                        .observer = e->metrics || e->assessment ? observe : NULL,
                                        .observer_user = e});
        for (size_t i = 0; i < e->width; i++)
            e->mine[*rows * e->width + i] = (double)e->block_sums[i];
        ++*rows;
    }
}

Status evaluate_run(Evaluation *e, Replica *replica, Totals *totals) {
    size_t rows;
    const size_t row_bytes = e->width * sizeof *e->sums;
    TRY(dist_agree(e->setup->dist, run_blocks(e, replica, &rows)));
    dist_gather_all(e->setup->dist, e->mine, rows * row_bytes, e->sums, e->blocks * row_bytes);
    tree_sum(e->sums, e->blocks, e->width);
    *totals = (Totals){.examples = (double)e->count};
    for (size_t i = 0; i < e->width; i++)
        totals->sum[i / LOSS_SUMS][i % LOSS_SUMS] = e->sums[i];
    if (e->metrics)
        TRY(metrics_values(e->metrics, e->setup->dist, e->values));
    totals->penalty = optimizer_penalty(e->setup->graph, replica->weights) * totals->examples;
    return STATUS_OK;
}

void evaluate_print(const Evaluation *e, const char *split, const Totals *totals) {
    double accuracy = totals_accuracy(totals, 0);
    log_info("%s: loss %.6g", split, totals_loss(totals, e->setup->loss_weights, e->setup->graph->loss_count));
    if (!isnan(accuracy))
        log_info(" accuracy %.6g", accuracy);
    for (size_t i = 0; e->metrics && i < e->metrics->count; i++)
        log_info(" %s %.6g", e->metrics->items[i].name, e->values[i]);
    log_info(" (%.0f examples)\n", totals->examples);
}
