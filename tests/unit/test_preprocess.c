/* SPDX-License-Identifier: Apache-2.0
 *
 * Preprocessing against values worked out by hand from Keras's definitions. */
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "data/preprocess.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Two examples in train. */
static Dataset *make(Shape shape, bool is_uint8, double value_max, const void *x) {
    DatasetInfo info = {.shape = shape, .is_uint8 = is_uint8, .value_max = value_max};
    DatasetWriter *writer;
    Dataset *dataset;
    assert_ok(dataset_writer_create(path, true, &info, &writer));
    assert_ok(dataset_writer_append(writer, DATASET_TRAIN, 2, x, NULL));
    assert_ok(dataset_writer_finish(writer));
    dataset_writer_destroy(writer);
    assert_ok(dataset_open(path, &dataset));
    return dataset;
}

static const uint8_t rgb[2][1][2][3] = {{{{0, 128, 255}, {10, 20, 30}}}, {{{1, 2, 3}, {255, 0, 127}}}};

/* All numbers of both examples through `name`, compared with expected(v, channel). */
static void check(const char *name, double (*expected)(const uint8_t *pixel, size_t c)) {
    Dataset *dataset = make(SHAPE(1, 2, 3), true, 255, rgb);
    Preprocess preprocess;
    Real y[12];
    assert_ok(preprocess_create(dataset, name, &preprocess));
    assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){0, 1}, 2, &preprocess, y, NULL));
    const uint8_t *flat = &rgb[0][0][0][0];
    for (size_t i = 0; i < 12; i++)
        assert_true(fabs((double)y[i] - expected(flat + i - i % 3, i % 3)) < 2e-5);
    dataset_close(dataset);
}

static double none(const uint8_t *pixel, size_t c) {
    return pixel[c];
}
static double unit(const uint8_t *pixel, size_t c) {
    return pixel[c] / 255.0;
}
static double tf(const uint8_t *pixel, size_t c) {
    return pixel[c] / 127.5 - 1;
}
static double caffe(const uint8_t *pixel, size_t c) {
    return pixel[2 - c] - (const double[]){103.939, 116.779, 123.68}[c];
}
static double torch(const uint8_t *pixel, size_t c) {
    return (pixel[c] / 255.0 - (const double[]){0.485, 0.456, 0.406}[c]) / (const double[]){0.229, 0.224, 0.225}[c];
}
static double dataset_mode(const uint8_t *pixel, size_t c) {
    const double channel[3][4] = {{0, 10, 1, 255}, {128, 20, 2, 0}, {255, 30, 3, 127}};
    double mean = 0, variance = 0;
    for (size_t i = 0; i < 4; i++)
        mean += channel[c][i] / 4;
    for (size_t i = 0; i < 4; i++)
        variance += (channel[c][i] - mean) * (channel[c][i] - mean) / 4;
    return (pixel[c] - mean) / sqrt(variance);
}

static void modes(void **state) {
    (void)state;
    check("none", none);
    check("unit", unit);
    check("", unit);
    check(NULL, unit);
    check("tf", tf);
    check("caffe", caffe);
    check("torch", torch);
    check("dataset", dataset_mode);
}

static void floats_and_value_max(void **state) {
    (void)state;
    const float x[2][4] = {{0, 4, 8, 16}, {16, 16, 1, 2}};
    Preprocess preprocess;
    Real y[4];
    Dataset *dataset = make(SHAPE(2, 2, 1), false, 16, x);
    assert_ok(preprocess_create(dataset, "", &preprocess));
    assert_int_equal(preprocess.mode, PREPROCESS_NONE);
    assert_ok(preprocess_create(dataset, "tf", &preprocess));
    assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){0}, 1, &preprocess, y, NULL));
    assert_true(y[0] == -1 && y[1] == (Real)-0.5 && y[2] == 0 && y[3] == 1);
    assert_ok(preprocess_create(dataset, "unit", &preprocess));
    assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){1}, 1, &preprocess, y, NULL));
    assert_true(y[0] == 1 && y[2] == (Real)0.0625);
    dataset_close(dataset);
}

