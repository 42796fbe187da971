/* SPDX-License-Identifier: Apache-2.0
 *
 * Dataset files: what they say, how examples are read, and what is refused. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/dataset_writer.h"
#include "data/preprocess.h"
#include "io/h5io.h"
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/assert_status.h"
#include "support/sample_dataset.h"

static char folder[] = "/tmp/test_dataset_XXXXXX";
static char path[sizeof folder + 32];

static int finish(void **state) {
    (void)state;
    unlink(path);
    return memory_stats().live_count == 0 ? 0 : -1;
}

/* ---- files as others make them ---- */

typedef struct Array {
    const char *path;
    H5ioType type;
    size_t rank, dim[5];
    const void *data;
} Array;

static H5ioFile *write_arrays(const Array arrays[], size_t count) {
    H5ioFile *file;
    assert_ok(h5io_create(path, &file));
    for (size_t i = 0; i < count; i++)
        assert_ok(h5io_write(file, arrays[i].path, arrays[i].type, arrays[i].rank, arrays[i].dim, arrays[i].data));
    return file;
}
#define WRITE(...) write_arrays((const Array[]){__VA_ARGS__}, sizeof((const Array[]){__VA_ARGS__}) / sizeof(Array))

static const uint8_t pixels[64] = {1, 2, 3, 4, 5, 6, 7, 8};
static const float reals[64] = {0.5f, -1, 2};
static const int64_t classes[4] = {0, 2, 1, 2};

/* Closes the file, opens it as a dataset. */
static Dataset *open_written(H5ioFile *file) {
    Dataset *dataset;
    assert_ok(h5io_close(file));
    assert_ok(dataset_open(path, &dataset));
    return dataset;
}

static void refused(H5ioFile *file, const char *message) {
    Dataset *dataset;
    assert_ok(h5io_close(file));
    assert_fails(dataset_open(path, &dataset), message);
    assert_null(dataset);
    assert_non_null(strstr(status_message(), path));
}

