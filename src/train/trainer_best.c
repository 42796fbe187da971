/* SPDX-License-Identifier: Apache-2.0
 *
 * best.h5 of a run that is resumed.  A kill between best.h5 and the checkpoint after it, or a resume of an older
 * checkpoint, leaves one of an epoch that this run has not come to. */
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "train/trainer_internal.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

static Status read_state(const char *path, RecordState *out) {
    Checkpoint *checkpoint;
    *out = (RecordState){0};
    TRY(checkpoint_read(path, CHECKPOINT_OURS, &checkpoint));
    Status status = record_parse(checkpoint->state, path, out);
    checkpoint_destroy(checkpoint);
    return status;
}

/* Was the state saved at the end of the best epoch of `state`? */
static bool is_best(const TrainState *saved, const TrainState *state) {
    return saved->epoch == state->best_epoch && saved->batch == 0 && saved->best_epoch == state->best_epoch &&
           saved->best_loss == state->best_loss;
}

/* Have the epochs of `saved` begun with those of this run? */
static bool same_history(const Trainer *t, const char *saved) {
    History *history;
    if (history_create(NULL, 0, NULL, 0, &history) != STATUS_OK)
        return false;
    bool same =
        history_from_json(history, saved, "checkpoint") == STATUS_OK && history->row_count >= t->history->row_count;
    for (size_t r = 0; same && r < t->history->row_count; r++)
        same = history_value(history, r, HISTORY_LOSS) == history_value(t->history, r, HISTORY_LOSS);
    history_destroy(history);
    return same;
}

/* Will this run come to the same file again, bit by bit? */
static bool is_ahead(const Trainer *t, const RecordState *saved) {
    return saved->state.step > t->state.step && config_same(t->config, &saved->config) &&
           strcmp(saved->environment, t->environment) == 0 && same_history(t, saved->history);
}

/* Makes best.h5 of the file `path`, if that is the best epoch's; *done then. */
static Status try_file(Trainer *t, const char *path, const char *best, bool *done) {
    RecordState saved = {0};
    if (*done || access(path, F_OK) != 0 || read_state(path, &saved) != STATUS_OK)
        return STATUS_OK;
    *done = is_best(&saved.state, &t->state);
    record_free(&saved);
    return *done && strcmp(path, best) != 0 ? file_copy(path, best) : STATUS_OK;
}

/* Looks in the checkpoint that is resumed, and in the one at the end of the best epoch. */
static Status look_for_best(Trainer *t, const char *best, bool *done) {
    char name[RUN_NAME], *path;
    double step = history_value(t->history, (size_t)t->state.best_epoch - 1, HISTORY_STEP);
    TRY(try_file(t, t->checkpoint, best, done));
    TRY(memory_format(&path, "%s/%s", run_folder(t->run), run_step_name((uint64_t)step, name)));
    Status status = try_file(t, path, best, done);
    memory_free(path);
    return status;
}

Status trainer__forget_best(Trainer *t) {
    if (t->state.best_epoch > 0)
        log_warn("%s/%s is not the best epoch's (epoch %llu), which is lost: the best from here on counts",
                 run_folder(t->run), RUN_BEST, (unsigned long long)t->state.best_epoch);
    t->state.best_epoch = 0;
    t->state.best_loss = INFINITY;
    return run_set_best_aside(t->run);
}

static Status restore_best(Trainer *t, const char *best) {
    RecordState saved = {0};
    bool done = false, ahead = false;
    if (access(best, F_OK) == 0 && read_state(best, &saved) == STATUS_OK) {
        done = is_best(&saved.state, &t->state);
        ahead = is_ahead(t, &saved);
    }
    record_free(&saved);
    if (!done && t->state.best_epoch > 0 && t->state.best_epoch <= t->history->row_count)
        TRY(look_for_best(t, best, &done));
    return done || ahead ? STATUS_OK : trainer__forget_best(t);
}

Status trainer__restore_best(Trainer *t) {
    char *best;
    TRY(memory_format(&best, "%s/" RUN_BEST, run_folder(t->run)));
    Status status = restore_best(t, best);
    memory_free(best);
    return status;
}
