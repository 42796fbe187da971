/* SPDX-License-Identifier: Apache-2.0
 *
 * One step: passes, exchange, optimizer. */
#include "train/gradient_noise.h"
#include "train/signals.h"
#include "train/trainer_internal.h"
#include "train/watchdog.h"
#include <math.h>
#include <string.h>

static void gradient_ready(void *user, size_t prefix) {
    Trainer *t = user;
    double began = profile_start(t->profile);
    gradsync_final(t->sync, prefix);
    gradsync_poll(t->sync);
    profile_add(t->profile, PROFILE_EXCHANGE, began);
}

/* What this rank wants all to do after the step.  Only rank 0's clock counts. */
static void set_flags(Trainer *t, Real *flags) {
    memset(flags, 0, FLAG_COUNT * sizeof *flags);
    flags[FLAG_STOP] = signals_stop_requested();
    if (dist_rank(t->dist) != 0)
        return;
    flags[FLAG_FAILED] = trainer__must_end(t);
    double now = dist_time();
    if (t->config->max_time > 0 && now - t->started >= t->config->max_time)
        flags[FLAG_STOP] = 1;
    flags[FLAG_SAVE] = t->config->checkpoint_minutes > 0 && now - t->last_save >= 60 * t->config->checkpoint_minutes;
}

/* Forward and backward pass of one micro-batch into the next gradient slab. */
static void run_micro_batch(Trainer *t, const LoaderBatch *batch) {
    const Real *inputs[SETUP_MAX_INPUTS];
    Plan *plan = replica_plan_part(t->replica, PASS_TRAIN, batch->n, trainer__part(t));
    Real *slab = gradsync_slab(t->sync);
    ExecutorRun run = {.inputs = inputs,
                       .from = batch->x,
                       .gradients = slab,
                       .weights_version = t->state.step + 1,
                       .observer = t->setup.metrics ? metrics_observe : NULL,
                       .observer_user = t->setup.metrics,
                       .context = {.seed = t->config->seed, .step = t->state.step, .first_example = batch->first}};
    size_t count = t->setup.graph->gradient_count;
    setup_inputs(&t->setup, batch, inputs);
    set_flags(t, slab + count);
    profile_attach(t->profile, plan, &run);
    watchdog_at(WATCH_FORWARD);
    executor_forward(plan, &run);
    watchdog_at(WATCH_BACKWARD);
    executor_backward(plan, &run, gradient_ready, t);
    gradsync_final(t->sync, count + FLAG_COUNT);
}

/* This rank's micro-batches of the step; returns how many examples they have. */
static size_t run_micro_batches(Trainer *t) {
    LoaderBatch batch;
    size_t examples = 0;
    for (size_t i = gradsync_first(t->sync); i < gradsync_last(t->sync); i++) {
        double began = profile_start(t->profile);
        watchdog_at(WATCH_DATA);
        if (loader_next(t->loader, &batch) != STATUS_OK)
            status_abort("step %llu: %s", (unsigned long long)t->state.step + 1, status_message());
        profile_add(t->profile, PROFILE_DATA, began);
        CHECK(batch.unit == i && batch.step == t->state.batch, "micro-batch %zu of step %llu", i,
              (unsigned long long)t->state.batch);
        trainer__show_inputs(t, &batch);
        if (batch.n > 0)
            run_micro_batch(t, &batch);
        examples += batch.n;
    }
    return examples;
}

/* A loss that is no number must not reach the weights. */
static Status check_loss(Trainer *t, const Real *sums) {
    for (size_t i = 0; i < t->setup.graph->loss_count; i++)
        if (!isfinite((double)sums[i * LOSS_SUMS + LOSS_SUM_LOSS])) {
            char kept[64] = "no checkpoint has been written yet";
            if (trainer__saved(t) != UINT64_MAX)
                snprintf(kept, sizeof kept, "the checkpoint of step %llu is good", (unsigned long long)t->saved_step);
            return status_fail(
                STATUS_FAILED,
                "the loss is not a number any more at step %llu (epoch %llu). Lower --lr, give --clip-norm or "
                "--warmup, or look at the data; %s.",
                (unsigned long long)t->state.step + 1, (unsigned long long)t->state.epoch + 1, kept);
        }
    return STATUS_OK;
}

Status trainer__step(Trainer *t, double lr, StepFlags *flags) {
    const Graph *graph = t->setup.graph;
    size_t examples = sampler_batch(t->train.count, t->config->batch_size, t->state.batch);
    size_t present = examples < t->config->micro_batches ? examples : t->config->micro_batches;
    profile_begin_step(t->profile);
    watchdog_step(t->state.step + 1, t->state.epoch + 1);
    gradsync_begin(t->sync, present);
    double began = dist_time();
    size_t mine = run_micro_batches(t);
    t->worked += dist_time() - began;
    t->worked_on += mine;
    began = profile_start(t->profile);
    watchdog_at(WATCH_EXCHANGE);
    Real *sum = gradsync_wait(t->sync);
    profile_add(t->profile, PROFILE_EXCHANGE, began);
    const Real *losses = sum + graph->sums_offset;
    TRY(check_loss(t, losses));
    began = profile_start(t->profile);
    watchdog_at(WATCH_OPTIMIZER);
    gradient_noise_add(graph, t->config->gradient_noise, t->config->seed, t->state.step,
                       (double)losses[LOSS_SUM_WEIGHT], sum);
    trainer__show_gradients(t, sum, (double)losses[LOSS_SUM_WEIGHT]);
    OptimizerResult result = optimizer_apply(t->optimizer, lr, t->state.before + t->state.step, t->replica->weights,
                                             sum, (double)losses[LOSS_SUM_WEIGHT], (double)examples);
    average_update(t->average, t->state.step + 1, t->replica->weights);
    profile_add(t->profile, PROFILE_OPTIMIZER, began);
    totals_add(&t->state.totals, losses, graph->loss_count, (double)examples, result.penalty);
    t->state.step++;
    t->state.batch++;
    trainer__show_loss(t, losses, (double)examples, result.penalty);
    t->epoch_trained += examples;
    flags->stop = sum[graph->gradient_count + FLAG_STOP] > 0;
    if (present < t->config->micro_batches) /* the flags of ranks without a micro-batch are not in the sum */
        flags->stop = dist_max_int(t->dist, flags->stop || signals_stop_requested());
    flags->save = sum[graph->gradient_count + FLAG_SAVE] > 0;
    flags->failed = sum[graph->gradient_count + FLAG_FAILED] > 0;
    profile_end_step(t->profile, mine);
    return STATUS_OK;
}
