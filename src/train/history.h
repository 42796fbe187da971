/* SPDX-License-Identifier: Apache-2.0
 *
 * One row of numbers per epoch: kept in memory, saved in checkpoints, and written to metrics.csv.  The file is always a
 * copy of the rows in memory; so on resume, where the rows come from the checkpoint, later rows of a killed run
 * vanish. */
#ifndef TRAIN_HISTORY_H
#define TRAIN_HISTORY_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* The columns of every run: HISTORY_LR is "lr".  loss includes penalties; speed is images per second of training over
 * all ranks; seconds are those of the epoch, validation included, summed over interruptions; data_s are those of them
 * that the rank that waited longest waited for data (in the last process, after an interruption). */
// clang-format off
#define HISTORY_LIST(X) \
    X(EPOCH, epoch) X(STEP, step) X(LR, lr) X(LOSS, loss) X(ACCURACY, accuracy) X(VAL_LOSS, val_loss) \
    X(VAL_ACCURACY, val_accuracy) X(IMAGES_PER_S, images_per_s) X(SECONDS, seconds) X(DATA_S, data_s)
// clang-format on
#define HISTORY_ENUM(constant, name) HISTORY_##constant,
enum { HISTORY_LIST(HISTORY_ENUM) HISTORY_COLUMNS };
#undef HISTORY_ENUM

/* Further columns of a network with several outputs, four per output after HISTORY_COLUMNS: loss_NAME, accuracy_NAME,
 * val_loss_NAME, val_accuracy_NAME. */
enum { HISTORY_PER_OUTPUT = 4 };

typedef struct History {
    char **columns; /* owned names */
    size_t column_count;
    double *rows; /* owned [row_count][column_count]; NAN: no value */
    size_t row_count;
    char *path;     /* metrics.csv; owned; NULL: no file */
    size_t in_file; /* rows that it has */
    bool torn;      /* and perhaps a part of another: the last write failed */
} History;

/* outputs: names of the outputs when there are several, or NULL and 0.  extra: names of further columns, behind
 * these. */
Status history_create(const char *const *outputs, size_t output_count, const char *const *extra, size_t extra_count,
                      History **out);
void history_destroy(History *history); /* accepts NULL */

/* metrics.csv at `path`, from now on: writes header and rows to a new file that takes the place of an old one in one
 * rename.  Rank 0 only. */
Status history_open(History *history, const char *path);

/* Adds a row of column_count numbers, in memory. */
Status history_add(History *history, const double *row);

/* Brings metrics.csv up to date: appends what it lacks or, after a failed write, replaces the whole file.
 * STATUS_FAILED: it may end in half a row, until the next call succeeds. */
Status history_write(History *history);

/* *text = the lines of metrics.csv from row `first` on, with the header in front of row 0.  The caller frees with
 * memory_free. */
Status history_text(const History *history, size_t first, char **text);

/* Row r's value in a column (HISTORY_LOSS). */
double history_value(const History *history, size_t row, size_t column);

/* {"columns":[...],"rows":[[...]]}, null for NAN; for the checkpoint.  The caller frees with memory_free. */
Status history_to_json(const History *history, char **out);

/* Replaces the rows by those of such text.  A column that the text does not have, as one written with other metrics or
 * by an older version may not, is NAN; one that only the text has is left out.  `origin` is for messages. */
Status history_from_json(History *history, const char *text, const char *origin);

/* *text = the metrics.csv of such text, with all columns that it has.  The caller frees with memory_free. */
Status history_json_text(const char *json, const char *origin, char **text);

/* *out = the rows of a metrics.csv, which may be one that is being written: half a line at its end is left out.
 * Columns as the file has them, "epoch" first.  STATUS_FAILED: cannot be read, or is none. */
Status history_read(const char *path, History **out);

/* Number of the column of that name; column_count: there is none. */
size_t history_column(const History *history, const char *name);

#endif
