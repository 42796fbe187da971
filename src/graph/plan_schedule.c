/* SPDX-License-Identifier: Apache-2.0
 *
 * In which order and slices the operations of a plan run, and which tensors only one group of them touches. */
#include "base/memory.h"
#include "graph/plan_internal.h"
#include <string.h>

/* What an operation reads and writes of a slice: about half of a core's second-level cache.  A constant, as the slices
 * decide bits. */
static const size_t slice_bytes = 512 * 1024;

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* ---- slices ------------------------------------------------------------------------------------------------------ */

/* Slices so large that the activations fill the cache, and are worth reading the weights for. */
static size_t choose_slices(const Planner *p, const PlanStep *step) {
    const OpDesc *op = &step->op;
    size_t input = 0, weights = 0, slices = 1;
    if (op->kind == OP_LOSS && loss_is_of_pairs(op->attr.loss.kind))
        return 1;
    size_t wanted = p->options.slice_bytes ? p->options.slice_bytes : slice_bytes;
    for (size_t k = 0; k < op->inputs; k++)
        input = larger(input, shape_count(&op->x[k]));
    for (size_t k = 0; k < op->params; k++)
        weights += op->has_w[k] ? shape_count(&op->w[k]) : 0;
    wanted = larger(wanted / sizeof(float), weights);
    size_t example = input + shape_count(&op->y); /* at least 1 */
    size_t examples = example >= wanted ? 1 : (wanted + example - 1) / example;
    while (2 * slices * examples <= p->plan->n) /* a power of two, so that neighbours often have the same */
        slices *= 2;
    return slices;
}

static void set_slices(Planner *p) {
    for (size_t s = 0; s < p->plan->step_count; s++) {
        PlanStep *step = &p->plan->steps[s];
        step->slices = choose_slices(p, step);
        step->op.n = (p->plan->n + step->slices - 1) / step->slices;
    }
}

/* ---- items and groups -------------------------------------------------------------------------------------------- */

/* An item joins the last group unless its slices are others, or it needs what all slices have collected there. */
static void add_item(Planner *p, size_t s, StepPhase phase, bool new_group) {
    Plan *plan = p->plan;
    size_t i = plan->item_count++, slices = plan->steps[s].slices;
    PlanGroup *last = plan->group_count ? &plan->groups[plan->group_count - 1] : NULL;
    if (new_group || !last || slices == 1 || last->slices != slices) {
        last = &plan->groups[plan->group_count++];
        *last = (PlanGroup){i, i, slices};
    }
    last->end = i + 1;
    plan->items[i] = (PlanItem){s, phase};
    p->item[s][phase] = (int)i;
    p->group_of[i] = plan->group_count - 1;
}

/* Before it, the values that it reads and that were not kept. */
static void add_backward_item(Planner *p, size_t s, StepPhase phase, bool new_group) {
    const PlanStep *step = &p->plan->steps[s];
    for (size_t k = 0; k <= step->op.inputs; k++) { /* the last: its own value */
        int reads = k < step->op.inputs ? (step->op.keeps_x ? p->step_of[step->inputs[k]] : -1)
                    : step->op.keeps_y  ? (int)s
                                        : -1;
        if (reads < 0 || !p->again[reads] || p->item[reads][PHASE_FORWARD_AGAIN] >= 0)
            continue;
        add_item(p, (size_t)reads, PHASE_FORWARD_AGAIN, new_group);
        new_group = false;
    }
    add_item(p, s, phase, new_group);
}

static void add_items(Planner *p) {
    Plan *plan = p->plan;
    plan->item_count = plan->group_count = 0;
    memset(p->item, 0xff, plan->step_count * sizeof *p->item); /* -1 */
    for (size_t s = 0; s < plan->step_count; s++) {
        bool collects = op_collects(&plan->steps[s].op);
        if (collects)
            add_item(p, s, PHASE_COLLECT, false);
        add_item(p, s, PHASE_FORWARD, collects);
    }
    plan->forward_groups = plan->group_count;
    bool turn = true; /* the backward pass is a program of its own */
    for (size_t s = plan->step_count; s-- > 0;) {
        bool collects = op_collects(&plan->steps[s].op);
        if (!plan->steps[s].runs_backward)
            continue;
        if (collects)
            add_backward_item(p, s, PHASE_COLLECT_BACKWARD, turn);
        add_backward_item(p, s, PHASE_BACKWARD, collects || turn);
        turn = false;
    }
}