static void shapes_of_examples(void **state) {
    (void)state;
    const struct {
        Array x;
        Shape shape;
    } cases[] = {
        {{"/train/x", H5IO_UINT8, 4, {4, 2, 2, 3}, pixels}, SHAPE(2, 2, 3)},
        {{"/train/x", H5IO_UINT8, 3, {4, 2, 3}, pixels}, SHAPE(2, 3, 1)},
        {{"/train/x", H5IO_FLOAT, 2, {4, 7}, reals}, SHAPE(7)},
        {{"/train/x", H5IO_DOUBLE, 1, {4}, reals}, SHAPE(1)},
        {{"/train/x", H5IO_FLOAT, 5, {2, 2, 2, 2, 1}, reals}, SHAPE(2, 2, 2, 1)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Dataset *dataset = open_written(WRITE(cases[i].x));
        const DatasetInfo *info = dataset_info(dataset);
        assert_true(shape_equal(&info->shape, &cases[i].shape));
        assert_int_equal(info->is_uint8, cases[i].x.type == H5IO_UINT8);
        assert_true(info->value_max == (info->is_uint8 ? 255 : 1));
        assert_int_equal(info->count[DATASET_TRAIN], cases[i].x.dim[0]);
        assert_int_equal(info->count[DATASET_VAL], 0);
        assert_int_equal(info->label_count, 0);
        assert_null(info->class_names);
        assert_string_equal(info->origin, "");
        assert_string_equal(info->name, "a");
        dataset_close(dataset);
    }
}

static void kinds_of_labels(void **state) {
    (void)state;
    const float one_hot[8] = {0, 1, 1, 0, 0, 1, 0, 1}, multi_hot[8] = {0, 1, 1, 1, 0, 0, 0, 1},
                numbers[8] = {0.5, 1, 1, 0, -3, 1, 0, 1};
    const int64_t map[8] = {0, 1, 1, 6, 0, 1, 0, 1};
    const uint8_t bytes[8] = {1, 0, 1, 0, 0, 1, 0, 1};
    const struct {
        Array y;
        LabelKind kind;
        Shape shape;
        size_t classes;
    } cases[] = {
        {{"/train/y", H5IO_INT64, 1, {4}, classes}, LABEL_CLASS, {0}, 3},
        {{"/train/y", H5IO_INT64, 2, {4, 1}, classes}, LABEL_CLASS, {0}, 3},
        {{"/train/y", H5IO_INT64, 3, {4, 1, 2}, map}, LABEL_CLASS, SHAPE(1, 2), 7},
        {{"/train/y", H5IO_FLOAT, 2, {4, 2}, one_hot}, LABEL_ONE_HOT, SHAPE(2), 2},
        {{"/train/y", H5IO_UINT8, 2, {4, 2}, bytes}, LABEL_ONE_HOT, SHAPE(2), 2},
        {{"/train/y", H5IO_FLOAT, 2, {4, 2}, multi_hot}, LABEL_MULTI_HOT, SHAPE(2), 2},
        {{"/train/y", H5IO_FLOAT, 2, {4, 2}, numbers}, LABEL_NUMBERS, SHAPE(2), 2},
        {{"/train/y", H5IO_FLOAT, 1, {4}, numbers}, LABEL_NUMBERS, SHAPE(1), 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Dataset *dataset = open_written(WRITE({"/train/x", H5IO_UINT8, 2, {4, 3}, pixels}, cases[i].y));
        const DatasetInfo *info = dataset_info(dataset);
        assert_int_equal(info->label_count, 1);
        assert_int_equal(info->labels[0].kind, cases[i].kind);
        assert_true(shape_equal(&info->labels[0].shape, &cases[i].shape));
        assert_int_equal(info->labels[0].classes, cases[i].classes);
        dataset_close(dataset);
    }
}

static void several_labels_y_first(void **state) {
    (void)state;
    Dataset *dataset =
        open_written(WRITE({"/test/x", H5IO_UINT8, 2, {4, 3}, pixels}, {"/test/y", H5IO_INT64, 1, {4}, classes},
                           {"/test/boxes", H5IO_FLOAT, 3, {4, 2, 3}, reals}, {"/test/z", H5IO_FLOAT, 1, {4}, reals}));
    const DatasetInfo *info = dataset_info(dataset);
    Real x[3], y, boxes[6], z;
    assert_int_equal(info->label_count, 3);
    assert_string_equal(info->labels[0].name, "y");
    assert_string_equal(info->labels[1].name, "boxes");
    assert_string_equal(info->labels[2].name, "z");
    assert_ok(dataset_read(dataset, DATASET_TEST, (uint64_t[]){0}, 1, NULL, x, (Real *[]){&y, boxes, &z}));
    assert_true(y == 0 && boxes[0] == (Real)0.5 && boxes[2] == 2 && z == (Real)0.5);
    dataset_close(dataset);
}

static void attributes(void **state) {
    (void)state;
    const char *const names[] = {"a", "b", "c", "d"};
    H5ioFile *file = WRITE({"/train/x", H5IO_UINT8, 2, {4, 3}, pixels}, {"/train/y", H5IO_INT64, 1, {4}, classes});
    assert_ok(h5io_attr_write_strings(file, "/", "class_names", names, 4));
    assert_ok(h5io_attr_write_string(file, "/", "origin", "here"));
    assert_ok(h5io_attr_write(file, "/", "value_max", H5IO_INT64, 1, &(int64_t){16}));
    Dataset *dataset = open_written(file);
    const DatasetInfo *info = dataset_info(dataset);
    assert_int_equal(info->class_name_count, 4);
    assert_string_equal(info->class_names[3], "d");
    assert_int_equal(info->labels[0].classes, 4); /* one that no example has */
    assert_string_equal(info->origin, "here");
    assert_true(info->value_max == 16);
    dataset_close(dataset);
}

static void contradictions_are_refused(void **state) {
    (void)state;
    Dataset *dataset;
    const Array x = {"/train/x", H5IO_UINT8, 2, {4, 3}, pixels}, y = {"/train/y", H5IO_INT64, 1, {4}, classes};
    const float not_finite[4] = {0, 1, (float)NAN, 1};
    const char *const two[] = {"a", "b"};
    H5ioFile *file;
    assert_fails(dataset_open("/nonexistent.h5", &dataset), "cannot open /nonexistent.h5: No such file");
    refused(WRITE({"/x", H5IO_UINT8, 2, {4, 3}, pixels}), "none of the groups train, val, test");
    refused(WRITE({"/train/z", H5IO_UINT8, 2, {4, 3}, pixels}), "/train/x is missing");
    refused(WRITE({"/train/x/z", H5IO_UINT8, 2, {4, 3}, pixels}), "/train/x is missing");
    refused(WRITE({"/train/x", H5IO_UINT8, 2, {0, 3}, pixels}), "/train/x is empty");
    refused(WRITE({"/train/x", H5IO_UINT8, 0, {0}, pixels}), "/train/x should have 1 to 6 dimensions");
    refused(WRITE({"/train/x", H5IO_INT64, 1, {4}, classes}), "/train/x should be uint8 or float32");
    refused(WRITE(x, {"/train/y", H5IO_INT64, 1, {3}, classes}), "/train/y has 3 entries for 4 examples");
    refused(WRITE(x, {"/train/y", H5IO_INT64, 1, {4}, (int64_t[]){0, 1, -1, 0}}), "/train/y of example 2 is -1");
    refused(WRITE(x, {"/train/y", H5IO_INT64, 1, {4}, (int64_t[]){0, 1, 2, 5000000}}), "of example 3 is 5000000");
    refused(WRITE(x, {"/train/y", H5IO_FLOAT, 1, {4}, not_finite}), "/train/y of example 2 is nan");
    refused(WRITE(x, y, {"/val/x", H5IO_UINT8, 2, {2, 5}, pixels}), "other splits of 3 uint8");
    refused(WRITE(x, y, {"/val/x", H5IO_UINT8, 2, {2, 3}, pixels}), "/val/ has not the same arrays");
    refused(WRITE(x, y, {"/val/x", H5IO_UINT8, 2, {2, 3}, pixels}, {"/val/y", H5IO_FLOAT, 2, {2, 2}, reals}),
            "/val/y has another type or shape");
    refused(WRITE(x, y, {"/val/x", H5IO_UINT8, 2, {2, 3}, pixels}, {"/val/z", H5IO_INT64, 1, {2}, classes}), "/val/y");
    file = WRITE(x, y);
    assert_ok(h5io_attr_write_strings(file, "/", "class_names", two, 2));
    refused(file, "the labels y are of 3 classes, class_names has 2");
    file = WRITE(x, y);
    assert_ok(h5io_attr_write(file, "/", "value_max", H5IO_INT64, 1, &(int64_t){0}));
    refused(file, "value_max should be a number above 0");
    file = WRITE(x, y);
    assert_ok(h5io_attr_write_string(file, "/", "value_max", "many"));
    refused(file, "value_max");
    file = WRITE(x);
    assert_ok(h5io_write_string(file, "/train/y", "five"));
    refused(file, "/train/y should hold numbers");
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
static void fingerprint(void **state) {
    (void)state;
    const uint8_t other[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const int64_t other_classes[4] = {0, 2, 1, 1};
    const Array x = {"/train/x", H5IO_UINT8, 2, {4, 3}, pixels}, y = {"/train/y", H5IO_INT64, 1, {4}, classes};
    const Array narrow_y = {"/train/y", H5IO_UINT8, 1, {4}, (uint8_t[]){0, 2, 1, 2}};
    char first[65];
    Dataset *dataset = open_written(WRITE(x, y));
    memcpy(first, dataset_info(dataset)->fingerprint, sizeof first);
    dataset_close(dataset);
    assert_int_equal(strlen(first), 64);
    dataset = open_written(WRITE(y, x));
    assert_string_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
    dataset = open_written(WRITE(x, narrow_y));
    assert_string_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
    dataset = open_written(WRITE({"/train/x", H5IO_UINT8, 2, {4, 3}, other}, y));
    assert_string_not_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
    dataset = open_written(WRITE(x, {"/train/y", H5IO_INT64, 1, {4}, other_classes}));
    assert_string_not_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
    dataset = open_written(WRITE({"/test/x", H5IO_UINT8, 2, {4, 3}, pixels}, {"/test/y", H5IO_INT64, 1, {4}, classes}));
    assert_string_not_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
}

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
        cmocka_unit_test_teardown(shapes_of_examples, finish),
        cmocka_unit_test_teardown(kinds_of_labels, finish),
        cmocka_unit_test_teardown(several_labels_y_first, finish),
        cmocka_unit_test_teardown(attributes, finish),
        cmocka_unit_test_teardown(contradictions_are_refused, finish),
        cmocka_unit_test_teardown(rows_from_memory_and_from_file, finish),
        cmocka_unit_test_teardown(examples_beyond_4_gib, finish),
        cmocka_unit_test_teardown(features_in_the_place_of_x, finish),
        cmocka_unit_test_teardown(file_that_breaks_while_open, finish),
        cmocka_unit_test_teardown(preprocessing_of_another_shape_is_refused, finish),
        cmocka_unit_test_teardown(fingerprint, finish),
        cmocka_unit_test_teardown(writer_leaves_nothing_half_written, finish),
        cmocka_unit_test_teardown(digits_that_ship, finish),
        cmocka_unit_test_teardown(out_of_memory, finish),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/a.h5", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
