/* SPDX-License-Identifier: Apache-2.0
 *
 * What a rank computes with: the graph, its weights, and a plan for each batch size that can occur, all on one arena.
 *
 *     replica_create(graph, options, &replica);
 *     replica_prepare(replica, PASS_TRAIN, 32);
 *     replica_prepare(replica, PASS_TRAIN, 17);     the last micro-batch of an epoch
 *     replica_ready(replica);                        allocates; nothing allocates after it
 */
#ifndef TRAIN_REPLICA_H
#define TRAIN_REPLICA_H
#include "graph/executor.h"

enum { REPLICA_MAX_PLANS = 24 };

typedef struct Replica {
    const Graph *graph; /* borrowed */
    PlanOptions options;
    Plan *plans[REPLICA_MAX_PLANS];
    size_t plan_count;
    Real *weights;      /* owned, [graph->weight_count] */
    void *arena;        /* owned */
    size_t arena_bytes; /* the largest of the plans' */
} Replica;

/* What options points to is borrowed. */
Status replica_create(const Graph *graph, PlanOptions options, Replica **out);
void replica_destroy(Replica *replica); /* accepts NULL */

/* Plans a pass for n examples, unless that is done already or n is 0. */
Status replica_prepare(Replica *replica, Pass pass, size_t n);

/* The same for a part of the network: a plan of its own. */
Status replica_prepare_part(Replica *replica, Pass pass, size_t n, PlanPart part);

/* Allocates weights (zero) and arena and binds all plans. */
Status replica_ready(Replica *replica);

/* The prepared plan of the whole network, or of a part. */
Plan *replica_plan(const Replica *replica, Pass pass, size_t n);
Plan *replica_plan_part(const Replica *replica, Pass pass, size_t n, PlanPart part);

#endif
