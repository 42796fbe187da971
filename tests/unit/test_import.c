/* SPDX-License-Identifier: Apache-2.0
 *
 * Imports as such: any number of processes, kills in the middle, examples that cannot be read, and what options
 * decide. */
#include "base/memory.h"
#include "io/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/assert_status.h"
#include "support/import_all.h"
#include "support/tmpdir.h"

enum { ROWS = 2000, COLUMNS = 3 };

/* A table whose row i is i, 2 i, label; rows `bad` (0: none) to bad + 2 have no number. */
static const char *write_table(const char *name, size_t bad) {
    static char text[ROWS * 32];
    size_t used = 0;
    for (size_t i = 0; i < ROWS; i++)
        used += (size_t)(bad > 0 && i >= bad && i < bad + 3 ? sprintf(text + used, "%zu,none,%zu\n", i, i % 7)
                                                            : sprintf(text + used, "%zu,%zu,%zu\n", i, 2 * i, i % 7));
    tmpdir_write(name, text, used);
    return tmpdir_path(name);
}

static ImportOptions table_options(const char *table, const char *output) {
    static const char *path; /* options point to it */
    path = table;
    ImportOptions options = import_options(output, 1, &path);
    strcpy(options.label, "last");
    return options;
}

static void assert_same_files(const char *a, const char *b) {
    unsigned char *x, *y;
    size_t n, m;
    assert_ok(file_read(a, &x, &n));
    assert_ok(file_read(b, &y, &m));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    memory_free(x);
    memory_free(y);
}

/* ---- the same bytes for any number of processes ---- */

static void ranks_make_no_difference(void **state) {
    (void)state;
    char table[TMPDIR_PATH], one[TMPDIR_PATH], many[TMPDIR_PATH];
    strcpy(table, write_table("table.csv", 0));
    strcpy(one, tmpdir_path("one.h5"));
    strcpy(many, tmpdir_path("many.h5"));
    ImportOptions options = table_options(table, one);
    options.validation_split = 0.25;
    options.seed = 5;
    assert_ok(import_all("csv", &options, 1, NULL));
    strcpy(options.output, many);
    for (size_t ranks = 2; ranks < 12; ranks += 3) {
        options.force = true;
        assert_ok(import_all("csv", &options, ranks, NULL));
        assert_same_files(one, many);
    }
    assert_int_equal(tmpdir_entries(""), 3); /* no .part is left */
}

/* ---- going on ---- */

/* Does ranks' parts 0 .. parts-1 of 5, and ends as if killed. */
static void do_part(const ImportOptions *options, size_t parts, size_t *done) {
    ImportJob *job;
    assert_ok(import_job_create(import_find("csv"), options, &job));
    assert_ok(import_job_begin(job, done));
    assert_ok(import_job_join(job));
    for (size_t rank = 0; rank < parts; rank++)
        assert_ok(import_job_work(job, rank, 5, 1, NULL, NULL));
    import_job_destroy(job);
}

/* Puts another first byte into a file, which looks unchanged: what reads the first row again makes something else of
 * it. */
static void spoil_first_row(const char *path) {
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fputc('9', file), '9');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){about.st_atim, about.st_mtim}, 0), 0);
}

static void goes_on_after_a_kill(void **state) {
    (void)state;
    char table[TMPDIR_PATH], whole[TMPDIR_PATH], output[TMPDIR_PATH];
    size_t done;
    strcpy(table, write_table("table.csv", 0));
    strcpy(whole, tmpdir_path("whole.h5"));
    strcpy(output, tmpdir_path("output.h5"));
    ImportOptions options = table_options(table, whole);
    assert_ok(import_all("csv", &options, 1, NULL));
    strcpy(options.output, output);
    do_part(&options, 2, &done);
    assert_int_equal(done, 0);
    assert_int_equal(tmpdir_size("output.h5"), -1);
    spoil_first_row(table); /* is not done again */
    do_part(&options, 3, &done);
    assert_in_range(done, ROWS / 5, ROWS - 1);
    ImportJob *job; /* what was not done: nothing is missing unseen */
    size_t skipped;
    assert_ok(import_job_create(import_find("csv"), &options, &job));
    assert_ok(import_job_begin(job, &done));
    assert_in_range(done, 2 * ROWS / 5, ROWS - 1);
    assert_ok(import_job_join(job));
    assert_fails(import_job_finish(job, &skipped), "is not complete");
    assert_ok(import_job_work(job, 0, 1, 3, NULL, NULL));
    assert_int_equal(import_job_done(job), ROWS);
    assert_ok(import_job_finish(job, &skipped));
    import_job_destroy(job);
    assert_same_files(whole, output);
    assert_int_equal(tmpdir_entries(""), 3);
    tmpdir_write("output.h5.part.journal", "1", 1); /* killed before it was removed */
    assert_fails(import_job_create(import_find("csv"), &options, &job), "exists already");
    assert_int_equal(tmpdir_entries(""), 3);
    tmpdir_write("output.h5.part.journal", "1", 1); /* of a new one, that --force goes on with */
    tmpdir_write("output.h5.part", "1", 1);
    assert_fails(import_job_create(import_find("csv"), &options, &job), "exists already");
    assert_int_equal(tmpdir_entries(""), 5);
}

