/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run prints: progress, the epoch's line, the table of layers. */
#include "base/log.h"
#include "base/memory.h"
#include "base/terminal.h"
#include "train/progress.h"
#include "train/summary.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)

static char text[PROGRESS_TEXT];

static void bar(void **state) {
    (void)state;
    Progress p = {.terminal = true};
    progress_begin(&p, 3, 20, 1000, 0, 100);
    progress_format_bar(&p, 0, NAN, NAN, 100, text, sizeof text);
    assert_string_equal(text, "epoch 3/20 [            ]   0%");
    progress_format_bar(&p, 470, 0.213401, 0.936112, 110, text, sizeof text);
    assert_string_equal(text, "epoch 3/20 [=====       ]  47%  loss 0.2134  acc 0.9361  47/s  0:11 left");
    progress_format_bar(&p, 1000, 1, 1, 120, text, sizeof text);
    assert_string_equal(text, "epoch 3/20 [============] 100%  loss 1.000  acc 1.000  50/s  0:00 left");

    /* Resumed in the middle: the speed is that of this process. */
    progress_begin(&p, 1, 1, 1000, 900, 0);
    progress_format_bar(&p, 910, 1, NAN, 20, text, sizeof text);
    assert_string_equal(text, "epoch 1/1 [==========  ]  91%  loss 1.000  0.50/s  3:00 left");

    progress_begin(&p, 100, 100, 1000000, 0, 0);
    progress_format_bar(&p, 1, 0.000012345, 0.5, 10, text, 80);
    assert_true(strlen(text) <= 79);

    p.terminal = false;
    progress_begin(&p, 3, 20, 1000, 0, 100);
    progress_format_bar(&p, 470, 0.213401, 0.936112, 110, text, sizeof text);
    assert_string_equal(text, "epoch 3/20   47%  loss 0.213401  accuracy 0.936112  47 images/s  0:11 left");
}

static void epoch_line(void **state) {
    (void)state;
    EpochResult r = {.loss = 0.2134,
                     .accuracy = 0.93610001,
                     .val_loss = 0.0712,
                     .val_accuracy = 0.9783,
                     .lr = 0.001,
                     .images_per_s = 12345.4,
                     .seconds = 4.91};
    progress_format_epoch(1, 5, &r, 0, text, sizeof text);
    assert_string_equal(
        text, "epoch 1/5  loss 0.21340  acc 0.9361  val_loss 0.071200  val_acc 0.9783  lr 0.001  12345/s  4.9 s");
    assert_true(strlen(text) <= 100);
    r.data_seconds = 0.31;
    progress_format_epoch(1, 5, &r, 0, text, sizeof text);
    assert_non_null(strstr(text, "12345/s  4.9 s (data 0.3 s)"));
    r.data_seconds = 0.04; /* not worth a word */
    progress_format_epoch(1, 5, &r, 0, text, sizeof text);
    assert_null(strstr(text, "data"));
    r.data_seconds = 0.31, r.best = true; /* narrow terminals */
    progress_format_epoch(1, 5, &r, 120, text, sizeof text);
    assert_non_null(strstr(text, "lr 0.001  12345/s  4.9 s (data 0.3 s)  best"));
    progress_format_epoch(1, 5, &r, 107, text, sizeof text);
    assert_non_null(strstr(text, "val_acc 0.9783  lr 0.001  12345/s  4.9 s  best"));
    progress_format_epoch(1, 5, &r, 80, text, sizeof text);
    assert_string_equal(text, "epoch 1/5  loss 0.21340  acc 0.9361  val_loss 0.071200  val_acc 0.9783  best");
    r.best = false;
    progress_format_epoch(1, 5, &r, 80, text, sizeof text);
    assert_string_equal(text, "epoch 1/5  loss 0.21340  acc 0.9361  val_loss 0.071200  val_acc 0.9783  4.9 s");
    r = (EpochResult){
        .loss = 2, .accuracy = NAN, .val_loss = NAN, .val_accuracy = NAN, .lr = 1e-5, .images_per_s = 0.5};
    progress_format_epoch(12, 12, &r, 0, text, sizeof text);
    assert_string_equal(text, "epoch 12/12  loss 2.0000  lr 1e-05  0.50/s  0.0 s");
    r.images_per_s = NAN; /* nothing was trained in this process */
    progress_format_epoch(12, 12, &r, 0, text, sizeof text);
    assert_string_equal(text, "epoch 12/12  loss 2.0000  lr 1e-05  0.0 s");
}

/* What an epoch of `updates` updates, one a second, writes to stdout. */
static const char *printed(bool terminal, bool colour, int updates) {
    static char all[8192];
    Progress p = {.terminal = terminal, .colour = colour};
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    dup2(fileno(file), STDOUT_FILENO);
    progress_begin(&p, 1, 1, 100, 0, 0);
    for (int i = 1; i <= updates; i++)
        progress_update(&p, (size_t)i, 1, 1, i);
    progress_end(&p, &(EpochResult){.loss = 1, .accuracy = 1, .val_loss = NAN, .val_accuracy = NAN, .lr = 1});
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    all[fread(all, 1, sizeof all - 1, file)] = '\0';
    fclose(file);
    return all;
}

static size_t count(const char *where, const char *what) {
    size_t n = 0;
    for (; (where = strstr(where, what)); where++)
        n++;
    return n;
}

