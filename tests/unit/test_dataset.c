/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets: how examples are read, and how files are written.  What files of others say: test_dataset_files.c. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"
#include "data/preprocess.h"
#include "io/h5io.h"
#include "support/assert_status.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder;
static char path[TMPDIR_PATH];

static int make_folder(void **state) {
    (void)state;
    folder = tmpdir_make();
    snprintf(path, sizeof path, "%s/a.h5", folder);
    return 0;
}

static int finish(void **state) {
    (void)state;
    unlink(path);
    return memory_stats().live_count == 0 ? 0 : -1;
}

/* ---- reading ---- */

static void expect(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n) {
    Real x[40 * SAMPLE_NUMBERS], y[40];
    assert_true(n <= 40);
    assert_ok(dataset_read(dataset, split, rows, n, NULL, x, (Real *[]){y}));
    for (size_t i = 0; i < n; i++) {
        assert_true(y[i] == (Real)(rows[i] % SAMPLE_CLASSES));
        for (size_t j = 0; j < SAMPLE_NUMBERS; j++)
            assert_true(x[i * SAMPLE_NUMBERS + j] == sample_pixel(split, rows[i], j));
    }
}

static void rows_from_memory_and_from_file(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[SAMPLE_NUMBERS];
    const uint64_t rows[] = {999, 0, 5, 4, 3, 3, 998, 500, 501, 502, 7};
    assert_ok(sample_dataset(path, (size_t[]){1000, 0, 30}));
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        assert_ok(dataset_open(path, &dataset));
        dataset_set_memory_limit(dataset, in_memory ? 1 << 20 : 1000);
        assert_ok(dataset_load(dataset, DATASET_TRAIN));
        assert_ok(dataset_load(dataset, DATASET_VAL));
        expect(dataset, DATASET_TRAIN, rows, 11);
        expect(dataset, DATASET_TEST, (uint64_t[]){29, 1}, 2);
        expect(dataset, DATASET_TRAIN, rows, 0);
        assert_fails(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){1000}, 1, NULL, x, NULL),
                     "no example 1000 in train");
        assert_fails(dataset_read(dataset, DATASET_VAL, (uint64_t[]){0}, 1, NULL, x, NULL), "no example 0 in val");
        /* Once grown, reading allocates nothing. */
        size_t allocated = memory_stats().total_count;
        expect(dataset, DATASET_TRAIN, rows + 2, 9);
        assert_int_equal(memory_stats().total_count, allocated);
        dataset_close(dataset);
    }
}

/* A file of 5 GB, all but one example of which are a hole: counts of bytes do not fit 32 bits. */
static void examples_beyond_4_gib(void **state) {
    enum { ROWS = 1250000, SIDE = 64, BYTES = SIDE * SIDE };
    (void)state;
    H5ioFile *file;
    Dataset *dataset;
    uint64_t offset;
    unsigned char sevens[BYTES];
    Real x[3 * BYTES];
    memset(sevens, 7, BYTES);
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_make_group(file, "/train"));
    assert_ok(h5io_create_flat(file, "/train/x", H5IO_UINT8, 4, (size_t[]){ROWS, SIDE, SIDE, 1}));
    assert_ok(h5io_create_flat(file, "/train/y", H5IO_UINT8, 1, (size_t[]){ROWS}));
    assert_ok(h5io_offset(file, "/train/x", &offset));
    assert_ok(h5io_close(file));
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, sevens, BYTES, (off_t)(offset + (uint64_t)(ROWS - 1) * BYTES)), BYTES);
    close(fd);
    assert_ok(dataset_open(path, &dataset));
    assert_int_equal(dataset_info(dataset)->count[DATASET_TRAIN], ROWS);
    assert_false(dataset_fits(dataset, DATASET_TRAIN));
    assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){ROWS - 2, ROWS - 1, 0}, 3, NULL, x, NULL));
    for (size_t i = 0; i < 3 * BYTES; i++)
        assert_true(x[i] == (i / BYTES == 1 ? (Real)7 : (Real)0));
    dataset_close(dataset);
}

/* Features take the place of x, in any order and with the labels as they are; and are gone again. */
static void features_in_the_place_of_x(void **state) {
    enum { ROWS = 50, WIDTH = 3 };
    (void)state;
    Dataset *dataset;
    Real features[ROWS * WIDTH], x[4 * WIDTH], y[4];
    const uint64_t rows[] = {49, 0, 7, 7};
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        features[i] = (Real)i / 2;
    assert_ok(sample_dataset(path, (size_t[]){ROWS, 0, 30}));
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        assert_ok(dataset_open(path, &dataset));
        dataset_set_memory_limit(dataset, in_memory ? 1 << 20 : 10);
        assert_ok(dataset_load(dataset, DATASET_TRAIN));
        dataset_give_features(dataset, DATASET_TRAIN, features, WIDTH);
        assert_ok(dataset_load(dataset, DATASET_TRAIN)); /* the labels */
        assert_int_equal(dataset_width(dataset, DATASET_TRAIN), WIDTH);
        assert_int_equal(dataset_width(dataset, DATASET_TEST), SAMPLE_NUMBERS);
        assert_ok(dataset_read(dataset, DATASET_TRAIN, rows, 4, NULL, x, (Real *[]){y}));
        for (size_t i = 0; i < 4; i++) {
            assert_true(y[i] == (Real)(rows[i] % SAMPLE_CLASSES));
            assert_memory_equal(x + i * WIDTH, features + rows[i] * WIDTH, WIDTH * sizeof *x);
        }
        expect(dataset, DATASET_TEST, rows + 1, 2);
        dataset_give_features(dataset, DATASET_TRAIN, NULL, 0);
        expect(dataset, DATASET_TRAIN, rows, 4);
        y[0] = -1;
        assert_ok(dataset_read(dataset, DATASET_TRAIN, rows, 1, NULL, NULL, (Real *[]){y})); /* labels alone */
        assert_true(y[0] == (Real)(49 % SAMPLE_CLASSES));
        dataset_close(dataset);
    }
}

