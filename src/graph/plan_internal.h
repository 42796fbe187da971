/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of plan_create: which operations (plan_steps), in which order and slices (plan_schedule), on which memory
 * (plan). */
#ifndef GRAPH_PLAN_INTERNAL_H
#define GRAPH_PLAN_INTERNAL_H
#include "graph/plan.h"

/* What is known while a plan is made. */
typedef struct Planner {
    Plan *plan;
    PlanOptions options;
    bool *planned;            /* per node: does the plan need its value, given or made? */
    int *step_of;             /* per node: the step that makes its value, -1 */
    int *uses;                /* per node: how many inputs of the pass's nodes (and outputs of the graph) it is */
    int (*item)[STEP_PHASES]; /* per step: the item of each phase, -1 */
    size_t *group_of;         /* per item: its group */
    int *value_group, *gradient_group; /* per node: the group that alone touches its value, its gradient; PLAN_SHARED */
    int *backward_group;               /* per node: the group that alone reads its value in the backward pass */
    bool *again;                       /* per step: its value is made again there, instead of being kept */
    size_t *last_need;                 /* per node: last item that reads its value */
    size_t place_room;
} Planner;

enum { PLAN_NOWHERE = -2, PLAN_SHARED = -1 }; /* beside group numbers */

/* plan->steps with node, output, inputs, op, runs_backward; plan->root; planned, step_of.  Fuses. */
Status plan__make_steps(Planner *p);

/* Is the node's value given by the caller? */
static inline bool plan__is_given(const Plan *plan, int node) {
    return plan->graph->nodes[node].op.kind == OP_INPUT || (plan->part.from && node == plan->part.from);
}

/* Is the node's value one that the pass delivers, to be read after it? */
bool plan__delivers(const Plan *plan, int node);

/* slices of each step; items, groups; value_group, gradient_group, last_need. */
Status plan__schedule(Planner *p);

#endif
