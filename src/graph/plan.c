/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/select.h"
#include "base/memory.h"
#include "graph/plan_internal.h"
#include <stdlib.h>
#include <string.h>

/* No place is larger (16 TB), so that no sum of places overflows. */
static const size_t max_place = (size_t)1 << 44;

/* SIZE_MAX where a size_t cannot hold it. */
static size_t tensor_bytes(size_t examples, const Shape *shape) {
    size_t bytes = shape_count(shape);
    bool fits = memory_multiply(bytes, examples, &bytes) && memory_multiply(bytes, sizeof(Real), &bytes);
    return fits ? bytes : SIZE_MAX;
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

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

static void need(size_t *last, size_t item) {
    if (*last < item)
        *last = item;
}

/* A tensor that other groups touch is there as long as any group with one of the items runs, as each of these goes
 * through all slices. */
static size_t begin_of(const Planner *p, size_t item) {
    return p->plan->groups[p->group_of[item]].first;
}

static size_t end_of(const Planner *p, size_t item) {
    return item < p->plan->item_count ? p->plan->groups[p->group_of[item]].end - 1 : item;
}

/* A place for a tensor that `group` alone touches, in slices like those of `step`, or PLAN_SHARED. */
static Status add_tensor(Planner *p, const PlanStep *step, const Shape *shape, int group, size_t first, size_t last,
                         int *place) {
    bool local = group != PLAN_SHARED;
    return add_place(p, tensor_bytes(local ? step->op.n : p->plan->n, shape), local ? first : begin_of(p, first),
                     local ? last : end_of(p, last), place);
}

/* The value of each step: on its input's place where the operation can work in place and nobody needs the input any
 * more. */
static Status place_values(Planner *p) {
    Plan *plan = p->plan;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        if (step->op.kind == OP_LOSS)
            continue; /* its sums go to the gradient slab */
        int *place = &plan->value_place[step->output], input = step->inputs[0];
        size_t now = (size_t)p->item[s][PHASE_FORWARD], last = p->last_need[step->output];
        int group = p->value_group[step->output], shared = step->op.in_place ? plan->value_place[input] : -1;
        if (shared >= 0 && p->last_need[input] == now && p->value_group[input] == group) {
            *place = shared;
            need(&plan->places[shared].last, group == PLAN_SHARED ? end_of(p, last) : last);
        } else {
            TRY(add_tensor(p, step, &step->op.y, group, now, last, place));
        }
    }
    return STATUS_OK;
}

/* Whether the gradient of input k may lie on that of the output: elementwise operations, and what a batch norm adds. */
static bool may_take_place(const Planner *p, const PlanStep *step, size_t k) {
    bool suits = k == 0 ? step->op.in_place : k == 1 && step->op.kind == OP_BATCH_NORM;
    for (size_t i = k + 1; i < step->op.inputs; i++) /* adding to dy what is read from dy would not be a sum */
        suits = suits && step->inputs[i] != step->inputs[k];
    return suits && step->op.kind != OP_LOSS && p->plan->gradient_place[step->output] >= 0 &&
           p->gradient_group[step->inputs[k]] == p->gradient_group[step->output];
}

/* The gradients: the first step that writes one decides its place, the later ones add. */
static Status place_gradients(Planner *p) {
    Plan *plan = p->plan;
    for (size_t s = plan->step_count; s-- > 0;) {
        PlanStep *step = &plan->steps[s];
        for (size_t k = 0; k < step->op.inputs; k++) {
            if (!step->op.want_dx[k])
                continue;
            int input = step->inputs[k], *place = &plan->gradient_place[input], group = p->gradient_group[input];
            size_t now = (size_t)p->item[s][PHASE_BACKWARD];
            size_t last = (size_t)p->item[p->step_of[input]][PHASE_BACKWARD];
            step->buffers.dx_add[k] = *place >= 0;
            if (*place >= 0)
                continue;
            if (may_take_place(p, step, k)) {
                *place = plan->gradient_place[step->output];
                need(&plan->places[*place].last, group == PLAN_SHARED ? end_of(p, last) : last);
            } else {
                TRY(add_tensor(p, step, &plan->graph->nodes[input].op.y, group, now, last, place));
            }
        }
    }
    return STATUS_OK;
}

