/* SPDX-License-Identifier: Apache-2.0 */
#include "train/monitor.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *without_val(const char *name) {
    return strncmp(name, "val_", 4) == 0 ? name + 4 : name;
}

/* The column of a name: that of the epoch's line, acc, is accuracy. */
static const char *column_of(const char *name) {
    return strcmp(name, "acc") == 0 ? "accuracy" : strcmp(name, "val_acc") == 0 ? "val_accuracy" : name;
}

/* Is `name` `word`, or that of an output, `word`_OUTPUT? */
static bool is_word(const char *name, const char *word) {
    size_t length = strlen(word);
    return strncmp(name, word, length) == 0 && (name[length] == '\0' || name[length] == '_');
}

static bool larger_is_better(const char *name) {
    static const char *const falling[] = {"loss", "mae", "mse", "rmse", "ece"};
    for (size_t i = 0; i < sizeof falling / sizeof *falling; i++)
        if (is_word(without_val(name), falling[i]))
            return false;
    return true;
}

/* Columns that do not say how good an epoch was. */
static bool says_nothing(size_t column) {
    switch (column) {
    case HISTORY_EPOCH:
    case HISTORY_STEP:
    case HISTORY_LR:
    case HISTORY_IMAGES_PER_S:
    case HISTORY_SECONDS:
    case HISTORY_DATA_S:
        return true;
    default:
        return false;
    }
}

Status monitor_find(const char *name, const History *history, bool has_validation, Monitor *monitor) {
    char known[1024] = "";
    *monitor = (Monitor){0};
    if (name[0] == '\0')
        name = has_validation ? "val_loss" : "loss";
    name = column_of(name);
    for (size_t c = 0; c < history->column_count; c++) {
        const char *column = history->columns[c];
        bool validation = strncmp(column, "val_", 4) == 0;
        if (says_nothing(c) || (validation && !has_validation))
            continue;
        if (strcmp(column, name) == 0) {
            monitor->column = c;
            monitor->name = column;
            monitor->larger = larger_is_better(name);
            return STATUS_OK;
        }
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", column);
    }
    if (strncmp(name, "val_", 4) == 0 && !has_validation)
        return status_fail(STATUS_USAGE, "--monitor %s: there is no validation data. Give --validation-split.", name);
    return status_fail(STATUS_USAGE, "--monitor %s: there is no such metric; there are %s. --metrics makes more.", name,
                       known);
}

bool monitor_better(const Monitor *m, double value, double than, double delta) {
    if (!isfinite(than))
        return !isnan(value);
    return m->larger ? value - delta > than : value + delta < than;
}

size_t monitor_wait(const Monitor *m, const History *history) {
    double best = NAN;
    size_t wait = 0;
    for (size_t r = 0; r < history->row_count; r++) {
        double value = history_value(history, r, m->column);
        if (monitor_better(m, value, best, m->min_delta)) {
            best = value;
            wait = 0;
        } else if (!isnan(best)) {
            wait++;
        }
    }
    return wait;
}

double monitor_plateau(const Monitor *m, const History *history, double lr, double factor, double min_lr) {
    double best = NAN;
    size_t wait = 0, cooldown = 0;
    for (size_t r = 0; r < history->row_count; r++) {
        double value = history_value(history, r, m->column);
        if (cooldown > 0) {
            cooldown--;
            wait = 0;
        }
        if (monitor_better(m, value, best, m->min_delta)) {
            best = value;
            wait = 0;
        } else if (cooldown == 0 && !isnan(best)) {
            wait++;
            if (wait >= m->plateau_patience && lr > min_lr) {
                lr = fmax(lr * factor, min_lr);
                cooldown = m->plateau_cooldown;
                wait = 0;
            }
        }
    }
    return lr;
}
