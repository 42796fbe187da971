/* SPDX-License-Identifier: Apache-2.0
 *
 * Model to Graph: every call of a layer in topological order, then outputs and losses. */
#include "base/memory.h"
#include "model/layers.h"
#include "model/model_internal.h"
#include <string.h>

static Status add_input(Graph *graph, const char *name, Shape shape, int *node) {
    if (graph_find_input(graph, name) >= 0)
        return status_fail(STATUS_FAILED, "two inputs or labels have the name %s", name);
    return graph_input(graph, name, shape, node);
}

/* The node of an InputLayer, whose config has [null, height, width, channels], of which `open` may give some. */
static Status build_input(const Model *model, const ModelLayer *layer, const Shape *open, Graph *graph, int *node) {
    const json_t *extents = json_object_get(layer->config, "batch_input_shape");
    Shape shape = {.rank = json_array_size(extents) - 1}, fitted = {0};
    bool fits = open && shape_to_rank(open, shape.rank, &fitted);
    if (!json_is_null(json_array_get(extents, 0)))
        return status_fail(STATUS_FAILED, "layer %s (InputLayer): a fixed batch size is not supported, only null",
                           layer->name);
    for (size_t i = 0; i < shape.rank; i++) {
        const json_t *extent = json_array_get(extents, i + 1);
        if (json_is_null(extent) && !fits)
            return status_fail(STATUS_FAILED,
                               "layer %s (InputLayer): batch_input_shape leaves dimension %zu open; "
                               "give its extent",
                               layer->name, i + 1);
        shape.dim[i] = json_is_null(extent) ? fitted.dim[i] : (size_t)json_integer_value(extent);
    }
    return add_input(graph, model->input_count == 1 ? "x" : layer->name, shape, node);
}

/* Builds every call; nodes[bases[layer] + call] = its node. */
static Status build_calls(const Model *model, const ModelBuild *options, Graph *graph, const size_t *bases,
                          int *nodes) {
    for (size_t i = 0; i < model->order_count; i++) {
        ModelTensor t = model->order[i];
        const ModelLayer *layer = &model->layers[t.layer];
        const ModelCall *call = &layer->calls[t.call];
        int *node = &nodes[bases[t.layer] + t.call];
        if (layer->class->build == NULL) {
            TRY(build_input(model, layer, options->open, graph, node));
            continue;
        }
        LayerBuild b = {.layer = layer, .keras = model->keras, .call = t.call, .graph = graph};
        b.input_count = call->input_count;
        for (size_t k = 0; k < call->input_count; k++)
            b.inputs[k] = nodes[bases[call->inputs[k].layer] + call->inputs[k].call];
        TRY(layer->class->build(&b));
        *node = b.output;
    }
    return STATUS_OK;
}

/* Outputs are named by their layer; the second output of a shared layer is NAME_1. */
static Status build_outputs(const Model *model, Graph *graph, const size_t *bases, const int *nodes) {
    for (size_t i = 0; i < model->output_count; i++) {
        ModelTensor t = model->outputs[i];
        const char *layer = model->layers[t.layer].name;
        char *name;
        size_t before = 0;
        for (size_t k = 0; k < i; k++)
            before += model->outputs[k].layer == t.layer;
        TRY(before ? memory_format(&name, "%s_%zu", layer, before) : memory_strdup(layer, &name));
        Status status = STATUS_OK;
        if (graph_find_output(graph, name) >= 0)
            status = status_fail(STATUS_FAILED, "two outputs have the name %s", name);
        else
            status = graph_output(graph, name, nodes[bases[t.layer] + t.call]);
        memory_free(name);
        TRY(status);
    }
    return STATUS_OK;
}

static bool is_binary(LossKind kind) {
    return kind == LOSS_BINARY_CROSSENTROPY || kind == LOSS_BINARY_FOCAL;
}

/* In the activation that belongs to the loss, which computes it itself. */
static bool ends_in(const Node *node, LossKind kind) {
    if (is_binary(kind))
        return node->op.kind == OP_ACTIVATION && node->op.attr.activation.kind == ACTIVATION_SIGMOID;
    return (loss_is_crossentropy(kind) || loss_is_of_pairs(kind)) && node->op.kind == OP_SOFTMAX;
}

/* Whether a label is one number where the prediction has several: a class. */
static bool is_class_of(const Shape *label, const Shape *prediction) {
    Shape places = *prediction;
    size_t classes = places.rank ? places.dim[places.rank - 1] : 1;
    if (places.rank > 0)
        places.dim[--places.rank] = 0;
    return classes > 1 && shape_count(label) == shape_count(&places);
}

