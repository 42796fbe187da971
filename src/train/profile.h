/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time of a step goes (--profile FILE).  The first PROFILE_STEPS steps after a warm-up are recorded on every
 * rank, and the first validation and checkpoint.  Out of it come
 *   a trace for chrome://tracing and ui.perfetto.dev: a JSON array of complete events, one process per rank (the "Trace
 *   Event Format" of the Chromium project), times in microseconds since a common barrier;
 *   a table of rank 0: milliseconds a step, share, GFLOP/s and share of the peak of each layer.
 * Recording changes no bits and allocates nothing; without --profile its functions get NULL, and a step pays for some
 * comparisons with it.
 *
 *     TRY(profile_create(dist, path, plan, micro_batches, steps, &profile));
 *     for (each step) {
 *         profile_begin_step(profile);
 *         began = profile_start(profile);
 *         loader_next(...);
 *         profile_add(profile, PROFILE_DATA, began);
 *         profile_attach(profile, plan, &run);
 *         executor_forward(plan, &run); ...
 *         profile_end_step(profile, examples);
 *     }
 *     TRY(profile_write(profile)); */
#ifndef TRAIN_PROFILE_H
#define TRAIN_PROFILE_H
#include "dist/dist.h"
#include "graph/executor.h"

enum { PROFILE_STEPS = 20, PROFILE_WARM_UP = 5 };

/* What is recorded beside the operations of the network. */
typedef enum ProfileKind {
    PROFILE_STEP,
    PROFILE_DATA,      /* loader_next */
    PROFILE_EXCHANGE,  /* adding up, sending and waiting for gradients */
    PROFILE_OPTIMIZER, /* the update */
    PROFILE_VALIDATION,
    PROFILE_CHECKPOINT, /* making the image, and waiting for the one before to be on the disk */
    PROFILE_KINDS
} ProfileKind;

typedef struct Profile Profile;

/* Room for the events, FILE opened on rank 0, clocks set to 0 at a barrier, and the peak of a core measured for a few
 * milliseconds.  plan: the training pass of the largest micro-batch (borrowed); micro_batches: how many of them this
 * rank runs in a step; steps: how many this process will do.  Collective, agreed. */
Status profile_create(Dist *dist, const char *path, const Plan *plan, size_t micro_batches, uint64_t steps,
                      Profile **out);
void profile_destroy(Profile *profile); /* accepts NULL */

/* All of the following accept NULL, and then do nothing. */

/* Around a step; examples: those that this rank ran. */
void profile_begin_step(Profile *profile);
void profile_end_step(Profile *profile, size_t examples);

/* Makes a run of `plan` tell the profile about each operation, while a step is recorded. */
void profile_attach(Profile *profile, const Plan *plan, ExecutorRun *run);

/* What lies between `began`, which profile_start gave, and now. */
double profile_start(const Profile *profile);
void profile_add(Profile *profile, ProfileKind kind, double began);

/* Gathers the events of all ranks and writes the file; prints the table.  Collective, agreed. */
Status profile_write(Profile *profile);

#endif
