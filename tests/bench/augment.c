/* SPDX-License-Identifier: Apache-2.0
 *
 * What augmentation takes: the loader of training data alone, on one core, the split being in memory.
 *
 *     bench_augment DATASET LIST...
 *
 * Prints the processor time of an example and examples per second, best of 7 runs of 30 batches of 128. */
#include "data/loader.h"
#include <stdio.h>
#include <time.h>

enum { RUNS = 7, BATCHES = 30, BATCH = 128 };

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static Status measure(const LoaderOptions *options, double *best) {
    Loader *loader;
    LoaderBatch batch;
    TRY(loader_create(options, &loader));
    Status status = loader_next(loader, &batch);
    for (int run = 0; run < RUNS && status == STATUS_OK; run++) {
        double began = seconds();
        size_t examples = 0;
        for (int i = 0; i < BATCHES && status == STATUS_OK; i++) {
            status = loader_next(loader, &batch);
            examples += batch.n;
        }
        double each = (seconds() - began) / (double)examples;
        *best = run == 0 || each < *best ? each : *best;
    }
    loader_destroy(loader);
    return status;
}

static Status measure_list(Dataset *dataset, const char *list) {
    Augment augment;
    Preprocess preprocess;
    double each = 0;
    TRY(augment_parse(list, &augment));
    TRY(augment_check(&augment, dataset));
    TRY(preprocess_create(dataset, "unit", &preprocess));
    LoaderOptions options = {.dataset = dataset,
                             .split = DATASET_TRAIN,
                             .view = sampler_whole(dataset_info(dataset)->count[DATASET_TRAIN]),
                             .preprocess = &preprocess,
                             .units = 1,
                             .augment = augment.count > 0 ? &augment : NULL,
                             .order = {.shuffle = true, .seed = 1},
                             .batch_size = BATCH,
                             .micro_batches = 1};
    TRY(measure(&options, &each));
    printf("%-48s %8.2f us %10.0f/s\n", list, 1e6 * each, 1 / each);
    return STATUS_OK;
}

int main(int argc, char **argv) {
    Dataset *dataset = NULL;
    Status status =
        argc < 3 ? status_fail(STATUS_USAGE, "usage: bench_augment DATASET LIST...") : dataset_open(argv[1], &dataset);
    for (int i = 2; i < argc && status == STATUS_OK; i++)
        status = measure_list(dataset, argv[i]);
    if (status != STATUS_OK)
        fprintf(stderr, "bench_augment: %s\n", status_message());
    dataset_close(dataset);
    return (int)status;
}
