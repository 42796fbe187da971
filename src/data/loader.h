/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivers this rank's micro-batches (training) or blocks (evaluation, prediction) in order, ready to be fed to the
 * network.  Where examples are read from the file, one helper thread reads and converts ahead into a ring of prepared
 * batches; it never calls MPI.  A reader that finds none, and one of a split in memory, prepares the next one itself.
 * All memory is allocated by loader_create.
 *
 *     TRY(loader_create(&options, &loader));
 *     for (each micro-batch of this rank, step after step) {
 *         TRY(loader_next(loader, &batch));
 *         executor_forward(..., batch.n, batch.x, batch.labels, ...);
 *     }
 *     loader_destroy(loader); */
#ifndef DATA_LOADER_H
#define DATA_LOADER_H
#include "data/augment.h"
#include "data/dataset.h"
#include "data/preprocess.h"
#include "data/sampler.h"
#include "data/targets.h"

/* Training, block == 0: micro-batches first_unit .. first_unit+units-1 of micro_batches of each step, epoch after epoch
 * without end, from (epoch, step) on.
 * Evaluation, block > 0: blocks first_unit .. first_unit+units-1 of `block` examples in the view's order, once. */
typedef struct LoaderOptions {
    Dataset *dataset; /* borrowed */
    DatasetSplit split;
    SamplerView view;
    const Preprocess *preprocess; /* borrowed; NULL: numbers as they are */
    const Targets *targets;       /* borrowed; NULL: labels as they are, no weights */
    bool without_labels;          /* prediction */
    bool once;                    /* the data are read once: they are not brought into memory */
    size_t block;                 /* 0: training */
    uint64_t first_unit, units;   /* this rank's share: sampler_share.  Training: units > 0 */
    /* training only */
    const Augment *augment; /* borrowed; NULL: none */
    SamplerOrder order;
    size_t batch_size, micro_batches;
    uint64_t epoch, step;
} LoaderOptions;

typedef struct LoaderBatch {
    size_t n; /* examples; 0 for an empty micro-batch, and at the end of an evaluation */
    bool end; /* evaluation: there are no more blocks */
    uint64_t epoch, step;
    uint64_t unit;  /* number of the micro-batch in its step, or of the block */
    uint64_t first; /* training: position of the first example in the global batch; evaluation: index in the view */
    const Real *x;  /* [n * example] */
    Real *const *labels; /* [label_count][n * targets_width]; NULL without labels */
    const Real *weights; /* [n]; NULL unless targets->weighted */
} LoaderBatch;

typedef struct Loader Loader;

/* Reads the split into memory if it fits, else starts the thread.  Not collective. */
Status loader_create(const LoaderOptions *options, Loader **out);

/* Bytes that it allocates beside the split in memory (dataset_load_bytes); SIZE_MAX when they do not fit a size_t. */
size_t loader_bytes(const LoaderOptions *options);

void loader_destroy(Loader *loader); /* stops the thread; accepts NULL */

/* *batch = the next one, valid until the next call of any loader function.  Fails with the thread's read error. */
Status loader_next(Loader *loader, LoaderBatch *batch);

/* Seconds in which loader_next had no batch ready, in all. */
double loader_waited(const Loader *loader);

/* Goes on at (epoch, step); evaluation: begins again at its first block (both numbers 0).  Allocates nothing. */
void loader_restart(Loader *loader, uint64_t epoch, uint64_t step);

#endif
