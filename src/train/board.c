/* SPDX-License-Identifier: Apache-2.0 */
#include "train/board.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/run.h"
#include "train/board_internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { FLUSH_SECONDS = 2 };

/* How tags begin that do not count whole epochs (a tag of these is a step's, or one of an epoch's beginning). */
#define BATCH  "batch_"
#define EPOCH  "epoch_"
#define INPUTS "inputs"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- opening and writing ----------------------------------------------------------------------------------------- */

typedef struct Cut {
    const TrainState *state;
    BoardFile *file;
} Cut;

static bool begins(const EventHead *head, const char *with) {
    return head->tag_size >= strlen(with) && strncmp(head->tag, with, strlen(with)) == 0;
}

/* Was this record written before the checkpoint was? */
static bool is_earlier(void *user, const EventHead *head) {
    const Cut *cut = user;
    uint64_t at = head->step < 0 ? UINT64_MAX : (uint64_t)head->step, epoch = cut->state->epoch;
    if (begins(head, BATCH))
        return at <= cut->state->step;
    if (begins(head, INPUTS)) /* of the first step of epoch `at` */
        return at <= epoch || (at == epoch + 1 && cut->state->batch > 0);
    if (at > epoch)
        return false;
    if (begins(head, EPOCH) && at > cut->file->epochs)
        cut->file->epochs = at;
    cut->file->graph |= head->graph;
    return true;
}

/* A warning, once as long as it goes on. */
static void tell(Board *board, Status status) {
    if (status != STATUS_OK && !board->failed)
        log_warn("%s. TensorBoard's files lack something; the next epoch tries again", status_message());
    board->failed = status != STATUS_OK;
}

static Status open_files(Board *board, const char *run, const TrainState *state) {
    static const char *const names[BOARD_FILES] = {RUN_EVENTS_TRAIN, RUN_EVENTS_VALIDATION};
    char *path;
    for (int i = 0; i < BOARD_FILES; i++) {
        Cut cut = {state, &board->files[i]};
        TRY(memory_format(&path, "%s/%s", run, names[i]));
        Status status = event_file_open(path, is_earlier, &cut, &board->files[i].file);
        memory_free(path);
        TRY(status);
    }
    return STATUS_OK;
}

static Status create(const char *run, const BoardOptions *options, const TrainState *state, Board **out) {
    char *path;
    TRY(memory_new(out, 1, "board"));
    (*out)->options = *options;
    (*out)->flushed = now();
    TRY(memory_format(&path, "%s/" RUN_TENSORBOARD, run));
    mkdir(path, 0777); /* if it cannot be made, those in it cannot either, which says why */
    memory_free(path);
    return open_files(*out, run, state);
}

Board *board_open(const char *run, const BoardOptions *options, const TrainState *state) {
    Board *board = NULL;
    if (create(run, options, state, &board) == STATUS_OK)
        return board;
    log_warn("%s. The run goes on without files for TensorBoard", status_message());
    board_close(board);
    return NULL;
}

void board_flush(Board *board) {
    Status status = STATUS_OK;
    if (!board)
        return;
    for (int i = 0; i < BOARD_FILES; i++) {
        BoardFile *file = &board->files[i];
        if (file->pending.size > 0 && event_file_append(file->file, &file->pending) != STATUS_OK)
            status = STATUS_FAILED;
        file->pending.size = 0; /* also after a failure: memory must not grow */
        file->pending.status = STATUS_OK;
    }
    board->flushed = now();
    tell(board, status);
}

void board_close(Board *board) {
    if (!board)
        return;
    for (int i = 0; i < BOARD_FILES; i++) {
        if (board->files[i].file)
            event_file_append(board->files[i].file, &board->files[i].pending);
        event_file_close(board->files[i].file);
        memory_free(board->files[i].pending.bytes);
    }
    memory_free(board);
}

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

size_t board__value(Message *records, const char *tag, size_t *summary) {
    *summary = message_begin(records, EVENT_SUMMARY);
    size_t value = message_begin(records, SUMMARY_VALUE);
    message_text(records, VALUE_TAG, tag);
    return value;
}

static void put_scalar(Message *records, const char *prefix, const char *name, double value) {
    char tag[BOARD_TAG];
    size_t begun = message_begin(records, SUMMARY_VALUE);
    snprintf(tag, sizeof tag, "%s%s", prefix, name);
    message_text(records, VALUE_TAG, tag);
    message_float(records, VALUE_SCALAR, (float)value);
    message_end(records, begun);
}

bool board_wants_step(const Board *board, uint64_t step) {
    return board && board->options.steps > 0 && step % board->options.steps == 0;
}

bool board_wants_epoch(const Board *board, uint64_t epoch) {
    return board && board->options.histograms > 0 && epoch % board->options.histograms == 0;
}

void board_step(Board *board, uint64_t step, double loss) {
    Message *records = &board->files[BOARD_TRAIN].pending;
    size_t event = event_begin(records, (int64_t)step), summary = message_begin(records, EVENT_SUMMARY);
    put_scalar(records, BATCH, "loss", loss);
    message_end(records, summary);
    event_end(records, event);
    if (now() - board->flushed > FLUSH_SECONDS)
        board_flush(board);
}

/* The columns of a row that belong to one file, in one record: val_loss is the validation's epoch_loss. */
static void put_row(Message *records, const History *history, size_t row, bool validation) {
    size_t event = event_begin(records, (int64_t)history_value(history, row, HISTORY_EPOCH));
    size_t summary = message_begin(records, EVENT_SUMMARY);
    for (size_t c = HISTORY_LR; c < history->column_count; c++) {
        const char *name = c == HISTORY_LR ? "learning_rate" : history->columns[c];
        bool of_validation = strncmp(name, "val_", 4) == 0;
        double value = history_value(history, row, c);
        if (of_validation == validation && !isnan(value))
            put_scalar(records, EPOCH, name + (of_validation ? 4 : 0), value);
    }
    message_end(records, summary);
    event_end(records, event);
}

static void put_rows(BoardFile *file, const History *history, bool validation) {
    for (size_t r = 0; r < history->row_count; r++)
        if (history_value(history, r, HISTORY_EPOCH) > (double)file->epochs)
            put_row(&file->pending, history, r, validation);
}

void board_epoch(Board *board, const History *history, const Graph *graph, const Real *weights) {
    if (!board || history->row_count == 0)
        return;
    uint64_t epoch = (uint64_t)history_value(history, history->row_count - 1, HISTORY_EPOCH);
    Message *records = &board->files[BOARD_TRAIN].pending;
    for (size_t p = 0; board_wants_epoch(board, epoch) && p < graph->param_count; p++)
        if (graph->params[p].spec.role != PARAM_CONSTANT)
            board__histogram(records, epoch, "weights", &graph->params[p].spec, weights + graph->params[p].offset,
                             graph->params[p].count, 1);
    if (board_wants_epoch(board, epoch))
        board__filters(records, epoch, graph, weights);
    for (int i = 0; i < BOARD_FILES; i++)
        put_rows(&board->files[i], history, i == BOARD_VALIDATION);
    board_flush(board);
    for (int i = 0; i < BOARD_FILES && !board->failed; i++)
        board->files[i].epochs = epoch;
}
