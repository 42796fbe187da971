/* SPDX-License-Identifier: Apache-2.0
 *
 * A bit that flips in one rank's memory is found, and its rank named, at the next comparison of replicas; and a request
 * to stop in the middle of a validation.  The trainer is the real one; the linker puts functions of this file in front
 * of two of its own (--wrap), which do the damage. */
#include "base/log.h"
#include "io/run.h"
#include "support/mpi_test.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#include "train/evaluate.h"
#include "train/optimizer.h"
#include "train/signals.h"
#include "train/trainer.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { FLIPPING = 1, STEP = 5, EXAMPLES = 60 }; /* rank; after its step 5 of 10 */

typedef enum Damage { NONE, WEIGHTS, SLOT, SIGNAL } Damage;
static Damage damage;

OptimizerResult __real_optimizer_apply(Optimizer *optimizer, double lr, uint64_t step, Real *weights, Real *gradient,
                                       double weight, double examples);
OptimizerResult __wrap_optimizer_apply(Optimizer *optimizer, double lr, uint64_t step, Real *weights, Real *gradient,
                                       double weight, double examples);
Status __real_evaluate_run(Evaluation *evaluation, Replica *replica, Totals *totals);
Status __wrap_evaluate_run(Evaluation *evaluation, Replica *replica, Totals *totals);

OptimizerResult __wrap_optimizer_apply(Optimizer *optimizer, double lr, uint64_t step, Real *weights, Real *gradient,
                                       double weight, double examples) {
    OptimizerResult result = __real_optimizer_apply(optimizer, lr, step, weights, gradient, weight, examples);
    if (step == STEP - 1 && dist_rank(mpi_test_dist()) == FLIPPING) {
        unsigned char *last =
            (unsigned char *)(optimizer->slots[0].slab + optimizer->graph->trained_count) - sizeof(Real);
        if (damage == WEIGHTS)
            *(unsigned char *)weights ^= 1; /* the last bit of the first weight */
        if (damage == SLOT)
            *last ^= 1;
    }
    return result;
}

/* The last rank alone is asked. */
Status __wrap_evaluate_run(Evaluation *evaluation, Replica *replica, Totals *totals) {
    if (damage == SIGNAL && dist_rank(mpi_test_dist()) == dist_ranks(mpi_test_dist()) - 1)
        raise(SIGUSR1);
    return __real_evaluate_run(evaluation, replica, totals);
}

