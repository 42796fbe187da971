/* SPDX-License-Identifier: Apache-2.0 */
#include "train/predict.h"
#include "base/memory.h"
#include "io/run.h"
#include "train/evaluate.h"
#include "train/freeze.h"
#include "train/record.h"
#include <string.h>

/* ---- opening -------------------------------------------------------------------------------------------------------- */

/* What rank 0 reads from the file: texts for all, tensors for itself. */
typedef struct File {
    Checkpoint *checkpoint;
    char *model, *state, *preprocess;
} File;

static Status copy_text(const char *text, char **out) {
    return text ? memory_strdup(text, out) : STATUS_OK;
}

static Status read_file(const PredictOptions *options, File *file, char **path) {
    TRY(run_resolve(options->run, options->checkpoint, path));
    TRY(checkpoint_read(*path, CHECKPOINT_ANY, &file->checkpoint));
    if (file->checkpoint->model_config == NULL)
        return status_fail(STATUS_FAILED, "%s holds weights only, no network", *path);
    TRY(record_network(file->checkpoint, *path, &file->model));
    TRY(copy_text(file->checkpoint->state, &file->state));
    return copy_text(file->checkpoint->preprocess, &file->preprocess);
}

static Status open_file(Dist *dist, const PredictOptions *options, File *file, char **path) {
    TRY(dist_agree(dist, dist_rank(dist) == 0 ? read_file(options, file, path) : STATUS_OK));
    TRY(dist_broadcast_text(dist, &file->model));
    TRY(dist_broadcast_text(dist, &file->state));
    return dist_broadcast_text(dist, &file->preprocess);
}

static void close_file(File *file) {
    checkpoint_destroy(file->checkpoint);
    memory_free(file->model);
    memory_free(file->state);
    memory_free(file->preprocess);
}

/* Options of the run that also count here; its data, unless others are given. */
static Status recorded_options(const PredictOptions *options, const File *file, Config *config) {
    RecordState saved = {0};
    if (file->state) {
        TRY(record_parse(file->state, options->run, &saved));
        *config = saved.config;
        record_free(&saved);
    }
    if (options->data[0])
        snprintf(config->data, sizeof config->data, "%s", options->data);
    return STATUS_OK;
}

static Status choose_preprocess(const PredictOptions *options, const File *file, Predictor *p) {
    Preprocess recorded;
    if (file->preprocess)
        TRY(preprocess_from_json(file->preprocess, &recorded, &p->names, &p->name_count));
    if (file->preprocess == NULL || options->preprocess[0])
        return setup_preprocess(&p->setup, options->preprocess, NULL);
    p->setup.preprocess = recorded;
    return STATUS_OK;
}

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
    const Graph *graph = p->setup.graph;
    const Model *model = p->setup.model;
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
    return STATUS_OK;
}

static Status prepare(const PredictOptions *options, const Config *config, const int *layer_nodes, Predictor *p) {
    size_t count = p->setup.info->count[options->split];
    if (count == 0)
        return status_fail(STATUS_FAILED, "%s has no %s data. Choose another --split.", p->setup.info->path,
                           dataset_split_names[options->split]);
    PlanOptions plan = {.backend = options->backend, .winograd = (Winograd)config->winograd};
    TRY(choose_node(options, layer_nodes, p));
    p->split = options->split;
    p->shape = graph_shape(p->setup.graph, p->node);
    p->width = shape_count(&p->shape);
    TRY(replica_create(p->setup.graph, plan, &p->replica));
    TRY(evaluate_prepare_part(p->replica, PASS_PREDICT, count, (PlanPart){.to = p->node}));
    TRY(replica_ready(p->replica));
    graph_initialize(p->setup.graph, 0, p->replica->weights); /* constants of the network are not in the file */
    return STATUS_OK;
}

static Status open_with(Dist *dist, const PredictOptions *options, const File *file, Predictor *p) {
    Config config = {0};
    int *layer_nodes = NULL;
    size_t loaded;
    bool root = dist_rank(dist) == 0;
    TRY(dist_agree(dist, recorded_options(options, file, &config)));
    TRY(setup_data(&p->setup, config.data));
    TRY(setup_model(&p->setup, file->model, options->run));
    TRY(dist_agree(dist, choose_preprocess(options, file, p)));
    Status status = memory_new(&layer_nodes, p->setup.model->layer_count, "network");
    if (status == STATUS_OK)
        status = setup_graph_to_predict(&p->setup, layer_nodes);
    if (status == STATUS_OK)
        status = prepare(options, &config, layer_nodes, p);
    memory_free(layer_nodes);
    TRY(dist_agree(dist, status));
    TRY(dist_agree(dist, root ? record_load_weights(p->setup.model, p->setup.graph, p->replica->weights,
                                                    file->checkpoint, p->path, &loaded)
                              : STATUS_OK));
    dist_broadcast(dist, p->replica->weights, p->setup.graph->weight_count * sizeof(Real));
    return STATUS_OK;
}

Status predict_open(Dist *dist, const PredictOptions *options, Predictor *out) {
    File file = {0};
    *out = (Predictor){.setup.dist = dist};
    Status status = open_file(dist, options, &file, &out->path);
    if (status == STATUS_OK)
        status = open_with(dist, options, &file, out);
    close_file(&file);
    return status;
}

void predict_close(Predictor *p) {
    replica_destroy(p->replica);
    setup_close(&p->setup);
    memory_free(p->names);
    memory_free(p->path);
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
    for (size_t i = 0; block->labels && i < p->setup.info->label_count; i++)
        memory_free(block->labels[i]);
    memory_free(block->labels);
    memory_free(block->values);
    memory_free(block->x);
}

static Status new_block(const Predictor *p, Block *block) {
    const DatasetInfo *info = p->setup.info;
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
    uint64_t count = p->setup.info->count[p->split];
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
        rows[i] = block->first + i;
    return dataset_read(p->setup.data, p->split, rows, block->n, &p->setup.preprocess, x, block->labels);
}

static Status run_block(const Predictor *p, Block *block) {
    const Real *inputs[SETUP_MAX_INPUTS];
    if (block->n == 0)
        return STATUS_OK;
    TRY(read_block(p, block, block->x));
    LoaderBatch batch = {.n = block->n, .x = block->x, .labels = block->labels};
    ExecutorRun run = {.inputs = inputs, .weights_version = 1};
    setup_inputs(&p->setup, &batch, inputs);
    Plan *plan = replica_plan_part(p->replica, PASS_PREDICT, block->n, (PlanPart){.to = p->node});
    executor_forward(plan, &run);
    block->result = executor_value(plan, &run, p->node);
    return STATUS_OK;
}

/* The blocks of one round, of all ranks, to the sink; `mine` is this rank's.  What fails on rank 0 is kept until all blocks
 * have been received. */
static Status deliver(const Predictor *p, Block *mine, PredictSink *sink, void *user) {
    Dist *dist = p->setup.dist;
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
    Dist *dist = p->setup.dist;
    Block mine = {0};
    size_t ranks = (size_t)dist_ranks(dist), rank = (size_t)dist_rank(dist);
    size_t blocks = (size_t)sampler_blocks(p->setup.info->count[p->split], EVALUATE_BLOCK);
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
