/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorBoard's files of a run: what is in them, and that a run which was interrupted leaves what an undisturbed one
 * does. */
#include "base/memory.h"
#include "graph/graph.h"
#include "io/event_file.h"
#include "io/run.h"
#include "model/model.h"
#include "model/zoo/zoo.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include "train/board.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS = 20 }; /* of an epoch */

typedef struct Training {
    const char *folder;
    Model *model;
    Graph *graph;
    Real *weights;
    History *history;
    Board *board;
    TrainState state;
} Training;

static void start(Training *run, const char *folder) {
    static const char *const extra[] = {"f1", "val_f1"};
    *run = (Training){.folder = folder};
    assert_ok(zoo_create("lenet5", SHAPE(28, 28, 1), 10, &run->model));
    assert_ok(graph_create(&run->graph));
    assert_ok(model_build(run->model, &(ModelBuild){0}, run->graph));
    assert_ok(graph_finish(run->graph));
    assert_ok(memory_new(&run->weights, run->graph->weight_count, "weights"));
    graph_initialize(run->graph, 1, run->weights);
    assert_ok(history_create(NULL, 0, extra, 2, &run->history));
    mkdir(tmpdir_path(folder), 0777);
}

static void open_board(Training *run) {
    BoardOptions options = {.steps = 10, .histograms = 2};
    run->board = board_open(tmpdir_path(run->folder), &options, &run->state);
    assert_non_null(run->board);
    board_graph(run->board, run->graph);
}

static void finish(Training *run) {
    board_close(run->board);
    history_destroy(run->history);
    memory_free(run->weights);
    graph_destroy(run->graph);
    model_destroy(run->model);
}

/* What the trainer does up to a step; numbers follow from step and epoch alone. */
static void train_to(Training *run, uint64_t end) {
    static Real x[28 * 28];
    while (run->state.step < end) {
        uint64_t epoch = run->state.epoch + 1;
        if (run->state.batch == 0) {
            x[5] = (Real)epoch;
            board_inputs(run->board, epoch, &SHAPE(28, 28, 1), x, 1);
        }
        run->state.step++;
        if (++run->state.batch == STEPS)
            board_gradients(run->board, epoch, run->graph, run->weights, (double)epoch);
        if (board_wants_step(run->board, run->state.step))
            board_step(run->board, run->state.step, 1.0 / (double)run->state.step);
        if (run->state.batch < STEPS)
            continue;
        double row[HISTORY_COLUMNS + 2] = {(double)epoch, (double)run->state.step, 0.1, 1.0 / (double)epoch, 0.5, 0.7};
        row[HISTORY_VAL_ACCURACY] = NAN;
        assert_ok(history_add(run->history, row));
        run->state.epoch++;
        run->state.batch = 0;
        board_epoch(run->board, run->history, run->graph, run->weights);
    }
}

/* As if the run was killed, and goes on from where it was at `at`. */
static void go_back(Training *run, TrainState at) {
    board_close(run->board);
    run->state = at;
    run->history->row_count = at.epoch;
    open_board(run);
}

static TrainState at(uint64_t step) {
    return (TrainState){.step = step, .epoch = step / STEPS, .batch = step % STEPS};
}

/* The file's bytes, wall times and the checksums over them 0. */
static unsigned char *content(const char *folder, const char *part, size_t *size) {
    char *path, name[TMPDIR_PATH];
    snprintf(name, sizeof name, "%s/%s", folder, part);
    assert_ok(event_file_find(tmpdir_path(name), &path));
    assert_non_null(path);
    FILE *file = fopen(path, "rb");
    struct stat about;
    assert_int_equal(fstat(fileno(file), &about), 0);
    *size = (size_t)about.st_size;
    unsigned char *bytes = malloc(*size);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    memory_free(path);
    assert_int_equal(event_walk(bytes, *size, NULL, NULL), *size);
    for (size_t i = 0; i < *size;) {
        uint64_t length;
        memcpy(&length, bytes + i, 8);
        memset(bytes + i + 12 + 1, 0, 8); /* behind the tag of wall_time */
        memset(bytes + i + 12 + length, 0, 4);
        i += 16 + length;
    }
    return bytes;
}

static void same_content(const char *a, const char *b) {
    static const char *const parts[] = {RUN_EVENTS_TRAIN, RUN_EVENTS_VALIDATION};
    for (int i = 0; i < 2; i++) {
        size_t size, other;
        unsigned char *x = content(a, parts[i], &size), *y = content(b, parts[i], &other);
        assert_int_equal(size, other);
        assert_memory_equal(x, y, size);
        free(x), free(y);
    }
}

typedef struct Found {
    const char *tag;
    size_t count;
    int64_t steps[64];
} Found;

static bool find_tag(void *user, const EventHead *head) {
    Found *found = user;
    if (head->tag_size == strlen(found->tag) && strncmp(head->tag, found->tag, head->tag_size) == 0)
        found->steps[found->count++] = head->step;
    return true;
}

