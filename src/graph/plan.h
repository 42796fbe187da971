/* SPDX-License-Identifier: Apache-2.0
 *
 * A plan: one pass over the graph for one batch size, with everything decided: the backend of every operation, and a
 * place in one memory arena for every activation, gradient, saved value and scratch buffer.  Places are reused when
 * their last reader is done; elementwise operations work in place or are fused with the operation before them; reshapes
 * are no operation at all.  Made at start, then only run (executor.h).  Plans of different batch sizes and passes share
 * one arena as large as the largest needs.
 *
 * Slices: the operations are run on a few examples at a time, so that what one writes is still in the cache when the
 * next reads it.  A batch norm has to see all examples before it can go on: it cuts the program into groups, and inside
 * a group the whole micro-batch goes through slice by slice.  What no other group reads is kept for one slice only.
 *
 * Parts: a plan may begin or end at a node inside the graph.  A frozen front, planned up to the node V where it ends,
 * gives features that are computed once; the rest, planned from V, is then trained on them:
 *
 *     plan_create(graph, PASS_PREDICT, n, &(PlanOptions){.part.to = v}, &front);      executor_value(front, &run, v)
 *     plan_create(graph, PASS_TRAIN, n, &(PlanOptions){.part.from = v}, &rest);       run.from = those values */
#ifndef GRAPH_PLAN_H
#define GRAPH_PLAN_H
#include "backend/backend.h"
#include "graph/graph.h"

/* The four functions of a backend, in the order in which an operation's are run. */
typedef enum StepPhase {
    PHASE_COLLECT,
    PHASE_FORWARD,
    PHASE_FORWARD_AGAIN, /* in the backward pass: the value was kept for a slice only */
    PHASE_COLLECT_BACKWARD,
    PHASE_BACKWARD,
    STEP_PHASES
} StepPhase;

typedef enum Pass {
    PASS_TRAIN,    /* forward, losses, backward */
    PASS_EVALUATE, /* forward, losses */
    PASS_PREDICT   /* forward, outputs */
} Pass;

/* Which part of the pass is planned.  0: no limit on that side, as node 0, an input, would be none. */
typedef struct PlanPart {
    /* Its value is given (ExecutorRun.from); what only leads to it is not run and takes no memory.  PASS_TRAIN: no
     * parameter that is trained, and no moving statistic, may lie before it. */
    int from;
    int to; /* PASS_PREDICT: it takes the place of the graph's outputs: only what leads to it is run.  Any node */
} PlanPart;

/* What a plan may choose.  All zero: the defaults. */
typedef struct PlanOptions {
    const char *backend; /* as in backend_select; NULL: auto */
    Winograd winograd;
    PlanPart part;
    size_t slice_bytes; /* tests: bytes of activations that a slice of any operation should have */
} PlanOptions;

/* One operation of the plan, with the elementwise ones behind it that are fused with it. */
typedef struct PlanStep {
    int node;                  /* whose operation, parameters and layer it has */
    int output;                /* whose value it makes; another one than `node` where operations are fused */
    int inputs[OP_MAX_INPUTS]; /* nodes that it reads, as many as op.inputs; never a reshape */
    OpDesc op;                 /* n: of the larger slices */
    size_t slices;
    const Backend *backend;
    void *state[2]; /* owned, by the backend: for slices of op.n and of op.n - 1 examples (NULL: there are none) */
    OpBuffers
        buffers; /* of the first slice; complete but for inputs of the graph and the gradient slab, which a run gives */
    size_t x_step[OP_MAX_INPUTS], y_step, dx_step[OP_MAX_INPUTS], dy_step; /* elements from one example to the next; 0
                                                                               where only one slice is kept */
    size_t saved_step;                                                     /* bytes from one slice to the next */
    size_t packed_step; /* bytes from the first state's to the second's */
    bool runs_backward;
    int saved_place, totals_place, packed_place, work_place[STEP_PHASES]; /* -1: none */
    size_t final_prefix; /* after this step's backward, elements [0, final_prefix) of the gradient slab are final */
} PlanStep;

/* The program: what is called in which order. */
typedef struct PlanItem {
    size_t step;
    StepPhase phase;
} PlanItem;

/* Items that are run together, slice by slice: all of them on the first slice, then all on the second, ... */
typedef struct PlanGroup {
    size_t first, end; /* items */
    size_t slices;
} PlanGroup;

/* A piece of the arena, in use from item `first` to item `last`. */
typedef struct PlanPlace {
    size_t offset, bytes;
    size_t first, last;
} PlanPlace;

/* A pointer in a step's buffers that changes from run to run: to graph input `index` (input_count: to the value of
 * part.from), or to element `index` of the gradient slab. */
typedef struct PlanPatch {
    void *pointer; /* address of the pointer */
    size_t index;
} PlanPatch;

typedef struct Plan {
    const Graph *graph; /* borrowed */
    Pass pass;
    size_t n;
    PlanPart part;
    PlanStep *steps; /* in forward order */
    size_t step_count;
    PlanItem *items;
    size_t item_count;
    PlanGroup *groups;
    size_t group_count, forward_groups; /* the forward pass is the first forward_groups of them */
    size_t arena_bytes;
    PlanPlace *places;
    size_t place_count;
    int *root;           /* per node: the node whose memory it is, at the end of a chain of reshapes */
    int *value_place;    /* per node: its output's place, -1: not in the arena */
    int *gradient_place; /* per node: the place of the gradient of its output, -1: none */
    PlanPatch *input_patches, *gradient_patches;
    size_t input_patch_count, gradient_patch_count;
    char *arena;              /* borrowed, after executor_bind */
    uint64_t weights_version; /* of the last run */
    bool pack;                /* the last run had to pack weights */
} Plan;

/* Plans one pass with batch size n >= 1.  options: NULL for the defaults.  Not collective; a function of its arguments
 * (and of the build), not of the rank. */
Status plan_create(const Graph *graph, Pass pass, size_t n, const PlanOptions *options, Plan **out);
void plan_destroy(Plan *plan); /* accepts NULL */

#endif
