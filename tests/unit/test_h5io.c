/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 files: what is written is read back. */
#include "base/memory.h"
#include "io/h5io.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    if (memory_stats().live_count != 0 || H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) != 0) {
        print_error("%zu blocks and %zd handles were not given back\n", memory_stats().live_count,
                    H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL));
        return -1;
    }
    return 0;
}

/* ---- round trips ---- */

static void arrays_of_every_type(void **state) {
    (void)state;
    H5ioFile *file;
    const uint8_t u8[6] = {0, 1, 2, 253, 254, 255};
    const int64_t i64[2] = {INT64_MIN, INT64_MAX};
    const uint64_t u64[1] = {UINT64_MAX};
    const float f32[3] = {0.1f, -1e30f, 3};
    const double f64[2][1] = {{0.1}, {-1e300}};
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_write(file, "/a/b/u8", H5IO_UINT8, 2, (size_t[]){2, 3}, u8));
    assert_ok(h5io_write(file, "/a/i64", H5IO_INT64, 1, (size_t[]){2}, i64));
    assert_ok(h5io_write(file, "/a/u64", H5IO_UINT64, 0, NULL, u64));
    assert_ok(h5io_write(file, "/f32", H5IO_FLOAT, 1, (size_t[]){3}, f32));
    assert_ok(h5io_write(file, "/f64", H5IO_DOUBLE, 2, (size_t[]){2, 1}, f64));
    assert_ok(h5io_write(file, "/none", H5IO_FLOAT, 1, (size_t[]){0}, f32));
    assert_ok(h5io_close(file));

    uint8_t u8_back[6];
    int64_t i64_back[2];
    uint64_t u64_back;
    float f32_back[3];
    double f64_back[2], widened[6];
    H5ioInfo info;
    H5ioKind kind;
    assert_ok(h5io_open(path, &file));
    assert_string_equal(h5io_name(file), path);
    assert_ok(h5io_read(file, "/a/b/u8", H5IO_UINT8, 2, (size_t[]){2, 3}, u8_back));
    assert_memory_equal(u8, u8_back, sizeof u8);
    assert_ok(h5io_read(file, "/a/b/u8", H5IO_DOUBLE, 2, (size_t[]){2, 3}, widened));
    assert_true(widened[5] == 255);
    assert_ok(h5io_read(file, "/a/i64", H5IO_INT64, 1, (size_t[]){2}, i64_back));
    assert_memory_equal(i64, i64_back, sizeof i64);
    assert_ok(h5io_read(file, "/a/u64", H5IO_UINT64, 0, NULL, &u64_back));
    assert_true(u64_back == UINT64_MAX);
    assert_ok(h5io_read(file, "/f32", H5IO_FLOAT, 1, (size_t[]){3}, f32_back));
    assert_memory_equal(f32, f32_back, sizeof f32);
    assert_ok(h5io_read(file, "/f64", H5IO_DOUBLE, 2, (size_t[]){2, 1}, f64_back));
    assert_memory_equal(f64, f64_back, sizeof f64);
    assert_ok(h5io_read(file, "/none", H5IO_FLOAT, 1, (size_t[]){0}, f32_back));
    assert_ok(h5io_info(file, "/a/b/u8", &info));
    assert_int_equal(info.class, H5IO_CLASS_INTEGER);
    assert_false(info.is_signed);
    assert_int_equal(info.type_size, 1);
    assert_int_equal(info.rank, 2);
    assert_int_equal(info.dim[1], 3);
    assert_int_equal(info.count, 6);
    assert_ok(h5io_kind(file, "/a/b", &kind));
    assert_int_equal(kind, H5IO_GROUP);
    assert_ok(h5io_kind(file, "/", &kind));
    assert_int_equal(kind, H5IO_GROUP);
    assert_ok(h5io_kind(file, "f64", &kind));
    assert_int_equal(kind, H5IO_DATASET);
    assert_ok(h5io_kind(file, "/a/x/y", &kind));
    assert_int_equal(kind, H5IO_NONE);

    assert_fails(h5io_read(file, "/f32", H5IO_FLOAT, 1, (size_t[]){4}, f32_back), "has the extents 3; needed are 4");
    assert_fails(h5io_read(file, "/f64", H5IO_FLOAT, 1, (size_t[]){2}, f32_back), "has the extents 2x1; needed are 2");
    assert_fails(h5io_read(file, "/g", H5IO_FLOAT, 1, (size_t[]){4}, f32_back), "cannot open /g in");
    assert_fails(h5io_read(file, "/a", H5IO_FLOAT, 1, (size_t[]){4}, f32_back), "/a in");
    assert_ok(h5io_close(file));
}

static void names_in_a_group(void **state) {
    (void)state;
    H5ioFile *file;
    char **names;
    size_t count;
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_make_group(file, "/b/c"));
    assert_ok(h5io_make_group(file, "/b/a"));
    assert_ok(h5io_make_group(file, "/b/a"));
    assert_ok(h5io_list(file, "/b", &names, &count));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "c");
    memory_free(names);
    assert_ok(h5io_list(file, "/b/a", &names, &count));
    assert_int_equal(count, 0);
    memory_free(names);
    assert_fails(h5io_list(file, "/d", &names, &count), "/d");
    assert_null(names);
    assert_ok(h5io_close(file));
}