static Found find(const char *folder, const char *part, const char *tag) {
    Found found = {.tag = tag};
    size_t size;
    char *path, name[TMPDIR_PATH];
    snprintf(name, sizeof name, "%s/%s", folder, part);
    assert_ok(event_file_find(tmpdir_path(name), &path));
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = malloc(1 << 22);
    size = fread(bytes, 1, 1 << 22, file);
    event_walk(bytes, size, find_tag, &found);
    free(bytes);
    fclose(file);
    memory_free(path);
    return found;
}

static void records(void **state) {
    (void)state;
    Training run;
    start(&run, "a");
    open_board(&run);
    train_to(&run, 4 * STEPS);
    finish(&run);
    Found f = find("a", RUN_EVENTS_TRAIN, "epoch_learning_rate"); /* the first value of a row */
    assert_int_equal(f.count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(f.steps[i], i + 1);
    f = find("a", RUN_EVENTS_VALIDATION, "epoch_loss");
    assert_int_equal(f.count, 4);
    f = find("a", RUN_EVENTS_TRAIN, "batch_loss");
    assert_int_equal(f.count, 8);
    assert_int_equal(f.steps[7], 80);
    char tag[64];
    snprintf(tag, sizeof tag, "weights/%s/kernel", "conv1");
    f = find("a", RUN_EVENTS_TRAIN, tag);
    assert_int_equal(f.count, 2); /* every other epoch */
    assert_int_equal(f.steps[1], 4);
    f = find("a", RUN_EVENTS_TRAIN, "gradients/conv1/kernel");
    assert_int_equal(f.count, 2);
}

/* Killed at any step, after a checkpoint at any step before it: the same files. */
static void interrupted(void **state) {
    (void)state;
    static const uint64_t kills[][2] = {{10, 0},  {15, 15}, {20, 0},  {20, 20}, {21, 20}, {39, 21},
                                        {45, 40}, {40, 39}, {60, 20}, {80, 45}, {80, 80}};
    Training run;
    start(&run, "whole");
    open_board(&run);
    train_to(&run, 4 * STEPS);
    finish(&run);
    for (size_t i = 0; i < sizeof kills / sizeof *kills; i++) {
        char name[32];
        snprintf(name, sizeof name, "killed-%zu", i);
        start(&run, name);
        open_board(&run);
        train_to(&run, kills[i][0]);
        go_back(&run, at(kills[i][1]));
        train_to(&run, 4 * STEPS);
        finish(&run);
        same_content("whole", name);
    }
}

/* A run that was begun without the files has all rows in them, one whose files are gone too. */
static void late(void **state) {
    (void)state;
    Training run;
    start(&run, "late");
    train_to(&run, 2 * STEPS);
    open_board(&run);
    train_to(&run, 3 * STEPS);
    finish(&run);
    Found f = find("late", RUN_EVENTS_TRAIN, "epoch_learning_rate");
    assert_int_equal(f.count, 3);
    assert_int_equal(f.steps[0], 1);
    f = find("late", RUN_EVENTS_VALIDATION, "epoch_loss");
    assert_int_equal(f.count, 3);
}

/* A failure is one warning, and what was lost of the scalars comes with the next epoch. */
static void failures(void **state) {
    (void)state;
    Training run;
    start(&run, "f");
    open_board(&run);
    train_to(&run, STEPS);
    stderr_capture();
    assert_int_equal(rename(tmpdir_path("f/tensorboard"), tmpdir_path("away")), 0);
    train_to(&run, 3 * STEPS);
    assert_int_equal(rename(tmpdir_path("away"), tmpdir_path("f/tensorboard")), 0);
    train_to(&run, 4 * STEPS);
    const char *said = stderr_captured();
    assert_contains(said, "TensorBoard's files lack something");
    assert_null(strstr(strchr(said, '\n') + 1, "warning"));
    Found found = find("f", RUN_EVENTS_TRAIN, "epoch_learning_rate");
    assert_int_equal(found.count, 4);
    finish(&run);
    start(&run, "g");
    tmpdir_write("g/tensorboard", "", 0);
    stderr_capture();
    assert_null(board_open(tmpdir_path("g"), &(BoardOptions){0}, &run.state));
    assert_contains(stderr_captured(), "goes on without files for TensorBoard");
    board_epoch(NULL, run.history, run.graph, run.weights); /* as on ranks without one */
    board_graph(NULL, run.graph);
    assert_false(board_wants_step(NULL, 1));
    finish(&run);
}

static void removed_with_the_run(void **state) {
    (void)state;
    Training run;
    Run *held;
    start(&run, "r");
    open_board(&run);
    finish(&run);
    assert_fails_with(STATUS_USAGE, run_create(tmpdir_path("r"), "", false, &held), "holds a run");
    assert_ok(run_create(tmpdir_path("r"), "", true, &held));
    assert_int_equal(access(tmpdir_path("r/tensorboard"), F_OK), -1);
    run_close(held);
}

#define test(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
int main(void) {
    const struct CMUnitTest tests[] = {test(records), test(interrupted), test(late), test(failures),
                                       test(removed_with_the_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
