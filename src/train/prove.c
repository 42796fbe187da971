/* SPDX-License-Identifier: Apache-2.0
 *
 * --prove: a run's last steps again, from the last but one step checkpoint on, compared with the last one bit by
 * bit. */
#include "base/log.h"
#include "base/memory.h"
#include "train/trainer_internal.h"
#include <math.h>
#include <string.h>

enum { LINES = 10 };

/* ---- which checkpoints ------------------------------------------------------------------------------------------- */

/* *path = the next whole one from number *i on, or NULL; damaged ones are named. */
static Status next_whole(const char *folder, const uint64_t *steps, size_t count, size_t *i, char **path) {
    char name[RUN_NAME];
    *path = NULL;
    while (*path == NULL && *i < count) {
        TRY(memory_format(path, "%s/%s", folder, run_step_name(steps[(*i)++], name)));
        if (checkpoint_verify(*path) == STATUS_OK)
            return STATUS_OK;
        log_warn("%s; looking for an older checkpoint", status_message());
        memory_free(*path);
        *path = NULL;
    }
    return STATUS_OK;
}

/* The options that led to `path` become this call's; it may give only such as decide no bits. */
static Status take_options(Trainer *t, const char *path) {
    Checkpoint *checkpoint;
    RecordState state = {0};
    char *changes = NULL;
    TRY(checkpoint_read(path, CHECKPOINT_OURS, &checkpoint));
    Status status = record_parse(checkpoint->state, path, &state);
    if (status == STATUS_OK)
        status = config_resume(t->config, &state.config, path, &changes);
    if (status == STATUS_OK && changes[0])
        status = status_fail(STATUS_USAGE,
                             "--prove repeats the run as it was: leave the options out that change it (%s)", changes);
    memory_free(changes);
    record_free(&state);
    checkpoint_destroy(checkpoint);
    return status;
}

