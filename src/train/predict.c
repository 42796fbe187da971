/* SPDX-License-Identifier: Apache-2.0 */
#include "train/predict.h"
#include "base/memory.h"
#include "train/evaluate.h"
#include "train/freeze.h"
#include <string.h>

/* ---- opening -------------------------------------------------------------------------------------------------------- */

int predict_embedding_node(const Graph *graph) {
    int node = graph->outputs[0].node;
    const OpDesc *end = &graph->nodes[node].op;
    bool classifies =
        end->kind == OP_SOFTMAX || (end->kind == OP_ACTIVATION && end->attr.activation.kind == ACTIVATION_SIGMOID);
    for (int i = node; classifies && graph->nodes[i].op.inputs > 0; i = graph->nodes[i].inputs[0])
        if (graph->nodes[i].op.params > 0)
            return graph->nodes[i].inputs[0] > 0 ? graph->nodes[i].inputs[0] : node;
    return node;
}

static Status choose_node(const PredictOptions *options, const int *layer_nodes, Predictor *p) {
    const Graph *graph = p->trained.setup.graph;
    const Model *model = p->trained.setup.model;
    int layer = options->layer[0] ? model_find_layer(model, options->layer) : -1;
    if (options->layer[0] && layer < 0)
        return freeze_unknown(model, "layer", options->layer);
    if (layer < 0 && graph->output_count > 1)
        return status_fail(STATUS_USAGE, "network %s has %zu outputs: say which one with --layer %s", model->name,
                           graph->output_count, graph->outputs[0].name);
    p->node = layer >= 0           ? layer_nodes[layer]
              : options->embedding ? predict_embedding_node(graph)
                                   : graph->outputs[0].node;
    if (p->node == 0)
        return status_fail(STATUS_USAGE, "--layer %s is the input of network %s", options->layer, model->name);
    p->shape = graph_shape(graph, p->node);
    p->width = shape_count(&p->shape);
    return STATUS_OK;
}

/* The graph, and plans that end at the chosen node. */
static Status prepare(const PredictOptions *options, int *layer_nodes, Predictor *p) {
    Trained *t = &p->trained;
    TRY(setup_graph_to_predict(&t->setup, layer_nodes));
    TRY(choose_node(options, layer_nodes, p));
    TRY(replica_create(t->setup.graph, t->plan, &t->replica));
    TRY(evaluate_prepare_part(t->replica, PASS_PREDICT, t->view.count, (PlanPart){.to = p->node}));
    return replica_ready(t->replica);
}

Status predict_open(Dist *dist, const PredictOptions *options, Predictor *out) {
    int *layer_nodes = NULL;
    *out = (Predictor){0};
    TRY(trained_open(dist, options->trained, &out->trained));
    Status status = memory_new(&layer_nodes, out->trained.setup.model->layer_count, "network");
    if (status == STATUS_OK)
        status = prepare(options, layer_nodes, out);
    memory_free(layer_nodes);
    TRY(dist_agree(dist, status));
    return trained_load(&out->trained);
}

