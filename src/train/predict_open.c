/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening what predicts: one network or several, and views. */
#include "base/memory.h"
#include "train/augmentation.h"
#include "train/evaluate.h"
#include "train/freeze.h"
#include "train/predict.h"
#include <stdlib.h>
#include <string.h>

const char *const predict_averages[] = {"outputs", "weights", NULL};

/* ---- which node -------------------------------------------------------------------------------------------------- */

static bool is_sigmoid(const OpDesc *op) {
    return op->kind == OP_ACTIVATION && op->attr.activation.kind == ACTIVATION_SIGMOID;
}

int predict_embedding_node(const Graph *graph) {
    int node = graph->outputs[0].node;
    const OpDesc *end = &graph->nodes[node].op;
    bool classifies = end->kind == OP_SOFTMAX || is_sigmoid(end);
    for (int i = node; classifies && graph->nodes[i].op.inputs > 0; i = graph->nodes[i].inputs[0])
        if (graph->nodes[i].op.params > 0)
            return graph->nodes[i].inputs[0] > 0 ? graph->nodes[i].inputs[0] : node;
    return node;
}

/* Does the loss that the run names have this word in its name? */
static bool loss_has(const Trained *t, const char *word) {
    return strstr(t->config.loss, word) != NULL;
}

/* What the end of the network says; where it is linear, what the run's loss, the names of the classes or, as
 * MODEL_LOSS_AUTO does, the data's labels say. */
static void choose_kind(const Trained *t, PredictOutput *o) {
    const OpDesc *end = &t->setup.graph->nodes[o->node].op;
    const DatasetLabel *label = setup_label(t->setup.info, o->name);
    bool linear = end->kind == OP_DENSE || end->kind == OP_CONV2D;
    bool automatic = t->config.loss[0] == '\0' || strcmp(t->config.loss, "auto") == 0;
    bool by_label = automatic && label && label->kind == LABEL_CLASS && label->shape.rank == 0;
    o->kind = PREDICT_NUMBERS;
    if (o->shape.rank != 1)
        return;
    if (end->kind == OP_SOFTMAX)
        o->kind = PREDICT_CLASSES;
    else if (is_sigmoid(end))
        o->kind = PREDICT_LABELS;
    else if (linear && o->width > 1 && (loss_has(t, "categorical_") || by_label || t->class_count == o->width))
        o->kind = PREDICT_CLASSES, o->logits = true;
    else if (linear && loss_has(t, "binary_"))
        o->kind = PREDICT_LABELS, o->logits = true;
}

static void add_output(Predictor *p, const char *name, int node, bool is_end) {
    const Graph *graph = p->trained.setup.graph;
    PredictOutput *o = &p->outputs[p->output_count++];
    *o = (PredictOutput){.name = name, .node = node, .shape = graph_shape(graph, node), .offset = p->width};
    o->width = shape_count(&o->shape);
    p->width += o->width;
    if (is_end)
        choose_kind(&p->trained, o);
    else
        o->kind = PREDICT_NUMBERS;
    o->of_network = o->logits;
}

static Status choose_outputs(const PredictOptions *options, const int *layer_nodes, Predictor *p) {
    const Graph *graph = p->trained.setup.graph;
    const Model *model = p->trained.setup.model;
    int layer = options->layer[0] ? model_find_layer(model, options->layer) : -1;
    if (options->layer[0] && layer < 0)
        return freeze_unknown(model, "layer", options->layer);
    if (layer < 0 && graph->output_count > (options->all_outputs ? (size_t)STATE_MAX_LOSSES : 1))
        return status_fail(STATUS_USAGE, "network %s has %zu outputs: say which one with --layer %s", model->name,
                           graph->output_count, graph->outputs[0].name);
    if (layer >= 0 && layer_nodes[layer] == 0)
        return status_fail(STATUS_USAGE, "--layer %s is the input of network %s", options->layer, model->name);
    if (layer >= 0) {
        bool is_end = layer_nodes[layer] == graph->outputs[0].node;
        add_output(p, graph->nodes[layer_nodes[layer]].layer, layer_nodes[layer], is_end);
    } else if (options->embedding) {
        int node = predict_embedding_node(graph);
        add_output(p, graph->nodes[node].layer, node, false);
    } else {
        for (size_t i = 0; i < graph->output_count; i++)
            add_output(p, graph->outputs[i].name, graph->outputs[i].node, true);
    }
    return STATUS_OK;
}

