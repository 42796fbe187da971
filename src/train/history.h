/* SPDX-License-Identifier: Apache-2.0
 *
 * One row of numbers per epoch: kept in memory, saved in checkpoints, and written to metrics.csv.  The file is always a
 * copy of the rows in memory; so on resume, where the rows come from the checkpoint, later rows of a killed run vanish. */
#ifndef TRAIN_HISTORY_H
#define TRAIN_HISTORY_H
#include "base/status.h"
#include <stddef.h>
#include <stdio.h>

/* The columns of every run: HISTORY_LR is "lr".  loss includes penalties; speed is images per second of training over all
 * ranks; seconds are those of the epoch, validation included, summed over interruptions; data_s are those of them that the
 * rank that waited longest waited for data (in the last process, after an interruption). */
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
    size_t row_capacity;
    FILE *file; /* metrics.csv, or NULL */
    char *path; /* of it; owned */
} History;

/* outputs: names of the outputs when there are several, or NULL and 0.  extra: names of further columns, behind these. */
Status history_create(const char *const *outputs, size_t output_count, const char *const *extra, size_t extra_count,
                      History **out);
void history_destroy(History *history); /* closes the file; accepts NULL */

/* Opens metrics.csv at `path`: writes the header and the rows in memory to a new file that takes the place of an old one
 * in one rename, and keeps it open.  Rank 0 only. */
Status history_open(History *history, const char *path);

/* Adds a row of column_count numbers; where the file is open, appends the line and flushes it. */
Status history_add(History *history, const double *row);

/* Row r's value in a column (HISTORY_LOSS). */
double history_value(const History *history, size_t row, size_t column);

/* {"columns":[...],"rows":[[...]]}, null for NAN; for the checkpoint.  The caller frees with memory_free. */
Status history_to_json(const History *history, char **out);

/* Replaces the rows by those of such text.  A column that the text does not have, as one written with other metrics or by
 * an older version may not, is NAN; one that only the text has is left out.  `origin` is for messages. */
Status history_from_json(History *history, const char *text, const char *origin);

#endif