/* ---- who touches what -------------------------------------------------------------------------------------------- */

static void touch(const Planner *p, int *group, int item) {
    if (item < 0)
        return;
    int now = (int)p->group_of[item];
    *group = *group == PLAN_NOWHERE || *group == now ? now : PLAN_SHARED;
}

static void reads_value(Planner *p, int *group, int node, int item) {
    touch(p, &group[node], item);
    if (item >= 0 && p->last_need[node] < (size_t)item)
        p->last_need[node] = (size_t)item;
}

static void find_readers(Planner *p, size_t s) {
    const PlanStep *step = &p->plan->steps[s];
    const OpDesc *op = &step->op;
    const int *item = p->item[s];
    reads_value(p, p->value_group, step->output, item[PHASE_FORWARD]);
    if (op->keeps_y) /* what collects has dy multiplied by the ReLU's derivative then, and needs y no more */
        reads_value(p, p->backward_group, step->output,
                    item[op_collects(op) ? PHASE_COLLECT_BACKWARD : PHASE_BACKWARD]);
    touch(p, &p->gradient_group[step->output], item[PHASE_COLLECT_BACKWARD]);
    touch(p, &p->gradient_group[step->output], item[PHASE_BACKWARD]);
    for (size_t k = 0; k < op->inputs; k++) {
        int input = step->inputs[k];
        reads_value(p, p->value_group, input, item[PHASE_COLLECT]);
        reads_value(p, p->value_group, input, item[PHASE_FORWARD]);
        reads_value(p, p->backward_group, input, item[PHASE_FORWARD_AGAIN]);
        if (op->keeps_x) {
            reads_value(p, p->backward_group, input, item[PHASE_COLLECT_BACKWARD]);
            reads_value(p, p->backward_group, input, item[PHASE_BACKWARD]);
        }
        if (op->want_dx[k])
            touch(p, &p->gradient_group[input], item[PHASE_BACKWARD]);
    }
}

static void find_groups(Planner *p) {
    for (size_t i = 0; i < p->plan->graph->node_count; i++) {
        p->value_group[i] = p->backward_group[i] = p->gradient_group[i] = PLAN_NOWHERE;
        p->last_need[i] = 0;
    }
    for (size_t s = 0; s < p->plan->step_count; s++)
        find_readers(p, s);
}

/* A batch norm is made again where one group reads its value forward and one backward: its input has to be read there
 * anyway, so that memory and its traffic are saved for little arithmetic.  (T. Chen et al., "Training deep nets with
 * sublinear memory cost", 2016, for the principle.)  False: none is. */
static bool choose_again(Planner *p) {
    bool any = false;
    for (size_t s = 0; s < p->plan->step_count; s++) {
        const PlanStep *step = &p->plan->steps[s];
        p->again[s] = op_collects(&step->op) && step->runs_backward && step->op.inputs == 1 && step->slices > 1 &&
                      p->value_group[step->output] >= 0 && p->backward_group[step->output] >= 0;
        any = any || p->again[s];
    }
    return any;
}

Status plan__schedule(Planner *p) {
    Plan *plan = p->plan;
    const Graph *graph = plan->graph;
    size_t most = plan->step_count * STEP_PHASES;
    TRY(memory_new(&plan->items, most, "plan"));
    TRY(memory_new(&plan->groups, most, "plan"));
    TRY(memory_new(&p->item, plan->step_count, "plan"));
    TRY(memory_new(&p->group_of, most, "plan"));
    TRY(memory_new(&p->again, plan->step_count, "plan"));
    set_slices(p);
    add_items(p);
    find_groups(p);
    if (choose_again(p)) {
        add_items(p);
        find_groups(p);
    }
    for (size_t i = 0; i < graph->node_count; i++)
        if (p->backward_group[i] != PLAN_NOWHERE && !(p->step_of[i] >= 0 && p->again[p->step_of[i]]))
            p->value_group[i] = PLAN_SHARED; /* kept from forward to backward */
    for (size_t i = 0; i < graph->node_count; i++)
        if (plan__delivers(plan, (int)i)) {
            p->value_group[plan->root[i]] = PLAN_SHARED;
            p->last_need[plan->root[i]] = plan->item_count;
        }
    return STATUS_OK;
}