/* ---- one network ------------------------------------------------------------------------------------------------- */

/* The graph, and plans that end at the chosen node, or run all where there are several. */
static Status prepare(const PredictOptions *options, int *layer_nodes, Predictor *p) {
    Trained *t = &p->trained;
    TRY(setup_graph_to_predict(&t->setup, layer_nodes));
    TRY(choose_outputs(options, layer_nodes, p));
    TRY(replica_create(t->setup.graph, t->plan, &t->replica));
    TRY(evaluate_prepare_part(t->replica, PASS_PREDICT, t->view.count, predict_part(p)));
    return replica_ready(t->replica);
}

static Status open_one(Dist *dist, const PredictOptions *options, const TrainedArguments *trained, Predictor *p) {
    int *layer_nodes = NULL;
    *p = (Predictor){.views = 1, .inputs = options->inputs};
    TRY(p->inputs ? trained_open_bare(dist, trained, p->inputs->count, &p->trained)
                  : trained_open(dist, trained, &p->trained));
    Status status = memory_new(&layer_nodes, p->trained.setup.model->layer_count, "network");
    if (status == STATUS_OK)
        status = prepare(options, layer_nodes, p);
    memory_free(layer_nodes);
    TRY(dist_agree(dist, status));
    return trained_load(&p->trained);
}

/* ---- several ----------------------------------------------------------------------------------------------------- */

/* Network `p` of an ensemble must say the same things as the first. */
static Status compare(const Predictor *first, const Predictor *p) {
    const Trained *a = &first->trained, *b = &p->trained;
    bool same = first->output_count == p->output_count && first->width == p->width && a->class_count == b->class_count;
    for (size_t i = 0; same && i < p->output_count; i++)
        same = first->outputs[i].kind == p->outputs[i].kind && first->outputs[i].width == p->outputs[i].width;
    same = same && shape_equal(&a->setup.info->shape, &b->setup.info->shape);
    for (size_t i = 0; same && i < a->class_count; i++)
        same = strcmp(a->class_names[i], b->class_names[i]) == 0;
    return same ? STATUS_OK
                : status_fail(STATUS_USAGE, "%s and %s have other inputs, outputs or classes: no mean can be taken",
                              a->path ? a->path : "", b->path ? b->path : "");
}

/* The same data and split as the first's. */
static Status open_other(Dist *dist, const PredictOptions *options, size_t number, Predictor *first, Predictor *p) {
    TrainedArguments trained = *options->trained;
    Status status = STATUS_OK;
    trained.split = first->trained.split;
    if (first->inputs == NULL && strlen(first->trained.setup.info->path) >= CLI_TEXT)
        status = status_fail(STATUS_USAGE, "%s: the path is too long", first->trained.setup.info->path);
    snprintf(trained.data, CLI_TEXT, "%s", first->trained.setup.info->path);
    if (dist_rank(dist) == 0 && strlen(options->runs->list[number]) >= CLI_TEXT)
        status = status_fail(STATUS_USAGE, "%s: the path is too long", options->runs->list[number]);
    if (dist_rank(dist) == 0)
        snprintf(trained.run, CLI_TEXT, "%s", options->runs->list[number]);
    TRY(dist_agree(dist, status));
    dist_broadcast(dist, trained.run, sizeof trained.run);
    TRY(open_one(dist, options, &trained, p));
    return dist_agree(dist, dist_rank(dist) == 0 ? compare(first, p) : STATUS_OK);
}

static Status open_others(Dist *dist, const PredictOptions *options, uint64_t count, Predictor *p) {
    if (options->mean && options->mean->average == PREDICT_AVERAGE_WEIGHTS)
        return trained_average(&p->trained, options->trained, options->runs);
    TRY(dist_agree(dist, memory_new(&p->others, (size_t)count, "networks")));
    p->other_count = (size_t)count;
    for (size_t i = 0; i < p->other_count; i++)
        TRY(open_other(dist, options, i, p, &p->others[i]));
    return STATUS_OK;
}

