/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.csv and the history in memory: exact, whole, and without the rows of a run that was killed. */
#include "base/memory.h"
#include "train/history.h"
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

static char folder[] = "/tmp/test_history_XXXXXX", path[64], text[4096];

static int start(void **state) {
    (void)state;
    return mkdtemp(folder) && snprintf(path, sizeof path, "%s/metrics.csv", folder) > 0 ? 0 : -1;
}

static int finish(void **state) {
    (void)state;
    return rmdir(folder); /* fails when a temporary file was left */
}

static int check_memory(void **state) {
    (void)state;
    unlink(path);
    if (memory_stats().live_count == 0)
        return 0;
    print_error("%zu blocks were not given back\n", memory_stats().live_count);
    return -1;
}

static const char *file_text(void) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static const char *const header = "epoch,step,lr,loss,accuracy,val_loss,val_accuracy,images_per_s,seconds,data_s\n";

static void add(History *h, double epoch, double loss) {
    double row[HISTORY_COLUMNS] = {epoch, epoch * 100, 0.1, loss, 0.5, NAN, NAN, 1234, 5, 0.25};
    assert_ok(history_add(h, row));
    assert_ok(history_write(h));
}

static void rows_are_in_the_file_at_once(void **state) {
    (void)state;
    History *h;
    char expected[512];
    assert_ok(history_create(NULL, 0, NULL, 0, &h));
    assert_ok(history_open(h, path));
    assert_string_equal(file_text(), header);
    add(h, 1, 1.0 / 3);
    snprintf(expected, sizeof expected, "%s1,100,0.1,0.3333333333333333,0.5,,,1234,5,0.25\n", header);
    assert_string_equal(file_text(), expected);
    double third;
    assert_int_equal(sscanf(strstr(text, "0.33"), "%lf", &third), 1);
    assert_true(third == 1.0 / 3);
    for (size_t i = 2; i <= 200; i++) /* more than the first room */
        add(h, (double)i, 1);
    assert_int_equal(h->row_count, 200);
    assert_true(history_value(h, 0, HISTORY_LOSS) == 1.0 / 3);
    assert_true(history_value(h, 199, HISTORY_STEP) == 20000);
    assert_true(isnan(history_value(h, 199, HISTORY_VAL_LOSS)));
    history_destroy(h);
}

/* A run is killed after epoch 3; its checkpoint was of epoch 2. */
static void resume_cuts_the_file_back(void **state) {
    (void)state;
    History *h;
    char *json, *again, before[512];
    assert_ok(history_create(NULL, 0, NULL, 0, &h));
    assert_ok(history_open(h, path));
    add(h, 1, 0.1);
    add(h, 2, 1e-17);
    assert_ok(history_to_json(h, &json));
    snprintf(before, sizeof before, "%s", file_text());
    add(h, 3, 0.3);
    history_destroy(h);
    FILE *torn = fopen(path, "a");
    fputs("4,40", torn); /* half a line */
    fclose(torn);

    assert_ok(history_create(NULL, 0, NULL, 0, &h));
    assert_ok(history_from_json(h, json, "step-200.h5"));
    assert_int_equal(h->row_count, 2);
    assert_ok(history_open(h, path));
    assert_string_equal(file_text(), before);
    assert_ok(history_to_json(h, &again));
    assert_string_equal(again, json);
    add(h, 3, 0.3);
    assert_non_null(strstr(file_text(), "\n3,300,0.1,0.3,"));
    assert_null(strstr(text, "4,40"));
    memory_free(again);
    memory_free(json);
    history_destroy(h);
}

static void several_outputs(void **state) {
    (void)state;
    History *h, *other, *without;
    char *json;
    const char *outputs[] = {"age", "a,\"b\""};
    assert_ok(history_create(outputs, 2, NULL, 0, &h));
    assert_int_equal(h->column_count, HISTORY_COLUMNS + 2 * HISTORY_PER_OUTPUT);
    assert_ok(history_open(h, path));
    assert_non_null(
        strstr(file_text(), "data_s,loss_age,accuracy_age,val_loss_age,val_accuracy_age,\"loss_a,\"\"b\"\"\","));
    assert_ok(history_to_json(h, &json));
    assert_ok(history_create(NULL, 0, NULL, 0, &other));
    assert_ok(history_from_json(other, json, "x.h5")); /* other columns are left out */
    assert_int_equal(other->column_count, HISTORY_COLUMNS);
    memory_free(json);

    /* A version without data_s. */
    const char *old = "{\"columns\":[\"epoch\",\"seconds\",\"loss_age\"],\"rows\":[[3,4.5,0.5]]}";
    assert_ok(history_create(outputs, 2, NULL, 0, &without));
    assert_ok(history_from_json(without, old, "x.h5"));
    assert_true(history_value(without, 0, HISTORY_EPOCH) == 3 && history_value(without, 0, HISTORY_SECONDS) == 4.5);
    assert_true(history_value(without, 0, HISTORY_COLUMNS) == 0.5);
    assert_true(isnan(history_value(without, 0, HISTORY_DATA_S)) && isnan(history_value(without, 0, HISTORY_LOSS)));
    history_destroy(without);
    history_destroy(other);
    history_destroy(h);
}