static const char network[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", \"batch_input_shape\": [null, 4, 3, 2]}},"
    "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"flat\"}},"
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"fc\", \"units\": 5, \"activation\": \"softmax\"}}]}}";

/* Ten steps with a checkpoint after every second one; rank 0 keeps what is printed. */
static Status train(const char *checks, const char **said) {
    static Config config;
    static char text[4096];
    Dist *dist = mpi_test_dist();
    bool root = dist_rank(dist) == 0, exit_now;
    config = (Config){0};
    if (root) {
        char data[TMPDIR_PATH], model[TMPDIR_PATH], out[TMPDIR_PATH];
        char *argv[] = {"cnn_train",
                        "--quiet",
                        "--epochs",
                        "1",
                        "--batch-size",
                        "6",
                        "--micro-batches",
                        "4",
                        "--overwrite",
                        "--optimizer",
                        "sgd",
                        "--momentum",
                        "0.9",
                        "--average-weights",
                        "0.9",
                        "--checkpoint-steps",
                        "2",
                        "--keep",
                        "99",
                        "--check-replicas",
                        (char *)checks,
                        "--data",
                        data,
                        "--model",
                        model,
                        "--out",
                        out};
        snprintf(data, sizeof data, "%s", tmpdir_path("data.h5"));
        snprintf(model, sizeof model, "%s", tmpdir_path("net.json"));
        snprintf(out, sizeof out, "%s", tmpdir_path("run"));
        tmpdir_write("net.json", network, strlen(network));
        CHECK(sample_dataset(data, (size_t[]){EXAMPLES, EXAMPLES, 0}) == STATUS_OK, "%s", status_message());
        CHECK(config_parse(sizeof argv / sizeof *argv, argv, &config, &exit_now) == STATUS_OK, "%s", status_message());
    }
    dist_broadcast(dist, &config, sizeof config);
    if (root)
        mpi_test_capture();
    Status status = trainer_run(dist, &config);
    snprintf(text, sizeof text, "%s", root ? mpi_test_captured() : "");
    *said = text;
    return status;
}

static bool has_step(uint64_t step) {
    char name[RUN_NAME], path[RUN_NAME + 8];
    snprintf(path, sizeof path, "run/%s", run_step_name(step, name));
    return dist_rank(mpi_test_dist()) > 0 || tmpdir_size(path) > 0;
}

static bool says(const char *said, const char *text) {
    return dist_rank(mpi_test_dist()) > 0 || strstr(said, text) != NULL;
}

static void flipped(Damage what, const char *checks, const char *after) {
    const char *said, *names = dist_ranks(mpi_test_dist()) > 2 ? "rank 1 (" : "ranks 0 (";
    damage = what;
    Status status = train(checks, &said);
    mpi_assert(status == STATUS_RETRY, "status %d: %s", (int)status, said);
    mpi_assert(says(said, after) && says(said, names), "%s, %s: %s", after, names, said);
    mpi_assert(says(said, "run/step-00000004.h5 is good: go on with --resume"), "%s", said);
    mpi_assert(has_step(4) && (dist_rank(mpi_test_dist()) > 0 || !has_step(6)), "checkpoints");
}

static void flipped_bits_reach_no_checkpoint(void **state) {
    (void)state;
    flipped(WEIGHTS, "checkpoints", "after step 6 ");
    flipped(SLOT, "checkpoints", "after step 6 ");
}

static void flipped_bits_are_found_within_n_steps(void **state) {
    (void)state;
    flipped(WEIGHTS, "1", "after step 5 ");
    flipped(SLOT, "5", "after step 5 ");
}

static void nothing_is_compared_when_not_asked_for(void **state) {
    (void)state;
    const char *said;
    damage = WEIGHTS;
    mpi_assert_ok(train("off", &said));
    mpi_assert(has_step(6) && has_step(10), "checkpoints");
}

static void equal_replicas_pass(void **state) {
    (void)state;
    const char *said;
    damage = NONE;
    mpi_assert_ok(train("1", &said));
    mpi_assert(has_step(10) && (said[0] == '\0'), "%s", said);
}

static size_t lines(const char *path) {
    size_t count = 0;
    FILE *file = fopen(path, "r");
    for (int c; file && (c = getc(file)) != EOF;)
        count += c == '\n';
    if (file)
        fclose(file);
    return count;
}

/* Last, as the request stays. */
static void a_request_ends_the_validation(void **state) {
    (void)state;
    const char *said;
    signals_catch();
    damage = SIGNAL;
    Status status = train("checkpoints", &said);
    mpi_assert(status == STATUS_STOPPED, "status %d: %s", (int)status, said);
    mpi_assert(says(said, "stopped on request at step 10 (epoch 1 of 1)"), "%s", said);
    mpi_assert(has_step(10), "no checkpoint");
    mpi_assert(dist_rank(mpi_test_dist()) > 0 || lines(tmpdir_path("run/metrics.csv")) == 1, "the epoch has its row");
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_replicas_pass, mpi_test_open_folder, mpi_test_close_folder),
        cmocka_unit_test_setup_teardown(flipped_bits_reach_no_checkpoint, mpi_test_open_folder, mpi_test_close_folder),
        cmocka_unit_test_setup_teardown(flipped_bits_are_found_within_n_steps, mpi_test_open_folder,
                                        mpi_test_close_folder),
        cmocka_unit_test_setup_teardown(nothing_is_compared_when_not_asked_for, mpi_test_open_folder,
                                        mpi_test_close_folder),
        cmocka_unit_test_setup_teardown(a_request_ends_the_validation, mpi_test_open_folder, mpi_test_close_folder),
    };
    log_set_level(LOG_QUIET);
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