Status predict_describe(const Predictor *p, const PredictOptions *options, char **text) {
    bool weights = options->mean && options->mean->average == PREDICT_AVERAGE_WEIGHTS;
    size_t count = options->runs ? options->runs->count : 0;
    char views[64] = "", *list = NULL, *longer;
    *text = NULL;
    if (p->views > 1)
        snprintf(views, sizeof views, "%s%zu views of each example", count ? "; " : "", p->views);
    TRY(memory_strdup(count ? p->trained.path : "", &list));
    Status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = memory_format(&longer, "%s, %s", list, options->runs->list[i]);
        if (status == STATUS_OK) {
            memory_free(list);
            list = longer;
        }
    }
    if (status == STATUS_OK)
        status = memory_format(text, "%s%s%s%s", count ? "mean of the " : "",
                               count ? weights ? "weights of " : "outputs of " : "", list, views);
    memory_free(list);
    return status;
}

/* ---- views ------------------------------------------------------------------------------------------------------- */

static Status open_views(const MeanArguments *mean, Predictor *p) {
    Trained *t = &p->trained;
    char *end = NULL;
    if (mean->tta[0] == '\0')
        return mean->augment[0] ? status_fail(STATUS_USAGE, "--augment needs --tta N") : STATUS_OK;
    bool flip = strcmp(mean->tta, "flip") == 0;
    unsigned long views = flip ? 2 : strtoul(mean->tta, &end, 10);
    if (!flip && (*end != '\0' || views < 1 || views > 1000))
        return status_fail(STATUS_USAGE, "--tta %s: must be flip, or a number of views of at most 1000", mean->tta);
    if (flip && mean->augment[0])
        return status_fail(STATUS_USAGE, "--augment needs --tta N, not flip");
    p->views = views;
    if (views == 1)
        return STATUS_OK;
    const char *list = flip ? "flip:p=1" : mean->augment[0] ? mean->augment : t->config.augment;
    if (flip)
        TRY(augment_parse(list, &p->augment));
    else
        TRY(augmentation_create(&t->setup, list, t->config.seed, &p->augment));
    if (p->augment.count == 0)
        return status_fail(STATUS_USAGE,
                           "--tta %s: the run was trained on images as they are; say how to change them "
                           "with --augment LIST",
                           mean->tta);
    TRY(t->setup.data ? augment_check(&p->augment, t->setup.data) : augment_check_bytes(&p->augment, t->setup.info));
    return memory_alloc(augment_scratch_bytes(t->setup.info), 1, "augmentation", &p->scratch);
}

PlanPart predict_part(const Predictor *p) {
    return (PlanPart){.to = p->output_count == 1 ? p->outputs[0].node : 0};
}

Status predict_open(Dist *dist, const PredictOptions *options, Predictor *out) {
    TRY(open_one(dist, options, options->trained, out));
    uint64_t count = options->runs && dist_rank(dist) == 0 ? options->runs->count : 0;
    dist_broadcast(dist, &count, sizeof count);
    if (count > 0)
        TRY(open_others(dist, options, count, out));
    Status status = options->mean ? open_views(options->mean, out) : STATUS_OK;
    if (status == STATUS_OK && out->inputs)
        status = inputs_fit(out->inputs, &out->trained.setup.preprocess);
    bool mean = out->other_count > 0 || (options->mean && (options->mean->tta[0] || count > 0));
    if (status == STATUS_OK && mean)
        status = memory_alloc(EVALUATE_BLOCK + 1, out->width * sizeof *out->sum, "means", (void **)&out->sum);
    for (size_t i = 0; mean && i < out->output_count; i++)
        out->outputs[i].logits = false;
    if (status == STATUS_OK && (mean || out->output_count > 1))
        status = memory_alloc(EVALUATE_BLOCK, out->width * sizeof *out->rows, "rows", (void **)&out->rows);
    return dist_agree(dist, status);
}

void predict_close(Predictor *p) {
    for (size_t i = 0; i < p->other_count; i++)
        if (p->others[i].views) /* it has been begun */
            predict_close(&p->others[i]);
    memory_free(p->others);
    memory_free(p->scratch);
    memory_free(p->sum);
    memory_free(p->rows);
    trained_close(&p->trained);
    *p = (Predictor){0};
}
