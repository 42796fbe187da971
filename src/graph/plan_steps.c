/* SPDX-License-Identifier: Apache-2.0
 *
 * Which operations a plan runs.  A tensor that only one elementwise operation reads need not be: the operation that
 * makes it does that one's work too, and a pass over memory is saved.
 *
 *     convolutions, dense, batch_norm, add  then ReLU                 one step with op.relu
 *     batch_norm then add                                             batch_norm with a second input
 *
 * A softmax before a cross-entropy is left out when the graph is built (model/model.h). */
#include "base/memory.h"
#include "graph/plan_internal.h"
#include <math.h>

bool plan__delivers(const Plan *plan, int node) {
    const Graph *graph = plan->graph;
    bool delivers = plan->part.to && node == plan->part.to;
    for (size_t i = 0; plan->pass == PASS_PREDICT && !plan->part.to && i < graph->output_count; i++)
        delivers = delivers || graph->outputs[i].node == node;
    return delivers;
}

/* Backwards from what the pass is there for to the inputs, or to part.from. */
static void find_planned(Planner *p) {
    const Plan *plan = p->plan;
    const Graph *graph = plan->graph;
    for (size_t i = graph->node_count; i-- > 0;) {
        const Node *node = &graph->nodes[i];
        bool loss = node->op.kind == OP_LOSS && plan->pass != PASS_PREDICT;
        p->planned[i] = p->planned[i] || loss || plan__delivers(plan, (int)i);
        for (size_t k = 0; p->planned[i] && !plan__is_given(plan, (int)i) && k < node->op.inputs; k++)
            p->planned[node->inputs[k]] = true;
    }
}

/* Does the step that uses the parameter write its place in the gradient slab? */
static bool changes(const Graph *graph, int param) {
    return param >= 0 &&
           (graph->params[param].spec.role == PARAM_TRAINED || graph->params[param].spec.role == PARAM_STATISTIC);
}

/* A part that leaves out what trains would leave holes in the gradient slab. */
static void check_part(const Planner *p) {
    const Graph *graph = p->plan->graph;
    for (size_t i = 0; p->plan->pass == PASS_TRAIN && i < graph->node_count; i++) {
        const Node *node = &graph->nodes[i];
        bool made = p->planned[i] && !plan__is_given(p->plan, (int)i);
        for (size_t k = 0; node->in_training && k < node->op.params; k++)
            CHECK(made || !changes(graph, node->params[k]), "layer %s is trained, but not planned", node->layer);
    }
}

static void count_uses(Planner *p) {
    const Graph *graph = p->plan->graph;
    for (size_t i = 0; i < graph->node_count; i++) {
        for (size_t k = 0; p->planned[i] && !plan__is_given(p->plan, (int)i) && k < graph->nodes[i].op.inputs; k++)
            p->uses[graph->nodes[i].inputs[k]]++;
        p->uses[i] += plan__delivers(p->plan, (int)i);
    }
}

/* The step that makes the value of `node` for one reader alone, which may then be fused with it; or NULL.  A reshape in
 * between is no matter to what works on single elements. */
static PlanStep *only_for_reader(const Planner *p, int node) {
    const Node *nodes = p->plan->graph->nodes;
    while (nodes[node].op.kind == OP_RESHAPE && p->uses[node] == 1 && !plan__is_given(p->plan, node))
        node = nodes[node].inputs[0];
    return p->uses[node] == 1 && p->step_of[node] >= 0 ? &p->plan->steps[p->step_of[node]] : NULL;
}

static void extend(Planner *p, PlanStep *step, int node) {
    p->step_of[step->output] = -1;
    p->step_of[node] = (int)(step - p->plan->steps);
    step->output = node;
}

static bool fuse_relu(Planner *p, int i) {
    const Node *node = &p->plan->graph->nodes[i];
    const ActivationAttr *a = &node->op.attr.activation;
    if (node->op.kind != OP_ACTIVATION || a->kind != ACTIVATION_RELU || a->slope != 0 || a->threshold != 0 ||
        !(a->max_value > 0))
        return false;
    PlanStep *step = only_for_reader(p, node->inputs[0]);
    if (!step || step->op.relu)
        return false;
    switch (step->op.kind) {
    case OP_CONV2D:
    case OP_CONV2D_TRANSPOSE:
    case OP_CONV3D:
    case OP_DENSE:
    case OP_BATCH_NORM:
    case OP_ADD:
        step->op.relu = step->op.keeps_y = true;
        step->op.relu_max = a->max_value;
        extend(p, step, i);
        return true;
    default:
        return false;
    }
}

