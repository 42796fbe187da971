/* SPDX-License-Identifier: Apache-2.0
 *
 * NumPy's arrays and CIFAR's binary files. */
#include "base/memory.h"
#include "io/keras_zip.h"
#include "io/npy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/assert_status.h"
#include "support/import_all.h"
#include "support/tmpdir.h"

/* A .npy of version 1 with this header and data; returns its size. */
static size_t make_npy(uint8_t *out, const char *header, const void *data, size_t size) {
    size_t length = strlen(header);
    memcpy(out, "\x93NUMPY\1\0", 8);
    out[8] = (uint8_t)length;
    out[9] = (uint8_t)(length >> 8);
    memcpy(out + 10, header, length);
    memcpy(out + 10 + length, data, size);
    return 10 + length + size;
}

/* ---- .npy ---- */

static void types_of_numbers(void **state) {
    (void)state;
    const struct {
        const char *type;
        uint8_t bytes[16]; /* two numbers: 1, and the one below */
        size_t size;
        double second;
    } cases[] = {
        {"|u1", {1, 255}, 1, 255},
        {"|i1", {1, 255}, 1, -1},
        {"|b1", {1, 0}, 1, 0},
        {"<u2", {1, 0, 0, 128}, 2, 32768},
        {">i2", {0, 1, 255, 254}, 2, -2},
        {"<i4", {1, 0, 0, 0, 255, 255, 255, 255}, 4, -1},
        {">u4", {0, 0, 0, 1, 0, 1, 0, 0}, 4, 65536},
        {"<i8", {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0}, 8, 4294967296.0},
        {"<f2", {0, 0x3c, 0, 0xc2}, 2, -3},
        {">f2", {0x3c, 0, 0, 1}, 2, 0x1p-24},
        {"<f4", {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1}, 4, -10},
        {">f8", {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xbf, 0xe0, 0, 0, 0, 0, 0, 0}, 8, -0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t file[256];
        char header[128];
        double value[2];
        Npy npy;
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2,), }\n", cases[i].type);
        size_t size = make_npy(file, header, cases[i].bytes, 2 * cases[i].size);
        assert_ok(npy_open("a.npy", file, size, &npy));
        npy_row(&npy, 0, value);
        npy_row(&npy, 1, value + 1);
        assert_true(value[0] == 1 && value[1] == cases[i].second);
    }
}

static void orders_of_dimensions(void **state) {
    (void)state;
    uint8_t file[256], data[12];
    double row[6];
    Npy npy;
    for (uint8_t i = 0; i < 12; i++)
        data[i] = i;
    size_t size = make_npy(file, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 2), }", data, 12);
    assert_ok(npy_open("a.npy", file, size, &npy));
    npy_row(&npy, 1, row);
    for (size_t k = 0; k < 6; k++)
        assert_true(row[k] == (double)(6 + k));
    size = make_npy(file, "{\"shape\":(2,3,2),\"fortran_order\":True,\"descr\":\"|u1\"}", data, 12);
    assert_ok(npy_open("a.npy", file, size, &npy));
    npy_row(&npy, 1, row); /* [1,i,j] at 1 + 2 i + 6 j */
    const double want[] = {1, 7, 3, 9, 5, 11};
    for (size_t k = 0; k < 6; k++)
        assert_true(row[k] == want[k]);
}

static void damaged_arrays(void **state) {
    (void)state;
    const struct {
        const char *header;
        size_t data;
        const char *message;
    } cases[] = {
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 2, "Python objects"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 8, "type \"<c8\""},
        {"{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }", 3, "type \"<f3\""},
        {"{'descr': '<u16', 'fortran_order': False, 'shape': (1,), }", 16, "type \"<u16\""},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4, "type"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", 3, "should hold 2 bytes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", 1, "should hold 2 bytes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (-2,), }", 2, "cannot be understood"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999999,), }", 2, "cannot be"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904), }", 2,
         "too large"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 1, "cannot be understood"},
        {"{'descr': '|u1', 'fortran_order': Maybe, 'shape': (2,), }", 2, "cannot be understood"},
        {"{'descr': '|u1', 'fortran_order': False, }", 0, "cannot be understood"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': 1}", 2, "cannot be understood"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2", 2, "cannot be understood"},
        {"{'descr': '|u1", 2, "type"},
    };
    uint8_t file[512], data[32] = {0};
    Npy npy;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(npy_open("a.npy", file, make_npy(file, cases[i].header, data, cases[i].data), &npy),
                     cases[i].message);
    size_t size = make_npy(file, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", data, 2);
    assert_fails(npy_open("a.npy", file, 20, &npy), "ends in its header");
    assert_fails(npy_open("a.npy", file, 9, &npy), "is no array of NumPy");
    file[6] = 9;
    assert_fails(npy_open("a.npy", file, size, &npy), "of a version that is not known");
}

/* ---- the kind npy ---- */

