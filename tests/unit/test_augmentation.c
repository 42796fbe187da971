/* SPDX-License-Identifier: Apache-2.0
 *
 * A run's augmentation: Keras's Random... layers at the network's beginning do to pixels what they do in Keras
 * (golden/make_augment_keras.py), and are refused elsewhere. */
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include "train/augmentation.h"
#include <math.h>

enum { HEIGHT = 6, WIDTH = 8, CHANNELS = 3, COUNT = HEIGHT * WIDTH * CHANNELS };

typedef struct Picture {
    size_t height, width, channels;
    uint8_t x[1200];
} Picture;

static const Picture pictures[] = {
#include "golden/augment_images.inc"
};

/* The values that reach the network behind the layers are pixel * a + b without augmentation, y with. */
static const struct {
    const char *network;
    double scale;
    bool reversed;
    double a[CHANNELS], b[CHANNELS], y[COUNT];
} cases[] = {
#include "golden/augment_keras.inc"
};

static Dataset *dataset;

static int open_data(void **state) {
    int failed = tmpdir_setup(state);
    DatasetInfo info = {.shape = SHAPE(HEIGHT, WIDTH, CHANNELS), .is_uint8 = true, .value_max = 255};
    DatasetWriter *writer;
    if (failed || dataset_writer_create(tmpdir_path("a.h5"), false, &info, &writer) != STATUS_OK)
        return -1;
    failed = dataset_writer_append(writer, DATASET_TRAIN, 1, pictures[0].x, NULL) != STATUS_OK ||
             dataset_writer_finish(writer) != STATUS_OK || dataset_open(tmpdir_path("a.h5"), &dataset) != STATUS_OK;
    dataset_writer_destroy(writer);
    return failed ? -1 : 0;
}

static int close_data(void **state) {
    dataset_close(dataset);
    return tmpdir_teardown(state);
}

static Setup setup_of(const char *network, double scale) {
    Setup setup = {.data = dataset, .info = dataset_info(dataset)};
    setup.preprocess = (Preprocess){.shape = setup.info->shape, .channels = 1, .scale = {scale}};
    assert_ok(model_parse(network, "net.json", &setup.model));
    return setup;
}

/* out[i] = pixel i after the augmentation of row 0 in `epoch`. */
static void pixels(const Augment *augment, uint64_t epoch, double out[COUNT]) {
    static float scratch[2 * (COUNT + 16)] __attribute__((aligned(MEMORY_ALIGN)));
    bool bytes;
    const void *y =
        augment_apply(&(AugmentPass){augment, epoch, scratch}, dataset_info(dataset), 0, pictures[0].x, &bytes);
    for (size_t i = 0; i < COUNT; i++)
        out[i] = bytes ? (double)((const uint8_t *)y)[i] : (double)((const float *)y)[i];
}

/* Stated tolerance: 0.02 of 255 levels; Keras computes coordinates in float. */
static void layers_as_in_keras(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Setup setup = setup_of(cases[i].network, cases[i].scale);
        setup.preprocess.reverse_channels = cases[i].reversed;
        setup.preprocess.channels = cases[i].reversed ? CHANNELS : 1;
        for (size_t c = 0; c < setup.preprocess.channels; c++)
            setup.preprocess.scale[c] = cases[i].scale;
        Augment augment;
        double x[COUNT];
        assert_ok(augmentation_create(&setup, "", 1, &augment));
        assert_true(augment.count > 0);
        pixels(&augment, 0, x);
        for (size_t k = 0; k < COUNT; k++) {
            size_t from = cases[i].reversed ? k - k % CHANNELS + CHANNELS - 1 - k % CHANNELS : k;
            double a = cases[i].a[k % CHANNELS], y = x[from] * a + cases[i].b[k % CHANNELS];
            if (!(fabs(y - cases[i].y[k]) <= 0.02 * fabs(a)))
                fail_msg("case %zu: number %zu is %g, not %g: %s", i, k, y, cases[i].y[k], cases[i].network);
        }
        model_destroy(setup.model);
    }
}

