/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan: one pass over the graph for one batch size, with everything decided: the backend of every operation, and a place
 * in one memory arena for every activation, gradient, saved value and scratch buffer.  Places are reused when their last
 * reader is done; elementwise operations work in place; reshapes are no operation at all.  Made at start, then only run
 * (executor.h).  Plans of different batch sizes and passes share one arena as large as the largest needs. */
#ifndef GRAPH_PLAN_H
#define GRAPH_PLAN_H
#include "backend/backend.h"
#include "graph/graph.h"

typedef enum Pass {
    PASS_TRAIN,    /* forward, losses, backward */
    PASS_EVALUATE, /* forward, losses */
    PASS_PREDICT   /* forward, outputs */
} Pass;

/* One operation of the plan. */
typedef struct PlanStep {
    int node;
    OpDesc op; /* with n, training, want_dx, want_dw */
    const Backend *backend;
    void *state;       /* owned, by the backend */
    OpBuffers buffers; /* complete but for inputs of the graph and the gradient slab, which a run gives */
    bool runs_backward;
    int saved_place, totals_place, packed_place, forward_work_place, backward_work_place; /* -1: none */
    size_t final_prefix; /* after this step's backward, elements [0, final_prefix) of the gradient slab are final */
} PlanStep;

/* A piece of the arena, in use from time `first` to time `last`.  The forward pass of step s is time s, its backward pass
 * time 2 * step_count - 1 - s. */
typedef struct PlanPlace {
    size_t offset, bytes;
    size_t first, last;
} PlanPlace;

/* A pointer in a step's buffers that changes from run to run: to graph input `index`, or to element `index` of the gradient
 * slab. */
typedef struct PlanPatch {
    void *pointer; /* address of the pointer */
    size_t index;
} PlanPatch;

typedef struct Plan {
    const Graph *graph; /* borrowed */
    Pass pass;
    size_t n;
    PlanStep *steps; /* in forward order */
    size_t step_count;
    size_t arena_bytes;
    PlanPlace *places;
    size_t place_count;
    int *root;           /* per node: the node whose memory it is, at the end of a chain of reshapes */
    int *value_place;    /* per node: its output's place, -1: not in the arena */
    int *gradient_place; /* per node: the place of the gradient of its output, -1: none */
    PlanPatch *input_patches, *gradient_patches;
    size_t input_patch_count, gradient_patch_count;
    char *arena; /* borrowed, after executor_bind */
} Plan;

/* Plans one pass with batch size n >= 1.  `backend`: as in backend_select.  Not collective; a function of its arguments
 * (and of the build), not of the rank. */
Status plan_create(const Graph *graph, Pass pass, size_t n, const char *backend, Plan **out);
void plan_destroy(Plan *plan); /* accepts NULL */

#endif
