/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "train/trainer_internal.h"
#include "train/watchdog.h"
#include <math.h>
#include <string.h>

Record trainer__record(const Trainer *t) {
    return (Record){.model = t->setup.model,
                    .graph = t->setup.graph,
                    .weights = t->replica->weights,
                    .average = t->average ? t->average->slab : NULL,
                    .optimizer = t->optimizer,
                    .history = t->history,
                    .state = (TrainState *)&t->state,
                    .metrics = t->setup.metrics,
                    .config = t->config,
                    .preprocess = t->setup.preprocess_json,
                    .fingerprint = t->setup.info->fingerprint,
                    .content = t->content,
                    .environment = t->environment,
                    .files = t->files,
                    .train_examples = (size_t)t->train.count,
                    .ranks = dist_ranks(t->dist)};
}

/* A finite loss can have a gradient that is not: such weights must not reach a file. */
static Status check_weights(const Trainer *t) {
    const Real *weights = t->replica->weights;
    for (size_t i = 0; i < t->setup.graph->weight_count; i++)
        if (!isfinite((double)weights[i]))
            return status_fail(STATUS_FAILED,
                               "weights are not numbers any more after step %llu: no checkpoint is written of it. "
                               "Lower --lr, or give --clip-norm or --warmup",
                               (unsigned long long)t->state.step);
    return STATUS_OK;
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

/* A failure to write that others may follow without: a warning or, with --on-checkpoint-failure stop, itself. */
static Status tolerate(Trainer *t, Status status) {
    if (status == STATUS_OK || t->config->on_checkpoint_failure == ON_FAILURE_STOP)
        return status;
    progress_break(&t->progress);
    log_warn("%s. Training goes on, and the next one is tried (--on-checkpoint-failure)", status_message());
    return STATUS_OK;
}

uint64_t trainer__saved(Trainer *t) {
    uint64_t step = t->writer ? checkpoint_writer_saved(t->writer) : UINT64_MAX;
    if (step != UINT64_MAX)
        t->saved_step = step;
    return t->saved_step;
}

bool trainer__must_end(Trainer *t) {
    if (t->writer == NULL || !checkpoint_writer_failed(t->writer))
        return false;
    if (t->config->on_checkpoint_failure == ON_FAILURE_STOP)
        return true; /* trainer__end_for_failure asks why */
    return tolerate(t, checkpoint_writer_wait(t->writer)) != STATUS_OK;
}

Status trainer__end_for_failure(Trainer *t) {
    return dist_agree(t->dist, dist_rank(t->dist) == 0 ? checkpoint_writer_wait(t->writer) : STATUS_OK);
}

Status trainer__write_metrics(Trainer *t, bool last) {
    Status status = t->history->path ? history_write(t->history) : STATUS_OK;
    if (status != STATUS_OK && last)
        status_fail(status, "%s; all else of the run is in %s, and --resume auto --out %s writes it", status_message(),
                    run_folder(t->run), run_folder(t->run));
    return dist_agree(t->dist, last ? status : tolerate(t, status));
}

Status trainer__complete_metrics(const Trainer *t) {
    char *wanted, *path = NULL;
    unsigned char *found = NULL;
    size_t size;
    uint64_t *steps = NULL;
    size_t count = 0;
    if (t->run == NULL)
        return STATUS_OK;
    TRY(run_steps(run_folder(t->run), &steps, &count));
    bool newer = count > 0 && steps[0] > t->saved.state.step;
    memory_free(steps);
    if (newer) /* an older checkpoint was named: the file is that of the newest */
        return STATUS_OK;
    TRY(history_json_text(t->saved.history, t->checkpoint, &wanted));
    Status status = memory_format(&path, "%s/" RUN_METRICS, run_folder(t->run));
    bool whole =
        status == STATUS_OK && file_read(path, &found, &size) == STATUS_OK && strcmp((char *)found, wanted) == 0;
    if (status == STATUS_OK && !whole)
        status = run_write_text(t->run, RUN_METRICS, wanted);
    if (status == STATUS_OK && !whole)
        log_info("%s was not that of the run: written anew\n", path);
    memory_free(wanted);
    memory_free(found);
    memory_free(path);
    return status;
}

/* What to say when the run ends without its last checkpoint. */
static Status failed_at_the_end(Trainer *t, Status status) {
    if (status == STATUS_OK)
        return status;
    if (trainer__saved(t) == UINT64_MAX)
        return status_fail(status, "%s. No checkpoint was written: start the run again", status_message());
    return status_fail(status, "%s. The checkpoint of step %llu is good: go on from it with --resume %s",
                       status_message(), (unsigned long long)t->saved_step, run_folder(t->run));
}

Status trainer__finish_saving(Trainer *t) {
    watchdog_at(WATCH_CHECKPOINT);
    return dist_agree(t->dist, t->writer ? failed_at_the_end(t, checkpoint_writer_wait(t->writer)) : STATUS_OK);
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* Without memory for the image of a checkpoint there is none of this moment. */
static Status no_image(Trainer *t, SaveAs as, Status status) {
    status_fail(status, "no checkpoint of step %llu: %s", (unsigned long long)t->state.step, status_message());
    if (as.last)
        return failed_at_the_end(t, status);
    TRY(tolerate(t, status));
    return as.best ? trainer__forget_best(t) : STATUS_OK;
}

static Status save(Trainer *t, SaveAs as) {
    Record record = trainer__record(t);
    unsigned char *image;
    size_t size;
    CheckpointJob job = {.folder = run_folder(t->run),
                         .step = t->state.step,
                         .keep = t->config->keep,
                         .best = as.best,
                         .final = as.final,
                         .final_is_best = as.final_is_best,
                         .tries = as.last ? CHECKPOINT_TRIES : 1};
    TRY(check_weights(t));
    board_flush(t->board);
    TRY(tolerate(t, checkpoint_writer_wait(t->writer))); /* one image in memory at a time */
    t->last_save = dist_time();
    Status status = record_image(&record, &image, &size);
    if (status != STATUS_OK)
        return no_image(t, as, status);
    checkpoint_writer_submit(t->writer, &job, image, size);
    return STATUS_OK;
}

Status trainer__save(Trainer *t, SaveAs as) {
    double began = profile_start(t->profile);
    if (t->config->prove[0])
        return STATUS_OK;
    if (t->checks.at_checkpoints)
        TRY(trainer__check_replicas(t));
    watchdog_at(WATCH_CHECKPOINT);
    metrics_collect(t->setup.metrics, t->dist);
    Status status = dist_rank(t->dist) == 0 ? save(t, as) : STATUS_OK;
    TRY(dist_agree(t->dist, status));
    if (as.best)
        dist_broadcast(t->dist, &t->state, sizeof t->state); /* of the best epoch, where its image could not be made */
    profile_add(t->profile, PROFILE_CHECKPOINT, began);
    return STATUS_OK;
}
