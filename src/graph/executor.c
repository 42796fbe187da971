/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/executor.h"
#include "base/pulse.h"

/* The arena begins with the plan that ran last: what another one packed there is lost. */
static const Plan **last_plan(const Plan *plan) {
    return (const Plan **)plan->arena;
}

static void *at(const Plan *plan, int place) {
    return place < 0 ? NULL : plan->arena + plan->places[place].offset;
}

static void bind_step(Plan *plan, PlanStep *step, Real *weights) {
    const Graph *graph = plan->graph;
    const Node *node = &graph->nodes[step->node];
    OpBuffers *b = &step->buffers;
    b->y = at(plan, plan->value_place[step->output]);
    b->dy = step->op.kind == OP_LOSS ? NULL : at(plan, plan->gradient_place[step->output]);
    b->saved = at(plan, step->saved_place);
    b->totals = at(plan, step->totals_place);
    b->packed = at(plan, step->packed_place);
    for (size_t k = 0; k < step->op.inputs; k++) {
        b->x[k] = at(plan, plan->value_place[step->inputs[k]]);
        b->dx[k] = step->op.want_dx[k] ? at(plan, plan->gradient_place[step->inputs[k]]) : NULL;
    }
    for (size_t k = 0; k < step->op.params; k++)
        b->w[k] = node->params[k] < 0 ? NULL : weights + graph->params[node->params[k]].offset;
}

void executor_bind(Plan *plan, void *arena, Real *weights) {
    plan->arena = arena;
    *last_plan(plan) = NULL;
    for (size_t s = 0; s < plan->step_count; s++)
        bind_step(plan, &plan->steps[s], weights);
}

static void *moved(const void *pointer, size_t bytes) {
    return pointer ? (char *)pointer + bytes : NULL;
}

/* Points b to the examples from `start` on. */
static void move_to(const PlanStep *step, size_t slice, size_t start, bool less, OpBuffers *b) {
    for (size_t k = 0; k < step->op.inputs; k++) {
        b->x[k] = moved(b->x[k], start * step->x_step[k] * sizeof(Real));
        b->dx[k] = moved(b->dx[k], start * step->dx_step[k] * sizeof(Real));
    }
    b->y = moved(b->y, start * step->y_step * sizeof(Real));
    b->dy = moved(b->dy, start * step->dy_step * sizeof(Real));
    b->saved = moved(b->saved, slice * step->saved_step);
    b->packed = moved(b->packed, less ? step->packed_step : 0);
    for (size_t k = 0; k < step->op.params && slice > 0 && !op_collects(&step->op); k++)
        b->dw_add[k] = true;
}

static size_t loss_index(const Graph *graph, int node) {
    return (graph->nodes[node].sums_offset - graph->sums_offset) / LOSS_SUMS;
}

/* Slices differ by at most one example, the larger ones are first. */
static void run_item(Plan *plan, const ExecutorRun *run, PlanItem item, size_t slice) {
    PlanStep *step = &plan->steps[item.step];
    size_t larger = plan->n % step->slices ? plan->n % step->slices : step->slices;
    bool less = slice >= larger;
    size_t start = slice * step->op.n - (less ? slice - larger : 0);
    void *state = step->state[less];
    const Backend *backend = step->backend;
    OpBuffers b = step->buffers;
    OpContext context = run->context;
    context.first_example += start;
    b.context = &context;
    b.first = slice == 0;
    b.last = slice + 1 == step->slices;
    b.pack = plan->pack && (slice == 0 || slice == larger);
    b.work = at(plan, step->work_place[item.phase]);
    move_to(step, slice, start, less, &b);
    pulse();
    if (run->trace)
        run->trace(run->trace_user, item.step, item.phase, true);
    switch (item.phase) {
    case PHASE_COLLECT:
        backend->collect(state, &b);
        break;
    case PHASE_FORWARD:
    case PHASE_FORWARD_AGAIN:
        backend->forward(state, &b);
        break;
    case PHASE_COLLECT_BACKWARD:
        backend->collect_backward(state, &b);
        break;
    default:
        backend->backward(state, &b);
    }
    if (run->trace)
        run->trace(run->trace_user, item.step, item.phase, false);
    if (run->observer && step->op.kind == OP_LOSS && item.phase == PHASE_FORWARD)
        run->observer(run->observer_user, loss_index(plan->graph, step->node), &step->op, step->op.n - less, b.x[0],
                      b.x[1]);
}

void executor_forward(Plan *plan, const ExecutorRun *run) {
    plan->pack = *last_plan(plan) != plan || run->weights_version != plan->weights_version || run->weights_version == 0;
    plan->weights_version = run->weights_version;
    *last_plan(plan) = plan;
    for (size_t i = 0; i < plan->input_patch_count; i++)
        *(const Real **)plan->input_patches[i].pointer = plan->input_patches[i].index < plan->graph->input_count
                                                             ? run->inputs[plan->input_patches[i].index]
                                                             : run->from;
    for (size_t i = 0; i < plan->gradient_patch_count; i++)
        *(Real **)plan->gradient_patches[i].pointer = run->gradients + plan->gradient_patches[i].index;
    for (size_t g = 0; g < plan->forward_groups; g++)
        for (size_t slice = 0; slice < plan->groups[g].slices; slice++)
            for (size_t i = plan->groups[g].first; i < plan->groups[g].end; i++)
                run_item(plan, run, plan->items[i], slice);
}

void executor_backward(Plan *plan, const ExecutorRun *run, ExecutorProgress *progress, void *user) {
    size_t prefix = 0;
    for (size_t g = plan->forward_groups; g < plan->group_count; g++)
        for (size_t slice = 0; slice < plan->groups[g].slices; slice++)
            for (size_t i = plan->groups[g].first; i < plan->groups[g].end; i++) {
                run_item(plan, run, plan->items[i], slice);
                if (slice + 1 == plan->groups[g].slices && plan->items[i].phase == PHASE_BACKWARD)
                    prefix = plan->steps[plan->items[i].step].final_prefix;
                if (progress)
                    progress(user, prefix);
            }
    if (progress)
        progress(user, plan->graph->gradient_count);
}

const Real *executor_value(const Plan *plan, const ExecutorRun *run, int node) {
    int root = plan->root[node];
    if (plan->part.from && root == plan->part.from)
        return run->from;
    for (size_t i = 0; i < plan->graph->input_count; i++)
        if (plan->graph->inputs[i] == root)
            return run->inputs[i];
    return at(plan, plan->value_place[root]);
}
