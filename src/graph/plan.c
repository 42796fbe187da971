/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/plan.h"
#include "backend/select.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* No place is larger (16 TB), so that no sum of places overflows. */
static const size_t max_place = (size_t)1 << 44;

/* What is known while a plan is made. */
typedef struct Planner {
    Plan *plan;
    int *step_of;      /* per node: its step, -1 */
    size_t *last_need; /* per root node: last time at which its value is read */
    int *writers;      /* per root node: how many steps write to its gradient */
    size_t place_room;
} Planner;

static const Node *node_of(const Plan *plan, const PlanStep *step) {
    return &plan->graph->nodes[step->node];
}

static size_t backward_time(const Plan *plan, size_t step) {
    return 2 * plan->step_count - 1 - step;
}

static bool in_pass(const Node *node, Pass pass) {
    return pass == PASS_TRAIN ? node->in_training : pass == PASS_EVALUATE ? node->in_evaluation : node->in_prediction;
}

/* SIZE_MAX where a size_t cannot hold it. */
static size_t value_bytes(const Plan *plan, int node) {
    size_t bytes = shape_count(&plan->graph->nodes[node].op.y);
    bool fits = memory_multiply(bytes, plan->n, &bytes) && memory_multiply(bytes, sizeof(Real), &bytes);
    return fits ? bytes : SIZE_MAX;
}

/* ---- steps ---------------------------------------------------------------------------------------------------------- */

static void complete_op(const Plan *plan, PlanStep *step) {
    const Node *node = node_of(plan, step);
    OpDesc *op = &step->op;
    *op = node->op;
    op->n = op->batch = plan->n;
    op->training = plan->pass == PASS_TRAIN;
    step->runs_backward = op->training && node->needs_gradient;
    for (size_t k = 0; k < op->inputs; k++)
        op->want_dx[k] = step->runs_backward && plan->graph->nodes[node->inputs[k]].needs_gradient;
    for (size_t k = 0; k < op->params; k++)
        op->want_dw[k] = op->training && node->params[k] >= 0 &&
                         (plan->graph->params[node->params[k]].spec.role == PARAM_TRAINED ||
                          plan->graph->params[node->params[k]].spec.role == PARAM_STATISTIC);
}

static Status make_steps(Planner *p) {
    Plan *plan = p->plan;
    const Graph *graph = plan->graph;
    TRY(memory_new(&plan->steps, graph->node_count, "plan"));
    for (size_t i = 0; i < graph->node_count; i++) {
        const Node *node = &graph->nodes[i];
        plan->root[i] = node->op.kind == OP_RESHAPE ? plan->root[node->inputs[0]] : (int)i;
        plan->value_place[i] = plan->gradient_place[i] = p->step_of[i] = -1;
        if (!in_pass(node, plan->pass) || node->op.kind == OP_INPUT || node->op.kind == OP_RESHAPE)
            continue;
        p->step_of[i] = (int)plan->step_count;
        PlanStep *step = &plan->steps[plan->step_count++];
        step->node = (int)i;
        step->saved_place = step->totals_place = step->packed_place = step->forward_work_place =
            step->backward_work_place = -1;
        complete_op(plan, step);
    }
    return STATUS_OK;
}

/* ---- places --------------------------------------------------------------------------------------------------------- */

static Status add_place(Planner *p, size_t bytes, size_t first, size_t last, int *place) {
    Plan *plan = p->plan;
    CHECK(plan->place_count < p->place_room, "%zu places", plan->place_count);
    if (bytes > max_place)
        return status_fail(STATUS_FAILED,
                           "a batch of %zu examples takes more than %zu bytes in one layer: use a smaller "
                           "batch or network",
                           plan->n, max_place);
    bytes = (bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
    *place = (int)plan->place_count;
    plan->places[plan->place_count++] = (PlanPlace){.bytes = bytes, .first = first, .last = last};
    return STATUS_OK;
}

static void need(size_t *last, size_t time) {
    if (*last < time)
        *last = time;
}

/* When each value is read for the last time, by forward and backward passes. */
static void find_needs(Planner *p) {
    Plan *plan = p->plan;
    const Graph *graph = plan->graph;
    for (size_t s = 0; s < plan->step_count; s++) {
        const PlanStep *step = &plan->steps[s];
        const Node *node = node_of(plan, step);
        need(&p->last_need[step->node], s);
        if (step->runs_backward && step->op.keeps_y)
            need(&p->last_need[step->node], backward_time(plan, s));
        for (size_t k = 0; k < step->op.inputs; k++) {
            int root = plan->root[node->inputs[k]];
            need(&p->last_need[root], s);
            if (step->runs_backward && step->op.keeps_x)
                need(&p->last_need[root], backward_time(plan, s));
            p->writers[root] += step->op.want_dx[k];
        }
    }
    if (plan->pass == PASS_PREDICT)
        for (size_t i = 0; i < graph->output_count; i++)
            need(&p->last_need[plan->root[graph->outputs[i].node]], 2 * plan->step_count);
}

/* The value of each step: on its input's place where the operation can work in place and nobody needs the input any more. */
static Status place_values(Planner *p) {
    Plan *plan = p->plan;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        if (step->op.kind == OP_LOSS)
            continue; /* its sums go to the gradient slab */
        int *place = &plan->value_place[step->node];
        size_t last = p->last_need[step->node];
        int input = plan->root[node_of(plan, step)->inputs[0]];
        int shared = step->op.in_place ? plan->value_place[input] : -1;
        if (shared >= 0 && plan->places[shared].last == s) {
            *place = shared;
            need(&plan->places[shared].last, last);
        } else {
            TRY(add_place(p, value_bytes(plan, step->node), s, last, place));
        }
    }
    return STATUS_OK;
}

