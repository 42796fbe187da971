/* SPDX-License-Identifier: Apache-2.0
 *
 * The survey of a dataset: counts, ranges, copies; and the identity of its content. */
#include "data/dataset_writer.h"
#include "data/survey.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/assert_status.h"
#include "support/tmpdir.h"

/* Examples of two pixels of two channels, class numbers. */
static void write_dataset(const char *path, const uint8_t (*train)[4], const int64_t *y, size_t n,
                          const uint8_t (*test)[4], const int64_t *test_y, size_t m) {
    DatasetLabel label = {.name = (char *)"y", .kind = LABEL_CLASS};
    char *names[] = {"a", "b", "c"};
    DatasetInfo info = {.shape = SHAPE(1, 2, 2),
                        .is_uint8 = true,
                        .value_max = 255,
                        .labels = &label,
                        .label_count = 1,
                        .class_names = names,
                        .class_name_count = 3};
    DatasetWriter *writer;
    assert_ok(dataset_writer_create(path, true, &info, &writer));
    assert_ok(dataset_writer_append(writer, DATASET_TRAIN, n, train, (const void *[]){y}));
    assert_ok(dataset_writer_append(writer, DATASET_TEST, m, test, (const void *[]){test_y}));
    assert_ok(dataset_writer_finish(writer));
    dataset_writer_destroy(writer);
}

static const uint8_t train[][4] = {{0, 10, 4, 20}, {9, 9, 9, 9}, {0, 10, 4, 20}, {1, 2, 3, 4}, {0, 10, 4, 20}};
static const uint8_t test[][4] = {{5, 5, 5, 5}, {1, 2, 3, 4}, {0, 10, 4, 20}};
static const int64_t train_y[] = {0, 1, 0, 0, 2}, test_y[] = {0, 0, 0};

static void figures(void **state) {
    (void)state;
    Dataset *dataset;
    Survey survey;
    write_dataset(tmpdir_path("a.h5"), train, train_y, 5, test, test_y, 3);
    assert_ok(dataset_open(tmpdir_path("a.h5"), &dataset));
    assert_ok(survey_dataset(dataset, true, &survey));
    assert_int_equal(survey.classes, 3);
    assert_true(survey.count[DATASET_TRAIN][0] == 3 && survey.count[DATASET_TRAIN][2] == 1);
    assert_true(survey.count[DATASET_TEST][0] == 3 && survey.count[DATASET_TEST][1] == 0);
    /* channel 0 of train: 0 4 9 9 0 4 1 3 0 4 */
    const SurveyChannel *channel = &survey.channel[DATASET_TRAIN][0];
    assert_int_equal(survey.channels, 2);
    assert_true(channel->min == 0 && channel->max == 9 && fabs(channel->mean - 3.4) < 1e-12);
    assert_true(fabs(channel->deviation - sqrt(220. / 10 - 3.4 * 3.4)) < 1e-12);
    /* train 2 and 4 repeat 0, 4 with another label; test 1 is train 3, test 2 is train 0 */
    assert_int_equal(survey.copies[DATASET_TRAIN][DATASET_TRAIN], 2);
    assert_int_equal(survey.copies[DATASET_TEST][DATASET_TRAIN], 2);
    assert_int_equal(survey.copies[DATASET_TEST][DATASET_TEST], 0);
    assert_int_equal(survey.other_labels, 1);
    assert_int_equal(survey.listed, 4);
    const SurveyCopy want[] = {{DATASET_TRAIN, DATASET_TRAIN, 2, 0, false},
                               {DATASET_TRAIN, DATASET_TRAIN, 4, 0, true},
                               {DATASET_TEST, DATASET_TRAIN, 1, 3, false},
                               {DATASET_TEST, DATASET_TRAIN, 2, 0, false}};
    for (size_t i = 0; i < 4; i++) {
        const SurveyCopy *copy = &survey.list[i];
        assert_true(copy->split == want[i].split && copy->of_split == want[i].of_split && copy->row == want[i].row &&
                    copy->of_row == want[i].of_row && copy->other_label == want[i].other_label);
    }
    survey_free(&survey);
    assert_ok(survey_dataset(dataset, false, &survey));
    assert_true(!survey.has_x && survey.listed == 0 && survey.count[DATASET_TRAIN][0] == 3);
    survey_free(&survey);
    dataset_close(dataset);
}

/* One bit of one pixel is noticed, once the split was in memory; a text of another time and place compares. */
static void content(void **state) {
    (void)state;
    Dataset *dataset;
    char before[DATASET_CONTENT], after[DATASET_CONTENT];
    uint8_t changed[5][4];
    memcpy(changed, train, sizeof train);
    write_dataset(tmpdir_path("a.h5"), train, train_y, 5, test, test_y, 3);
    assert_ok(dataset_open(tmpdir_path("a.h5"), &dataset));
    dataset_content(dataset, before);
    assert_int_equal(strlen(before), strlen("time=0123456789abcdef")); /* nothing is in memory */
    assert_true(!dataset_written_since(dataset, before) && !dataset_written_since(dataset, ""));
    memcpy(before + strlen("time="), "f", 1);
    assert_true(dataset_written_since(dataset, before));
    assert_ok(dataset_load(dataset, DATASET_TEST));
    dataset_content(dataset, before);
    assert_int_equal(strlen(before), strlen("test=0123456789abcdef time=0123456789abcdef"));
    assert_ok(dataset_load(dataset, DATASET_TRAIN));
    dataset_content(dataset, before);
    assert_null(strstr(before, "time="));
    assert_false(dataset_written_since(dataset, "time=1"));
    assert_int_equal(dataset_differs(dataset, before), DATASET_SPLITS);
    dataset_unload(dataset);
    dataset_content(dataset, after);
    assert_string_equal(before, after);
    assert_int_equal(dataset_differs(dataset, ""), DATASET_SPLITS); /* of an old checkpoint */
    dataset_close(dataset);
    changed[3][1] ^= 1;
    write_dataset(tmpdir_path("b.h5"), changed, train_y, 5, test, test_y, 3);
    assert_ok(dataset_open(tmpdir_path("b.h5"), &dataset));
    assert_int_equal(dataset_differs(dataset, before), DATASET_SPLITS); /* not in memory yet */
    assert_ok(dataset_load(dataset, DATASET_TEST));
    assert_int_equal(dataset_differs(dataset, before), DATASET_SPLITS);
    assert_ok(dataset_load(dataset, DATASET_TRAIN));
    assert_int_equal(dataset_differs(dataset, before), DATASET_TRAIN);
    dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(figures, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(content, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
