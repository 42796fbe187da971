/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "train/slow_ranks.h"
#include "train/trainer_internal.h"
#include "train/watchdog.h"
#include <math.h>

/* ---- an epoch ---------------------------------------------------------------------------------------------------- */

/* Seconds that this rank has waited for data, in all. */
static double waited(const Trainer *t) {
    return loader_waited(t->loader) + (t->validation ? loader_waited(t->validation->loader) : 0);
}

static void start_clock(Trainer *t) {
    t->epoch_began = dist_time();
    t->epoch_seconds = t->state.epoch_seconds;
}

static void begin_epoch(Trainer *t) {
    trainer__set_rate(t);
    start_clock(t);
    t->epoch_waited = waited(t);
    t->epoch_trained = 0;
    t->worked = 0;
    t->worked_on = 0;
    uint64_t done = t->state.batch * t->config->batch_size;
    progress_begin(&t->progress, (size_t)t->state.epoch + 1, t->config->epochs, (size_t)t->train.count,
                   (size_t)(done < t->train.count ? done : t->train.count), t->epoch_began);
}

static double current_loss(const Trainer *t, const Totals *totals) {
    return totals_loss(totals, t->setup.loss_weights, t->setup.graph->loss_count);
}

static void keep_time(Trainer *t) {
    double before = t->state.epoch_seconds;
    t->state.epoch_seconds = t->epoch_seconds + dist_time() - t->epoch_began;
    t->state.seconds += t->state.epoch_seconds - before;
}

static void show_progress(Trainer *t) {
    double now = dist_time();
    if (dist_rank(t->dist) == 0 && progress_due(&t->progress, now))
        progress_update(&t->progress, (size_t)t->state.totals.examples, current_loss(t, &t->state.totals),
                        totals_accuracy(&t->state.totals, 0), now);
}

/* Steps to the end of the epoch, or to a request to stop; *flags: those of the last step. */
static Status train_epoch(Trainer *t, StepFlags *flags) {
    *flags = (StepFlags){0};
    while (t->state.batch < t->steps_per_epoch && !flags->stop) {
        double began = dist_time();
        double lr = schedule_lr(&t->schedule, t->state.step, t->steps_per_epoch, t->config->epochs);
        Status status = trainer__step(t, lr, flags);
        if (status != STATUS_OK)
            progress_break(&t->progress);
        TRY(status);
        if (flags->failed)
            return trainer__end_for_failure(t);
        flags->stop |= t->state.step == t->last_step;
        show_progress(t);
        if (t->state.batch * t->config->batch_size <= t->train.count) /* a whole batch */
            step_times_add(&t->step_times, dist_time() - began);
        if (t->checks.every && t->state.step % t->checks.every == 0)
            TRY(trainer__check_replicas(t));
        flags->save |= t->config->checkpoint_steps && t->state.step % t->config->checkpoint_steps == 0;
        if (flags->save && !flags->stop && t->state.batch < t->steps_per_epoch) { /* else end_epoch saves */
            keep_time(t);
            TRY(trainer__save(t, (SaveAs){0}));
        }
    }
    return STATUS_OK;
}

/* Values of the metrics of training and validation, in the order of the history's columns.  Collective. */
static Status take_metrics(Trainer *t, double *values) {
    double training[METRICS_MAX];
    if (t->setup.metrics == NULL)
        return STATUS_OK;
    TRY(metrics_values(t->setup.metrics, t->dist, training));
    for (size_t i = 0; i < t->setup.metrics->count; i++) {
        values[2 * i] = training[i];
        values[2 * i + 1] = t->validation ? t->validation->values[i] : NAN;
    }
    return STATUS_OK;
}

static bool is_over(const Trainer *t) {
    return t->state.epoch >= t->config->epochs || trainer__stops(t);
}