/* The gradients: the first step that writes one decides its place, the later ones add. */
static Status place_gradients(Planner *p) {
    Plan *plan = p->plan;
    for (size_t s = plan->step_count; s-- > 0;) {
        PlanStep *step = &plan->steps[s];
        const OpDesc *op = &step->op;
        for (size_t k = 0; k < op->inputs; k++) {
            if (!op->want_dx[k])
                continue;
            int input = plan->root[node_of(plan, step)->inputs[k]];
            int *place = &plan->gradient_place[input];
            size_t now = backward_time(plan, s), last = backward_time(plan, (size_t)p->step_of[input]);
            int own = op->kind == OP_LOSS ? -1 : plan->gradient_place[step->node];
            step->buffers.dx_add[k] = *place >= 0;
            if (*place >= 0)
                continue;
            if (k == 0 && op->in_place && own >= 0 && p->writers[input] == 1) {
                *place = own;
                need(&plan->places[own].last, last);
            } else {
                TRY(add_place(p, value_bytes(plan, input), now, last, place));
            }
        }
    }
    return STATUS_OK;
}

static Status place_backend_memory(Planner *p, const char *backend) {
    Plan *plan = p->plan;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        OpMemory memory = {0};
        step->backend = backend_select(&step->op, backend);
        Status status = step->backend->prepare(&step->op, &step->state, &memory);
        if (status != STATUS_OK)
            return status_context(status, "layer %s", node_of(plan, step)->layer);
        size_t back = backward_time(plan, s);
        if (memory.saved_bytes && step->op.training)
            TRY(add_place(p, memory.saved_bytes, s, step->runs_backward ? back : s, &step->saved_place));
        if (memory.totals_bytes)
            TRY(add_place(p, memory.totals_bytes, s, step->runs_backward ? back : s, &step->totals_place));
        if (memory.packed_bytes)
            TRY(add_place(p, memory.packed_bytes, 0, 2 * plan->step_count, &step->packed_place));
        if (memory.work_bytes)
            TRY(add_place(p, memory.work_bytes, s, s, &step->forward_work_place));
        if (memory.work_bytes && step->runs_backward)
            TRY(add_place(p, memory.work_bytes, back, back, &step->backward_work_place));
    }
    return STATUS_OK;
}

