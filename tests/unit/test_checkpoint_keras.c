/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras's containers: .keras, .weights.h5 and the odder forms of .h5, as tests/golden/make_keras_files.py wrote them;
 * and what is written for Keras is read back. */
#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/h5io.h"
#include "io/keras_zip.h"
#include "support/assert_status.h"
#include "support/sample_checkpoint.h"
#include "support/tmpdir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *golden(const char *name) {
    static char path[1024];
    snprintf(path, sizeof path, "%s/tests/golden/keras_files/%s", getenv("CNN_SOURCE_DIR"), name);
    return path;
}

/* ---- what is in the golden files ---- */

/* Weight number j of make_keras_files.py. */
static void assert_golden(const Checkpoint *read, const char *layer, const char *name, int j, bool one, Shape shape,
                          double tolerance) {
    const CheckpointTensor *weight = checkpoint_find(read->layers, read->layer_count, layer, name);
    if (weight == NULL || !shape_equal(&weight->shape, &shape))
        fail_msg("%s/%s is missing or has another shape", layer, name);
    for (size_t k = 0; k < shape_count(&shape); k++)
        if (!(fabs((double)weight->data[k] - 0.3 * sin(1 + 1.3 * j + 0.7 * (double)k) - one) <= tolerance))
            fail_msg("%s/%s: element %zu is %g", layer, name, k, (double)weight->data[k]);
}

static void assert_class_paths(const Checkpoint *read) {
    enum { ITERATION = 0, RATE = 1, SLOTS = 2 * 10 };
    assert_false(read->ours);
    assert_int_equal(read->naming, CHECKPOINT_CLASS_PATHS);
    assert_int_equal(read->layer_count, 5);
    assert_golden(read, "conv2d", "0", 0, false, SHAPE(3, 3, 1, 2), 1e-6);
    assert_golden(read, "conv2d", "1", 1, false, SHAPE(2), 1e-6);
    assert_golden(read, "batch_normalization", "0", 2, true, SHAPE(2), 1e-6);
    assert_golden(read, "batch_normalization", "3", 5, true, SHAPE(2), 1e-6);
    assert_golden(read, "sequential/layers/conv2d", "0", 6, false, SHAPE(1, 1, 2, 3), 1e-6);
    assert_golden(read, "dense", "0", 8, false, SHAPE(48, 3), 1e-6);
    assert_golden(read, "dense_1", "1", 11, false, SHAPE(2), 1e-6);
    assert_int_equal(read->optimizer_count, 2 + SLOTS);
    assert_string_equal(read->optimizer[2].stored, "2");
    assert_true(read->optimizer[ITERATION].data[0] == 2);
    assert_float_equal((float)read->optimizer[RATE].data[0], 1e-3f, 1e-9f);
    assert_true(shape_equal(&read->optimizer[2].shape, &SHAPE(3, 3, 1, 2)));
    assert_true(shape_equal(&read->optimizer[5].shape, &SHAPE(2)));
}

static void keras_file(void **state) {
    (void)state;
    Checkpoint *read;
    assert_fails(checkpoint_read(golden("model.keras"), CHECKPOINT_OURS, &read), "has no checksum");
    assert_ok(checkpoint_read(golden("model.keras"), CHECKPOINT_ANY, &read));
    assert_string_equal(read->writer, "keras 3.15.1");
    assert_contains(read->model_config, "\"registered_name\"");
    assert_contains(read->model_config, "\"compile_config\"");
    assert_null(read->training_config);
    assert_class_paths(read);
    checkpoint_destroy(read);
}

/* Its entries, the caller frees them. */
static void entries(KerasZipEntry out[3]) {
    static const char *const names[3] = {"metadata.json", "config.json", "model.weights.h5"};
    unsigned char *bytes, *entry;
    size_t size;
    assert_ok(file_read(golden("model.keras"), &bytes, &size));
    for (int i = 0; i < 3; i++) {
        assert_ok(keras_zip_read("model.keras", bytes, size, names[i], SIZE_MAX - 1, &entry, &out[i].size));
        out[i].name = names[i];
        out[i].bytes = entry;
    }
    memory_free(bytes);
}

static void free_entries(KerasZipEntry entry[3]) {
    for (int i = 0; i < 3; i++)
        memory_free((void *)entry[i].bytes);
}

