/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs plans.  All memory is given: the arena, the weights, the inputs, the gradient slab.  Nothing here fails or
 * allocates. */
#ifndef GRAPH_EXECUTOR_H
#define GRAPH_EXECUTOR_H
#include "graph/plan.h"

/* Ties the plan to an arena of at least plan->arena_bytes bytes, 64-byte aligned, and to the weight slab
 * [weight_count].  Both borrowed; the arena may be shared by plans that do not run at the same time. */
void executor_bind(Plan *plan, void *arena, Real *weights);

/* Called before (`begin`) and after an operation has been run on one slice. */
typedef void ExecutorTrace(void *user, size_t step, StepPhase phase, bool begin);

/* Called with what the loss number `loss` of the graph has just been computed of: `n` of the run's examples, prediction
 * [n, op->x[0]] and label [n, op->x[1]].  Every example comes once, in order. */
typedef void ExecutorObserver(void *user, size_t loss, const OpDesc *op, size_t n, const Real *prediction,
                              const Real *label);

/* What one run works on. */
typedef struct ExecutorRun {
    const Real *const
        *inputs;      /* per graph input, in graph->inputs' order: [n, shape]; NULL where the pass has no use for it */
    const Real *from; /* [n, shape]: the value of plan->part.from, if the plan begins there */
    Real *gradients;  /* PASS_TRAIN: slab [gradient_count], gradients, statistics and loss sums are written, the
                                  alignment gaps are not.  PASS_EVALUATE: [loss_count * LOSS_SUMS].  else NULL */
    OpContext context;
    uint64_t weights_version; /* another one whenever the weights have changed; 0: they may have */
    ExecutorTrace *trace;     /* NULL, or called around each call of a backend */
    void *trace_user;
    ExecutorObserver *observer; /* NULL, or called after the forward pass of each loss and slice */
    void *observer_user;
} ExecutorRun;

/* Forward pass; with PASS_TRAIN also what backward needs is kept in the arena. */
void executor_forward(Plan *plan, const ExecutorRun *run);

/* Called after each operation and slice of the backward pass: elements [0, prefix) of the gradient slab are final
 * (prefix grows; the last call says gradient_count). */
typedef void ExecutorProgress(void *user, size_t prefix);

/* Backward pass after executor_forward of the same plan and run.  progress may be NULL. */
void executor_backward(Plan *plan, const ExecutorRun *run, ExecutorProgress *progress, void *user);

/* Value of node `node`, one of the graph's outputs (with part.to that node), after a forward pass of PASS_PREDICT: [n,
 * shape]; valid until the arena is used again.  Of one that is an input or part.from, possibly reshaped: what `run`
 * gave. */
const Real *executor_value(const Plan *plan, const ExecutorRun *run, int node);

#endif