static Status add_history(Trainer *t, const Totals *val, const EpochResult *result) {
    double row[HISTORY_COLUMNS + HISTORY_PER_OUTPUT * STATE_MAX_LOSSES + 2 * METRICS_MAX];
    row[HISTORY_EPOCH] = (double)t->state.epoch;
    row[HISTORY_STEP] = (double)t->state.step;
    row[HISTORY_LR] = result->lr;
    row[HISTORY_LOSS] = result->loss;
    row[HISTORY_ACCURACY] = result->accuracy;
    row[HISTORY_VAL_LOSS] = result->val_loss;
    row[HISTORY_VAL_ACCURACY] = result->val_accuracy;
    row[HISTORY_IMAGES_PER_S] = result->images_per_s;
    row[HISTORY_SECONDS] = result->seconds;
    row[HISTORY_DATA_S] = result->data_seconds;
    size_t losses = t->setup.graph->loss_count;
    for (size_t i = 0; losses > 1 && i < losses; i++) {
        double *part = row + HISTORY_COLUMNS + i * HISTORY_PER_OUTPUT;
        part[0] = totals_output_loss(&t->state.totals, i);
        part[1] = totals_accuracy(&t->state.totals, i);
        part[2] = val ? totals_output_loss(val, i) : NAN;
        part[3] = val ? totals_accuracy(val, i) : NAN;
    }
    for (size_t i = 0; i < result->metric_count; i++)
        row[t->history->column_count - result->metric_count + i] = result->metrics[i];
    TRY(dist_agree(t->dist, history_add(t->history, row)));
    return trainer__write_metrics(t, false);
}

/* With the averaged weights where there are any. */
static Status evaluate(Trainer *t, Evaluation *evaluation, Totals *totals) {
    average_swap(t->average, t->replica->weights);
    watchdog_at(evaluation == t->validation ? WATCH_VALIDATION : WATCH_TEST);
    Status status = evaluate_run(evaluation, t->replica, totals);
    average_swap(t->average, t->replica->weights);
    return status;
}

/* Validation, the epoch's line and row, checkpoint; save: the last step asked for one.  *stopped: the validation was
 * left on request, and the epoch is not over. */
static Status end_epoch(Trainer *t, bool save, bool *stopped) {
    Totals val;
    double metrics[2 * METRICS_MAX];
    size_t metric_count = t->setup.metrics ? 2 * t->setup.metrics->count : 0;
    double trained = dist_time() - t->epoch_began;
    double began = profile_start(t->profile);
    Status status = t->validation ? evaluate(t, t->validation, &val) : STATUS_OK;
    *stopped = status == STATUS_STOPPED;
    if (*stopped)
        return STATUS_OK;
    TRY(status);
    profile_add(t->profile, PROFILE_VALIDATION, began);
    keep_time(t);
    TRY(take_metrics(t, metrics));
    int data_ms = dist_max_int(t->dist, (int)(1e3 * (waited(t) - t->epoch_waited)));
    EpochResult result = {.loss = current_loss(t, &t->state.totals),
                          .accuracy = totals_accuracy(&t->state.totals, 0),
                          .val_loss = t->validation ? current_loss(t, &val) : NAN,
                          .val_accuracy = t->validation ? totals_accuracy(&val, 0) : NAN,
                          .lr = schedule_lr(&t->schedule, t->state.step - 1, t->steps_per_epoch, t->config->epochs),
                          .images_per_s = t->epoch_trained ? (double)t->epoch_trained / trained : NAN,
                          .seconds = t->state.epoch_seconds,
                          .data_seconds = data_ms / 1e3,
                          .metric_count = metric_count,
                          .metrics = metrics,
                          .metric_names =
                              (const char *const *)t->history->columns + t->history->column_count - metric_count};
    t->state.epoch++;
    TRY(add_history(t, t->validation ? &val : NULL, &result));
    board_epoch(t->board, t->history, t->setup.graph, t->replica->weights);
    bool best = trainer__judge(t);
    result.best = best;
    progress_end(&t->progress, &result);
    slow_ranks_report(t->dist, t->worked, t->worked_on, t->state.epoch);
    t->state.batch = 0;
    t->state.totals = (Totals){0};
    t->state.epoch_seconds = 0;
    if (is_over(t))
        return trainer__save_last(t, best);
    bool due = t->config->checkpoint_epochs && t->state.epoch % t->config->checkpoint_epochs == 0;
    if (best || due || save)
        TRY(trainer__save(t, (SaveAs){.best = best}));
    trainer__refresh_report(t);
    return STATUS_OK;
}

