/* SPDX-License-Identifier: Apache-2.0
 *
 * What the history decides: which epoch is the best, when to stop early, when the learning rate falls on a plateau.
 * All are functions of the rows and the options, as in Keras's callbacks EarlyStopping and ReduceLROnPlateau: nothing
 * else is saved, and a resumed run, on which options may have changed, decides anew from its rows.
 *
 * A value is better than another when it is smaller (larger, for accuracies and the like) by more than min_delta; what
 * is no number is better than nothing, and rows before the first number do not count. */
#ifndef TRAIN_MONITOR_H
#define TRAIN_MONITOR_H
#include "train/history.h"
#include <stdbool.h>

typedef struct Monitor {
    size_t column;                             /* of the history */
    const char *name;                          /* borrowed from it */
    bool larger;                               /* larger values are better */
    double min_delta;                          /* of monitor_wait and monitor_plateau */
    size_t plateau_patience, plateau_cooldown; /* epochs; patience at least 1 */
} Monitor;

/* Finds the column that `name` means ("": val_loss where there is validation, else loss; acc and val_acc are accuracy
 * and val_accuracy) and its direction: losses and errors (loss, mae, mse, rmse; with val_ before and an output's name
 * behind) fall, others rise.
 * STATUS_USAGE: no such column, none that says how good an epoch was, or none without validation. */
Status monitor_find(const char *name, const History *history, bool has_validation, Monitor *monitor);

/* Is `value` better than `than` (INFINITY or NAN: nothing yet) by more than `delta`? */
bool monitor_better(const Monitor *monitor, double value, double than, double delta);

/* How many epochs have passed since one was better than all before. */
size_t monitor_wait(const Monitor *monitor, const History *history);

/* The learning rate after these rows: each time when plateau_patience epochs have not been better it falls from `lr` by
 * the factor, not below min_lr; after that, plateau_cooldown epochs do not count. */
double monitor_plateau(const Monitor *monitor, const History *history, double lr, double factor, double min_lr);

#endif