static void what_does_not_fit(void **state) {
    (void)state;
    const float same[2][3] = {{5, 5, 5}, {5, 5, 5}};
    Preprocess preprocess;
    Real y[3];
    Dataset *dataset = make(SHAPE(3), false, 1, same);
    assert_fails_with(STATUS_USAGE, preprocess_create(dataset, "imagenet", &preprocess),
                      "unknown --preprocess imagenet");
    assert_fails_with(STATUS_USAGE, preprocess_create(dataset, "torch", &preprocess), "is for images of 3 channels");
    assert_ok(preprocess_create(dataset, "dataset", &preprocess)); /* deviation 0 */
    assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){0}, 1, &preprocess, y, NULL));
    assert_true(y[0] == 0 && y[2] == 0);
    dataset_close(dataset);
    static const uint8_t wide[2 * 100];
    dataset = make(SHAPE(1, 1, 100), true, 255, wide);
    assert_fails_with(STATUS_USAGE, preprocess_create(dataset, "dataset", &preprocess), "at most 64 channels");
    dataset_close(dataset);
}

static void json_round_trip(void **state) {
    (void)state;
    char *names[] = {"cat", "gr\xc3\xbc\xc3\x9f \"dog\""};
    Preprocess preprocess, back;
    char *json, **names_back;
    size_t count;
    Dataset *dataset = make(SHAPE(1, 2, 3), true, 255, rgb);
    for (size_t mode = 0; mode < PREPROCESS_MODES; mode++) {
        assert_ok(preprocess_create(dataset, preprocess_names[mode], &preprocess));
        assert_ok(preprocess_to_json(&preprocess, names, 2, &json));
        assert_ok(preprocess_from_json(json, &back, &names_back, &count));
        assert_int_equal(back.mode, mode);
        assert_int_equal(back.reverse_channels, preprocess.reverse_channels);
        assert_true(shape_equal(&back.shape, &preprocess.shape));
        assert_int_equal(back.channels, preprocess.channels);
        for (size_t c = 0; c < back.channels; c++)
            assert_true(back.scale[c] == preprocess.scale[c] && back.offset[c] == preprocess.offset[c]);
        assert_int_equal(count, 2);
        assert_string_equal(names_back[1], names[1]);
        memory_free(names_back);
        memory_free(json);
    }
    assert_ok(preprocess_to_json(&preprocess, NULL, 0, &json));
    assert_ok(preprocess_from_json(json, &back, &names_back, &count));
    assert_null(names_back);
    memory_free(json);
    dataset_close(dataset);
}

static void damaged_json(void **state) {
    (void)state;
    const char *const texts[] = {
        "",
        "[]",
        "{",
        "{\"mode\":\"unit\"}",
        "{\"mode\":\"unit\",\"shape\":[2,2,1],\"scale\":[1],\"offset\":[]}",
        "{\"mode\":\"unit\",\"shape\":[2,2,1],\"scale\":[\"1\"],\"offset\":[0]}",
        "{\"mode\":\"unit\",\"shape\":[2,2,3],\"scale\":[1,1],\"offset\":[0,0]}",
        "{\"mode\":\"unit\",\"shape\":[2,-2,1],\"scale\":[1],\"offset\":[0]}",
        "{\"mode\":\"unit\",\"shape\":[1,1,1,1,1,1],\"scale\":[1],\"offset\":[0]}",
        "{\"mode\":\"other\",\"shape\":[2,2,1],\"scale\":[1],\"offset\":[0]}",
        "{\"mode\":7,\"shape\":[2,2,1],\"scale\":[1],\"offset\":[0]}",
    };
    Preprocess back;
    char **names;
    size_t count;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_fails(preprocess_from_json(texts[i], &back, &names, &count), "damaged");
    assert_ok(preprocess_from_json("{\"mode\":\"unit\",\"shape\":[2,2,1],\"scale\":[1],\"offset\":[0]}", &back, &names,
                                   &count));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(modes, finish),
        cmocka_unit_test_teardown(floats_and_value_max, finish),
        cmocka_unit_test_teardown(what_does_not_fit, finish),
        cmocka_unit_test_teardown(json_round_trip, finish),
        cmocka_unit_test_teardown(damaged_json, finish),
    };
    return cmocka_run_group_tests(tests, make_folder, tmpdir_teardown);
}
