/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/graph.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

Status graph_create(Graph **out) {
    return memory_new(out, 1, "graph");
}

static void free_spec(ParamSpec *spec) {
    memory_free((char *)spec->layer);
    memory_free((char *)spec->name);
    memory_free((double *)spec->values);
}

void graph_destroy(Graph *graph) {
    if (graph == NULL)
        return;
    for (size_t i = 0; i < graph->node_count; i++)
        memory_free(graph->nodes[i].layer);
    for (size_t i = 0; i < graph->param_count; i++)
        free_spec(&graph->params[i].spec);
    for (size_t i = 0; i < graph->output_count; i++)
        memory_free(graph->outputs[i].name);
    for (size_t i = 0; i < graph->input_count; i++)
        memory_free(graph->input_names[i]);
    memory_free(graph->nodes);
    memory_free(graph->params);
    memory_free(graph->outputs);
    memory_free(graph->inputs);
    memory_free(graph->input_names);
    memory_free(graph->losses);
    memory_free(graph);
}

static Status add_node(Graph *graph, const char *layer, const OpDesc *op, int *index) {
    CHECK(!graph->finished, "layer %s added to a finished graph", layer);
    TRY(memory_grow(&graph->nodes, graph->node_count, 1, "graph"));
    Node *node = &graph->nodes[graph->node_count];
    *node = (Node){.op = *op};
    TRY(memory_strdup(layer, &node->layer));
    *index = (int)graph->node_count++;
    return STATUS_OK;
}

Status graph_input(Graph *graph, const char *name, Shape shape, int *node) {
    OpDesc op = {.kind = OP_INPUT, .y = shape};
    Status status = op_shape(&op);
    if (status != STATUS_OK)
        return status_context(status, "input %s", name);
    TRY(add_node(graph, name, &op, node));
    TRY(memory_grow(&graph->inputs, graph->input_count, 1, "graph"));
    TRY(memory_grow(&graph->input_names, graph->input_count, 1, "graph"));
    TRY(memory_strdup(name, &graph->input_names[graph->input_count]));
    graph->inputs[graph->input_count++] = *node;
    return STATUS_OK;
}

Status graph_param(Graph *graph, const ParamSpec *spec, int *index) {
    CHECK(!graph->finished, "parameter %s added to a finished graph", spec->name);
    TRY(memory_grow(&graph->params, graph->param_count, 1, "graph"));
    Param *param = &graph->params[graph->param_count];
    *param = (Param){.spec = *spec, .count = shape_count(&spec->shape), .declared = spec->role};
    param->spec.layer = param->spec.name = NULL;
    param->spec.values = NULL;
    Status status = memory_strdup(spec->layer, (char **)&param->spec.layer);
    if (status == STATUS_OK)
        status = memory_strdup(spec->name, (char **)&param->spec.name);
    if (status == STATUS_OK && spec->values) {
        status = memory_new((double **)&param->spec.values, param->count, "graph");
        if (status == STATUS_OK)
            memcpy((double *)param->spec.values, spec->values, param->count * sizeof *spec->values);
    }
    if (status != STATUS_OK) {
        free_spec(&param->spec);
        return status;
    }
    *index = (int)graph->param_count++;
    return STATUS_OK;
}

Status graph_op(Graph *graph, const char *layer, const OpDesc *op, size_t input_count, const int *inputs,
                size_t param_count, const int *params, int *node) {
    if (input_count > OP_MAX_INPUTS)
        return status_fail(STATUS_FAILED, "layer %s: %zu inputs; at most %d are supported", layer, input_count,
                           OP_MAX_INPUTS);
    CHECK(param_count <= OP_MAX_PARAMS, "layer %s: %zu parameters", layer, param_count);
    OpDesc full = *op;
    full.n = 0;
    full.inputs = input_count;
    full.params = param_count;
    for (size_t i = 0; i < input_count; i++) {
        CHECK(inputs[i] >= 0 && (size_t)inputs[i] < graph->node_count, "layer %s: input node %d", layer, inputs[i]);
        full.x[i] = graph->nodes[inputs[i]].op.y;
    }
    for (size_t i = 0; i < param_count; i++) {
        full.has_w[i] = params[i] >= 0;
        if (params[i] >= 0)
            full.w[i] = graph->params[params[i]].spec.shape;
    }
    Status status = op_shape(&full);
    if (status != STATUS_OK)
        return status_context(status, "layer %s (%s)", layer, op_name(op->kind));
    int index; /* `node` may point to one of the inputs */
    TRY(add_node(graph, layer, &full, &index));
    Node *made = &graph->nodes[index];
    for (size_t i = 0; i < input_count; i++)
        made->inputs[i] = inputs[i];
    for (size_t i = 0; i < OP_MAX_PARAMS; i++)
        made->params[i] = i < param_count ? params[i] : -1;
    if (full.kind == OP_LOSS) {
        TRY(memory_grow(&graph->losses, graph->loss_count, 1, "graph"));
        graph->losses[graph->loss_count++] = index;
    }
    *node = index;
    return STATUS_OK;
}

Shape graph_shape(const Graph *graph, int node) {
    return graph->nodes[node].op.y;
}

Status graph_output(Graph *graph, const char *name, int node) {
    TRY(memory_grow(&graph->outputs, graph->output_count, 1, "graph"));
    TRY(memory_strdup(name, &graph->outputs[graph->output_count].name));
    graph->outputs[graph->output_count++].node = node;
    return STATUS_OK;
}