static int by_size(const void *a, const void *b) {
    const PlanPlace *x = *(PlanPlace *const *)a, *y = *(PlanPlace *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y; /* a stable order */
}

static int by_offset(const void *a, const void *b) {
    const PlanPlace *x = *(PlanPlace *const *)a, *y = *(PlanPlace *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Largest first, each at the lowest offset where nothing that is in use at the same time lies (the greedy-by-size rule of
 * Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020). */
static Status assign_offsets(Plan *plan) {
    PlanPlace **order, **near;
    TRY(memory_new(&order, 2 * plan->place_count, "plan"));
    near = order + plan->place_count;
    for (size_t i = 0; i < plan->place_count; i++)
        order[i] = &plan->places[i];
    qsort(order, plan->place_count, sizeof *order, by_size);
    for (size_t i = 0; i < plan->place_count; i++) {
        size_t count = 0, offset = 0;
        for (size_t k = 0; k < i; k++)
            if (order[k]->first <= order[i]->last && order[i]->first <= order[k]->last)
                near[count++] = order[k];
        qsort(near, count, sizeof *near, by_offset);
        for (size_t k = 0; k < count && near[k]->offset < offset + order[i]->bytes; k++)
            if (near[k]->offset + near[k]->bytes > offset)
                offset = near[k]->offset + near[k]->bytes;
        order[i]->offset = offset;
        if (plan->arena_bytes < offset + order[i]->bytes)
            plan->arena_bytes = offset + order[i]->bytes;
    }
    memory_free(order);
    return STATUS_OK;
}

/* ---- gradients of parameters, patches -------------------------------------------------------------------------------- */

/* Of several steps that share a parameter the first to run writes, the others add; statistics are written by forward. */
static void set_accumulation(Planner *p, int *seen) {
    Plan *plan = p->plan;
    const Graph *graph = plan->graph;
    for (size_t i = 0; i < 2 * plan->step_count; i++) {
        bool forward = i < plan->step_count;
        PlanStep *step = &plan->steps[forward ? i : backward_time(plan, i)];
        for (size_t k = 0; k < step->op.params; k++) {
            int param = node_of(plan, step)->params[k];
            if (step->op.want_dw[k] && forward == (graph->params[param].spec.role == PARAM_STATISTIC))
                step->buffers.dw_add[k] = seen[param]++ > 0;
        }
    }
}

/* Slab order is the order of last uses, so what is final after a step is a prefix: up to the first parameter that an
 * earlier step uses. */
static void set_prefixes(Plan *plan) {
    const Graph *graph = plan->graph;
    size_t prefix = graph->trained_count;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        step->final_prefix = prefix;
        for (size_t k = 0; k < step->op.params; k++) {
            int param = node_of(plan, step)->params[k];
            if (param >= 0 && graph->params[param].spec.role == PARAM_TRAINED && graph->params[param].offset < prefix)
                prefix = graph->params[param].offset;
        }
    }
}

static void add_patch(PlanPatch *patches, size_t *count, void *pointer, size_t index) {
    patches[(*count)++] = (PlanPatch){pointer, index};
}

static Status make_patches(Plan *plan) {
    const Graph *graph = plan->graph;
    TRY(memory_new(&plan->input_patches, plan->step_count * OP_MAX_INPUTS, "plan"));
    TRY(memory_new(&plan->gradient_patches, plan->step_count * (OP_MAX_PARAMS + 1), "plan"));
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        const Node *node = node_of(plan, step);
        for (size_t k = 0; k < step->op.inputs; k++)
            for (size_t i = 0; i < graph->input_count; i++)
                if (graph->inputs[i] == plan->root[node->inputs[k]])
                    add_patch(plan->input_patches, &plan->input_patch_count, &step->buffers.x[k], i);
        for (size_t k = 0; k < step->op.params; k++)
            if (step->op.want_dw[k])
                add_patch(plan->gradient_patches, &plan->gradient_patch_count, &step->buffers.dw[k],
                          graph->params[node->params[k]].offset);
        if (step->op.kind == OP_LOSS)
            add_patch(plan->gradient_patches, &plan->gradient_patch_count, &step->buffers.y,
                      node->sums_offset - (plan->pass == PASS_EVALUATE ? graph->sums_offset : 0));
    }
    return STATUS_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------ */

static Status build(Planner *p, const char *backend) {
    Plan *plan = p->plan;
    size_t nodes = plan->graph->node_count;
    TRY(memory_new(&plan->root, nodes, "plan"));
    TRY(memory_new(&plan->value_place, nodes, "plan"));
    TRY(memory_new(&plan->gradient_place, nodes, "plan"));
    TRY(memory_new(&p->step_of, nodes, "plan"));
    TRY(memory_new(&p->last_need, nodes, "plan"));
    TRY(memory_new(&p->writers, nodes > plan->graph->param_count ? nodes : plan->graph->param_count, "plan"));
    TRY(make_steps(p));
    p->place_room = plan->step_count * 7 + 1; /* value, gradient, saved, totals, packed, two scratches of each step */
    TRY(memory_new(&plan->places, p->place_room, "plan"));
    find_needs(p);
    TRY(place_values(p));
    TRY(place_gradients(p));
    TRY(place_backend_memory(p, backend));
    TRY(assign_offsets(plan));
    memset(p->writers, 0, plan->graph->param_count * sizeof *p->writers);
    set_accumulation(p, p->writers);
    set_prefixes(plan);
    return make_patches(plan);
}

Status plan_create(const Graph *graph, Pass pass, size_t n, const char *backend, Plan **out) {
    CHECK(graph->finished && n > 0, "plan of %zu examples", n);
    Planner planner = {0};
    TRY(memory_new(out, 1, "plan"));
    planner.plan = *out;
    planner.plan->graph = graph;
    planner.plan->pass = pass;
    planner.plan->n = n;
    Status status = build(&planner, backend);
    memory_free(planner.step_of);
    memory_free(planner.last_need);
    memory_free(planner.writers);
    if (status != STATUS_OK) {
        plan_destroy(*out);
        *out = NULL;
    }
    return status;
}

void plan_destroy(Plan *plan) {
    if (plan == NULL)
        return;
    for (size_t s = 0; s < plan->step_count; s++)
        if (plan->steps[s].backend)
            plan->steps[s].backend->release(plan->steps[s].state);
    memory_free(plan->steps);
    memory_free(plan->places);
    memory_free(plan->root);
    memory_free(plan->value_place);
    memory_free(plan->gradient_place);
    memory_free(plan->input_patches);
    memory_free(plan->gradient_patches);
    memory_free(plan);
}
