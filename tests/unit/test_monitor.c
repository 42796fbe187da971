/* SPDX-License-Identifier: Apache-2.0
 *
 * When to stop and how the learning rate falls: epoch by epoch as Keras's callbacks, and what a column means. */
#include "base/real.h"
#include "graph/graph.h"
#include "train/monitor.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golden/metrics.h"

static History *make_history(void) {
    static const char *const extra[] = {"f1", "val_f1", "rmse_age", "val_rmse_age", "losses"};
    History *history;
    assert_int_equal(history_create(NULL, 0, extra, 5, &history), STATUS_OK);
    return history;
}

static void add(History *history, size_t column, double value) {
    double row[HISTORY_COLUMNS + 5];
    for (size_t i = 0; i < history->column_count; i++)
        row[i] = NAN;
    row[column] = value;
    assert_int_equal(history_add(history, row), STATUS_OK);
}

static void epochs_as_in_keras(void **state) {
    (void)state;
    size_t falls = 0, stops = 0;
    for (size_t c = 0; c < sizeof golden_monitor / sizeof *golden_monitor; c++) {
        History *history = make_history();
        Monitor monitor;
        size_t stopped = 0;
        assert_int_equal(monitor_find(golden_monitor[c].column, history, true, &monitor), STATUS_OK);
        monitor.min_delta = golden_monitor[c].min_delta;
        monitor.plateau_patience = golden_monitor[c].plateau;
        monitor.plateau_cooldown = golden_monitor[c].cooldown;
        for (size_t e = 0; e < GOLDEN_EPOCHS; e++) {
            add(history, monitor.column, golden_monitor[c].series[e]);
            double rate = monitor_plateau(&monitor, history, 0.5, 0.25, golden_monitor[c].min_lr);
            if (fabs(rate - golden_monitor[c].rates[e]) > 1e-7 * rate)
                fail_msg("case %zu, epoch %zu: rate %g, not %g", c, e + 1, rate, golden_monitor[c].rates[e]);
            falls += e && golden_monitor[c].rates[e] < golden_monitor[c].rates[e - 1];
            if (!stopped && monitor_wait(&monitor, history) >= golden_monitor[c].patience)
                stopped = e + 1;
        }
        if (stopped != golden_monitor[c].stopped)
            fail_msg("case %zu: stopped after epoch %zu, not %zu", c, stopped, golden_monitor[c].stopped);
        stops += stopped > 0;
        history_destroy(history);
    }
    assert_true(falls > 15 && stops > 5);
}

static void columns_and_their_direction(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool validation;
        const char *column; /* NULL: refused */
        bool larger;
    } cases[] = {
        {"", true, "val_loss", false},
        {"", false, "loss", false},
        {"loss", true, "loss", false},
        {"val_accuracy", true, "val_accuracy", true},
        {"val_acc", true, "val_accuracy", true}, /* as the epoch's line has it */
        {"acc", false, "accuracy", true},
        {"val_f1", true, "val_f1", true},
        {"f1", false, "f1", true},
        {"val_rmse_age", true, "val_rmse_age", false},
        {"losses", true, "losses", true}, /* no word of ours */
        {"val_loss", false, NULL, false},
        {"epoch", true, NULL, false},
        {"lr", true, NULL, false},
        {"seconds", true, NULL, false},
        {"val_auc", true, NULL, false},
    };
    History *history = make_history();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Monitor monitor;
        Status status = monitor_find(cases[i].name, history, cases[i].validation, &monitor);
        assert_int_equal(status, cases[i].column ? STATUS_OK : STATUS_USAGE);
        if (cases[i].column) {
            assert_string_equal(monitor.name, cases[i].column);
            assert_string_equal(history->columns[monitor.column], cases[i].column);
            assert_true(monitor.larger == cases[i].larger);
        } else {
            assert_non_null(strstr(status_message(), cases[i].name));
        }
    }
    history_destroy(history);
}

static void rows_without_a_number(void **state) {
    (void)state;
    History *history = make_history();
    Monitor monitor;
    assert_int_equal(monitor_find("val_f1", history, true, &monitor), STATUS_OK);
    assert_int_equal(monitor_wait(&monitor, history), 0);
    add(history, monitor.column, NAN); /* before the first: do not count */
    add(history, monitor.column, NAN);
    assert_int_equal(monitor_wait(&monitor, history), 0);
    add(history, monitor.column, 0.5);
    add(history, monitor.column, NAN);
    add(history, monitor.column, 0.5); /* equal is not better */
    assert_int_equal(monitor_wait(&monitor, history), 2);
    add(history, monitor.column, 0.75);
    assert_int_equal(monitor_wait(&monitor, history), 0);
    assert_false(monitor_better(&monitor, NAN, INFINITY, 0));
    assert_true(monitor_better(&monitor, 0, INFINITY, 0.5)); /* than nothing */
    assert_true(monitor_better(&monitor, 0.75, 0.5, 0.125) && !monitor_better(&monitor, 0.75, 0.5, 0.25));
    history_destroy(history);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(epochs_as_in_keras),
                                       cmocka_unit_test(columns_and_their_direction),
                                       cmocka_unit_test(rows_without_a_number)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