int graph_find_input(const Graph *graph, const char *name) {
    for (size_t i = 0; i < graph->input_count; i++)
        if (strcmp(graph->input_names[i], name) == 0)
            return graph->inputs[i];
    return -1;
}

int graph_find_output(const Graph *graph, const char *name) {
    for (size_t i = 0; i < graph->output_count; i++)
        if (strcmp(graph->outputs[i].name, name) == 0)
            return graph->outputs[i].node;
    return -1;
}

/* Which nodes each pass runs: the ancestors of the losses, and of the outputs. */
static void mark_passes(Graph *graph) {
    for (size_t i = 0; i < graph->loss_count; i++)
        graph->nodes[graph->losses[i]].in_training = true;
    for (size_t i = 0; i < graph->output_count; i++)
        graph->nodes[graph->outputs[i].node].in_prediction = true;
    for (size_t i = graph->node_count; i-- > 0;) {
        Node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->op.inputs; k++) {
            Node *input = &graph->nodes[node->inputs[k]];
            input->in_training |= node->in_training;
            input->in_prediction |= node->in_prediction;
        }
    }
    for (size_t i = 0; i < graph->node_count; i++)
        graph->nodes[i].in_evaluation = graph->nodes[i].in_training;
}

/* Uses of each parameter in training; statistics that nobody writes in this run do not move. */
static void mark_params(Graph *graph) {
    for (size_t i = 0; i < graph->node_count; i++) {
        const Node *node = &graph->nodes[i];
        bool frozen = node->op.kind == OP_BATCH_NORM && node->op.attr.norm.frozen;
        for (size_t k = 0; k < node->op.params; k++)
            if (node->params[k] >= 0) {
                Param *param = &graph->params[node->params[k]];
                param->uses += node->in_training && !(frozen && param->spec.role == PARAM_STATISTIC);
            }
    }
    for (size_t p = 0; p < graph->param_count; p++)
        if (graph->params[p].spec.role == PARAM_STATISTIC && graph->params[p].uses == 0)
            graph->params[p].spec.role = PARAM_FROZEN;
}

static void mark_gradients(Graph *graph) {
    for (size_t i = 0; i < graph->node_count; i++) {
        Node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->op.inputs; k++)
            node->needs_gradient |= graph->nodes[node->inputs[k]].needs_gradient;
        for (size_t k = 0; k < node->op.params; k++)
            node->needs_gradient |= node->params[k] >= 0 && graph->params[node->params[k]].spec.role == PARAM_TRAINED;
        node->needs_gradient &= node->in_training;
    }
}

static size_t aligned(size_t count) {
    return (count + GRAPH_SPAN_ALIGN - 1) / GRAPH_SPAN_ALIGN * GRAPH_SPAN_ALIGN;
}

static void place(Param *param, size_t *end) {
    param->offset = *end;
    *end += aligned(param->count);
}

/* The gradient of a parameter is final once backward has passed the first node that uses it: parameters are placed when
 * a walk in backward order meets their last use.  Unused ones follow. */
static Status place_params(Graph *graph) {
    size_t *left, end = 0;
    TRY(memory_new(&left, graph->param_count, "graph"));
    for (size_t p = 0; p < graph->param_count; p++)
        left[p] = graph->params[p].uses;
    for (size_t i = graph->node_count; i-- > 0;) {
        const Node *node = &graph->nodes[i];
        for (size_t k = 0; node->in_training && k < node->op.params; k++) {
            int p = node->params[k];
            if (p >= 0 && graph->params[p].spec.role == PARAM_TRAINED && --left[p] == 0)
                place(&graph->params[p], &end);
        }
    }
    memory_free(left);
    for (size_t p = 0; p < graph->param_count; p++)
        if (graph->params[p].spec.role == PARAM_TRAINED && graph->params[p].uses == 0)
            place(&graph->params[p], &end);
    graph->trained_count = end;
    for (size_t p = 0; p < graph->param_count; p++)
        if (graph->params[p].spec.role == PARAM_STATISTIC)
            place(&graph->params[p], &end);
    graph->statistic_count = end - graph->trained_count;
    graph->sums_offset = end;
    for (size_t i = 0; i < graph->loss_count; i++)
        graph->nodes[graph->losses[i]].sums_offset = end + i * LOSS_SUMS;
    graph->gradient_count = end + aligned(graph->loss_count * LOSS_SUMS);
    for (size_t p = 0; p < graph->param_count; p++)
        if (graph->params[p].spec.role != PARAM_TRAINED && graph->params[p].spec.role != PARAM_STATISTIC)
            place(&graph->params[p], &end);
    graph->weight_count = end;
    return STATUS_OK;
}

Status graph_finish(Graph *graph) {
    CHECK(!graph->finished, "graph finished twice");
    mark_passes(graph);
    mark_params(graph);
    mark_gradients(graph);
    TRY(place_params(graph));
    graph->finished = true;
    return STATUS_OK;
}

void graph_initialize(const Graph *graph, uint64_t seed, Real *weights) {
    for (size_t p = 0; p < graph->param_count; p++) {
        const Param *param = &graph->params[p];
        RngKey key = rng_key(seed, RNG_INIT, rng_hash(param->spec.layer), rng_hash(param->spec.name));
        if (param->spec.values == NULL)
            initializer_fill(&param->spec.init, &param->spec.shape, key, weights + param->offset);
        for (size_t k = 0; param->spec.values && k < param->count; k++)
            weights[param->offset + k] = (Real)param->spec.values[k];
    }
}
