/* SPDX-License-Identifier: Apache-2.0
 *
 * What the trainer makes of the history: the learning rate of an epoch, the best epoch, the end. */
#include "base/log.h"
#include "base/memory.h"
#include "train/trainer_internal.h"
#include <string.h>

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The columns of the metrics: NAME, val_NAME of each. */
static Status name_columns(const Metrics *metrics, char *names[2 * METRICS_MAX]) {
    for (size_t i = 0; metrics && i < metrics->count; i++) {
        TRY(memory_strdup(metrics->items[i].name, &names[2 * i]));
        TRY(memory_format(&names[2 * i + 1], "val_%s", metrics->items[i].name));
    }
    return STATUS_OK;
}

static Status create_history(Trainer *t) {
    const Graph *graph = t->setup.graph;
    size_t several = graph->loss_count > 1 ? graph->loss_count : 0;
    const char *outputs[STATE_MAX_LOSSES];
    char *names[2 * METRICS_MAX] = {NULL};
    for (size_t i = 0; i < several; i++)
        outputs[i] = graph->outputs[i].name;
    Status status = name_columns(t->setup.metrics, names);
    if (status == STATUS_OK)
        status = history_create(outputs, several, (const char *const *)names,
                                t->setup.metrics ? 2 * t->setup.metrics->count : 0, &t->history);
    for (size_t i = 0; i < 2 * METRICS_MAX; i++)
        memory_free(names[i]);
    return status;
}

static const char *direction(const Trainer *t) {
    return t->monitor.larger ? "risen" : "fallen";
}

/* The last epoch that counted as better for the early stop. */
static uint64_t better_epoch(const Trainer *t) {
    return t->history->row_count - monitor_wait(&t->monitor, t->history);
}

bool trainer__stops(const Trainer *t) {
    return t->config->early_stop > 0 && monitor_wait(&t->monitor, t->history) >= t->config->early_stop;
}

/* What the rows leave of the learning rate. */
static double plateau_rate(const Trainer *t) {
    const ScheduleOptions options = config_schedule(t->config);
    return options.kind == SCHEDULE_PLATEAU
               ? monitor_plateau(&t->monitor, t->history, options.lr, options.decay_rate, options.min_lr)
               : options.lr;
}

Status trainer__open_history(Trainer *t) {
    const Config *config = t->config;
    TRY(create_history(t));
    if (t->resuming)
        TRY(history_from_json(t->history, t->saved.history, "checkpoint"));
    TRY(monitor_find(config->monitor, t->history, t->val.count > 0, &t->monitor));
    t->monitor.min_delta = config->min_delta;
    t->monitor.plateau_patience = config->plateau_patience;
    t->monitor.plateau_cooldown = config->plateau_cooldown;
    t->schedule.lr = plateau_rate(t);
    t->nothing_left = t->resuming && trainer__stops(t) && t->saved.state.batch == 0;
    if (!t->nothing_left)
        return STATUS_OK;
    TRY(trainer__complete_metrics(t));
    if (strcmp(config->resume, "auto") != 0)
        return status_fail(STATUS_FAILED,
                           "the run has stopped early, as %s has not %s since epoch %llu: nothing to resume. To train "
                           "on, give --early-stop with a larger number, or 0.",
                           t->monitor.name, direction(t), (unsigned long long)better_epoch(t));
    log_info("the run has stopped early after %llu epochs: nothing left to do\n",
             (unsigned long long)t->saved.state.epoch);
    return STATUS_OK;
}

/* ---- an epoch's learning rate ------------------------------------------------------------------------------------ */

void trainer__set_rate(Trainer *t) {
    double before = t->schedule.lr;
    t->schedule.lr = plateau_rate(t);
    if (t->schedule.lr < before)
        log_info("learning rate %.4g -> %.4g: %s is on a plateau\n", before, t->schedule.lr, t->monitor.name);
}

void trainer__say_rate(const Trainer *t) {
    if (!t->resuming || t->schedule.kind == SCHEDULE_PLATEAU)
        return;
    ScheduleOptions old = config_schedule(&t->saved.config);
    uint64_t step = t->saved.state.step;
    double before = schedule_lr(&old, step, t->steps_per_epoch, t->saved.config.epochs);
    double now = schedule_lr(&t->schedule, step, t->steps_per_epoch, t->config->epochs);
    if (now < before || now > before)
        log_info("learning rate of the next step: %.4g, by the options of the run so far %.4g\n", now, before);
}

/* ---- best and last epoch ----------------------------------------------------------------------------------------- */

bool trainer__judge(Trainer *t) {
    double value = history_value(t->history, t->history->row_count - 1, t->monitor.column);
    bool best = monitor_better(&t->monitor, value, t->state.best_loss, 0);
    if (best) {
        t->state.best_loss = value;
        t->state.best_epoch = t->state.epoch;
    }
    return best;
}

bool trainer__takes_best(const Trainer *t) {
    return t->config->early_stop > 0 && !t->config->no_restore_best && t->state.best_epoch > 0;
}

Status trainer__save_last(Trainer *t, bool best) {
    SaveAs as = {.best = best, .final = true, .final_is_best = trainer__takes_best(t) && !best, .last = true};
    return trainer__save(t, as);
}

Status trainer__finish(Trainer *t) {
    if (trainer__stops(t))
        log_info("stopped early: %s has not %s since epoch %llu\n", t->monitor.name, direction(t),
                 (unsigned long long)better_epoch(t));
    if (!trainer__takes_best(t) || t->state.best_epoch == t->state.epoch)
        return STATUS_OK;
    log_info("%s has the weights of epoch %llu, the best by %s\n", RUN_FINAL, (unsigned long long)t->state.best_epoch,
             t->monitor.name);
    return trainer__load(t, RUN_FINAL);
}
