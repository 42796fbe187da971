/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 files that others made: those of Keras are read, newer and hostile ones refused.  Those of Keras 3:
 * test_checkpoint_keras.c. */
#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/h5io.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <stdio.h>
#include <unistd.h>

/* Closes `file`, made in memory, and puts it into the folder, sealed or not. */
static void save(H5ioFile *file, const char *name, bool sealed) {
    unsigned char trailer[CHECKPOINT_TRAILER];
    void *image;
    size_t size;
    assert_ok(h5io_image(file, &image, &size));
    assert_ok(h5io_close(file));
    assert_ok(checkpoint_seal(image, size, trailer));
    assert_ok(file_write(tmpdir_path(name), sealed ? 2 : 1, (FilePart[]){{image, size}, {trailer, sizeof trailer}}));
    memory_free(image);
}

static void newer_formats_are_refused(void **state) {
    (void)state;
    H5ioFile *file;
    Checkpoint *read;
    int64_t format = CHECKPOINT_FORMAT + 1;
    assert_ok(h5io_create_image("new", 0, &file));
    assert_ok(h5io_attr_write_strings(file, "/", "layer_names", NULL, 0));
    assert_ok(h5io_make_group(file, "/training"));
    assert_ok(h5io_attr_write(file, "/training", "format", H5IO_INT64, 1, &format));
    save(file, "new.h5", true);
    assert_fails(checkpoint_read(tmpdir_path("new.h5"), CHECKPOINT_ANY, &read), "format 2");
}

