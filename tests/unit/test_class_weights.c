/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights of classes from what --class-weights says. */
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include "train/class_weights.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 20 };

static Graph graph = {.loss_count = 1};
static Model model = {.name = "net"};
static char path[TMPDIR_PATH];

/* 10 examples of class 0, 5 of 1, none of 2, 5 of 3; in two kinds of labels. */
static size_t class_of(size_t i) {
    return i % 2 == 0 ? 0 : i % 4 == 1 ? 1 : 3;
}

static void write_dataset(LabelKind kind) {
    static char *names[] = {"cat", "a=b", "dog", "3rd"};
    static float x[COUNT], rows[COUNT][4];
    static int64_t y[COUNT];
    DatasetLabel label = {.name = "y", .kind = kind};
    if (kind != LABEL_CLASS)
        label.shape = SHAPE(4);
    DatasetInfo info = {.shape = SHAPE(1),
                        .value_max = 1,
                        .labels = &label,
                        .label_count = 1,
                        .class_names = names,
                        .class_name_count = 4};
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < COUNT; i++) {
        y[i] = (int64_t)class_of(i);
        rows[i][class_of(i)] = kind == LABEL_NUMBERS ? 0.5f : 1;
    }
    DatasetWriter *writer;
    assert_ok(dataset_writer_create(path, true, &info, &writer));
    assert_ok(dataset_writer_append(writer, DATASET_TRAIN, COUNT, x,
                                    (const void *[]){kind == LABEL_CLASS ? (const void *)y : (const void *)rows}));
    assert_ok(dataset_writer_finish(writer));
    dataset_writer_destroy(writer);
}

static void open_setup(Setup *setup, LabelKind kind) {
    write_dataset(kind);
    *setup = (Setup){.graph = &graph, .model = &model};
    assert_ok(dataset_open(path, &setup->data));
    setup->info = dataset_info(setup->data);
}

static void close_setup(Setup *setup) {
    memory_free(setup->class_weights);
    dataset_close(setup->data);
}

static Status set(Setup *setup, const char *text, const SamplerView *view) {
    static Config config;
    snprintf(config.class_weights, sizeof config.class_weights, "%s", text);
    return class_weights_set(setup, &config, view);
}

static void check(const char *text, LabelKind kind, SamplerView view, const double expected[4]) {
    Setup setup;
    open_setup(&setup, kind);
    assert_ok(set(&setup, text, &view));
    assert_non_null(setup.targets.class_weights);
    for (size_t c = 0; c < 4; c++)
        if (!(fabs(setup.targets.class_weights[c] - expected[c]) < 1e-12))
            fail_msg("%s: class %zu has weight %g", text, c, setup.targets.class_weights[c]);
    close_setup(&setup);
}

/* scikit-learn: n_samples / (n_classes * np.bincount(y)). */
static void balanced_is_that_of_scikit_learn(void **state) {
    (void)state;
    const double whole[4] = {20 / (4 * 10.0), 1, 0, 1}; /* 20 / (4 * 5) */
    check("balanced", LABEL_CLASS, sampler_whole(COUNT), whole);
    check("balanced", LABEL_ONE_HOT, sampler_whole(COUNT), whole);
}

/* What is held back for validation does not count. */
static void balanced_counts_the_training_part(void **state) {
    (void)state;
    SamplerView view = sampler_training_part(COUNT, 0.4, 3);
    size_t count[4] = {0};
    double expected[4];
    for (uint64_t i = 0; i < view.count; i++)
        count[class_of((size_t)sampler_row(&view, i))]++;
    for (size_t c = 0; c < 4; c++)
        expected[c] = count[c] ? 12 / (4.0 * (double)count[c]) : 0;
    check("balanced", LABEL_CLASS, view, expected);
}

static void weights_by_number_name_and_file(void **state) {
    (void)state;
    SamplerView view = sampler_whole(COUNT);
    char file[TMPDIR_PATH];
    check("2=0.25", LABEL_CLASS, view, (double[]){1, 1, 0.25, 1});
    check("dog=3,cat=0,a=b=0.5,3rd=2", LABEL_CLASS, view, (double[]){0, 0.5, 3, 2});
    const char *json = "{\"cat\": 2, \"3\": 0.5}";
    tmpdir_write("weights.json", json, strlen(json));
    snprintf(file, sizeof file, "%s", tmpdir_path("weights.json"));
    check(file, LABEL_CLASS, view, (double[]){2, 1, 1, 0.5});
}

static void refused(const char *text, LabelKind kind, const char *message) {
    Setup setup;
    SamplerView view = sampler_whole(COUNT);
    open_setup(&setup, kind);
    assert_int_equal(set(&setup, text, &view), STATUS_USAGE);
    if (!strstr(status_message(), message))
        fail_msg("\"%s\" has no \"%s\"", status_message(), message);
    close_setup(&setup);
}

static void nonsense_is_refused(void **state) {
    (void)state;
    refused("4=1", LABEL_CLASS, "no class 4");
    refused("mouse=1", LABEL_CLASS, "no class mouse");
    refused("0=-1", LABEL_CLASS, "class 0 is no number of at least 0");
    refused("0=nan", LABEL_CLASS, "class 0 is no number");
    refused("0=1x", LABEL_CLASS, "is not CLASS=WEIGHT");
    refused("0=1,", LABEL_CLASS, "\"\" is not CLASS=WEIGHT");
    refused("nowhere.json", LABEL_CLASS, "nowhere.json");
    refused("balanced", LABEL_NUMBERS, "not one class each");
    graph.loss_count = 2;
    refused("balanced", LABEL_CLASS, "networks with one output");
    graph.loss_count = 1;
}

static int open_folder(void **state) {
    (void)state;
    tmpdir_make();
    snprintf(path, sizeof path, "%s", tmpdir_path("data.h5"));
    return 0;
}

static int close_folder(void **state) {
    (void)state;
    tmpdir_remove();
    return memory_stats().live_count == 0 ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(balanced_is_that_of_scikit_learn),
        cmocka_unit_test(balanced_counts_the_training_part),
        cmocka_unit_test(weights_by_number_name_and_file),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