static void archives(void **state) {
    (void)state;
    uint8_t x[256], y[256], x_test[256];
    uint8_t data[24];
    for (uint8_t i = 0; i < 24; i++)
        data[i] = i;
    KerasZipEntry entries[] = {
        {"x_train.npy", x, make_npy(x, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 2, 2), }", data, 24)},
        {"y_train.npy", y, make_npy(y, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1), }", data + 1, 2)},
        {"other.npy", "nonsense", 8},
        {"x_test.npy", x_test,
         make_npy(x_test, "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3, 2, 2), }", data, 12)},
    };
    unsigned char *image;
    size_t size;
    Dataset *dataset;
    Real row[12], label[1];
    assert_ok(keras_zip_image(3, entries, &image, &size));
    tmpdir_write("a.npz", image, size);
    memory_free(image);
    const char *path = tmpdir_path("a.npz");
    ImportOptions options = import_options(tmpdir_path("a.h5"), 1, &path);
    options.planar = true;
    assert_ok(import_all("npy", &options, 1, NULL));
    assert_ok(dataset_open(options.output, &dataset));
    assert_true(shape_equal(&dataset_info(dataset)->shape, &SHAPE(2, 2, 3)));
    assert_ok(dataset_read(dataset, DATASET_TRAIN, &(uint64_t){1}, 1, NULL, row, (Real *[]){label}));
    for (size_t k = 0; k < 12; k++)
        assert_true(row[k] == (Real)(12 + k % 3 * 4 + k / 3)); /* channel k%3 of pixel k/3 */
    assert_true(label[0] == 2);
    dataset_close(dataset);
    options.force = true;
    options.value_max = 22;
    assert_fails(import_all("npy", &options, 1, NULL),
                 "number 11 of example 1 of train is 23, more than --value-max 22");
    assert_ok(keras_zip_image(4, entries, &image, &size));
    tmpdir_write("a.npz", image, size);
    memory_free(image);
    assert_fails_with(STATUS_USAGE, import_all("npy", &options, 1, NULL), "test has images but no labels");
    assert_ok(keras_zip_image(1, entries + 2, &image, &size));
    tmpdir_write("a.npz", image, size);
    memory_free(image);
    assert_fails(import_all("npy", &options, 1, NULL), "has no arrays with names like x_train");
}

/* ---- CIFAR ---- */

enum { PIXELS = 3072 };

static void write_cifar(const char *name, size_t records, size_t labels, uint8_t first) {
    static uint8_t bytes[4 * (PIXELS + 2)];
    size_t used = 0;
    for (size_t i = 0; i < records; i++) {
        for (size_t k = 0; k < labels; k++)
            bytes[used++] = (uint8_t)(first + i + 10 * k);
        for (size_t k = 0; k < PIXELS; k++)
            bytes[used++] = (uint8_t)(i * 7 + k % 251);
    }
    tmpdir_write(name, bytes, used);
}

static void check_cifar(const char *output, DatasetSplit split, uint64_t row, size_t record, int label) {
    Dataset *dataset;
    static Real x[PIXELS];
    Real y[1];
    assert_ok(dataset_open(output, &dataset));
    assert_ok(dataset_read(dataset, split, &row, 1, NULL, x, (Real *[]){y}));
    for (size_t k = 0; k < PIXELS; k++)
        assert_true(x[k] == (Real)(uint8_t)(record * 7 + (k % 3 * 1024 + k / 3) % 251));
    assert_true(y[0] == (Real)label);
    dataset_close(dataset);
}

static void cifar_folders(void **state) {
    (void)state;
    char folder[TMPDIR_PATH], output[TMPDIR_PATH];
    Dataset *dataset;
    strcpy(folder, tmpdir_path("cifar"));
    strcpy(output, tmpdir_path("o.h5"));
    assert_int_equal(mkdir(folder, 0700), 0);
    write_cifar("cifar/data_batch_2.bin", 2, 1, 5);
    write_cifar("cifar/data_batch_1.bin", 3, 1, 0);
    write_cifar("cifar/test_batch.bin", 1, 1, 9);
    tmpdir_write("cifar/readme.html", "x", 1);
    ImportOptions options = import_options(output, 1, (const char *[]){folder});
    assert_ok(import_all("cifar10", &options, 2, NULL));
    check_cifar(output, DATASET_TRAIN, 2, 2, 2);
    check_cifar(output, DATASET_TRAIN, 3, 0, 5);
    check_cifar(output, DATASET_TEST, 0, 0, 9);
    assert_ok(dataset_open(output, &dataset));
    assert_string_equal(dataset_info(dataset)->class_names[9], "truck");
    dataset_close(dataset);
    write_cifar("cifar/train.bin", 2, 2, 3);
    options.force = true;
    assert_ok(import_all("cifar100", &options, 1, NULL));
    check_cifar(output, DATASET_TRAIN, 1, 1, 14);
    options.coarse = true;
    assert_ok(import_all("cifar100", &options, 1, NULL));
    check_cifar(output, DATASET_TRAIN, 1, 1, 4);
    write_cifar("cifar/data_batch_2.bin", 2, 1, 9);
    options.coarse = false;
    assert_fails(import_all("cifar10", &options, 1, NULL), "data_batch_2.bin: the label of record 1 is 10");
    tmpdir_write("cifar/data_batch_2.bin", "abc", 3);
    assert_fails(import_all("cifar10", &options, 1, NULL), "its 3 bytes are not records of 3073");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(types_of_numbers), TEST(orders_of_dimensions), TEST(damaged_arrays), TEST(archives), TEST(cifar_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