void predict_close(Predictor *p) {
    trained_close(&p->trained);
    *p = (Predictor){0};
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

/* Memory of one block. */
typedef struct Block {
    size_t number, first, n; /* n == 0: none */
    Real *x, *values, **labels;
    const Real *result; /* after the run, until the next */
} Block;

static void free_block(const Predictor *p, Block *block) {
    for (size_t i = 0; block->labels && i < p->trained.setup.info->label_count; i++)
        memory_free(block->labels[i]);
    memory_free(block->labels);
    memory_free(block->values);
    memory_free(block->x);
}

static Status new_block(const Predictor *p, Block *block) {
    const DatasetInfo *info = p->trained.setup.info;
    size_t x, values;
    if (!memory_multiply(shape_count(&info->shape), EVALUATE_BLOCK, &x) ||
        !memory_multiply(p->width, EVALUATE_BLOCK, &values))
        x = values = SIZE_MAX;
    TRY(memory_new(&block->x, x, "examples of a block"));
    TRY(memory_new(&block->values, values, "results of a block"));
    TRY(memory_new(&block->labels, info->label_count, "labels of a block"));
    for (size_t i = 0; i < info->label_count; i++)
        TRY(memory_new(&block->labels[i], shape_count(&info->labels[i].shape) * EVALUATE_BLOCK, "labels of a block"));
    return STATUS_OK;
}

static void move_to(const Predictor *p, size_t number, Block *block) {
    SamplerPart part = {0};
    uint64_t count = p->trained.view.count;
    if (number < sampler_blocks(count, EVALUATE_BLOCK))
        part = sampler_block(count, EVALUATE_BLOCK, number);
    block->number = number;
    block->first = (size_t)part.first;
    block->n = (size_t)part.count;
}

/* Examples of the block, and their labels; x NULL: labels only. */
static Status read_block(const Predictor *p, Block *block, Real *x) {
    uint64_t rows[EVALUATE_BLOCK];
    for (size_t i = 0; i < block->n; i++)
        rows[i] = sampler_row(&p->trained.view, block->first + i);
    const Setup *setup = &p->trained.setup;
    return dataset_read(setup->data, p->trained.split, rows, block->n, &setup->preprocess, x, block->labels);
}

static Status run_block(const Predictor *p, Block *block) {
    const Real *inputs[SETUP_MAX_INPUTS];
    if (block->n == 0)
        return STATUS_OK;
    TRY(read_block(p, block, block->x));
    LoaderBatch batch = {.n = block->n, .x = block->x, .labels = block->labels};
    ExecutorRun run = {.inputs = inputs, .weights_version = 1};
    setup_inputs(&p->trained.setup, &batch, inputs);
    Plan *plan = replica_plan_part(p->trained.replica, PASS_PREDICT, block->n, (PlanPart){.to = p->node});
    executor_forward(plan, &run);
    block->result = executor_value(plan, &run, p->node);
    return STATUS_OK;
}

/* The blocks of one round, of all ranks, to the sink; `mine` is this rank's.  What fails on rank 0 is kept until all blocks
 * have been received. */
static Status deliver(const Predictor *p, Block *mine, PredictSink *sink, void *user) {
    Dist *dist = p->trained.setup.dist;
    size_t row = p->width * sizeof(Real);
    Status status = STATUS_OK;
    if (dist_rank(dist) > 0) {
        dist_hand_over(dist, dist_rank(dist), (Real *)mine->result, mine->n * row);
        return STATUS_OK;
    }
    if (mine->n)
        status = sink(user, mine->first, mine->n, mine->result, mine->labels);
    for (int r = 1; r < dist_ranks(dist); r++) {
        Block other = *mine;
        move_to(p, mine->number + (size_t)r, &other);
        dist_hand_over(dist, r, other.values, other.n * row);
        if (status == STATUS_OK && other.n)
            status = read_block(p, &other, NULL);
        if (status == STATUS_OK && other.n)
            status = sink(user, other.first, other.n, other.values, other.labels);
    }
    return status;
}

Status predict_run(Predictor *p, PredictSink *sink, void *user) {
    Dist *dist = p->trained.setup.dist;
    Block mine = {0};
    size_t ranks = (size_t)dist_ranks(dist), rank = (size_t)dist_rank(dist);
    size_t blocks = (size_t)sampler_blocks(p->trained.view.count, EVALUATE_BLOCK);
    Status status = dist_agree(dist, new_block(p, &mine));
    for (size_t first = 0; status == STATUS_OK && first < blocks; first += ranks) {
        move_to(p, first + rank, &mine);
        status = dist_agree(dist, run_block(p, &mine));
        if (status == STATUS_OK)
            status = dist_agree(dist, deliver(p, &mine, sink, user));
    }
    free_block(p, &mine);
    return status;
}
