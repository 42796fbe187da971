/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of --augment: how they are read, which are wrong, and which do not fit the data. */
#include "data/augment_internal.h"
#include "data/dataset_writer.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"

static void lists(void **state) {
    (void)state;
    Augment a;
    assert_ok(augment_parse("none", &a));
    assert_int_equal(a.count, 0);
    assert_ok(augment_parse("flip, crop=4:fill=mirror,rotate=15:p=0.3:nearest:fill=0.5,erase=0.1:0.2,rand=3:12", &a));
    assert_int_equal(a.count, 5);
    assert_true(a.operations[0].chance == 0.5 && a.operations[1].fill == FILL_MIRROR &&
                a.operations[1].range[0][0] == 4);
    assert_true(a.operations[2].range[0][0] == -15 && a.operations[2].range[0][1] == 15 &&
                a.operations[2].chance == 0.3);
    assert_true(a.operations[2].nearest && a.operations[2].fill == FILL_CONSTANT && a.operations[2].fill_value == 0.5);
    assert_true(a.operations[3].range[0][1] == 0.2 && a.operations[3].range[1][0] == 0.3 &&
                a.operations[3].chance == 0.5);
    assert_true(a.operations[4].range[0][0] == 3 && a.operations[4].range[1][0] == 12);
    assert_ok(augment_parse("translate-y=0.1:0.2,zoom=0.5,brightness=2", &a));
    assert_true(a.operations[0].range[0][1] == 0 && a.operations[0].range[1][0] == 0.1);
    assert_true(a.operations[1].tied && a.operations[1].range[0][0] == 0.5 && a.operations[1].range[0][1] == 1.5);
    assert_true(a.operations[2].range[0][0] == 0 && a.operations[2].range[0][1] == 3);
}

static void wrong_lists(void **state) {
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"flop", "--augment flop: unknown operation"},
        {"flip,,crop=4", "an operation is missing"},
        {"flip,", "an operation is missing"},
        {"crop", "needs a number: crop=N"},
        {"crop=x", "\"x\" is no number"},
        {"crop=4:5", "more than 1 number"},
        {"crop=2.5", "2.5 is not a whole number"},
        {"crop=-1", "-1 is not between 0 and 4096"},
        {"rotate=20:10", "20 is above 10"},
        {"rotate=nan", "is no number"},
        {"rotate=15:fill=blue", "fill must be a number from 0 to 1, nearest"},
        {"rotate=15:fill=2", "fill must be"},
        {"cutout=8:fill=reflect", "fill must be a number from 0 to 1"},
        {"flip:fill=0", "flip fills nothing"},
        {"flip:p=2", "p must be a number from 0 to 1"},
        {"flip=", "is no number"},
        {"hue=0.7", "0.7 is not between -0.5 and 0.5"},
        {"resized-crop=0.5", "needs a lowest and a highest number"},
        {"resized-crop=0.5:2", "a share of the area is at most 1"},
        {"brightness=0.2:nearest", "is no number"},
        {"rand=2:31", "31 is not between 0 and 30"},
        {"none,flip", "unknown operation"},
    };
    (void)state;
    Augment a;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails_with(STATUS_USAGE, augment_parse(wrong[i].text, &a), wrong[i].message);
    char many[200] = "invert";
    for (int i = 0; i < AUGMENT_MAX_OPERATIONS; i++)
        strcat(many, ",flip");
    assert_fails_with(STATUS_USAGE, augment_parse(many, &a), "more than 32 operations");
}

/* Makes a dataset of float vectors or images with one example, x[i] = value. */
static Dataset *dataset_of(Shape shape, float value, double value_max) {
    DatasetInfo info = {.shape = shape, .value_max = value_max};
    DatasetWriter *writer;
    Dataset *dataset;
    float x[64];
    for (size_t i = 0; i < 64; i++)
        x[i] = value;
    assert_ok(dataset_writer_create(tmpdir_path("a.h5"), true, &info, &writer));
    assert_ok(dataset_writer_append(writer, DATASET_TRAIN, 1, x, NULL));
    assert_ok(dataset_writer_finish(writer));
    dataset_writer_destroy(writer);
    assert_ok(dataset_open(tmpdir_path("a.h5"), &dataset));
    return dataset;
}

static void lists_that_do_not_fit_the_data(void **state) {
    static const struct {
        const char *text, *message;
        Shape shape;
        float value;
    } cases[] = {
        {"noise=0.1", NULL, {1, {10}}, 5},
        {"noise=0.1,flip", "flip is for images", {1, {10}}, 0},
        {"hue=0.1", "hue is for colour images of 3 channels", {3, {4, 4, 2}}, 0},
        {"grayscale", "grayscale is for colour images", {3, {4, 4, 4}}, 0},
        {"rotate=10,crop=1,flip", NULL, {3, {4, 4, 4}}, -3},
        {"flip,brightness=0.1", "brightness takes pixel values from 0 to 1", {3, {4, 4, 2}}, -0.5f},
        {"trivial", "trivial takes pixel values from 0 to 1", {3, {4, 4, 2}}, 1.5f},
        {"trivial", NULL, {3, {4, 4, 2}}, 0.5f},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Augment a;
        Dataset *dataset = dataset_of(cases[i].shape, cases[i].value, 1);
        assert_ok(augment_parse(cases[i].text, &a));
        if (cases[i].message)
            assert_fails_with(STATUS_USAGE, augment_check(&a, dataset), cases[i].message);
        else
            assert_ok(augment_check(&a, dataset));
        dataset_close(dataset);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(wrong_lists),
        cmocka_unit_test_setup_teardown(lists_that_do_not_fit_the_data, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
