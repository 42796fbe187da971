/* SPDX-License-Identifier: Apache-2.0
 *
 * What a step costs beside the arithmetic: at most 5 microseconds, and half a one for each layer.  The networks here
 * have layers of one number, whose arithmetic is next to nothing; a step is the trainer's own, with loader, exchange
 * and optimizer.  Time is the thread's processor time, the least of several runs, so that other work on the machine
 * hardly counts. */
#include "base/log.h"
#include "support/mpi_test.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#include "train/trainer.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FEW = 500, MANY = 10500, TRIES = 6, LAYERS = 60, TEXT = 1 << 15 };

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* How many times slower than a core of some years ago this one is, at least 1: by a chain of multiplications, 4 cycles
 * each. */
static double slowness(void) {
    enum { COUNT = 20000000 };
    double least = INFINITY;
    uint64_t x = 1;
    for (size_t t = 0; t < TRIES; t++) {
        double began = seconds();
        for (size_t i = 0; i < COUNT; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            __asm__ volatile("" : "+r"(x));
        }
        least = fmin(least, seconds() - began);
    }
    return fmax(1, least / COUNT / 2e-9);
}

/* Pooling to two numbers, then `layers` layers, one in three with weights. */
static void write_network(size_t layers) {
    static char text[TEXT];
    size_t at = (size_t)snprintf(
        text, sizeof text,
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
        "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", \"batch_input_shape\": [null, 4, 3, 2]}},"
        "{\"class_name\": \"GlobalAveragePooling2D\", \"config\": {\"name\": \"pool\"}},");
    for (size_t i = 0; i < layers; i++)
        at += (size_t)snprintf(
            text + at, sizeof text - at,
            i % 3 == 0 ? "{\"class_name\": \"Dense\", \"config\": {\"name\": \"fc%zu\", \"units\": 1}},"
                       : "{\"class_name\": \"LeakyReLU\", \"config\": {\"name\": \"relu%zu\", \"alpha\": 0.9}},",
            i);
    snprintf(
        text + at, sizeof text - at,
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"out\", \"units\": 5, \"activation\": \"softmax\"}}]}}");
    tmpdir_write("net.json", text, strlen(text));
}

/* One epoch of `steps` steps of one example.  Processor time of this thread. */
static double run(size_t steps) {
    static Config config;
    char data[TMPDIR_PATH], model[TMPDIR_PATH], out[TMPDIR_PATH];
    char *argv[] = {
        "cnn_train", "--quiet", "--epochs", "1", "--batch-size", "1",   "--data",      data,
        "--model",   model,     "--out",    out, "--optimizer",  "sgd", "--overwrite", "--checkpoint-epochs",
        "0"};
    bool exit_now;
    snprintf(data, sizeof data, "%s", tmpdir_path(steps == MANY ? "many.h5" : "few.h5"));
    snprintf(model, sizeof model, "%s", tmpdir_path("net.json"));
    snprintf(out, sizeof out, "%s", tmpdir_path("run"));
    config = (Config){0};
    mpi_assert_ok(config_parse(sizeof argv / sizeof *argv, argv, &config, &exit_now));
    double began = seconds();
    mpi_assert_ok(trainer_run(mpi_test_dist(), &config));
    return seconds() - began;
}

static void overhead_is_small(void **state) {
    (void)state;
    const size_t layers[] = {3, LAYERS};
    double slow = slowness();
    log_set_level(LOG_QUIET);
    tmpdir_make();
    mpi_assert_ok(sample_dataset(tmpdir_path("few.h5"), (size_t[]){FEW, 0, 0}));
    mpi_assert_ok(sample_dataset(tmpdir_path("many.h5"), (size_t[]){MANY, 0, 0}));
    for (size_t i = 0; i < 2; i++) {
        double few = INFINITY, many = INFINITY;
        write_network(layers[i]);
        for (size_t t = 0; t < TRIES; t++) {
            few = fmin(few, run(FEW));
            many = fmin(many, run(MANY));
        }
        double step = 1e6 * (many - few) / (MANY - FEW), limit = slow * (5 + 0.5 * (double)(layers[i] + 2));
        printf("%zu layers: %.2f us a step, of at most %.1f\n", layers[i] + 2, step, limit);
        mpi_assert(step > 0 && step <= limit, "%zu layers: %.2f us a step", layers[i] + 2, step);
    }
    tmpdir_remove();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(overhead_is_small)};
    return mpi_test_main(argc, argv, tests, 1);
}
