/* SPDX-License-Identifier: Apache-2.0
 *
 * idx files: sorted, imported, and refused when damaged; the real MNIST. */
#include "base/memory.h"
#include "data/format_idx.h"
#include "data/preprocess.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/assert_status.h"
#include "support/import_all.h"
#include "support/tmpdir.h"

/* An idx file of `count` entries of h x w (labels: h = 0) whose i-th byte is i % modulus. */
static const char *write_idx(const char *name, unsigned count, unsigned h, unsigned w, unsigned modulus) {
    static uint8_t bytes[1 << 16];
    size_t used = 4, size = h == 0 ? count : count * h * w;
    const unsigned extents[3] = {count, h, w};
    memcpy(bytes, (uint8_t[]){0, 0, 8, h == 0 ? 1 : 3}, 4);
    for (size_t i = 0; i < bytes[3]; i++)
        for (int shift = 24; shift >= 0; shift -= 8)
            bytes[used++] = (uint8_t)(extents[i] >> shift);
    for (size_t i = 0; i < size; i++)
        bytes[used++] = (uint8_t)(i % modulus);
    tmpdir_write(name, bytes, used);
    return tmpdir_path(name);
}

static void pairs_become_splits(void **state) {
    (void)state;
    Dataset *dataset;
    char train_x[TMPDIR_PATH], train_y[TMPDIR_PATH], test_x[TMPDIR_PATH], test_y[TMPDIR_PATH], out[TMPDIR_PATH];
    strcpy(train_x, write_idx("train-images", 10, 2, 3, 251));
    strcpy(train_y, write_idx("train-labels", 10, 0, 0, 4));
    strcpy(test_x, write_idx("t10k-images", 3, 2, 3, 13));
    strcpy(test_y, write_idx("some-labels", 3, 0, 0, 2)); /* by its count */
    strcpy(out, tmpdir_path("out.h5"));
    ImportOptions options = import_options(out, 4, (const char *[]){test_y, test_x, train_y, train_x});
    strcpy(options.origin, "made");
    assert_ok(import_all("idx", &options, 1, NULL));
    assert_int_equal(tmpdir_entries(""), 5);

    assert_ok(dataset_open(out, &dataset));
    const DatasetInfo *info = dataset_info(dataset);
    assert_true(shape_equal(&info->shape, &SHAPE(2, 3, 1)));
    assert_int_equal(info->count[DATASET_TRAIN], 10);
    assert_int_equal(info->count[DATASET_VAL], 0);
    assert_int_equal(info->count[DATASET_TEST], 3);
    assert_int_equal(info->labels[0].classes, 4);
    assert_string_equal(info->origin, "made");
    Real x[10 * 6], y[10];
    const uint64_t rows[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    assert_ok(dataset_read(dataset, DATASET_TRAIN, rows, 10, NULL, x, (Real *[]){y}));
    for (size_t i = 0; i < 60; i++)
        assert_true(x[i] == (Real)i && y[i / 6] == (Real)(i / 6 % 4));
    dataset_close(dataset);

    assert_fails(import_all("idx", &options, 1, NULL), "exists already");
    options.force = true;
    options.validation_split = 0.3;
    assert_ok(import_all("idx", &options, 1, NULL));
    assert_ok(dataset_open(out, &dataset));
    assert_int_equal(dataset_info(dataset)->count[DATASET_TRAIN], 7);
    assert_int_equal(dataset_info(dataset)->count[DATASET_VAL], 3);
    int seen[10] = {0}; /* the first pixel of example i is 6 i */
    assert_ok(dataset_read(dataset, DATASET_TRAIN, rows, 7, NULL, x, (Real *[]){y}));
    for (size_t i = 0; i < 7; i++)
        seen[(int)x[i * 6] / 6]++, assert_true(y[i] == (Real)((int)x[i * 6] / 6 % 4));
    assert_ok(dataset_read(dataset, DATASET_VAL, rows, 3, NULL, x, (Real *[]){y}));
    for (size_t i = 0; i < 3; i++)
        seen[(int)x[i * 6] / 6]++, assert_true(y[i] == (Real)((int)x[i * 6] / 6 % 4));
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(seen[i], 1);
    dataset_close(dataset);
}

static void files_that_cannot_be_told_apart(void **state) {
    (void)state;
    char a[TMPDIR_PATH], b[TMPDIR_PATH], c[TMPDIR_PATH];
    strcpy(a, write_idx("a", 3, 2, 2, 5));
    strcpy(b, write_idx("b", 3, 2, 2, 5));
    strcpy(c, write_idx("c", 4, 0, 0, 5));
    char told[TMPDIR_PATH];
    strcpy(told, write_idx("told-test", 3, 2, 2, 5));
    ImportOptions options = import_options("none", 3, (const char *[]){a, told, b});
    assert_fails_with(STATUS_USAGE, import_all("idx", &options, 1, NULL), "cannot tell which split");
    options = import_options("none", 3, (const char *[]){told, told, c});
    assert_fails_with(STATUS_USAGE, import_all("idx", &options, 1, NULL), "cannot tell which split");
    options = import_options("none", 2, (const char *[]){a, c});
    assert_fails(import_all("idx", &options, 1, NULL), "they do not belong together");
    options = import_options("none", 0, NULL);
    assert_fails_with(STATUS_USAGE, import_all("idx", &options, 1, NULL), "no images given");
    strcpy(options.labels[DATASET_TRAIN], c);
    assert_fails_with(STATUS_USAGE, import_all("idx", &options, 1, NULL), "--train-images FILE");
    strcpy(options.images[DATASET_TRAIN], a);
    assert_fails(import_all("idx", &options, 1, NULL), "has 3 images");
    strcpy(options.labels[DATASET_TRAIN], b);
    assert_fails(import_all("idx", &options, 1, NULL), "does not hold labels");
    strcpy(options.images[DATASET_TRAIN], c);
    assert_fails(import_all("idx", &options, 1, NULL), "does not hold images");
}

static void damaged_files(void **state) {
    (void)state;
    const struct {
        uint8_t bytes[40];
        size_t size;
        const char *message;
    } cases[] = {
        {{0}, 0, "magic number is wrong"},
        {{0, 0, 8}, 3, "magic number is wrong"},
        {"PK\3\4 a zip file", 16, "magic number is wrong"},
        {{0, 0, 8, 0, 0, 0, 0, 1, 9}, 9, "magic number is wrong"},
        {{0, 0, 13, 1, 0, 0, 0, 1, 9, 9, 9, 9}, 12, "only uint8"},
        {{0, 0, 8, 200}, 4, "only uint8"},
        {{0, 0, 8, 3, 0, 0, 0, 1}, 8, "ends in its header"},
        {{0, 0, 8, 1, 0, 0, 0, 0}, 8, "holds no examples"},
        {{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}, 16, "holds no examples"},
        {{0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3}, 11, "should be 12 bytes long by its header, and is 11"},
        {{0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4, 5}, 13, "should be 12 bytes long by its header, and is 13"},
        {{0, 0, 8, 4, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, 20, "too large"},
        {{0, 0, 8, 3, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255}, 20, "Fetch it again"},
        {{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3}, 13, "damaged.idx"},
    };
    FormatIdx file;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tmpdir_write("damaged.idx", cases[i].bytes, cases[i].size);
        assert_fails(format_idx_open(tmpdir_path("damaged.idx"), &file), cases[i].message);
        assert_true(file.bytes.at == NULL && file.count == 0);
        assert_non_null(strstr(status_message(), "damaged.idx"));
    }
    assert_fails(format_idx_open(tmpdir_path("missing"), &file), "No such file");
    assert_fails(format_idx_open(tmpdir_path(""), &file), "not a file");
}

static void label_out_of_range_leaves_nothing(void **state) {
    (void)state;
    char x[TMPDIR_PATH], y[TMPDIR_PATH], out[TMPDIR_PATH];
    strcpy(x, write_idx("x", 8, 2, 2, 5));
    strcpy(y, write_idx("y", 8, 0, 0, 4));
    strcpy(out, tmpdir_path("out.h5"));
    ImportOptions options = import_options(out, 0, NULL);
    strcpy(options.class_names, "a,b,c");
    strcpy(options.images[DATASET_TRAIN], x);
    strcpy(options.labels[DATASET_TRAIN], y);
    assert_fails(import_all("idx", &options, 1, NULL), "label 3 of example 3");
    assert_int_equal(tmpdir_entries(""), 2);
}

/* Facts about MNIST that anybody can look up: mean 0.1307 and deviation 0.3081 of train, the first labels. */
static void mnist(void **state) {
    (void)state;
    static char files[4][TMPDIR_PATH];
    const char *const names[4] = {"mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz",
                                  "mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz"};
    for (int i = 0; i < 4; i++) {
        snprintf(files[i], TMPDIR_PATH, "%s", testdata_path(names[i]));
        if (access(files[i], R_OK) != 0) {
            print_message("no %s: set CNN_TEST_DATA\n", files[i]);
            skip();
        }
    }
    char out[TMPDIR_PATH];
    strcpy(out, tmpdir_path("mnist.h5"));
    ImportOptions options = import_options(out, 4, (const char *[]){files[2], files[1], files[0], files[3]});
    Dataset *dataset;
    Preprocess preprocess;
    Real x[784], y[5];
    if (!HAVE_ZLIB) {
        assert_int_equal(import_all("idx", &options, 1, NULL), STATUS_FAILED);
        assert_non_null(strstr(status_message(), "built without zlib. Unpack it: gzip -d "));
        skip();
    }
    assert_ok(import_all("idx", &options, 1, NULL));
    assert_ok(dataset_open(out, &dataset));
    const DatasetInfo *info = dataset_info(dataset);
    assert_int_equal(info->count[DATASET_TRAIN], 60000);
    assert_int_equal(info->count[DATASET_TEST], 10000);
    assert_int_equal(info->labels[0].classes, 10);
    const Real first[5] = {5, 0, 4, 1, 9}, first_test[5] = {7, 2, 1, 0, 4};
    for (uint64_t i = 0; i < 5; i++) {
        assert_ok(dataset_read(dataset, DATASET_TRAIN, &i, 1, NULL, x, (Real *[]){y}));
        assert_true(y[0] == first[i]);
        assert_ok(dataset_read(dataset, DATASET_TEST, &i, 1, NULL, x, (Real *[]){y}));
        assert_true(y[0] == first_test[i]);
    }
    assert_ok(preprocess_create(dataset, "dataset", &preprocess));
    double mean = -preprocess.offset[0] / preprocess.scale[0] / 255, deviation = 1 / preprocess.scale[0] / 255;
    assert_true(fabs(mean - 0.1307) < 5e-5 && fabs(deviation - 0.3081) < 5e-5);
    dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pairs_become_splits, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_told_apart, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(damaged_files, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(label_out_of_range_leaves_nothing, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(mnist, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