Status trainer__find_proof(Trainer *t) {
    const char *folder = t->config->prove;
    uint64_t *steps;
    size_t count, i = 0;
    TRY(run_steps(folder, &steps, &count));
    Status status = next_whole(folder, steps, count, &i, &t->proof);
    if (status == STATUS_OK)
        status = next_whole(folder, steps, count, &i, &t->checkpoint);
    memory_free(steps);
    TRY(status);
    if (t->checkpoint == NULL)
        return status_fail(STATUS_FAILED,
                           "%s has %s whole step checkpoint, and --prove needs two. Train with --keep 2 or more, and "
                           "--checkpoint-steps or more epochs",
                           folder, t->proof ? "only one" : "no");
    TRY(take_options(t, t->proof));
    log_info("proving %s: from %s\n", t->proof, t->checkpoint);
    return STATUS_OK;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

typedef struct Differences {
    size_t tensors, differ; /* compared; of them not the same */
} Differences;

static void compare_tensor(const char *slot, const char *layer, const CheckpointTensor *now,
                           const CheckpointTensor *then, Differences *d) {
    size_t count = shape_count(&now->shape), wrong = 0;
    bool same = then && shape_equal(&now->shape, &then->shape);
    for (size_t i = 0; same && i < count; i++)
        wrong += memcmp(&now->data[i], &then->data[i], sizeof(Real)) != 0;
    d->tensors++;
    if (same && wrong == 0)
        return;
    if (d->differ++ < LINES)
        log_warn("%s%s%s/%s: %zu of %zu numbers differ", slot, slot[0] ? " of " : "", layer, now->name,
                 same ? wrong : count, count);
}

static void compare_layers(const char *slot, const CheckpointLayer *now, size_t now_count, const CheckpointLayer *then,
                           size_t then_count, Differences *d) {
    for (size_t l = 0; l < now_count; l++)
        for (size_t w = 0; w < now[l].count; w++) {
            const CheckpointTensor *tensor = &now[l].weights[w];
            compare_tensor(slot, now[l].name, tensor, checkpoint_find(then, then_count, now[l].name, tensor->name), d);
        }
}

static void compare_tensors(const Checkpoint *now, const Checkpoint *then, Differences *d) {
    compare_layers("", now->layers, now->layer_count, then->layers, then->layer_count, d);
    for (size_t i = 0; i < now->slot_count; i++) {
        const CheckpointSlot *slot = checkpoint_slot(then, now->slots[i].name);
        compare_layers(now->slots[i].name, now->slots[i].layers, now->slots[i].count, slot ? slot->layers : NULL,
                       slot ? slot->count : 0, d);
    }
    if (d->differ > LINES)
        log_warn("... and %zu more", d->differ - LINES);
}

static bool timed(size_t column) {
    return column == HISTORY_IMAGES_PER_S || column == HISTORY_SECONDS || column == HISTORY_DATA_S;
}

/* Rows but for what the clock says; those of `then` take the place of the trainer's.  *same. */
static Status compare_history(Trainer *t, const RecordState *then, bool *same) {
    History *h = t->history;
    size_t rows = h->row_count, columns = h->column_count;
    double *now;
    TRY(memory_new(&now, rows * columns + 1, "history"));
    if (rows > 0)
        memcpy(now, h->rows, rows * columns * sizeof *now);
    Status status = history_from_json(h, then->history, t->proof);
    *same = status == STATUS_OK && h->row_count == rows;
    if (status == STATUS_OK && !*same)
        log_warn("the history has %zu epochs, it had %zu", rows, h->row_count);
    for (size_t i = 0; *same && i < rows * columns; i++) {
        bool none = isnan(now[i]) && isnan(h->rows[i]);
        *same = timed(i % columns) || none || memcmp(&now[i], &h->rows[i], sizeof *now) == 0;
        if (!*same)
            log_warn("epoch %zu: %s is %.17g, it was %.17g", i / columns + 1, h->columns[i % columns], now[i],
                     h->rows[i]);
    }
    memory_free(now);
    return status;
}

/* What --metrics has counted so far in an epoch that is not over, where it is asked for what it was then. */
static Status compare_counts(const Trainer *t, const Checkpoint *now, const RecordState *then, bool *same) {
    RecordState mine;
    *same = true;
    if (strcmp(t->config->metrics, then->config.metrics) != 0)
        return STATUS_OK;
    TRY(record_parse(now->state, t->proof, &mine));
    *same = strcmp(mine.metrics, then->metrics) == 0;
    if (!*same)
        log_warn("what --metrics has counted in epoch %llu differs", (unsigned long long)then->state.epoch + 1);
    record_free(&mine);
    return STATUS_OK;
}

static Status judge(Trainer *t, const Checkpoint *now, const Checkpoint *then, const RecordState *state) {
    Differences d = {0};
    bool same_rows, same_counts;
    char digest[DIGEST_HEX], digest_then[DIGEST_HEX];
    unsigned long long first = t->saved.state.step, last = state->state.step;
    TRY(record_digest(now, digest));
    TRY(record_digest(then, digest_then));
    compare_tensors(now, then, &d);
    TRY(compare_history(t, state, &same_rows));
    TRY(compare_counts(t, now, state, &same_counts));
    if (strcmp(digest, digest_then) == 0 && d.differ == 0 && same_rows && same_counts) {
        log_info("proved: steps %llu to %llu of %s repeated on %d rank%s, same digest %s\n", first, last,
                 t->config->prove, dist_ranks(t->dist), dist_ranks(t->dist) > 1 ? "s" : "", digest);
        return STATUS_OK;
    }
    status_fail(STATUS_FAILED, "steps %llu to %llu of %s, repeated, end in other bits: %zu of %zu tensors differ%s",
                first, last, t->config->prove, d.differ, d.tensors,
                d.differ == 0 && same_rows && same_counts ? ", but numbers of the state do" : "");
    if (strcmp(state->environment, t->environment) == 0)
        return STATUS_FAILED;
    return status_fail(STATUS_FAILED, "%s. The run was computed by \"%s\", this is \"%s\", which explains it",
                       status_message(), state->environment, t->environment);
}

/* ---- the proof --------------------------------------------------------------------------------------------------- */

static Status compare(Trainer *t, const Checkpoint *then, const RecordState *state) {
    RecordContent now;
    Record record = trainer__record(t);
    Status status = record_content(&record, &now);
    if (status == STATUS_OK)
        status = judge(t, &now.checkpoint, then, state);
    record_content_free(&now);
    return status;
}

/* Steps up to where the checkpoint was written: in the middle of an epoch, or at its end. */
static Status repeat(Trainer *t, uint64_t step, bool inside) {
    bool stopped = false;
    t->last_step = inside ? step : 0;
    while (t->state.step < step && !stopped)
        TRY(trainer__epoch(t, &stopped));
    progress_break(&t->progress);
    if (t->state.step >= step)
        return STATUS_OK;
    if (dist_rank(t->dist) == 0)
        log_warn("stopped on request at step %llu of %llu: nothing is proved", (unsigned long long)t->state.step,
                 (unsigned long long)step);
    return status_fail(STATUS_STOPPED, "%s", "");
}

/* Rank 0 holds the checkpoint from the start: of a run that goes on it may be removed meanwhile. */
Status trainer__prove(Trainer *t) {
    Checkpoint *then = NULL;
    RecordState state = {0};
    bool root = dist_rank(t->dist) == 0;
    Status status = root ? checkpoint_read(t->proof, CHECKPOINT_OURS, &then) : STATUS_OK;
    if (status == STATUS_OK && root)
        status = record_parse(then->state, t->proof, &state);
    TRY_GOTO(dist_agree(t->dist, status), done);
    uint64_t end[2] = {state.state.step, state.state.batch};
    dist_broadcast(t->dist, end, sizeof end);
    TRY_GOTO(dist_agree(t->dist, repeat(t, end[0], end[1] > 0)), done);
    metrics_collect(t->setup.metrics, t->dist);
    status = dist_agree(t->dist, root ? compare(t, then, &state) : STATUS_OK);
done:
    record_free(&state);
    checkpoint_destroy(then);
    return status;
}