static LossKind choose_any(const ModelLoss *loss, const Node *node) {
    if (loss->kind != MODEL_LOSS_AUTO)
        return (LossKind)loss->kind;
    if (ends_in(node, LOSS_CROSSENTROPY))
        return loss->label && shape_equal(loss->label, &node->op.y) ? LOSS_CROSSENTROPY : LOSS_SPARSE_CROSSENTROPY;
    if (ends_in(node, LOSS_BINARY_CROSSENTROPY))
        return LOSS_BINARY_CROSSENTROPY;
    return loss->label && is_class_of(loss->label, &node->op.y) ? LOSS_SPARSE_CROSSENTROPY : LOSS_MEAN_SQUARED_ERROR;
}

static LossKind choose_kind(const ModelLoss *loss, const Node *node) {
    LossKind kind = choose_any(loss, node);
    return loss->soft && kind == LOSS_SPARSE_CROSSENTROPY ? LOSS_CROSSENTROPY : kind;
}

/* Cross-entropies are computed from what lies before a final softmax or sigmoid, which is exact for large values too; a
 * layer without activation at the end is taken for logits, since it cannot be probabilities. */
static void choose_prediction(const Graph *graph, LossAttr *attr, int *node) {
    const Node *end = &graph->nodes[*node];
    OpKind kind = end->op.kind;
    if (!loss_is_crossentropy(attr->kind) && !loss_is_of_pairs(attr->kind))
        return;
    if (ends_in(end, attr->kind)) {
        attr->from_logits = true;
        *node = end->inputs[0];
    } else {
        attr->from_logits = kind == OP_DENSE || kind == OP_CONV2D || kind == OP_CONV2D_TRANSPOSE;
    }
}

/* weights: a node, or -1 where there are none. */
static Status build_loss(const ModelLoss *loss, bool only, int weights, Graph *graph, size_t first_output) {
    const char *name = loss->output;
    if (name == NULL && graph->output_count - first_output != 1)
        return status_fail(STATUS_FAILED, "the network has %zu outputs: say which one a loss is for",
                           graph->output_count - first_output);
    name = name ? name : graph->outputs[first_output].name;
    int node = graph_find_output(graph, name), inputs[3];
    if (node < 0)
        return status_fail(STATUS_FAILED, "a loss is for output %s, which does not exist", name);
    LossAttr attr = {.kind = choose_kind(loss, &graph->nodes[node]), .label_smoothing = loss->label_smoothing};
    attr.weight = loss->weight;
    attr.delta = loss->delta > 0 ? loss->delta : 1;
    attr.gamma = loss->focal_gamma;
    attr.alpha = loss->focal_alpha > 0 || attr.kind == LOSS_BINARY_FOCAL ? loss->focal_alpha : 0.25;
    attr.margin = loss->margin > 0 ? loss->margin : attr.kind == LOSS_CONTRASTIVE ? 1 : 0.2;
    choose_prediction(graph, &attr, &node);
    Shape label = graph_shape(graph, node);
    if ((attr.kind == LOSS_SPARSE_CROSSENTROPY || loss_is_of_pairs(attr.kind)) && label.rank > 0)
        label.dim[--label.rank] = 0;
    inputs[0] = node;
    inputs[2] = weights;
    TRY(add_input(graph, only ? "y" : name, label, &inputs[1]));
    return graph_op(graph, name, &(OpDesc){.kind = OP_LOSS, .attr.loss = attr}, weights < 0 ? 2 : 3, inputs, 0, NULL,
                    &node);
}

Status model_build(const Model *model, const ModelBuild *options, Graph *graph) {
    size_t *bases, first_output = graph->output_count;
    int *nodes = NULL, weights = -1;
    TRY(model__call_bases(model, &bases));
    Status status = memory_new(&nodes, bases[model->layer_count], "model");
    if (status == STATUS_OK)
        status = build_calls(model, options, graph, bases, nodes);
    if (status == STATUS_OK)
        status = build_outputs(model, graph, bases, nodes);
    for (size_t l = 0; status == STATUS_OK && options->layer_nodes && l < model->layer_count; l++)
        options->layer_nodes[l] = bases[l + 1] > bases[l] ? nodes[bases[l + 1] - 1] : 0;
    if (status == STATUS_OK && options->weighted && options->loss_count > 0)
        status = add_input(graph, "sample_weight", (Shape){.rank = 0}, &weights);
    for (size_t i = 0; i < options->loss_count && status == STATUS_OK; i++)
        status = build_loss(&options->losses[i], options->loss_count == 1, weights, graph, first_output);
    memory_free(bases);
    memory_free(nodes);
    return status;
}
