/* SPDX-License-Identifier: Apache-2.0 */
#include "train/grad_cam.h"
#include "base/memory.h"
#include "train/replica.h"
#include <math.h>
#include <string.h>

/* The node of the scores: what a final softmax or sigmoid reads, else the output itself. */
static int score_node(const Graph *graph) {
    int node = graph->outputs[0].node;
    const OpDesc *op = &graph->nodes[node].op;
    bool squashed =
        op->kind == OP_SOFTMAX || (op->kind == OP_ACTIVATION && op->attr.activation.kind == ACTIVATION_SIGMOID);
    return squashed ? graph->nodes[node].inputs[0] : node;
}

int grad_cam_node(const Graph *graph) {
    const Shape *maps = NULL;
    int found = -1, end = graph->outputs[0].node;
    bool leads[end + 1]; /* to the first output */
    memset(leads, 0, sizeof leads);
    leads[end] = true;
    for (int i = end; i > 0; i--)
        for (size_t k = 0; leads[i] && k < graph->nodes[i].op.inputs; k++)
            leads[graph->nodes[i].inputs[k]] = true;
    for (int i = 0; i <= end; i++) {
        const OpDesc *op = &graph->nodes[i].op;
        if (op->kind == OP_CONV2D && leads[i] && op->y.dim[0] * op->y.dim[1] > 1)
            maps = &op->y;
    }
    for (int i = 0; maps && i <= end; i++) {
        const Shape *y = &graph->nodes[i].op.y;
        if (leads[i] && y->rank == 3 && y->dim[0] == maps->dim[0] && y->dim[1] == maps->dim[1])
            found = i;
    }
    return found;
}

/* ---- the copy ---------------------------------------------------------------------------------------------------- */

/* A copy of the network up to its scores, with the parameter b behind node `tap`. */
typedef struct Copy {
    Graph *graph;
    int *nodes; /* of the copy, per node of the original */
    int b;      /* parameter */
} Copy;

/* y = x + b per channel: a batch norm of mean 0 and variance 1. */
static Status add_tap(Copy *copy, int *node) {
    Shape channels = SHAPE(copy->graph->nodes[*node].op.y.dim[2]);
    const OpDesc op = {.kind = OP_BATCH_NORM, .attr.norm = {.frozen = true}};
    ParamSpec spec = {.layer = "grad-cam", .name = "b", .shape = channels, .role = PARAM_TRAINED};
    int params[4] = {-1};
    spec.init = (Initializer){.kind = INIT_CONSTANT};
    TRY(graph_param(copy->graph, &spec, &params[1]));
    spec.role = PARAM_FIXED;
    spec.name = "mean";
    TRY(graph_param(copy->graph, &spec, &params[2]));
    spec.name = "variance";
    spec.init.a = 1;
    TRY(graph_param(copy->graph, &spec, &params[3]));
    copy->b = params[1];
    return graph_op(copy->graph, "grad-cam", &op, 1, node, 4, params, node);
}

static Status copy_node(Copy *copy, const Graph *from, int i) {
    const Node *node = &from->nodes[i];
    OpDesc op = {.kind = node->op.kind, .attr = node->op.attr};
    int inputs[OP_MAX_INPUTS];
    if (op.kind == OP_INPUT)
        return graph_input(copy->graph, "x", node->op.y, &copy->nodes[i]);
    if (op.kind == OP_DROPOUT) { /* in prediction it does nothing */
        copy->nodes[i] = copy->nodes[node->inputs[0]];
        return STATUS_OK;
    }
    if (op.kind == OP_BATCH_NORM)
        op.attr.norm.frozen = true;
    for (size_t k = 0; k < node->op.inputs; k++)
        inputs[k] = copy->nodes[node->inputs[k]];
    return graph_op(copy->graph, node->layer, &op, node->op.inputs, inputs, node->op.params, node->params,
                    &copy->nodes[i]);
}

/* The loss mean((z - y)^2), whose gradient is 2 (z - y) / count. */
static Status add_loss(Copy *copy, int scores) {
    const OpDesc op = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    int inputs[2] = {scores}, node;
    TRY(graph_input(copy->graph, "y", graph_shape(copy->graph, scores), &inputs[1]));
    return graph_op(copy->graph, "grad-cam", &op, 2, inputs, 0, NULL, &node);
}

static Status make_copy(const Graph *from, int tap, Copy *copy) {
    int scores = score_node(from), unused;
    TRY(memory_new(&copy->nodes, from->node_count, "grad-cam"));
    TRY(graph_create(&copy->graph));
    for (size_t p = 0; p < from->param_count; p++) {
        ParamSpec spec = from->params[p].spec;
        spec.role = PARAM_FIXED;
        TRY(graph_param(copy->graph, &spec, &unused));
    }
    for (int i = 0; i <= scores; i++) {
        if (!from->nodes[i].in_prediction)
            continue;
        TRY(copy_node(copy, from, i));
        if (i == tap)
            TRY(add_tap(copy, &copy->nodes[i]));
    }
    TRY(add_loss(copy, copy->nodes[scores]));
    return graph_finish(copy->graph);
}

/* ---- running it -------------------------------------------------------------------------------------------------- */

/* The observer keeps the scores. */
static void keep_scores(void *user, size_t loss, const OpDesc *op, size_t n, const Real *prediction,
                        const Real *label) {
    (void)loss, (void)n, (void)label;
    memcpy(user, prediction, shape_count(&op->x[0]) * sizeof(Real));
}

static void copy_weights(const Graph *from, const Real *weights, const Copy *copy, Real *to) {
    graph_initialize(copy->graph, 0, to);
    for (size_t p = 0; p < from->param_count; p++)
        memcpy(to + copy->graph->params[p].offset, weights + from->params[p].offset,
               from->params[p].count * sizeof(Real));
}

