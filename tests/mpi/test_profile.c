/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace that --profile writes: valid JSON, an event for every layer, direction, step and rank, which lie within
 * their steps and add up to no more than these. */
#include "base/log.h"
#include "base/memory.h"
#include "support/mpi_test.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#include "train/profile.h"
#include "train/trainer.h"
#include <jansson.h>
#include <string.h>

enum { BATCH = 6, STEPS = PROFILE_WARM_UP + PROFILE_STEPS + 2, RANKS_MOST = 8 };

static const char network[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"net\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", \"batch_input_shape\": [null, 4, 3, 2]}},"
    "{\"class_name\": \"Conv2D\", \"config\": {\"name\": \"conv \\\"1\\\"\", \"filters\": 4, \"kernel_size\": 3}},"
    "{\"class_name\": \"BatchNormalization\", \"config\": {\"name\": \"norm\"}},"
    "{\"class_name\": \"MaxPooling2D\", \"config\": {\"name\": \"pool\", \"pool_size\": [2, 1]}},"
    "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"flat\"}},"
    "{\"class_name\": \"Dense\", \"config\": {\"name\": \"fc\", \"units\": 5, \"activation\": \"softmax\"}}]}}";
static const char *const layers[] = {"conv \"1\"", "norm", "pool", "fc"};
enum { LAYERS = sizeof layers / sizeof *layers };

/* An epoch of `steps` steps with --profile. */
static void train(size_t steps) {
    static Config config;
    Dist *dist = mpi_test_dist();
    config = (Config){0};
    if (dist_rank(dist) == 0) {
        char data[TMPDIR_PATH], model[TMPDIR_PATH], out[TMPDIR_PATH], trace[TMPDIR_PATH];
        char *argv[] = {"cnn_train",       "--quiet", "--epochs",  "1",   "--batch-size", "6",
                        "--micro-batches", "3",       "--data",    data,  "--out",        out,
                        "--model",         model,     "--profile", trace, "--overwrite"};
        bool exit_now;
        snprintf(data, sizeof data, "%s", tmpdir_path("data.h5"));
        snprintf(model, sizeof model, "%s", tmpdir_path("net.json"));
        snprintf(out, sizeof out, "%s", tmpdir_path("run"));
        snprintf(trace, sizeof trace, "%s", tmpdir_path("trace.json"));
        tmpdir_write("net.json", network, strlen(network));
        CHECK(sample_dataset(data, (size_t[]){steps * BATCH, 0, 0}) == STATUS_OK, "%s", status_message());
        CHECK(config_parse(sizeof argv / sizeof *argv, argv, &config, &exit_now) == STATUS_OK, "%s", status_message());
    }
    dist_broadcast(dist, &config, sizeof config);
    mpi_assert_ok(trainer_run(dist, &config));
}

/* What the trace says of one rank. */
typedef struct Seen {
    size_t forward[LAYERS], backward[LAYERS], step, data, optimizer, exchange, checkpoint, other;
    double step_seconds, parts_seconds; /* in microseconds */
    bool inside;                        /* each operation lies in the step before it */
} Seen;

static void count_event(const json_t *event, Seen *seen, double *step_end) {
    const char *name = json_string_value(json_object_get(event, "name"));
    const char *category = json_string_value(json_object_get(event, "cat"));
    double duration = json_number_value(json_object_get(event, "dur"));
    double began = json_number_value(json_object_get(event, "ts"));
    if (strcmp(category, "trainer") == 0) {
        bool is_step = strcmp(name, "step") == 0;
        seen->step += is_step;
        seen->data += strcmp(name, "data") == 0;
        seen->exchange += strcmp(name, "exchange") == 0;
        seen->optimizer += strcmp(name, "optimizer") == 0;
        seen->checkpoint += strcmp(name, "checkpoint") == 0;
        if (is_step) {
            seen->inside &= began + 0.01 >= *step_end;
            *step_end = began + duration;
            seen->step_seconds += duration;
        } else if (strcmp(name, "checkpoint") != 0) {
            seen->parts_seconds += duration;
        }
        return;
    }
    size_t k = 0;
    while (k < LAYERS && strcmp(layers[k], name) != 0)
        k++;
    seen->parts_seconds += duration;
    if (k == LAYERS)
        seen->other++;
    else if (strcmp(category, "forward") == 0)
        seen->forward[k]++;
    else if (strcmp(category, "backward") == 0)
        seen->backward[k]++;
}

static void check_rank(const Seen *s, size_t rank, size_t micro_batches, size_t steps) {
    mpi_assert(s->step == steps && s->optimizer == steps, "rank %zu: %zu steps", rank, s->step);
    mpi_assert(s->data == steps * micro_batches, "rank %zu: %zu of data", rank, s->data);
    mpi_assert(s->checkpoint == 1, "rank %zu: %zu checkpoints", rank, s->checkpoint);
    for (size_t k = 0; k < LAYERS; k++)
        mpi_assert(s->forward[k] >= steps * micro_batches && s->backward[k] >= steps * micro_batches,
                   "rank %zu, %s: %zu forward, %zu backward", rank, layers[k], s->forward[k], s->backward[k]);
    mpi_assert(s->inside, "rank %zu: steps overlap", rank);
    mpi_assert(s->parts_seconds > 0 && s->parts_seconds <= s->step_seconds, "rank %zu: %g us of %g", rank,
               s->parts_seconds, s->step_seconds);
}

static void check_trace(size_t steps) {
    static Seen seen[RANKS_MOST];
    size_t ranks = (size_t)dist_ranks(mpi_test_dist()), events = 0;
    bool valid = true;
    memset(seen, 0, sizeof seen);
    if (dist_rank(mpi_test_dist()) == 0) {
        json_t *trace = json_load_file(tmpdir_path("trace.json"), JSON_REJECT_DUPLICATES, NULL);
        double step_end[RANKS_MOST] = {0};
        for (size_t r = 0; r < ranks; r++)
            seen[r].inside = true;
        events = json_array_size(trace);
        for (size_t i = 0; i < events; i++) {
            const json_t *event = json_array_get(trace, i);
            json_int_t rank = json_integer_value(json_object_get(event, "pid"));
            const char *type = json_string_value(json_object_get(event, "ph"));
            valid &= type && rank >= 0 && rank < (json_int_t)ranks;
            if (valid && strcmp(type, "X") == 0)
                count_event(event, &seen[rank], &step_end[rank]);
        }
        json_decref(trace);
    }
    dist_broadcast(mpi_test_dist(), seen, sizeof seen);
    mpi_assert(valid && (dist_rank(mpi_test_dist()) != 0 || events > 100), "%zu events", events);
    for (size_t r = 0; r < ranks; r++) {
        size_t first = r * 3 / ranks, end = (r + 1) * 3 / ranks;
        check_rank(&seen[r], r, end - first, steps);
    }
}

static void trace_is_complete(void **state) {
    (void)state;
    bool root = dist_rank(mpi_test_dist()) == 0;
    log_set_level(LOG_QUIET);
    if (root)
        tmpdir_make();
    train(STEPS);
    check_trace(PROFILE_STEPS);
    train(4); /* a run shorter than that: all of it */
    check_trace(4);
    if (root)
        tmpdir_remove();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(trace_is_complete)};
    return mpi_test_main(argc, argv, tests, 1);
}
