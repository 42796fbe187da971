/* SPDX-License-Identifier: Apache-2.0
 *
 * Dataset files as others make them: what they say, and what is refused. */
#include "base/memory.h"
#include "data/dataset.h"
#include "io/h5io.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static char path[TMPDIR_PATH];

static int make_folder(void **state) {
    (void)state;
    snprintf(path, sizeof path, "%s/a.h5", tmpdir_make());
    return 0;
}

static int finish(void **state) {
    (void)state;
    unlink(path);
    return memory_stats().live_count == 0 ? 0 : -1;
}

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

/* More than HDF5 takes as one attribute: h5io cuts the list into pieces. */
static void long_list_of_class_names(void **state) {
    (void)state;
    enum { NAMES = 5000 };
    static char texts[NAMES][16];
    static const char *names[NAMES];
    for (int i = 0; i < NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "category-%05d", i);
        names[i] = texts[i];
    }
    H5ioFile *file = WRITE({"/train/x", H5IO_UINT8, 2, {4, 3}, pixels}, {"/train/y", H5IO_INT64, 1, {4}, classes});
    assert_ok(h5io_attr_write_strings(file, "/", "class_names", names, NAMES));
    Dataset *dataset = open_written(file);
    const DatasetInfo *info = dataset_info(dataset);
    assert_int_equal(info->class_name_count, NAMES);
    assert_string_equal(info->class_names[NAMES - 1], "category-04999");
    assert_int_equal(info->labels[0].classes, NAMES);
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

/* As "cp new.h5 data.h5" does it: class numbers beyond those of the opened file would be counted out of bounds. */
static void file_written_over_while_open(void **state) {
    (void)state;
    const int64_t before[4] = {0x1234, 2, 1, 2}, after[4] = {0x1234, 2, 0x4567, 2};
    static char bytes[65536];
    Real *values;
    Dataset *dataset =
        open_written(WRITE({"/train/x", H5IO_UINT8, 2, {4, 3}, pixels}, {"/train/y", H5IO_INT64, 1, {4}, before}));
    assert_ok(dataset_read_labels(dataset, DATASET_TRAIN, 0, &values));
    memory_free(values);
    FILE *file = fopen(path, "r+");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    const char *place = memmem(bytes, size, before, sizeof before);
    assert_non_null(place);
    assert_int_equal(fseek(file, place - bytes, SEEK_SET), 0);
    assert_int_equal(fwrite(after, sizeof after, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    assert_fails(dataset_read_labels(dataset, DATASET_TRAIN, 0, &values), "/train/y of example 2 has become 17767");
    assert_null(values);
    dataset_close(dataset);
}

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(shapes_of_examples, finish),
        cmocka_unit_test_teardown(kinds_of_labels, finish),
        cmocka_unit_test_teardown(several_labels_y_first, finish),
        cmocka_unit_test_teardown(attributes, finish),
        cmocka_unit_test_teardown(file_written_over_while_open, finish),
        cmocka_unit_test_teardown(long_list_of_class_names, finish),
        cmocka_unit_test_teardown(contradictions_are_refused, finish),
        cmocka_unit_test_teardown(fingerprint, finish),
    };
    return cmocka_run_group_tests(tests, make_folder, tmpdir_teardown);
}