static void weights_files(void **state) {
    (void)state;
    Checkpoint *read;
    KerasZipEntry entry[3];
    entries(entry);
    tmpdir_write("model.weights.h5", entry[2].bytes, entry[2].size);
    free_entries(entry);
    assert_ok(checkpoint_read(tmpdir_path("model.weights.h5"), CHECKPOINT_ANY, &read));
    assert_null(read->model_config);
    assert_string_equal(read->writer, "");
    assert_class_paths(read);
    checkpoint_destroy(read);
    assert_ok(checkpoint_read(golden("old.weights.h5"), CHECKPOINT_ANY, &read));
    assert_class_paths(read);
    checkpoint_destroy(read);
}

static void lists_in_pieces_and_odd_numbers(void **state) {
    (void)state;
    static const char *const layers[] = {"first", "norm", "inner", "middle", "last"};
    Checkpoint *read;
    assert_ok(checkpoint_read(golden("pieces.h5"), CHECKPOINT_ANY, &read));
    assert_int_equal(read->naming, CHECKPOINT_LAYER_NAMES);
    assert_string_equal(read->writer, "keras 3.15.1");
    assert_contains(read->training_config, "optimizer_config");
    assert_int_equal(read->layer_count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(read->layers[i].name, layers[i]);
    assert_golden(read, "first", "kernel", 0, false, SHAPE(3, 3, 1, 2), 1e-6); /* float64, big endian */
    assert_golden(read, "first", "bias", 1, false, SHAPE(2), 1e-3);            /* float16 */
    assert_golden(read, "norm", "moving_variance", 5, true, SHAPE(2), 1e-6);
    assert_golden(read, "inner", "kernel", 6, false, SHAPE(1, 1, 2, 3), 1e-6);
    assert_int_equal(read->optimizer_count, 22);
    assert_string_equal(read->optimizer[0].stored, "adam/iteration");
    assert_true(read->optimizer[0].data[0] == 2);
    assert_int_equal(read->optimizer[0].shape.rank, 0);
    assert_string_equal(read->optimizer[2].name, "net_first_kernel_momentum");
    checkpoint_destroy(read);
}

/* ---- old and foreign .h5 files ---- */

static void save(H5ioFile *file, const char *name) {
    void *image;
    size_t size;
    assert_ok(h5io_image(file, &image, &size));
    assert_ok(h5io_close(file));
    tmpdir_write(name, image, size);
    memory_free(image);
}

static void keras_1_names(void **state) {
    (void)state;
    H5ioFile *file;
    Checkpoint *read;
    const float number = 0.5f;
    const int64_t layers = 3;
    const char *layer = "dense_1", *weight = "dense_1_W:0";
    assert_ok(h5io_create_image("old", 0, &file));
    assert_ok(h5io_write(file, "/dense_1/dense_1_W:0", H5IO_FLOAT, 2, (size_t[]){1, 1}, &number));
    assert_ok(h5io_attr_write_strings(file, "/dense_1", "weight_names", &weight, 1));
    assert_ok(h5io_attr_write_strings(file, "/", "layer_names", &layer, 1));
    save(file, "one.h5");
    assert_ok(checkpoint_read(tmpdir_path("one.h5"), CHECKPOINT_ANY, &read));
    assert_string_equal(read->layers[0].weights[0].name, "W");
    checkpoint_destroy(read);
    assert_ok(h5io_create_image("older", 0, &file));
    assert_ok(h5io_make_group(file, "/layer_0"));
    assert_ok(h5io_attr_write(file, "/", "nb_layers", H5IO_INT64, 1, &layers));
    save(file, "older.h5");
    assert_fails(checkpoint_read(tmpdir_path("older.h5"), CHECKPOINT_ANY, &read), "before 1.2");
}

static void theano_is_refused(void **state) {
    (void)state;
    H5ioFile *file;
    Checkpoint *read;
    assert_ok(h5io_create_image("theano", 0, &file));
    assert_ok(h5io_attr_write_strings(file, "/", "layer_names", NULL, 0));
    assert_ok(h5io_attr_write_string(file, "/", "backend", "theano"));
    save(file, "theano.h5");
    assert_fails(checkpoint_read(tmpdir_path("theano.h5"), CHECKPOINT_ANY, &read), "Theano");
}

static void hostile_class_paths(void **state) {
    (void)state;
    H5ioFile *file;
    Checkpoint *read;
    const float number = 1;
    char deep[256] = "/layers";
    for (int i = 0; i < 40; i++)
        strcat(deep, "/a");
    assert_ok(h5io_create_image("deep", 0, &file));
    assert_ok(h5io_make_group(file, deep));
    save(file, "deep.h5");
    assert_fails(checkpoint_read(tmpdir_path("deep.h5"), CHECKPOINT_ANY, &read), "inside each other");
    assert_ok(h5io_create_image("gap", 0, &file));
    assert_ok(h5io_write(file, "/layers/dense/vars/0", H5IO_FLOAT, 0, NULL, &number));
    assert_ok(h5io_write(file, "/layers/dense/vars/2", H5IO_FLOAT, 0, NULL, &number));
    save(file, "gap.h5");
    assert_fails(checkpoint_read(tmpdir_path("gap.h5"), CHECKPOINT_ANY, &read), "none of them is named 1");
    assert_ok(h5io_create_image("text", 0, &file));
    assert_ok(h5io_write_string(file, "/layers/dense/vars/0", "no number"));
    save(file, "text.h5");
    assert_fails(checkpoint_read(tmpdir_path("text.h5"), CHECKPOINT_ANY, &read), "does not hold numbers");
    assert_ok(h5io_create_image("dataset", 0, &file));
    assert_ok(h5io_write(file, "/layers/dense/vars", H5IO_FLOAT, 0, NULL, &number));
    save(file, "dataset.h5");
    assert_fails(checkpoint_read(tmpdir_path("dataset.h5"), CHECKPOINT_ANY, &read), "/layers/dense/vars");
}

/* ---- damaged archives ---- */

static void put16(unsigned char *to, unsigned value) {
    to[0] = (unsigned char)value;
    to[1] = (unsigned char)(value >> 8);
}

/* Refused when the central directory's record of its second entry has `value` at `offset` (APPNOTE.TXT, 4.3.12). */
static void assert_record(const unsigned char *bytes, size_t size, size_t offset, unsigned value, const char *text) {
    Checkpoint *read;
    unsigned char *copy;
    int record = 0;
    assert_ok(memory_new(&copy, size, "copy"));
    memcpy(copy, bytes, size);
    for (size_t i = 0; i + 46 < size && record < 2; i++)
        if (memcmp(copy + i, "PK\1\2", 4) == 0 && ++record == 2) {
            put16(copy + i + offset, value);
            put16(copy + i + offset + 2, offset >= 16 ? value : 0);
        }
    tmpdir_write("bad.keras", copy, size);
    memory_free(copy);
    assert_fails(checkpoint_read(tmpdir_path("bad.keras"), CHECKPOINT_ANY, &read), text);
    assert_contains(status_message(), "bad.keras");
}

static void hostile_archives_are_refused(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size, none;
    Checkpoint *read;
    assert_ok(file_read(golden("model.keras"), &bytes, &size));
    assert_record(bytes, size, 24, 0x7fff, "more than the archive can hold"); /* 2 GB of 1 KB */
    assert_record(bytes, size, 20, 0x7fff, "more than the archive can hold");
    assert_record(bytes, size, 24, 3, "config.json is"); /* 196 KB, of which it has less */
    assert_record(bytes, size, 16, 0x1234, "CRC");
    assert_record(bytes, size, 10, 12, "compressed by method 12");
    assert_record(bytes, size, 8, 1, "encrypted");
    memory_free(bytes);

    KerasZipEntry entry[3];
    entries(entry);
    unsigned char *image;
    assert_ok(keras_zip_image(2, entry, &image, &size));
    tmpdir_write("part.keras", image, size);
    memory_free(image);
    assert_fails(checkpoint_read(tmpdir_path("part.keras"), CHECKPOINT_ANY, &read), "no model.weights.h5");
    assert_ok(keras_zip_image(1, entry, &image, &size));
    assert_fails(keras_zip_read("a.zip", image, size, "metadata.json", 8, &bytes, &none), "at most 8");
    tmpdir_write("part.keras", image, size);
    memory_free(image);
    assert_fails(checkpoint_read(tmpdir_path("part.keras"), CHECKPOINT_ANY, &read), "no .keras file");
    free_entries(entry);
}

static void cut_archives_are_refused(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size;
    Checkpoint *read;
    assert_ok(file_read(golden("model.keras"), &bytes, &size));
    for (size_t length = 0; length < size; length += length + 64 < size ? 37 : 1) {
        tmpdir_write("cut.keras", bytes, length);
        if (checkpoint_read(tmpdir_path("cut.keras"), CHECKPOINT_ANY, &read) == STATUS_OK)
            fail_msg("cut at %zu: read", length);
    }
    memory_free(bytes);
}

/* A flipped bit is noticed, or was of no importance: versions and times of entries, the archive's comment. */
static void flipped_bits_change_nothing(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size, unimportant = 0;
    Checkpoint *read;
    assert_ok(file_read(golden("model.keras"), &bytes, &size));
    for (size_t i = 0; i < size; i += 3) {
        bytes[i] ^= (unsigned char)(1U << i % 8);
        tmpdir_write("flip.keras", bytes, size);
        bytes[i] ^= (unsigned char)(1U << i % 8);
        if (checkpoint_read(tmpdir_path("flip.keras"), CHECKPOINT_ANY, &read) != STATUS_OK)
            continue;
        assert_class_paths(read);
        checkpoint_destroy(read);
        unimportant++;
    }
    memory_free(bytes);
    if (unimportant > 100)
        fail_msg("%zu flipped bits were not noticed", unimportant);
}

/* ---- writing ---- */

static const CheckpointTensor optimizer[] = {{"iteration", NULL, {0}, (Real[]){7}},
                                             {"learning_rate", NULL, {0}, (Real[]){(Real)0.25}},
                                             {"momentum", NULL, {1, {3}}, (Real[]){1, 2, 3}}};

static void assert_written(const char *name, const Checkpoint *content, const char *config) {
    Checkpoint *read;
    unsigned char *image, *again;
    size_t size, size_again;
    assert_ok(checkpoint_image(content, &image, &size));
    assert_ok(checkpoint_image(content, &again, &size_again));
    assert_int_equal(size, size_again);
    assert_memory_equal(image, again, size);
    tmpdir_write(name, image, size);
    memory_free(image);
    memory_free(again);
    assert_ok(checkpoint_read(tmpdir_path(name), CHECKPOINT_ANY, &read));
    assert_int_equal(read->naming, CHECKPOINT_CLASS_PATHS);
    assert_int_equal(read->layer_count, 2); /* the third has no weights */
    assert_int_equal(read->slot_count, 0);
    assert_null(read->state);
    if (config != NULL)
        assert_string_equal(read->model_config, config);
    else
        assert_null(read->model_config);
    const CheckpointTensor *kernel = checkpoint_find(read->layers, read->layer_count, "conv", "0");
    assert_non_null(kernel);
    assert_memory_equal(kernel->data, content->layers[0].weights[0].data, 18 * sizeof(Real));
    assert_int_equal(read->optimizer_count, 3);
    assert_true(read->optimizer[0].data[0] == 7);
    assert_memory_equal(read->optimizer[2].data, optimizer[2].data, 3 * sizeof(Real));
    checkpoint_destroy(read);
}

static void written_files_are_read_back(void **state) {
    (void)state;
    Checkpoint content = *sample_checkpoint();
    content.naming = CHECKPOINT_CLASS_PATHS;
    content.optimizer = (CheckpointTensor *)optimizer;
    content.optimizer_count = 3;
    content.model_config = "{\"module\": \"keras\"}";
    assert_written("a.keras", &content, content.model_config);
    content.model_config = NULL;
    assert_written("a.weights.h5", &content, NULL);
}

static void every_failed_allocation_is_survived(void **state) {
    (void)state;
    size_t live = memory_stats().live_count, n = 1;
    for (bool done = false; !done; n++) {
        Checkpoint *read;
        memory_fail_at(n);
        done = checkpoint_read(golden("model.keras"), CHECKPOINT_ANY, &read) == STATUS_OK;
        memory_fail_at(0);
        checkpoint_destroy(read);
        assert_int_equal(memory_stats().live_count, live);
    }
    assert_true(n > 50);
    Checkpoint content = *sample_checkpoint();
    content.naming = CHECKPOINT_CLASS_PATHS;
    n = 1;
    for (bool done = false; !done; n++) {
        unsigned char *image;
        size_t size;
        memory_fail_at(n);
        done = checkpoint_image(&content, &image, &size) == STATUS_OK;
        memory_fail_at(0);
        memory_free(image);
        assert_int_equal(memory_stats().live_count, live);
    }
    assert_true(n > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keras_file),
        cmocka_unit_test(weights_files),
        cmocka_unit_test(lists_in_pieces_and_odd_numbers),
        cmocka_unit_test(keras_1_names),
        cmocka_unit_test(theano_is_refused),
        cmocka_unit_test(hostile_class_paths),
        cmocka_unit_test(hostile_archives_are_refused),
        cmocka_unit_test(cut_archives_are_refused),
        cmocka_unit_test(flipped_bits_change_nothing),
        cmocka_unit_test(written_files_are_read_back),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, tmpdir_setup, tmpdir_teardown);
}