Status trainer__epoch(Trainer *t, bool *stopped) {
    StepFlags flags;
    start_clock(t);
    Status status = trainer__begin_phase(t);
    *stopped = status == STATUS_STOPPED; /* while features were computed */
    if (*stopped)
        return STATUS_OK;
    TRY(status);
    begin_epoch(t);
    TRY(train_epoch(t, &flags));
    *stopped = flags.stop;
    return flags.stop ? STATUS_OK : end_epoch(t, flags.save, stopped);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

/* What the run took. */
static Status report(Trainer *t) {
    char times[STEP_TIMES_TEXT];
    trainer__report_memory(t);
    if (step_times_format(&t->step_times, t->config->batch_size, times)[0])
        log_verbose("%s\n", times);
    return profile_write(t->profile);
}

static Status stop_early(Trainer *t) {
    keep_time(t);
    TRY(trainer__save(t, (SaveAs){.last = true}));
    TRY(trainer__finish_saving(t));
    progress_break(&t->progress);
    TRY(report(t));
    if (dist_rank(t->dist) == 0)
        log_warn("stopped on request at step %llu (epoch %llu of %zu). Go on with --resume %s",
                 (unsigned long long)t->state.step, (unsigned long long)t->state.epoch + (t->state.batch > 0),
                 t->config->epochs, run_folder(t->run));
    return status_fail(STATUS_STOPPED, "%s", "");
}

/* Test data are looked at once, when the training data need not be in memory any more. */
static Status test(Trainer *t) {
    Totals totals;
    watchdog_at(WATCH_TEST);
    size_t count = t->setup.info->count[DATASET_TEST];
    if (count == 0)
        return STATUS_OK;
    loader_destroy(t->loader);
    evaluate_destroy(t->validation);
    t->loader = NULL;
    t->validation = NULL;
    features_drop(&t->features, &t->setup);
    dataset_unload(t->setup.data);
    Evaluation *evaluation;
    TRY(dist_agree(t->dist, evaluate_create(&t->setup, DATASET_TEST, sampler_whole(count), &evaluation)));
    Status status = evaluate(t, evaluation, &totals);
    if (status == STATUS_OK)
        evaluate_print(evaluation, "test", &totals);
    else if (status == STATUS_STOPPED) /* nothing is left that a resume could do */
        log_warn("stopped on request in the test, after the last epoch: cnn_evaluate %s makes it",
                 t->run ? run_folder(t->run) : "");
    evaluate_destroy(evaluation);
    return status == STATUS_STOPPED ? STATUS_OK : status;
}

static Status train(Trainer *t) {
    while (!is_over(t)) {
        bool stopped;
        TRY(trainer__epoch(t, &stopped));
        if (stopped)
            return stop_early(t);
    }
    TRY(trainer__finish_saving(t));
    TRY(trainer__write_metrics(t, true));
    TRY(trainer__finish(t));
    TRY(test(t));
    TRY(report(t));
    if (dist_rank(t->dist) == 0)
        log_info("done: %s/%s after epoch %llu; best epoch %llu\n", run_folder(t->run), RUN_FINAL,
                 (unsigned long long)t->state.epoch, (unsigned long long)t->state.best_epoch);
    return STATUS_OK;
}

static Status run(Trainer *t) {
    if (t->config->prove[0])
        return trainer__prove(t);
    return dist_agree(t->dist, t->config->lr_find ? trainer__find_lr(t) : train(t));
}

Status trainer_run(Dist *dist, Config *config) {
    Trainer trainer = {.dist = dist, .config = config, .started = dist_time()};
    bool finished;
    trainer.progress = progress_create();
    trainer.last_save = trainer.started;
    LastReport report = {.wanted = false};
    Status status = trainer__open(&trainer, &finished);
    if (status == STATUS_OK && !finished) {
        status = run(&trainer);
        if (status == STATUS_OK)
            report = trainer__begin_last_report(&trainer);
    } else if (status == STATUS_STOPPED)
        log_warn("stopped on request before the first step: run the same again");
    watchdog_at(WATCH_END);
    trainer__close(&trainer);
    trainer__last_report(dist, &report);
    return status;
}