static void prints_what_is_due(void **state) {
    (void)state;
    const char *out = printed(false, false, 35); /* a line each ten seconds, and the epoch's */
    assert_int_equal(count(out, "\n"), 4);
    assert_int_equal(count(out, "\r"), 0);
    assert_int_equal(count(out, "\033"), 0);
    assert_non_null(strstr(out, "epoch 1/1   10%  loss"));
    assert_int_equal(count(printed(false, false, 3), "\n"), 1); /* a short epoch has its line */

    out = printed(true, false, 5);
    assert_int_equal(count(out, "\n"), 1);
    assert_int_equal(count(out, "\r\033[K"), 6);
    assert_int_equal(count(out, "\033[1m"), 0);
    assert_int_equal(count(printed(true, true, 5), "\033[1m"), 1);

    log_set_level(LOG_QUIET);
    assert_string_equal(printed(false, false, 35), "");
    log_set_level(LOG_NORMAL);
}

static void wraps(void **state) {
    (void)state;
    char out[200];
    size_t column = 0;
    terminal_wrap("cnn: one two three four five six\n", 20, &column, out, sizeof out);
    assert_string_equal(out, "cnn: one two three\n    four five six\n");
    assert_int_equal(column, 0);
    terminal_wrap("  new: \033[1;31mred\033[0m h\xc3\xa4h\xc3\xa4h\xc3\xa4 ha\n", 20, &column, out, sizeof out);
    assert_string_equal(out, "  new: \033[1;31mred\033[0m h\xc3\xa4h\xc3\xa4h\xc3\xa4\n      ha\n");
    terminal_wrap("aword/that/is/longer/than/the/line x", 20, &column, out, sizeof out);
    assert_string_equal(out, "aword/that/is/longer/than/the/line\n    x");
    terminal_wrap(" goes on in the line", 20, &column, out, sizeof out);
    assert_string_equal(out, " goes on in\n    the line");
    column = 0;
    terminal_wrap("cut off here", 80, &column, out, 6);
    assert_string_equal(out, "cut o");
}

static void knows_the_terminal(void **state) {
    (void)state;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO), master = posix_openpt(2 /* O_RDWR */);
    FILE *file = tmpfile();
    dup2(fileno(file), STDOUT_FILENO);
    setenv("TERM", "xterm", 1);
    Progress in_file = progress_create();
    bool have_terminal = master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 && isatty(master);
    dup2(master, STDOUT_FILENO);
    unsetenv("NO_COLOR");
    Progress coloured = progress_create();
    setenv("NO_COLOR", "1", 1);
    Progress plain = progress_create();
    setenv("TERM", "dumb", 1);
    Progress dumb = progress_create();
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(master);
    fclose(file);
    assert_false(in_file.terminal || in_file.colour);
    if (!have_terminal)
        skip();
    assert_true(coloured.terminal && coloured.colour);
    assert_true(plain.terminal && !plain.colour);
    assert_false(dumb.terminal || dumb.colour);
}

/* ---- summary ---- */

static void table_of_layers(void **state) {
    (void)state;
    Graph *g;
    int x, y, label, kernel, bias, frozen;
    char *out;
    assert_ok(graph_create(&g));
    assert_ok(graph_input(g, "x", SHAPE(8, 100), &x));
    assert_ok(graph_input(g, "y", SHAPE(8, 100), &label));
    ParamSpec spec = {.layer = "shared", .name = "kernel", .shape = SHAPE(100, 100), .role = PARAM_TRAINED};
    assert_ok(graph_param(g, &spec, &kernel));
    spec = (ParamSpec){.layer = "shared", .name = "bias", .shape = SHAPE(100), .role = PARAM_TRAINED};
    assert_ok(graph_param(g, &spec, &bias));
    const char *long_name = "a_layer_with_a_name_that_is_much_longer_than_the_column";
    spec = (ParamSpec){.layer = long_name, .name = "kernel", .shape = SHAPE(100, 100), .role = PARAM_FROZEN};
    assert_ok(graph_param(g, &spec, &frozen));
    OpDesc dense = {.kind = OP_DENSE}, relu = {.kind = OP_ACTIVATION, .attr.activation = {.kind = ACTIVATION_SIGMOID}};
    assert_ok(graph_op(g, "shared", &dense, 1, &x, 2, (int[]){kernel, bias}, &y));
    assert_ok(graph_op(g, "shared", &relu, 1, &y, 0, NULL, &y));
    assert_ok(graph_op(g, long_name, &dense, 1, &y, 1, &frozen, &y));
    assert_ok(graph_op(g, "shared", &dense, 1, &y, 2, (int[]){kernel, bias}, &y));
    assert_ok(graph_op(g, "shared", &relu, 1, &y, 0, NULL, &y));
    assert_ok(graph_output(g, "shared", y));
    OpDesc loss = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    assert_ok(graph_op(g, "shared", &loss, 2, (int[]){y, label}, 0, NULL, &y));
    assert_ok(graph_finish(g));
    assert_ok(summary_format(g, "tiny", "memory per rank 1.5 MB\n", &out));
    char rule[80];
    memset(rule, '-', 79);
    rule[79] = '\0';
    char expected[2048];
    snprintf(expected, sizeof expected,
             "tiny\n"
             "layer (operation)                           output shape           parameters\n"
             "%s\n"
             "x (input)                                   8x100                           0\n"
             "shared (dense)                              8x100                      10,100\n"
             "a_layer_with_a_name_that_is_much_longer_..  8x100                      10,000\n"
             "shared (dense)                              8x100                      shared\n"
             "%s\n"
             "parameters 20,100: 10,100 trained, 10,000 not trained\n"
             "memory per rank 1.5 MB\n",
             rule, rule);
    assert_string_equal(out, expected);
    memory_free(out);
    graph_destroy(g);
    assert_int_equal(memory_stats().live_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bar),   cmocka_unit_test(epoch_line),         cmocka_unit_test(prints_what_is_due),
        cmocka_unit_test(wraps), cmocka_unit_test(knows_the_terminal), cmocka_unit_test(table_of_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
