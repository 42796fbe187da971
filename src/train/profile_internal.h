/* SPDX-License-Identifier: Apache-2.0
 *
 * What profile.c (recording) and profile_write.c (trace and table) share. */
#ifndef TRAIN_PROFILE_INTERNAL_H
#define TRAIN_PROFILE_INTERNAL_H
#include "train/profile.h"
#include <stdio.h>

/* Plain data: sent between ranks as bytes. */
typedef struct ProfileEvent {
    double began, seconds;
    uint32_t step; /* from 0, of those recorded */
    int32_t node;  /* whose operation it was; -1: of kind `what` */
    uint32_t what; /* StepPhase or ProfileKind */
    uint32_t unused;
} ProfileEvent;

/* Seconds of one layer's operation, over all recorded steps. */
typedef struct ProfileLayer {
    double seconds[STEP_PHASES];
} ProfileLayer;

struct Profile {
    Dist *dist;       /* borrowed */
    const Plan *plan; /* borrowed: whose layers the table lists */
    char *path;       /* owned */
    FILE *file;       /* rank 0 */
    double zero;      /* dist_time at the barrier */
    double peak;      /* FLOP/s of a matrix product */
    uint64_t steps_seen, first_step;
    size_t steps, steps_wanted; /* recorded; to be recorded */
    size_t examples;            /* of this rank in them */
    bool recording;
    bool had[PROFILE_KINDS]; /* a validation, a checkpoint has been recorded */

    const Plan *running; /* and what is under way in it */
    double step_began, operation_began;
    ProfileLayer *layers;          /* owned [graph->node_count] */
    double seconds[PROFILE_KINDS]; /* over all recorded steps */
    ProfileEvent *events;          /* owned [room] */
    size_t count, room, lost;
};

#endif