#define LAYER(class, config) "{\"class_name\":\"" class "\",\"config\":{" config "}}"
#define INPUT                LAYER("InputLayer", "\"batch_input_shape\":[null,6,8,3],\"name\":\"in\"")
#define END                  LAYER("Flatten", "") "," LAYER("Dense", "\"units\":2")
#define NETWORK(layers)                                                                                                \
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT "," layers "," END "]}}"
#define NETWORK3(layers)                                                                                               \
    "{\"class_name\":\"Sequential\",\"keras_version\":\"3.0.0\",\"config\":{\"name\":\"s\",\"layers\":[" INPUT         \
    "," layers "," END "]}}"

static void refused(const char *network, const char *message) {
    Setup setup = setup_of(network, 1);
    Augment augment;
    assert_fails_with(STATUS_USAGE, augmentation_create(&setup, "", 1, &augment), message);
    model_destroy(setup.model);
}

static void elsewhere_is_refused(void **state) {
    (void)state;
    refused(NETWORK(LAYER("Conv2D", "\"filters\":3,\"kernel_size\":[1,1]") "," LAYER(
                "RandomFlip", "\"name\":\"late\",\"mode\":\"horizontal\"")),
            "layer late (RandomFlip) changes images at random");
    refused(NETWORK(LAYER("Normalization", "\"axis\":-1,\"name\":\"n\"") "," LAYER(
                "RandomZoom", "\"name\":\"z\",\"height_factor\":0.1,\"fill_mode\":\"constant\"")),
            "layer z (RandomZoom) needs to know what values reach it, but the mean and variance of layer n");
    refused(NETWORK(LAYER("Normalization", "\"axis\":-1") "," LAYER("RandomContrast", "\"name\":\"c\",\"factor\":0.1")),
            "layer c (RandomContrast) needs to know");
    refused(NETWORK(LAYER("Resizing", "\"height\":6,\"width\":6,\"name\":\"square\"") "," LAYER(
                "RandomRotation", "\"name\":\"r\",\"factor\":0.1")),
            "layer r (RandomRotation) stands behind square (Resizing), which does not keep width / height");
    refused(
        NETWORK(LAYER("Resizing", "\"height\":6,\"width\":6,\"crop_to_aspect_ratio\":true,\"name\":\"cut\"") "," LAYER(
            "RandomFlip", "\"name\":\"f\"")),
        "layer f (RandomFlip) changes images at random");
}

/* A network as Keras's tutorials have it: what moves pixels, and fills from the image, needs no scale. */
static void behind_adapted_normalization_and_resizing(void **state) {
    (void)state;
    Setup setup = setup_of(
        // clang-format off
        NETWORK3(LAYER("Normalization", "\"axis\":-1") ","
                 LAYER("Resizing", "\"height\":12,\"width\":16") ","
                 LAYER("RandomCrop", "\"height\":12,\"width\":16") ","
                 LAYER("RandomFlip", "\"mode\":\"horizontal\"") ","
                 LAYER("RandomRotation", "\"factor\":0.02") ","
                 LAYER("RandomZoom", "\"height_factor\":0.2")),
        // clang-format on
        1);
    Augment augment;
    assert_ok(augmentation_create(&setup, "", 1, &augment));
    assert_int_equal(augment.count, 3);
    assert_int_equal(augment.operations[0].kind, AUGMENT_FLIP);
    assert_int_equal(augment.operations[1].kind, AUGMENT_ROTATE);
    assert_int_equal(augment.operations[2].kind, AUGMENT_LAYER_ZOOM);
    assert_true(setup_scales_input(&setup));
    model_destroy(setup.model);
    setup = setup_of(
        NETWORK(LAYER("Resizing", "\"height\":3,\"width\":4") "," LAYER("Rescaling", "\"scale\":0.5") "," LAYER(
            "RandomBrightness", "\"factor\":0.1,\"value_range\":[0,127.5]")),
        1);
    assert_ok(augmentation_create(&setup, "", 1, &augment));
    assert_int_equal(augment.count, 1);
    assert_true(augment.operations[0].units.scale[0] == 0.5 && setup_scales_input(&setup));
    model_destroy(setup.model);
}

