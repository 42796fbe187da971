/* SPDX-License-Identifier: Apache-2.0
 *
 * Training is what PyTorch makes of the same network, weights and data: the trainer itself, from options to
 * metrics.csv, in double with the ref backend, against float64 PyTorch.  golden/make_training.py makes the files and
 * the numbers.  With several micro-batches and ranks, the same; batch normalization is left out there, since its
 * statistics are those of a micro-batch. */
#include "base/log.h"
#include "io/checkpoint.h"
#include "support/mpi_test.h"
#include "support/tmpdir.h"
#include "train/trainer.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EPOCHS = 50, STATISTICS = 96 };

/* Seen: 5e-14.  Only the order of sums and the last bits of exp, tanh and log differ. */
static const double tolerance = 1e-12;

static const struct Case {
    const char *name, *network, *options;
    size_t epochs;
    double losses[EPOCHS], val_losses[EPOCHS];
    size_t statistic_count;
    double statistics[STATISTICS]; /* moving mean and variance of each layer that has them, in order */
} cases[] = {
#include "golden/training/cases.inc"
};

/* Of the case at work, on rank 0: the largest relative difference met, and the first failure ("": none). */
static double worst;
static char failure[1024];

#define note_failure(...) (failure[0] ? 0 : snprintf(failure, sizeof failure, __VA_ARGS__))

static void compare(double ours, double theirs, const char *what, size_t place) {
    double difference = fabs(ours - theirs) / fmax(fabs(theirs), 1e-3);
    worst = difference > worst ? difference : worst;
    if (!(difference <= tolerance))
        note_failure("%s %zu is %.17g, in PyTorch %.17g (relative difference %.2g)", what, place + 1, ours, theirs,
                     difference);
}

static void golden_path(char path[TMPDIR_PATH], const char *name) {
    const char *root = getenv("CNN_SOURCE_DIR");
    snprintf(path, TMPDIR_PATH, "%s/tests/golden/training/%s", root ? root : ".", name);
}

/* The command line: the case's options, and where everything lies. */
static Status parse(const struct Case *c, const char *folder, size_t micro_batches, Config *config) {
    enum { WORDS = 40 };
    char text[512], data[TMPDIR_PATH], network[TMPDIR_PATH], file[64], micro[32], epochs[32], *rest = text;
    char *argv[WORDS] = {"cnn_train",
                         "--quiet",
                         "--no-shuffle",
                         "--backend",
                         "ref",
                         "--data",
                         data,
                         "--init-from",
                         network,
                         "--out",
                         (char *)folder,
                         "--overwrite",
                         "--micro-batches",
                         micro,
                         "--epochs",
                         epochs,
                         "--checkpoint-epochs",
                         "0"};
    int argc = 18;
    bool exit_now;
    snprintf(file, sizeof file, "%s.h5", c->network);
    golden_path(data, "data.h5");
    golden_path(network, file);
    snprintf(micro, sizeof micro, "%zu", micro_batches);
    snprintf(epochs, sizeof epochs, "%zu", c->epochs);
    snprintf(text, sizeof text, "%s", c->options);
    for (char *word; argc < WORDS && (word = strsep(&rest, " "));)
        argv[argc++] = word;
    return config_parse(argc, argv, config, &exit_now);
}

/* Column `name` of metrics.csv against the golden numbers. */
static void check_column(const char *folder, const char *name, const double *expected, size_t count) {
    char path[TMPDIR_PATH], line[4096];
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    FILE *file = fopen(path, "r");
    size_t rows = 0;
    int column = -1;
    while (file && fgets(line, sizeof line, file)) {
        char *rest = line, *word;
        for (int i = 0; (word = strsep(&rest, ",\n")); i++) {
            if (column < 0 && strcmp(word, name) == 0) {
                column = i;
                break;
            }
            if (i != column)
                continue;
            if (rows < count)
                compare(atof(word), expected[rows], name, rows);
            rows++;
            break;
        }
    }
    if (file)
        fclose(file);
    if (rows != count)
        note_failure("%s: %zu rows of %s instead of %zu", path, rows, name, count);
}

/* The moving statistics of the last checkpoint. */
static void check_statistics(const char *folder, const struct Case *c) {
    char path[TMPDIR_PATH];
    Checkpoint *checkpoint;
    size_t k = 0;
    snprintf(path, sizeof path, "%s/final.h5", folder);
    if (checkpoint_read(path, CHECKPOINT_OURS, &checkpoint) != STATUS_OK) {
        note_failure("%s", status_message());
        return;
    }
    for (size_t l = 0; l < checkpoint->layer_count; l++)
        for (size_t i = 0; i < checkpoint->layers[l].count; i++) {
            const CheckpointTensor *tensor = &checkpoint->layers[l].weights[i];
            for (size_t j = 0; strncmp(tensor->name, "moving", 6) == 0 && j < shape_count(&tensor->shape); j++, k++)
                compare((double)tensor->data[j], c->statistics[k % STATISTICS], "statistic", k);
        }
    checkpoint_destroy(checkpoint);
    if (k != c->statistic_count)
        note_failure("%s: %zu moving statistics", path, k);
}

static void run_case(const struct Case *c, const char *folder, size_t micro_batches) {
    static Config config;
    Dist *dist = mpi_test_dist();
    bool root = dist_rank(dist) == 0;
    config = (Config){0};
    mpi_assert_ok(root ? parse(c, folder, micro_batches, &config) : STATUS_OK);
    dist_broadcast(dist, &config, sizeof config);
    mpi_assert_ok(trainer_run(dist, &config));
    worst = 0;
    failure[0] = '\0';
    if (root) {
        check_column(folder, "loss", c->losses, c->epochs);
        check_column(folder, "val_loss", c->val_losses, c->epochs);
        check_statistics(folder, c);
        print_message("%-6s %-17s micro-batches %zu: relative difference at most %.2g\n", c->network, c->name,
                      micro_batches, worst);
    }
    mpi_assert(failure[0] == '\0', "%s", failure);
}

static void run_cases(size_t micro_batches, bool with_norm) {
    bool root = dist_rank(mpi_test_dist()) == 0;
    const char *folder = root ? tmpdir_make() : NULL;
    log_set_level(LOG_QUIET);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (with_norm || cases[i].statistic_count == 0)
            run_case(&cases[i], folder, micro_batches);
    if (root)
        tmpdir_remove();
}

static void one_micro_batch(void **state) {
    (void)state; /* one rank has work */
    if (dist_ranks(mpi_test_dist()) > 1)
        skip();
    run_cases(1, true);
}

/* 5 does not divide the batches of 24, 10 and 4; of 4, one micro-batch is empty. */
static void several_micro_batches(void **state) {
    (void)state;
    run_cases(5, false);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_micro_batch), cmocka_unit_test(several_micro_batches)};
    return mpi_test_main(argc, argv, tests, 2);
}