/* Both states of a step, and memory that suits both. */
static Status prepare_step(Planner *p, PlanStep *step, OpMemory *most) {
    const char *layer = p->plan->graph->nodes[step->node].layer;
    OpDesc less = step->op;
    OpMemory memory = {0};
    step->backend = backend_select(&step->op, p->options.backend);
    Status status = step->backend->prepare(&step->op, &step->state[0], most);
    if (status == STATUS_OK && p->plan->n % step->slices) {
        less.n--;
        status = step->backend->prepare(&less, &step->state[1], &memory);
    }
    need(&most->saved_bytes, memory.saved_bytes);
    need(&most->totals_bytes, memory.totals_bytes);
    need(&most->packed_bytes, memory.packed_bytes);
    need(&most->work_bytes, memory.work_bytes);
    return status == STATUS_OK ? status : status_context(status, "layer %s", layer);
}

static size_t aligned(size_t bytes) {
    return (bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
}

static Status place_backend_memory(Planner *p) {
    Plan *plan = p->plan;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        OpMemory memory = {0};
        const int *item = p->item[s];
        TRY(prepare_step(p, step, &memory));
        size_t first = (size_t)(item[PHASE_COLLECT] >= 0 ? item[PHASE_COLLECT] : item[PHASE_FORWARD]);
        size_t last = (size_t)(step->runs_backward ? item[PHASE_BACKWARD] : item[PHASE_FORWARD]);
        first = begin_of(p, first);
        last = end_of(p, last);
        step->saved_step = aligned(memory.saved_bytes);
        step->packed_step = aligned(memory.packed_bytes);
        if (memory.saved_bytes && step->op.training)
            TRY(add_place(p, step->saved_step * step->slices, first, last, &step->saved_place));
        if (memory.totals_bytes)
            TRY(add_place(p, memory.totals_bytes, first, last, &step->totals_place));
        if (memory.packed_bytes)
            TRY(add_place(p, step->packed_step * (step->state[1] ? 2 : 1), 0, plan->item_count, &step->packed_place));
        for (size_t phase = 0; phase < STEP_PHASES; phase++)
            if (memory.work_bytes && item[phase] >= 0)
                TRY(add_place(p, memory.work_bytes, (size_t)item[phase], (size_t)item[phase],
                              &step->work_place[phase]));
    }
    return STATUS_OK;
}

/* How far a slice is from the next. */
static void set_distances(Planner *p) {
    Plan *plan = p->plan;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        size_t y = shape_count(&step->op.y);
        step->y_step = step->op.kind != OP_LOSS && p->value_group[step->output] == PLAN_SHARED ? y : 0;
        step->dy_step = p->gradient_group[step->output] == PLAN_SHARED ? y : 0;
        for (size_t k = 0; k < step->op.inputs; k++) {
            int input = step->inputs[k];
            size_t x = shape_count(&step->op.x[k]);
            step->x_step[k] = plan__is_given(plan, input) || p->value_group[input] == PLAN_SHARED ? x : 0;
            step->dx_step[k] = p->gradient_group[input] == PLAN_SHARED ? x : 0;
        }
    }
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

/* Largest first, each at the lowest offset where nothing that is in use at the same time lies (the greedy-by-size rule
 * of Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020). */