static void begins_anew(void **state) {
    (void)state;
    char table[TMPDIR_PATH], output[TMPDIR_PATH];
    size_t done;
    strcpy(table, write_table("table.csv", 0));
    strcpy(output, tmpdir_path("output.h5"));
    ImportOptions options = table_options(table, output);
    do_part(&options, 3, &done);
    options.seed = 9; /* another command */
    stderr_capture();
    do_part(&options, 3, &done);
    assert_contains(stderr_captured(), "begins anew");
    assert_int_equal(done, 0);
    write_table("table.csv", 0); /* changed sources: another time */
    stderr_capture();
    do_part(&options, 3, &done);
    assert_contains(stderr_captured(), "begins anew");
    assert_int_equal(done, 0);
    tmpdir_write("output.h5.part.journal", "nonsense", 8);
    do_part(&options, 3, &done);
    assert_int_equal(done, 0);
    unlink(tmpdir_path("output.h5.part"));
    stderr_capture();
    do_part(&options, 5, &done);
    stderr_captured();
    assert_int_equal(done, 0);
    do_part(&options, 0, &done);
    assert_int_equal(done, ROWS);
}

static void one_at_a_time(void **state) {
    (void)state;
    ImportJob *first, *second;
    size_t done;
    const char *table = write_table("table.csv", 0);
    ImportOptions options = table_options(table, tmpdir_path("output.h5"));
    assert_ok(import_job_create(import_find("csv"), &options, &first));
    assert_ok(import_job_create(import_find("csv"), &options, &second));
    assert_ok(import_job_begin(first, &done));
    assert_fails(import_job_begin(second, &done), "another cnn_import is writing");
    import_job_destroy(second);
    import_job_destroy(first);
}

/* ---- examples that cannot be read ---- */

static void bad_examples(void **state) {
    (void)state;
    char table[TMPDIR_PATH], output[TMPDIR_PATH];
    size_t skipped, done;
    Dataset *dataset;
    strcpy(table, write_table("table.csv", 700));
    strcpy(output, tmpdir_path("output.h5"));
    ImportOptions options = table_options(table, output);
    assert_fails(import_all("csv", &options, 1, NULL),
                 "table.csv:701, column 2: \"none\" is no number (--on-bad-file skip");
    assert_int_equal(tmpdir_entries(""), 1);
    options.skip = true;
    stderr_capture();
    assert_ok(import_all("csv", &options, 3, &skipped));
    const char *told = stderr_captured();
    assert_contains(told, "left out: ");
    assert_contains(told, "table.csv:703, column 2");
    assert_int_equal(skipped, 3);
    assert_ok(dataset_open(output, &dataset));
    assert_int_equal(dataset_info(dataset)->count[DATASET_TRAIN], ROWS - 3);
    for (uint64_t i = 0; i < ROWS - 3; i++) { /* the others keep their order */
        Real x[2], y[1];
        uint64_t from = i < 700 ? i : i + 3;
        assert_ok(dataset_read(dataset, DATASET_TRAIN, &i, 1, NULL, x, (Real *[]){y}));
        assert_true(x[0] == (Real)from && x[1] == (Real)(2 * from) && y[0] == (Real)(from % 7));
    }
    dataset_close(dataset);
    /* Found bad with skip; asked to stop now: they are looked at again. */
    options.force = true;
    do_part(&options, 5, &done);
    options.skip = false;
    assert_fails(import_all("csv", &options, 1, NULL), "is no number");
}