static void rows_in_any_order(void **state) {
    (void)state;
    enum { ROWS = 1000, WIDTH = 3 };
    H5ioFile *file;
    uint8_t all[ROWS][WIDTH], some[6][WIDTH];
    const uint64_t rows[6] = {999, 0, 1, 2, 500, 499};
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < WIDTH; j++)
            all[i][j] = (uint8_t)(i * 7 + j);
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_create_rows(file, "/train/x", H5IO_UINT8, 2, (size_t[]){0, WIDTH}, 64));
    assert_ok(h5io_append_rows(file, "/train/x", H5IO_UINT8, 700, all));
    assert_ok(h5io_append_rows(file, "/train/x", H5IO_UINT8, 0, all));
    assert_ok(h5io_append_rows(file, "/train/x", H5IO_UINT8, 300, all[700]));
    assert_ok(h5io_close(file));

    H5ioInfo info;
    float range[4][WIDTH];
    assert_ok(h5io_open(path, &file));
    assert_ok(h5io_info(file, "/train/x", &info));
    assert_int_equal(info.dim[0], ROWS);
    assert_int_equal(info.chunk_rows, 64);
    assert_ok(h5io_read_rows(file, "/train/x", H5IO_UINT8, rows, 6, some));
    for (size_t i = 0; i < 6; i++)
        assert_memory_equal(some[i], all[rows[i]], WIDTH);
    assert_ok(h5io_read_range(file, "/train/x", H5IO_FLOAT, 698, 4, range));
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < WIDTH; j++)
            assert_true(range[i][j] == (float)all[698 + i][j]);
    assert_fails(h5io_read_rows(file, "/train/x", H5IO_UINT8, (uint64_t[]){3, 999, 1000}, 3, some), "no row 1000");
    assert_fails(h5io_read_range(file, "/train/x", H5IO_UINT8, 998, 3, some), "no rows");
    assert_ok(h5io_close(file));
}

static void texts(void **state) {
    (void)state;
    H5ioFile *file;
    char *text, **list, *large;
    size_t count;
    bool exists;
    assert_ok(memory_alloc(200001, 1, "text", (void **)&large));
    memset(large, 'x', 200000);
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_attr_write_string(file, "/", "model_config", "old"));
    assert_ok(h5io_attr_write_string(file, "/", "model_config", large)); /* over 64 KiB */
    assert_ok(h5io_attr_write_string(file, "/", "empty", ""));
    assert_ok(h5io_write_string(file, "/training/history", "gr\xc3\xbc\xc3\x9f"));
    assert_ok(h5io_attr_write_strings(file, "/training", "names", (const char *[]){"a", "", "ccc"}, 3));
    assert_ok(h5io_attr_write_strings(file, "/training", "nothing", NULL, 0));
    assert_ok(h5io_close(file));
    assert_ok(h5io_open(path, &file));
    assert_ok(h5io_attr_read_string(file, "/", "model_config", &text));
    assert_string_equal(text, large);
    memory_free(text);
    memory_free(large);
    assert_ok(h5io_attr_read_string(file, "/", "empty", &text));
    assert_string_equal(text, "");
    memory_free(text);
    assert_ok(h5io_read_string(file, "/training/history", &text));
    assert_string_equal(text, "gr\xc3\xbc\xc3\x9f");
    memory_free(text);
    assert_ok(h5io_attr_read_strings(file, "/training", "names", &list, &count));
    assert_int_equal(count, 3);
    assert_string_equal(list[0], "a");
    assert_string_equal(list[1], "");
    assert_string_equal(list[2], "ccc");
    memory_free(list);
    assert_ok(h5io_attr_read_strings(file, "/training", "nothing", &list, &count));
    assert_int_equal(count, 0);
    memory_free(list);
    assert_ok(h5io_attr_exists(file, "/training", "names", &exists));
    assert_true(exists);
    assert_ok(h5io_attr_exists(file, "/training", "names0", &exists));
    assert_false(exists);
    assert_fails(h5io_attr_read_string(file, "/training", "names", &text), "should be one text and is 3");
    assert_fails(h5io_attr_read_strings(file, "/training", "none", &list, &count), "attribute none of /training");
    assert_null(list);
    assert_ok(h5io_close(file));
}

/* Keras's form for a list too long for one attribute. */
static void long_list_in_pieces(void **state) {
    (void)state;
    enum { COUNT = 3000 };
    static char names[COUNT][48];
    static const char *list[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "a_rather_long_layer_name_with_number_%zu", i);
        list[i] = names[i];
    }
    H5ioFile *file;
    char **back;
    size_t count;
    bool exists;
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_attr_write_strings(file, "/", "layer_names", list, COUNT));
    assert_ok(h5io_close(file));
    assert_ok(h5io_open(path, &file));
    assert_ok(h5io_attr_exists(file, "/", "layer_names", &exists));
    assert_false(exists);
    assert_ok(h5io_attr_exists(file, "/", "layer_names1", &exists));
    assert_true(exists);
    assert_ok(h5io_attr_read_strings(file, "/", "layer_names", &back, &count));
    assert_int_equal(count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_string_equal(back[i], names[i]);
    memory_free(back);
    assert_ok(h5io_close(file));
}