static void file_that_breaks_while_open(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[SAMPLE_NUMBERS];
    assert_ok(sample_dataset(path, (size_t[]){100000, 0, 0}));
    assert_ok(dataset_open(path, &dataset));
    assert_int_equal(truncate(path, 100000), 0);
    assert_fails(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){99000}, 1, NULL, x, NULL), path);
    assert_fails(dataset_load(dataset, DATASET_TRAIN), path);
    dataset_close(dataset);
}

static void preprocessing_of_another_shape_is_refused(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[SAMPLE_NUMBERS];
    Preprocess other = {.shape = SHAPE(28, 28, 1), .channels = 1, .scale = {1}};
    assert_ok(sample_dataset(path, (size_t[]){3, 0, 0}));
    assert_ok(dataset_open(path, &dataset));
    assert_fails(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){0}, 1, &other, x, NULL),
                 "has examples of 4x3x2; the network takes 28x28x1");
    dataset_close(dataset);
}

/* The fingerprint follows the content and nothing else. */
/* ---- writing ---- */

static void writer_leaves_nothing_half_written(void **state) {
    (void)state;
    DatasetLabel label = {.name = "y", .kind = LABEL_CLASS};
    DatasetInfo info = {.shape = SHAPE(2), .value_max = 1, .labels = &label, .label_count = 1};
    DatasetWriter *writer;
    struct stat about;
    char temporary[sizeof path + 32];
    snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid());
    assert_ok(dataset_writer_create(path, false, &info, &writer));
    assert_ok(dataset_writer_append(writer, DATASET_TRAIN, 1, (float[]){1, 2}, (const void *[]){&(int64_t){0}}));
    assert_int_equal(stat(temporary, &about), 0);
    assert_int_equal(stat(path, &about), -1);
    dataset_writer_destroy(writer); /* given up */
    assert_int_equal(stat(temporary, &about), -1);
    assert_int_equal(stat(path, &about), -1);

    assert_ok(dataset_writer_create(path, false, &info, &writer)); /* refused by its own check */
    assert_ok(dataset_writer_append(writer, DATASET_TRAIN, 1, (float[]){1, 2}, (const void *[]){&(int64_t){-1}}));
    assert_fails(dataset_writer_finish(writer), "class numbers go from 0");
    dataset_writer_destroy(writer);
    assert_int_equal(stat(temporary, &about), -1);
    assert_int_equal(stat(path, &about), -1);

    assert_ok(sample_dataset(path, (size_t[]){3, 2, 1}));
    assert_fails(dataset_writer_create(path, false, &info, &writer), "exists already");
    assert_null(writer);
    assert_fails(dataset_writer_create("/nonexistent/a.h5", true, &info, &writer), "/nonexistent/a.h5");
}

static void digits_that_ship(void **state) {
    (void)state;
    char *digits;
    Dataset *dataset;
    unsetenv("CNN_DATASETS");
    assert_ok(dataset_find_default(&digits));
    assert_ok(dataset_open(digits, &dataset));
    const DatasetInfo *info = dataset_info(dataset);
    assert_string_equal(info->name, "digits");
    assert_true(shape_equal(&info->shape, &SHAPE(8, 8, 1)));
    assert_int_equal(info->count[DATASET_TRAIN] + info->count[DATASET_VAL] + info->count[DATASET_TEST], 1797);
    assert_true(info->value_max == 16);
    assert_int_equal(info->labels[0].classes, 10);
    assert_int_equal(info->class_name_count, 10);
    assert_non_null(strstr(info->origin, "UCI"));
    dataset_close(dataset);
    memory_free(digits);
    setenv("CNN_DATASETS", folder, 1);
    assert_ok(dataset_find_default(&digits));
    assert_int_equal(strncmp(digits, folder, strlen(folder)), 0);
    memory_free(digits);
    unsetenv("CNN_DATASETS");
}

/* Every allocation fails once: a message, and nothing leaks. */
static void out_of_memory(void **state) {
    (void)state;
    Dataset *dataset = NULL;
    size_t n = 1;
    assert_ok(sample_dataset(path, (size_t[]){10, 0, 5}));
    for (;; n++) {
        memory_fail_at(n);
        Status status = dataset_open(path, &dataset);
        if (status == STATUS_OK)
            status = dataset_load(dataset, DATASET_TRAIN);
        memory_fail_at(0);
        dataset_close(dataset);
        if (status == STATUS_OK)
            break;
        assert_non_null(strstr(status_message(), "out of memory"));
        assert_int_equal(memory_stats().live_count, 0);
    }
    assert_true(n > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rows_from_memory_and_from_file, finish),
        cmocka_unit_test_teardown(examples_beyond_4_gib, finish),
        cmocka_unit_test_teardown(features_in_the_place_of_x, finish),
        cmocka_unit_test_teardown(file_that_breaks_while_open, finish),
        cmocka_unit_test_teardown(preprocessing_of_another_shape_is_refused, finish),
        cmocka_unit_test_teardown(writer_leaves_nothing_half_written, finish),
        cmocka_unit_test_teardown(digits_that_ship, finish),
        cmocka_unit_test_teardown(out_of_memory, finish),
    };
    return cmocka_run_group_tests(tests, make_folder, tmpdir_teardown);
}