static Status assign_offsets(Plan *plan) {
    PlanPlace **order, **near;
    plan->arena_bytes = MEMORY_ALIGN;
    TRY(memory_new(&order, 2 * plan->place_count, "plan"));
    near = order + plan->place_count;
    for (size_t i = 0; i < plan->place_count; i++)
        order[i] = &plan->places[i];
    qsort(order, plan->place_count, sizeof *order, by_size);
    for (size_t i = 0; i < plan->place_count; i++) {
        size_t count = 0, offset = MEMORY_ALIGN; /* the executor has the first bytes */
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

/* ---- gradients of parameters, patches ---------------------------------------------------------------------------- */

/* Of several steps that share a parameter the first to run writes, the others add; statistics are written when they are
 * collected. */
static void set_accumulation(Planner *p, int *seen) {
    Plan *plan = p->plan;
    const Graph *graph = plan->graph;
    for (size_t i = 0; i < plan->item_count; i++) {
        PlanItem item = plan->items[i];
        PlanStep *step = &plan->steps[item.step];
        bool collects = op_collects(&step->op);
        for (size_t k = 0; k < step->op.params; k++) {
            int param = plan->graph->nodes[step->node].params[k];
            if (!step->op.want_dw[k])
                continue;
            StepPhase writes = graph->params[param].spec.role == PARAM_STATISTIC ? PHASE_COLLECT
                               : collects                                        ? PHASE_COLLECT_BACKWARD
                                                                                 : PHASE_BACKWARD;
            if (item.phase == writes)
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
            int param = graph->nodes[step->node].params[k];
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
        const Node *node = &graph->nodes[step->node];
        for (size_t k = 0; k < step->op.inputs; k++)
            for (size_t i = 0; i < graph->input_count; i++)
                if (graph->inputs[i] == step->inputs[k])
                    add_patch(plan->input_patches, &plan->input_patch_count, &step->buffers.x[k], i);
        for (size_t k = 0; k < step->op.inputs; k++)
            if (plan->part.from && plan->part.from == step->inputs[k])
                add_patch(plan->input_patches, &plan->input_patch_count, &step->buffers.x[k], graph->input_count);
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

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static Status build(Planner *p) {
    Plan *plan = p->plan;
    size_t nodes = plan->graph->node_count;
    int *seen;
    TRY(memory_new(&plan->root, nodes, "plan"));
    TRY(memory_new(&plan->value_place, nodes, "plan"));
    TRY(memory_new(&plan->gradient_place, nodes, "plan"));
    TRY(memory_new(&p->step_of, nodes, "plan"));
    TRY(memory_new(&p->uses, nodes, "plan"));
    TRY(memory_new(&p->value_group, nodes, "plan"));
    TRY(memory_new(&p->gradient_group, nodes, "plan"));
    TRY(memory_new(&p->backward_group, nodes, "plan"));
    TRY(memory_new(&p->last_need, nodes, "plan"));
    TRY(plan__make_steps(p));
    TRY(plan__schedule(p));
    for (size_t i = 0; i < nodes; i++)
        plan->value_place[i] = plan->gradient_place[i] = -1;
    for (size_t s = 0; s < plan->step_count; s++) {
        PlanStep *step = &plan->steps[s];
        step->saved_place = step->totals_place = step->packed_place = -1;
        memset(step->work_place, 0xff, sizeof step->work_place); /* -1 */
    }
    p->place_room =
        plan->step_count * (5 + STEP_PHASES) + 1; /* value, gradient, saved, totals, packed, scratches, and a
                                                                 second gradient */
    TRY(memory_new(&plan->places, p->place_room, "plan"));
    TRY(place_values(p));
    TRY(place_gradients(p));
    TRY(place_backend_memory(p));
    TRY(assign_offsets(plan));
    set_distances(p);
    TRY(memory_new(&seen, plan->graph->param_count, "plan"));
    set_accumulation(p, seen);
    memory_free(seen);
    set_prefixes(plan);
    return make_patches(plan);
}

Status plan_create(const Graph *graph, Pass pass, size_t n, const PlanOptions *options, Plan **out) {
    Planner planner = {.options = options ? *options : (PlanOptions){0}};
    CHECK(graph->finished && n > 0, "plan of %zu examples", n);
    CHECK(!planner.options.part.to || pass == PASS_PREDICT, "pass %d to an inner node", (int)pass);
    TRY(memory_new(out, 1, "plan"));
    planner.plan = *out;
    planner.plan->graph = graph;
    planner.plan->pass = pass;
    planner.plan->n = n;
    planner.plan->part = planner.options.part;
    Status status = build(&planner);
    memory_free(planner.planned);
    memory_free(planner.step_of);
    memory_free(planner.uses);
    memory_free(planner.item);
    memory_free(planner.group_of);
    memory_free(planner.value_group);
    memory_free(planner.gradient_group);
    memory_free(planner.backward_group);
    memory_free(planner.again);
    memory_free(planner.last_need);
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
        for (size_t i = 0; i < 2 && plan->steps[s].backend; i++)
            plan->steps[s].backend->release(plan->steps[s].state[i]);
    memory_free(plan->steps);
    memory_free(plan->items);
    memory_free(plan->groups);
    memory_free(plan->places);
    memory_free(plan->root);
    memory_free(plan->value_place);
    memory_free(plan->gradient_place);
    memory_free(plan->input_patches);
    memory_free(plan->gradient_patches);
    memory_free(plan);
}