static void nothing_is_left(void **state) {
    (void)state;
    char output[TMPDIR_PATH];
    tmpdir_write("bad.csv", "a,1\nb,2\n", 8);
    strcpy(output, tmpdir_path("output.h5"));
    const char *table = tmpdir_path("bad.csv");
    ImportOptions options = table_options(table, output);
    options.skip = true;
    stderr_capture();
    Status status = import_all("csv", &options, 1, NULL);
    stderr_captured();
    assert_int_equal(status, STATUS_FAILED);
    assert_contains(status_message(), "not one example could be read");
    assert_int_equal(tmpdir_entries(""), 1);
}

/* ---- a clock that is set back ---- */

static time_t set_back; /* seconds */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time) {
    int code = __real_clock_gettime(clock, time);
    time->tv_sec -= clock == CLOCK_REALTIME ? set_back : 0;
    return code;
}

/* An import of some seconds. */
static Status read_slowly(const ImportSource *source, DatasetSplit split, size_t row, void *x, void *const labels[]) {
    if (row % 256 == 0)
        usleep(350000);
    return import_find("csv")->read(source, split, row, x, labels);
}

/* *context = how many examples the journal knows at most, as a kill at such a moment would leave it. */
static void look_at_journal(void *context, const ImportJob *job) {
    size_t *most = context, known = 0;
    unsigned char *bytes;
    size_t size;
    (void)job;
    set_back = 3600;
    assert_ok(file_read(tmpdir_path("output.h5.part.journal"), &bytes, &size));
    for (size_t i = size - ROWS; i < size; i++)
        known += bytes[i] != 0;
    memory_free(bytes);
    *most = known > *most ? known : *most;
}

static void a_clock_that_is_set_back(void **state) {
    (void)state;
    char table[TMPDIR_PATH], output[TMPDIR_PATH];
    size_t done, most = 0;
    ImportJob *job;
    ImportKind slow = *import_find("csv");
    slow.read = read_slowly;
    strcpy(table, write_table("table.csv", 0));
    strcpy(output, tmpdir_path("output.h5"));
    ImportOptions options = table_options(table, output);
    assert_ok(import_job_create(&slow, &options, &job));
    assert_ok(import_job_begin(job, &done));
    assert_ok(import_job_join(job));
    assert_ok(import_job_work(job, 0, 1, 1, look_at_journal, &most));
    set_back = 0;
    import_job_destroy(job);
    assert_in_range(most, 1, ROWS - 1);
}

/* ---- class names ---- */

static void names_of_classes(void **state) {
    (void)state;
    char table[TMPDIR_PATH];
    Dataset *dataset;
    strcpy(table, write_table("table.csv", 0));
    ImportOptions options = table_options(table, tmpdir_path("output.h5"));
    tmpdir_write("names", "a\nb\r\nc\nd\ne\nf\ng\n", 15);
    snprintf(options.classes_file, IMPORT_TEXT, "%s", tmpdir_path("names"));
    assert_ok(import_all("csv", &options, 1, NULL));
    assert_ok(dataset_open(options.output, &dataset));
    assert_int_equal(dataset_info(dataset)->class_name_count, 7);
    assert_string_equal(dataset_info(dataset)->class_names[1], "b");
    dataset_close(dataset);
    options.force = true;
    strcpy(options.class_names, "a,b");
    assert_fails_with(STATUS_USAGE, import_all("csv", &options, 1, NULL), "exclude each other");
    options.classes_file[0] = '\0';
    assert_fails(import_all("csv", &options, 1, NULL), "the largest label is 6; there are 2 class names");
    strcpy(options.class_names, "a,b,a,d,e,f,g");
    assert_fails_with(STATUS_USAGE, import_all("csv", &options, 1, NULL), "the name a twice");
}

/* Memory that is short at any point is a message, and nothing stays behind. */
static void memory_is_short(void **state) {
    (void)state;
    char table[TMPDIR_PATH], output[TMPDIR_PATH];
    tmpdir_write("small.csv", "1,2,0\n3,4,1\n", 12);
    strcpy(table, tmpdir_path("small.csv"));
    strcpy(output, tmpdir_path("output.h5"));
    ImportOptions options = table_options(table, output);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        memory_fail_at(n);
        failed = import_all("csv", &options, 1, NULL) != STATUS_OK;
        memory_fail_at(0);
        if (failed) {
            assert_contains(status_message(), "memory");
            assert_int_equal(tmpdir_entries(""), 1);
        }
        assert_true(n < 500);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(ranks_make_no_difference),
        TEST(goes_on_after_a_kill),
        TEST(begins_anew),
        TEST(one_at_a_time),
        TEST(bad_examples),
        TEST(nothing_is_left),
        TEST(a_clock_that_is_set_back),
        TEST(names_of_classes),
        TEST(memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