static void weights_files_are_read_in_listed_order(void **state) {
    (void)state;
    H5ioFile *file;
    Checkpoint *read;
    const double first[2] = {0.5, -0.25};
    const int64_t second = 7;
    const char *const layers[] = {"z", "a/b"}, *const weights[] = {"y_1/gamma:0", "b"};
    assert_ok(h5io_create_image("weights", 0, &file));
    assert_ok(h5io_write(file, "/z/y_1/gamma:0", H5IO_DOUBLE, 1, (size_t[]){2}, first));
    assert_ok(h5io_write(file, "/z/b", H5IO_INT64, 0, NULL, &second));
    assert_ok(h5io_attr_write_strings(file, "/z", "weight_names", weights, 2));
    assert_ok(h5io_make_group(file, "/a/b")); /* no weight_names: no weights */
    assert_ok(h5io_attr_write_strings(file, "/", "layer_names", layers, 2));
    assert_ok(h5io_attr_write_string(file, "/", "keras_version", "2.0.0"));
    save(file, "w.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("w.h5"), CHECKPOINT_OURS, &read), "has no checksum");
    assert_ok(checkpoint_read(tmpdir_path("w.h5"), CHECKPOINT_ANY, &read));
    assert_false(read->ours);
    assert_string_equal(read->writer, "keras 2.0.0");
    assert_null(read->model_config);
    assert_int_equal(read->layer_count, 2);
    assert_string_equal(read->layers[0].name, "z");
    assert_string_equal(read->layers[1].name, "a/b");
    assert_int_equal(read->layers[1].count, 0);
    assert_string_equal(read->layers[0].weights[0].name, "gamma");
    assert_string_equal(read->layers[0].weights[0].stored, "y_1/gamma:0");
    assert_true(read->layers[0].weights[0].data[1] == (Real)-0.25);
    assert_int_equal(read->layers[0].weights[1].shape.rank, 0);
    assert_true(read->layers[0].weights[1].data[0] == 7);
    checkpoint_destroy(read);
}

static void names_in_pieces_are_joined(void **state) {
    (void)state;
    enum { LAYERS = 1500, LENGTH = 60 }; /* more than 64 KiB of names */
    static char texts[LAYERS][LENGTH];
    static const char *names[LAYERS];
    static CheckpointLayer layers[LAYERS];
    Checkpoint many = {.layers = layers, .layer_count = LAYERS}, *read;
    unsigned char *image;
    size_t size;
    for (size_t i = 0; i < LAYERS; i++) {
        snprintf(texts[i], LENGTH, "a_rather_long_name_of_a_layer_in_a_very_deep_network_%zu", i);
        layers[i].name = names[i] = texts[i];
    }
    assert_ok(checkpoint_image(&many, &image, &size));
    H5ioFile *file;
    bool pieces;
    assert_ok(h5io_open_image("many", image, size, &file));
    assert_ok(h5io_attr_exists(file, "/model_weights", "layer_names1", &pieces));
    assert_true(pieces);
    assert_ok(h5io_close(file));
    unsigned char trailer[CHECKPOINT_TRAILER];
    assert_ok(checkpoint_seal(image, size, trailer));
    assert_ok(file_write(tmpdir_path("many.h5"), 2, (FilePart[]){{image, size}, {trailer, sizeof trailer}}));
    memory_free(image);
    assert_ok(checkpoint_read(tmpdir_path("many.h5"), CHECKPOINT_OURS, &read));
    assert_int_equal(read->layer_count, LAYERS);
    assert_string_equal(read->layers[LAYERS - 1].name, names[LAYERS - 1]);
    checkpoint_destroy(read);
}

/* A weights file with the one layer "fc" and the weights listed. */
static H5ioFile *hostile_file(const char *layer, const char *weight) {
    H5ioFile *file;
    assert_ok(h5io_create_image("hostile", 0, &file));
    assert_ok(h5io_make_group(file, "/fc"));
    assert_ok(h5io_attr_write_strings(file, "/", "layer_names", &layer, 1));
    assert_ok(h5io_attr_write_strings(file, "/fc", "weight_names", &weight, 1));
    return file;
}

static void hostile_files_are_refused(void **state) {
    (void)state;
    Checkpoint *read;
    float number = 1;
    save(hostile_file("conv", "w"), "a.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("a.h5"), CHECKPOINT_ANY, &read), "conv is listed as a layer");
    save(hostile_file("fc", "w"), "b.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("b.h5"), CHECKPOINT_ANY, &read), "/fc/w");
    H5ioFile *file = hostile_file("fc", "w");
    assert_ok(h5io_write_string(file, "/fc/w", "no number"));
    save(file, "c.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("c.h5"), CHECKPOINT_ANY, &read), "does not hold numbers");
    file = hostile_file("fc", "w");
    assert_ok(h5io_write(file, "/fc/w", H5IO_FLOAT, 6, (size_t[]){1, 1, 1, 1, 1, 1}, &number));
    save(file, "d.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("d.h5"), CHECKPOINT_ANY, &read), "6 dimensions");
    file = hostile_file("fc", "w"); /* a dataset that claims 4 TB, and holds nothing */
    assert_ok(h5io_create_rows(file, "/fc/w", H5IO_FLOAT, 2, (size_t[]){(size_t)1 << 30, 1 << 10}, 1));
    save(file, "e.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("e.h5"), CHECKPOINT_ANY, &read), "/fc/w");
    assert_ok(h5io_create_image("other", 0, &file));
    save(file, "f.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("f.h5"), CHECKPOINT_ANY, &read), "holds no network: neither");
    assert_ok(h5io_create_image("data", 0, &file));
    assert_ok(h5io_make_group(file, "/test"));
    save(file, "g.h5", false);
    assert_fails(checkpoint_read(tmpdir_path("g.h5"), CHECKPOINT_ANY, &read), "holds no network, but data");
}

/* ---- files that Keras wrote.  Expected values: h5py. ---- */

static Checkpoint *read_model(const char *name) {
    Checkpoint *read;
    const char *path = testdata_path(name);
    if (access(path, R_OK) != 0) {
        print_message("%s is not there: skipped\n", path);
        skip();
    }
    assert_ok(checkpoint_read(path, CHECKPOINT_ANY, &read));
    return read;
}

static void assert_totals(const Checkpoint *read, size_t layers, size_t weights, size_t numbers) {
    size_t found = 0, total = 0;
    for (size_t i = 0; i < read->layer_count; i++)
        for (size_t j = 0; j < read->layers[i].count; j++, found++)
            total += shape_count(&read->layers[i].weights[j].shape);
    assert_int_equal(read->layer_count, layers);
    assert_int_equal(found, weights);
    assert_int_equal(total, numbers);
}

static void assert_weight(const Checkpoint *read, const char *layer, const char *name, Shape shape, float first,
                          float last) {
    const CheckpointTensor *weight = checkpoint_find(read->layers, read->layer_count, layer, name);
    assert_non_null(weight);
    assert_true(shape_equal(&weight->shape, &shape));
    assert_float_equal((float)weight->data[0], first, 1e-7f);
    assert_float_equal((float)weight->data[shape_count(&shape) - 1], last, 1e-7f);
}

static void keras_2_10_model(void **state) {
    (void)state;
    Checkpoint *read = read_model("models/mnist_cnn.h5");
    assert_totals(read, 9, 12, 129066);
    assert_int_equal(strlen(read->model_config), 3658);
    assert_contains(read->training_config, "sparse_categorical_crossentropy");
    assert_string_equal(read->writer, "keras 2.10.0");
    assert_string_equal(read->layers[1].name, "max_pooling2d");
    assert_weight(read, "dense_3", "bias", SHAPE(10), -0.05899098f, -0.07641726f);
    checkpoint_destroy(read);
}

static void keras_2_0_models(void **state) {
    (void)state;
    Checkpoint *read = read_model("models/fer2013_mini_XCEPTION.102-0.66.hdf5");
    assert_totals(read, 46, 80, 58423);
    assert_weight(read, "separable_conv2d_1", "pointwise_kernel", SHAPE(1, 1, 8, 16), 0.3519438f, 0.09370241f);
    assert_weight(read, "conv2d_7", "bias", SHAPE(7), 0.065732196f, 0.0023244799f);
    checkpoint_destroy(read);
    read = read_model("models/fer2013_big_XCEPTION.54-0.66.hdf5");
    assert_totals(read, 29, 46, 208871);
    assert_weight(read, "conv2d_5", "bias", SHAPE(7), 0.06219327f, 0.025211144f);
    checkpoint_destroy(read);
}

static void keras_2_0_weights(void **state) {
    (void)state;
    Checkpoint *read = read_model("models/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5");
    assert_totals(read, 62, 50, 722496);
    assert_null(read->model_config);
    assert_string_equal(read->layers[4].name, "fire2/squeeze1x1");
    assert_string_equal(read->layers[4].weights[0].stored, "fire2/squeeze1x1_3/kernel:0");
    assert_weight(read, "fire9/expand3x3", "bias", SHAPE(256), 0.0044647898f, 0.010036248f);
    checkpoint_destroy(read);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newer_formats_are_refused),  cmocka_unit_test(weights_files_are_read_in_listed_order),
        cmocka_unit_test(names_in_pieces_are_joined), cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(keras_2_10_model),           cmocka_unit_test(keras_2_0_models),
        cmocka_unit_test(keras_2_0_weights),
    };
    return cmocka_run_group_tests(tests, tmpdir_setup, tmpdir_teardown);
}
