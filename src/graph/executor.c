/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/executor.h"

static void *at(const Plan *plan, int place) {
    return place < 0 ? NULL : plan->arena + plan->places[place].offset;
}

static void bind_step(Plan *plan, PlanStep *step, Real *weights) {
    const Graph *graph = plan->graph;
    const Node *node = &graph->nodes[step->node];
    OpBuffers *b = &step->buffers;
    b->y = at(plan, plan->value_place[step->node]);
    b->dy = step->op.kind == OP_LOSS ? NULL : at(plan, plan->gradient_place[step->node]);
    b->saved = at(plan, step->saved_place);
    b->totals = at(plan, step->totals_place);
    b->packed = at(plan, step->packed_place);
    for (size_t k = 0; k < step->op.inputs; k++) {
        int input = plan->root[node->inputs[k]];
        b->x[k] = at(plan, plan->value_place[input]);
        b->dx[k] = step->op.want_dx[k] ? at(plan, plan->gradient_place[input]) : NULL;
    }
    for (size_t k = 0; k < step->op.params; k++)
        b->w[k] = node->params[k] < 0 ? NULL : weights + graph->params[node->params[k]].offset;
}

void executor_bind(Plan *plan, void *arena, Real *weights) {
    plan->arena = arena;
    for (size_t s = 0; s < plan->step_count; s++)
        bind_step(plan, &plan->steps[s], weights);
}

void executor_forward(Plan *plan, const ExecutorRun *run) {
    for (size_t i = 0; i < plan->input_patch_count; i++)
        *(const Real **)plan->input_patches[i].pointer = run->inputs[plan->input_patches[i].index];
    for (size_t i = 0; i < plan->gradient_patch_count; i++)
        *(Real **)plan->gradient_patches[i].pointer = run->gradients + plan->gradient_patches[i].index;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        step->buffers.first = step->buffers.last = step->buffers.pack = true;
        step->buffers.context = &run->context;
        step->buffers.work = at(plan, step->forward_work_place);
        if (op_collects(&step->op))
            step->backend->collect(step->state, &step->buffers);
        step->backend->forward(step->state, &step->buffers);
    }
}

void executor_backward(Plan *plan, const ExecutorRun *run, ExecutorProgress *progress, void *user) {
    for (size_t s = plan->step_count; s-- > 0;) {
        PlanStep *step = &plan->steps[s];
        if (step->runs_backward) {
            step->buffers.context = &run->context;
            step->buffers.work = at(plan, step->backward_work_place);
            if (op_collects(&step->op))
                step->backend->collect_backward(step->state, &step->buffers);
            step->backend->backward(step->state, &step->buffers);
        }
        if (progress && s > 0)
            progress(user, step->final_prefix);
    }
    if (progress)
        progress(user, plan->graph->gradient_count);
}

const Real *executor_value(const Plan *plan, const ExecutorRun *run, int node) {
    int root = plan->root[node];
    for (size_t i = 0; i < plan->graph->input_count; i++)
        if (plan->graph->inputs[i] == root)
            return run->inputs[i];
    return at(plan, plan->value_place[root]);
}