static void list_comes_first(void **state) {
    (void)state;
    Setup setup = setup_of(NETWORK(LAYER("RandomRotation", "\"factor\":[-0.25,0.5]")), 1);
    Augment augment;
    assert_ok(augmentation_create(&setup, "flip,crop=1", 5, &augment));
    assert_int_equal(augment.count, 3);
    assert_int_equal(augment.operations[0].kind, AUGMENT_FLIP);
    assert_int_equal(augment.operations[2].kind, AUGMENT_ROTATE);
    assert_true(augment.operations[2].range[0][0] == -90 && augment.operations[2].range[0][1] == 180);
    assert_true(augment.operations[2].fill == FILL_REFLECT && augment.seed == 5);
    model_destroy(setup.model);
    setup = setup_of(NETWORK(LAYER("Rescaling", "\"scale\":0.5")), 1);
    assert_ok(augmentation_create(&setup, "none", 5, &augment));
    assert_int_equal(augment.count, 0);
    model_destroy(setup.model);
}

/* Keras 3 draws once for both directions, Keras 2 for each. */
static void flips_of_both_directions(void **state) {
    (void)state;
    for (int keras = 2; keras <= 3; keras++) {
        Setup setup = setup_of(keras == 2 ? NETWORK(LAYER("RandomFlip", "")) : NETWORK3(LAYER("RandomFlip", "")), 1);
        Augment augment;
        double x[COUNT];
        size_t kinds[4] = {0};
        assert_ok(augmentation_create(&setup, "", 1, &augment));
        for (uint64_t epoch = 0; epoch < 400; epoch++) {
            pixels(&augment, epoch, x);
            for (int kind = 0; kind < 4; kind++) {
                size_t same = 0;
                for (size_t j = 0; j < HEIGHT; j++)
                    for (size_t i = 0; i < WIDTH; i++)
                        same +=
                            x[(j * WIDTH + i) * CHANNELS] ==
                            pictures[0].x[((kind & 2 ? HEIGHT - 1 - j : j) * WIDTH + (kind & 1 ? WIDTH - 1 - i : i)) *
                                          CHANNELS];
                kinds[kind] += same == HEIGHT * WIDTH;
            }
        }
        assert_int_equal(kinds[0] + kinds[1] + kinds[2] + kinds[3], 400);
        assert_true(kinds[0] > (keras == 2 ? 70 : 160) && kinds[3] > (keras == 2 ? 70 : 160));
        assert_true(keras == 3 ? kinds[1] + kinds[2] == 0 : kinds[1] > 70 && kinds[2] > 70);
        model_destroy(setup.model);
    }
}

static void values_of_another_range_are_warned_of(void **state) {
    (void)state;
    Setup setup = setup_of(NETWORK(LAYER("RandomBrightness", "\"name\":\"b\",\"factor\":0.1")), 1.0 / 255);
    Augment augment;
    stderr_capture();
    Status status = augmentation_create(&setup, "", 1, &augment);
    const char *said = stderr_captured();
    assert_ok(status);
    assert_contains(said, "layer b (RandomBrightness) has value_range [0, 255], but pixels reach it as 0 to 1");
    model_destroy(setup.model);
}

/* Pixels of bytes stay 0 to 255 for a network that scales them, also behind layers that are the identity. */
static void preprocessing_sees_scaling_behind_layers(void **state) {
    (void)state;
    Setup setup = setup_of(NETWORK(LAYER("RandomFlip", "") "," LAYER("RandomZoom", "\"height_factor\":0.1") "," LAYER(
                               "Rescaling", "\"scale\":0.5")),
                           1);
    assert_ok(setup_preprocess(&setup, "", NULL));
    assert_int_equal(setup.preprocess.mode, PREPROCESS_NONE);
    model_destroy(setup.model);
}

int main(void) {
    log_set_level(LOG_QUIET);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(layers_as_in_keras, open_data, close_data),
        cmocka_unit_test_setup_teardown(elsewhere_is_refused, open_data, close_data),
        cmocka_unit_test_setup_teardown(behind_adapted_normalization_and_resizing, open_data, close_data),
        cmocka_unit_test_setup_teardown(list_comes_first, open_data, close_data),
        cmocka_unit_test_setup_teardown(flips_of_both_directions, open_data, close_data),
        cmocka_unit_test_setup_teardown(values_of_another_range_are_warned_of, open_data, close_data),
        cmocka_unit_test_setup_teardown(preprocessing_sees_scaling_behind_layers, open_data, close_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