static void broken_input_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "[]",
        "{}",
        "{\"columns\":[],\"rows\":[[1]]}",
        "{\"columns\":[1],\"rows\":[]}",
        "{\"columns\":5,\"rows\":[]}",
        ("{\"columns\":[\"epoch\",\"step\",\"lr\",\"loss\",\"accuracy\",\"val_loss\",\"val_accuracy\",\"images_per_s\","
         "\"seconds\"],\"rows\":[[1,2]]}")};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        History *h;
        assert_ok(history_create(NULL, 0, NULL, 0, &h));
        assert_int_equal(history_from_json(h, cases[i], "x.h5"), STATUS_FAILED);
        assert_non_null(strstr(status_message(), "x.h5: "));
        history_destroy(h);
    }
}

static void file_that_cannot_be_written(void **state) {
    (void)state;
    History *h;
    assert_ok(history_create(NULL, 0, NULL, 0, &h));
    assert_int_equal(history_open(h, "/nonexistent/metrics.csv"), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "/nonexistent/metrics.csv"));
    history_destroy(h);
    assert_ok(history_create(NULL, 0, NULL, 0, &h));
    assert_ok(history_open(h, path));
    char elsewhere[] = "/nonexistent/metrics.csv", *there = h->path;
    double row[HISTORY_COLUMNS] = {1};
    assert_ok(history_add(h, row));
    h->path = elsewhere;
    assert_int_equal(history_write(h), STATUS_FAILED);
    assert_non_null(strstr(status_message(), "cannot write /nonexistent/metrics.csv: No such file"));
    h->path = there;
    FILE *torn = fopen(path, "a");
    fputs("1,0", torn); /* what a full disk may leave */
    fclose(torn);
    assert_ok(history_add(h, (double[HISTORY_COLUMNS]){2}));
    assert_ok(history_write(h));
    char expected[512];
    snprintf(expected, sizeof expected, "%s1,0,0,0,0,0,0,0,0,0\n2,0,0,0,0,0,0,0,0,0\n", header);
    assert_string_equal(file_text(), expected);
    history_destroy(h);
}

static void create_survives_any_failed_allocation(void **state) {
    (void)state;
    const char *outputs[] = {"a"};
    History *h;
    size_t n = 0;
    Status status;
    do {
        memory_fail_at(++n);
        status = history_create(outputs, 1, NULL, 0, &h);
        memory_fail_at(0);
        if (status != STATUS_OK) {
            assert_null(h);
            assert_int_equal(memory_stats().live_count, 0);
        }
    } while (status != STATUS_OK);
    assert_true(n > HISTORY_COLUMNS);
    history_destroy(h);
}

/* Back from the file, of which the last line may be half written. */
static void file_is_read(void **state) {
    (void)state;
    static const char *const names[] = {"a,\"b\""};
    History *h, *read;
    assert_ok(history_create(NULL, 0, names, 1, &h));
    assert_ok(history_open(h, path));
    double row[HISTORY_COLUMNS + 1] = {1, 100, 0.1, 0.1 + 0.2, 0.5, NAN, NAN, 1234, 5, 0.25, -7};
    assert_ok(history_add(h, row));
    row[0] = 2;
    assert_ok(history_add(h, row));
    assert_ok(history_write(h));
    assert_ok(history_read(path, &read));
    assert_int_equal(read->row_count, 2);
    assert_int_equal(read->column_count, HISTORY_COLUMNS + 1);
    assert_int_equal(history_column(read, "a,\"b\""), HISTORY_COLUMNS);
    assert_int_equal(history_column(read, "none"), read->column_count);
    assert_true(history_value(read, 1, HISTORY_LOSS) == 0.1 + 0.2);
    assert_true(isnan(history_value(read, 1, HISTORY_VAL_LOSS)));
    assert_true(history_value(read, 1, HISTORY_COLUMNS) == -7);
    history_destroy(read);
    history_destroy(h);
    static const char *const good[] = {"epoch,loss\n1,2\n2", "epoch,loss\n1,2\n2,", "epoch,loss\n1,2\n2,3,4,5"};
    for (size_t i = 0; i < 3; i++) { /* half a line */
        FILE *file = fopen(path, "w");
        fputs(good[i], file);
        fclose(file);
        assert_ok(history_read(path, &read));
        assert_int_equal(read->row_count, 1);
        history_destroy(read);
    }
    static const char *const bad[][2] = {{"", "no line"},
                                         {"epoch,loss", "no line"},
                                         {"loss,epoch\n", "not epoch"},
                                         {"epoch,loss\n1\n", "line 2 has 1 columns instead of 2"},
                                         {"epoch,loss\n1,x\n", "line 2, loss: x is no number"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *file = fopen(path, "w");
        fputs(bad[i][0], file);
        fclose(file);
        assert_int_equal(history_read(path, &read), STATUS_FAILED);
        assert_null(read);
        if (!strstr(status_message(), bad[i][1]))
            fail_msg("%s lacks %s", status_message(), bad[i][1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rows_are_in_the_file_at_once, check_memory),
        cmocka_unit_test_teardown(file_is_read, check_memory),
        cmocka_unit_test_teardown(resume_cuts_the_file_back, check_memory),
        cmocka_unit_test_teardown(several_outputs, check_memory),
        cmocka_unit_test_teardown(broken_input_is_refused, check_memory),
        cmocka_unit_test_teardown(file_that_cannot_be_written, check_memory),
        cmocka_unit_test_teardown(create_survives_any_failed_allocation, check_memory),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