static void number_attributes(void **state) {
    (void)state;
    H5ioFile *file;
    double value = 0.1, back;
    const int64_t vector[3] = {1, -2, 3};
    int64_t vector_back[3];
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_attr_write(file, "/", "value", H5IO_DOUBLE, 1, &value));
    assert_ok(h5io_attr_write(file, "/", "vector", H5IO_INT64, 3, vector));
    assert_ok(h5io_attr_write_string(file, "/", "text", "5"));
    assert_ok(h5io_attr_read(file, "/", "value", H5IO_DOUBLE, 1, &back));
    assert_true(back == value);
    assert_ok(h5io_attr_read(file, "/", "vector", H5IO_INT64, 3, vector_back));
    assert_memory_equal(vector, vector_back, sizeof vector);
    assert_fails(h5io_attr_read(file, "/", "vector", H5IO_INT64, 2, vector_back), "should be 2 numbers");
    assert_fails(h5io_attr_read(file, "/", "text", H5IO_DOUBLE, 1, &back), "should be 1 number");
    assert_ok(h5io_close(file));
}

static void file_in_memory(void **state) {
    (void)state;
    H5ioFile *file;
    void *bytes;
    size_t size;
    float numbers[1000] = {1, 2, 3}, back[1000];
    assert_ok(h5io_create_image(path, 0, &file));
    assert_ok(h5io_write(file, "/w", H5IO_FLOAT, 1, (size_t[]){1000}, numbers));
    assert_ok(h5io_image(file, &bytes, &size));
    assert_ok(h5io_close(file));
    assert_int_equal(access(path, F_OK), -1);
    assert_ok(h5io_open_image("step-3.h5", bytes, size, &file));
    assert_ok(h5io_read(file, "/w", H5IO_FLOAT, 1, (size_t[]){1000}, back));
    assert_memory_equal(numbers, back, sizeof numbers);
    assert_ok(h5io_close(file));
    assert_fails(h5io_open_image("step-3.h5", bytes, size / 2, &file), "step-3.h5");
    assert_null(file);
    assert_fails(h5io_open_image("step-3.h5", "nonsense", 8, &file), "step-3.h5");
    memory_free(bytes);
}

/* HDF5 tells files apart by their names, and an image has none. */
static void images_open_together_are_different(void **state) {
    (void)state;
    static const char *const texts[2] = {"first", "second"};
    H5ioFile *made[2], *opened[2];
    void *bytes[2];
    size_t size[2];
    for (int i = 0; i < 2; i++)
        assert_ok(h5io_create_image(path, 0, &made[i]));
    for (int i = 0; i < 2; i++) {
        assert_ok(h5io_write_string(made[i], "/text", texts[i]));
        assert_ok(h5io_image(made[i], &bytes[i], &size[i]));
        assert_ok(h5io_close(made[i]));
    }
    for (int i = 0; i < 2; i++)
        assert_ok(h5io_open_image(path, bytes[i], size[i], &opened[i]));
    for (int i = 0; i < 2; i++) {
        char *text;
        assert_ok(h5io_read_string(opened[i], "/text", &text));
        assert_string_equal(text, texts[i]);
        memory_free(text);
        assert_ok(h5io_close(opened[i]));
        memory_free(bytes[i]);
    }
}

/* The same content gives the same bytes: no times, no addresses. */
static void same_content_same_bytes(void **state) {
    (void)state;
    void *bytes[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        H5ioFile *file;
        assert_ok(h5io_create_image(path, 0, &file));
        assert_ok(h5io_write(file, "/a/w", H5IO_FLOAT, 1, (size_t[]){2}, (float[]){1, 2}));
        assert_ok(h5io_create_rows(file, "/a/x", H5IO_UINT8, 2, (size_t[]){0, 5}, 4));
        assert_ok(h5io_write_string(file, "/a/s", "text"));
        assert_ok(h5io_attr_write_string(file, "/a", "name", "text"));
        assert_ok(h5io_image(file, &bytes[i], &size[i]));
        assert_ok(h5io_close(file));
        sleep(1 - i);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    memory_free(bytes[0]);
    memory_free(bytes[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(arrays_of_every_type, finish),
        cmocka_unit_test_teardown(names_in_a_group, finish),
        cmocka_unit_test_teardown(rows_in_any_order, finish),
        cmocka_unit_test_teardown(texts, finish),
        cmocka_unit_test_teardown(long_list_in_pieces, finish),
        cmocka_unit_test_teardown(number_attributes, finish),
        cmocka_unit_test_teardown(file_in_memory, finish),
        cmocka_unit_test_teardown(images_open_together_are_different, finish),
        cmocka_unit_test_teardown(same_content_same_bytes, finish),
    };
    return cmocka_run_group_tests(tests, make_folder, tmpdir_teardown);
}
