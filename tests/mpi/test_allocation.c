/* SPDX-License-Identifier: Apache-2.0
 *
 * A training step allocates nothing, nor does the thread that reads its data: a run of many steps makes as many
 * allocations of base/memory.h as one of a few, on every rank.  The runs are the trainer's own, from options to the
 * last checkpoint; they differ only in how many examples there are. */
#include "base/log.h"
#include "base/memory.h"
#include "support/mpi_test.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#include "train/trainer.h"
#include <string.h>

enum { BATCH = 6, FEW = 2, MANY = 40 }; /* steps */

static const char network[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", \"batch_input_shape\": [null, 4, 3, 2]}},"
    "{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"conv\", \"filters\": 4, \"kernel_size\": 3, \"padding\": "
    "\"same\"}},"
    "{\"class_name\": \"BatchNormalization\", \"config\": {\"name\": \"bn\"}},"
    "{\"class_name\": \"ReLU\", \"config\": {\"name\": \"relu\"}},"
    "{\"class_name\": \"Dropout\", \"config\": {\"name\": \"dropout\", \"rate\": 0.25}},"
    "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"flat\"}},"
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"fc\", \"units\": 5, \"activation\": \"softmax\"}}]}}";

/* One epoch over steps * BATCH examples.  Returns how many allocations this rank made. */
static size_t allocations(size_t steps) {
    static Config config;
    Dist *dist = mpi_test_dist();
    config = (Config){0};
    if (dist_rank(dist) == 0) {
        char data[TMPDIR_PATH], model[TMPDIR_PATH], out[TMPDIR_PATH], batch[8];
        char *argv[] = {"cnn_train",
                        "--quiet",
                        "--epochs",
                        "1",
                        "--batch-size",
                        batch,
                        "--micro-batches",
                        "3",
                        "--data",
                        data,
                        "--model",
                        model,
                        "--out",
                        out,
                        "--overwrite",
                        "--clip-norm",
                        "1",
                        "--weight-decay",
                        "0.01",
                        "--optimizer",
                        "lamb",
                        "--layer-decay",
                        "0.5",
                        "--average-weights",
                        "0.9",
                        "--gradient-noise",
                        "0.1"};
        bool exit_now;
        snprintf(batch, sizeof batch, "%d", BATCH);
        snprintf(data, sizeof data, "%s", tmpdir_path("data.h5"));
        snprintf(model, sizeof model, "%s", tmpdir_path("net.json"));
        snprintf(out, sizeof out, "%s", tmpdir_path("run"));
        tmpdir_write("net.json", network, strlen(network));
        CHECK(sample_dataset(data, (size_t[]){steps * BATCH, 0, 0}) == STATUS_OK, "%s", status_message());
        CHECK(config_parse(sizeof argv / sizeof *argv, argv, &config, &exit_now) == STATUS_OK, "%s", status_message());
    }
    dist_broadcast(dist, &config, sizeof config);
    size_t before = memory_stats().total_count;
    mpi_assert_ok(trainer_run(dist, &config));
    return memory_stats().total_count - before;
}

static void steps_allocate_nothing(void **state) {
    (void)state;
    bool root = dist_rank(mpi_test_dist()) == 0;
    log_set_level(LOG_QUIET);
    if (root)
        tmpdir_make();
    allocations(FEW); /* what is made once per process */
    size_t few = allocations(FEW), again = allocations(FEW), many = allocations(MANY);
    if (root)
        tmpdir_remove();
    mpi_assert(few > 50, "%zu allocations", few);
    mpi_assert(few == again, "%zu allocations, the second time %zu", few, again);
    mpi_assert(few == many, "%zu allocations in %d steps, %zu in %d", few, FEW, many, MANY);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_allocate_nothing)};
    return mpi_test_main(argc, argv, tests, 1);
}