/* *score = z[class], and sums[k] = sum over places of dz[class] / dA[.][.][k]. */
static Status backward(const Copy *copy, Replica *replica, const Real *x, size_t class, double *score, Real **sums) {
    const Graph *graph = copy->graph;
    size_t count = shape_count(&graph->nodes[graph->inputs[1]].op.y);
    double sign = count == 1 && class == 0 ? -1 : 1;
    size_t which = count == 1 ? 0 : class;
    Real *z = NULL, *y = NULL, *gradients = NULL;
    Status status = memory_new(&z, count, "scores");
    if (status == STATUS_OK)
        status = memory_new(&y, count, "scores");
    if (status == STATUS_OK)
        status = memory_new(&gradients, graph->gradient_count, "gradients");
    if (status == STATUS_OK) {
        Plan *plan = replica_plan(replica, PASS_TRAIN, 1);
        const Real *inputs[2] = {x, y};
        ExecutorRun run = {.inputs = inputs,
                           .gradients =
                               gradients, /* weights_version 0: the second pass packs weights, for its backward pass */
                           .observer = keep_scores,
                           .observer_user = z};
        executor_forward(plan, &run); /* for the scores */
        memcpy(y, z, count * sizeof *y);
        y[which] = (Real)((double)z[which] - sign * (double)count / 2);
        executor_forward(plan, &run);
        executor_backward(plan, &run, NULL, NULL);
        *score = sign * (double)z[which];
        memmove(gradients, gradients + graph->params[copy->b].offset, graph->params[copy->b].count * sizeof *gradients);
        *sums = gradients;
        gradients = NULL;
    }
    memory_free(z);
    memory_free(y);
    memory_free(gradients);
    return status;
}

/* The maps of node `node`. */
static Status forward(Replica *replica, const Real *x, int node, const Real **maps) {
    Plan *plan = replica_plan_part(replica, PASS_PREDICT, 1, (PlanPart){.to = node});
    const Real *inputs[2] = {x, NULL};
    ExecutorRun run = {.inputs = inputs};
    executor_forward(plan, &run);
    *maps = executor_value(plan, &run, node);
    return STATUS_OK;
}

static Status sum_maps(const Shape *shape, const Real *maps, const Real *sums, GradCam *out) {
    size_t places = shape->dim[0] * shape->dim[1], channels = shape->dim[2];
    out->height = shape->dim[0];
    out->width = shape->dim[1];
    TRY(memory_new(&out->map, places, "map"));
    for (size_t i = 0; i < places; i++) {
        double sum = 0;
        for (size_t k = 0; k < channels; k++)
            sum += (double)sums[k] / (double)places * (double)maps[i * channels + k];
        out->map[i] = fmax(0, sum);
    }
    return STATUS_OK;
}

static Status run_copy(const Graph *from, const Real *weights, const Copy *copy, Replica *replica, const Real *x,
                       int node, size_t class, GradCam *out) {
    const Real *maps;
    Real *sums = NULL;
    int place = copy->nodes[node]; /* behind b, which is 0 */
    TRY(replica_prepare(replica, PASS_TRAIN, 1));
    TRY(replica_prepare_part(replica, PASS_PREDICT, 1, (PlanPart){.to = place}));
    TRY(replica_ready(replica));
    copy_weights(from, weights, copy, replica->weights);
    Status status = backward(copy, replica, x, class, &out->score, &sums);
    if (status == STATUS_OK)
        status = forward(replica, x, place, &maps);
    if (status == STATUS_OK)
        status = sum_maps(&from->nodes[node].op.y, maps, sums, out);
    memory_free(sums);
    return status;
}

static Status fail_maps(const Graph *graph, int node) {
    return status_fail(STATUS_USAGE, "layer %s has no maps [height, width, channels] on the way to the output",
                       graph->nodes[node].layer);
}

static Status check(const Graph *graph, int node, size_t class) {
    const Shape *maps = &graph->nodes[node].op.y, *output = &graph->nodes[graph->outputs[0].node].op.y;
    size_t count = shape_count(output), classes = count == 1 ? 2 : count;
    if (graph->input_count != 1)
        return status_fail(STATUS_USAGE, "Grad-CAM needs a network with one input; this has %zu", graph->input_count);
    if (output->rank > 1)
        return status_fail(STATUS_USAGE, "Grad-CAM needs a network that gives one score for each class");
    if (class >= classes)
        return status_fail(STATUS_USAGE, "class %zu: the network tells %zu classes apart, 0 to %zu", class, classes,
                           classes - 1);
    if (maps->rank != 3 || node > score_node(graph) || !graph->nodes[node].in_prediction)
        return fail_maps(graph, node);
    return STATUS_OK;
}

Status grad_cam(const Graph *graph, const Real *weights, const Real *x, int node, size_t class,
                const PlanOptions *options, GradCam *out) {
    Copy copy = {.graph = NULL};
    Replica *replica = NULL;
    *out = (GradCam){.map = NULL};
    TRY(check(graph, node, class));
    Status status = make_copy(graph, node, &copy);
    if (status == STATUS_OK && !copy.graph->nodes[copy.nodes[score_node(graph)]].needs_gradient)
        status = fail_maps(graph, node);
    if (status == STATUS_OK)
        status = replica_create(copy.graph, options ? *options : (PlanOptions){.backend = NULL}, &replica);
    if (status == STATUS_OK)
        status = run_copy(graph, weights, &copy, replica, x, node, class, out);
    replica_destroy(replica);
    graph_destroy(copy.graph);
    memory_free(copy.nodes);
    return status;
}