/* Of a + b, b is made by a batch norm behind which all is there to add a. */
static bool fuse_residual(Planner *p, int i) {
    const Node *node = &p->plan->graph->nodes[i];
    if (node->op.kind != OP_ADD || node->op.inputs != 2 || !shape_equal(&node->op.x[0], &node->op.x[1]))
        return false;
    for (int k = 0; k < 2; k++) {
        int other = p->plan->root[node->inputs[1 - k]];
        PlanStep *step = only_for_reader(p, node->inputs[k]);
        if (!step || step->op.kind != OP_BATCH_NORM || step->op.inputs != 1 || step->op.relu ||
            step->op.x[0].rank == 0 || !shape_equal(&step->op.y, &node->op.y) ||
            p->step_of[other] >= step - p->plan->steps)
            continue;
        step->op.inputs = 2;
        step->op.x[1] = step->op.x[0];
        step->inputs[1] = other;
        extend(p, step, i);
        return true;
    }
    return false;
}

static void add_step(Planner *p, int i) {
    Plan *plan = p->plan;
    const Node *node = &plan->graph->nodes[i];
    p->step_of[i] = (int)plan->step_count;
    PlanStep *step = &plan->steps[plan->step_count++];
    step->node = step->output = i;
    step->op = node->op;
    for (size_t k = 0; k < node->op.inputs; k++)
        step->inputs[k] = plan->root[node->inputs[k]];
}

/* Does training mean no more to the operation than to save what its backward pass needs?  Before the frozen front ends
 * it is that of evaluation then. */
static bool only_saves(const OpDesc *op) {
    switch (op->kind) {
    case OP_CONV2D:
    case OP_CONV2D_TRANSPOSE:
    case OP_CONV3D:
    case OP_DENSE:
    case OP_MAX_POOL2D:
    case OP_LAYER_NORM:
    case OP_GROUP_NORM:
        return true;
    default:
        return op->kind == OP_BATCH_NORM && op->attr.norm.frozen;
    }
}

static void complete_op(const Planner *p, PlanStep *step) {
    const Graph *graph = p->plan->graph;
    const Node *node = &graph->nodes[step->node];
    OpDesc *op = &step->op;
    op->batch = p->plan->n;
    bool training = p->plan->pass == PASS_TRAIN;
    op->backend = p->options.backend;
    op->winograd = p->options.winograd == WINOGRAD_AUTO;
    step->runs_backward = training && graph->nodes[step->output].needs_gradient;
    op->training = training && (step->runs_backward || !only_saves(op));
    if (op->kind == OP_BATCH_NORM && !step->runs_backward && !op_collects(op))
        op->in_place = true; /* nobody reads x again */
    for (size_t k = 0; k < op->inputs; k++)
        op->want_dx[k] = step->runs_backward && graph->nodes[step->inputs[k]].needs_gradient;
    for (size_t k = 0; k < op->params; k++)
        op->want_dw[k] = training && changes(graph, node->params[k]);
}

Status plan__make_steps(Planner *p) {
    Plan *plan = p->plan;
    const Graph *graph = plan->graph;
    TRY(memory_new(&plan->steps, graph->node_count, "plan"));
    TRY(memory_new(&p->planned, graph->node_count, "plan"));
    find_planned(p);
    check_part(p);
    count_uses(p);
    for (size_t i = 0; i < graph->node_count; i++) {
        const Node *node = &graph->nodes[i];
        bool given = plan__is_given(plan, (int)i);
        plan->root[i] = node->op.kind == OP_RESHAPE && !given ? plan->root[node->inputs[0]] : (int)i;
        p->step_of[i] = -1;
        if (p->planned[i] && !given && node->op.kind != OP_RESHAPE && !fuse_relu(p, (int)i) &&
            !fuse_residual(p, (int)i))
            add_step(p, (int)i);
    }
    for (size_t s = 0; s < plan->step_count; s++)
        complete_op(p, &plan->steps[s]);
    return STATUS_OK;
}
