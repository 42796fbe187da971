/* SPDX-License-Identifier: Apache-2.0
 *
 * The network as a GraphDef (graph.proto, node_def.proto, attr_value.proto and tensor_shape.proto of
 * tensorflow/core/framework):
 *
 *     GraphDef   repeated NodeDef node = 1, VersionDef versions = 4 (int32 producer = 1)
 *     NodeDef    string name = 1, string op = 2, repeated string input = 3, map<string, AttrValue> attr = 5
 *     AttrValue  ListValue list = 1 (repeated TensorShapeProto shape = 7), bytes s = 2
 *     TensorShapeProto   repeated Dim dim = 2 (int64 size = 1)
 *
 * A layer of one operation is a node of the layer's name.  One of several, or that is used again, is a group of that
 * name, which TensorBoard opens: LAYER/conv2d, LAYER/add, LAYER/add_1.  The batch's size is unknown, -1. */
#include "base/memory.h"
#include "train/board_internal.h"
#include <stdio.h>
#include <string.h>

enum { GRAPH_NODE = 1, GRAPH_VERSIONS = 4, PRODUCER = 1, PRODUCER_VALUE = 22 };
enum { NODE_NAME = 1, NODE_OP = 2, NODE_INPUT = 3, NODE_ATTR = 5, MAP_KEY = 1, MAP_VALUE = 2 };
enum { ATTR_LIST = 1, ATTR_BYTES = 2, LIST_SHAPE = 7, SHAPE_DIM = 2, DIM_SIZE = 1 };

static bool is_shown(const Node *node) {
    return node->in_prediction || node->op.kind == OP_LOSS;
}

/* How many shown nodes before `end` have this node's layer, and its operation if asked. */
static size_t count_like(const Graph *graph, size_t node, size_t end, bool same_op) {
    size_t n = 0;
    for (size_t i = 0; i < end; i++)
        n += is_shown(&graph->nodes[i]) && strcmp(graph->nodes[i].layer, graph->nodes[node].layer) == 0 &&
             (!same_op || graph->nodes[i].op.kind == graph->nodes[node].op.kind);
    return n;
}

static void name_node(const Graph *graph, size_t node, char name[BOARD_TAG]) {
    const Node *n = &graph->nodes[node];
    size_t earlier = count_like(graph, node, node, true);
    if (count_like(graph, node, graph->node_count, false) == 1)
        snprintf(name, BOARD_TAG, "%.200s", n->layer);
    else if (earlier == 0)
        snprintf(name, BOARD_TAG, "%.200s/%s", n->layer, op_name(n->op.kind));
    else
        snprintf(name, BOARD_TAG, "%.200s/%s_%zu", n->layer, op_name(n->op.kind), earlier);
}

static void put_shape(Message *m, const Shape *shape) {
    size_t attr = message_begin(m, NODE_ATTR);
    message_text(m, MAP_KEY, "_output_shapes");
    size_t value = message_begin(m, MAP_VALUE), list = message_begin(m, ATTR_LIST),
           proto = message_begin(m, LIST_SHAPE);
    for (size_t i = 0; i <= shape->rank; i++) {
        size_t dim = message_begin(m, SHAPE_DIM);
        message_integer(m, DIM_SIZE, i == 0 ? -1 : (int64_t)shape->dim[i - 1]);
        message_end(m, dim);
    }
    message_end(m, proto);
    message_end(m, list);
    message_end(m, value);
    message_end(m, attr);
}

static void put_text(Message *m, const char *key, const char *text) {
    size_t attr = message_begin(m, NODE_ATTR);
    message_text(m, MAP_KEY, key);
    size_t value = message_begin(m, MAP_VALUE);
    message_text(m, ATTR_BYTES, text);
    message_end(m, value);
    message_end(m, attr);
}

/* "kernel 3x3x16x32, bias 32" */
static void put_params(Message *m, const Graph *graph, const Node *node) {
    char text[512] = "", shape[SHAPE_TEXT];
    for (size_t i = 0; i < node->op.params; i++) {
        size_t used = strlen(text);
        if (node->params[i] < 0)
            continue;
        const ParamSpec *spec = &graph->params[node->params[i]].spec;
        snprintf(text + used, sizeof text - used, "%s%.64s %s", used ? ", " : "", spec->name,
                 shape_format(&spec->shape, shape));
    }
    if (text[0])
        put_text(m, "weights", text);
}

static void put_node(Message *m, const Graph *graph, size_t i) {
    const Node *node = &graph->nodes[i];
    char name[BOARD_TAG];
    size_t begun = message_begin(m, GRAPH_NODE);
    name_node(graph, i, name);
    message_text(m, NODE_NAME, name);
    message_text(m, NODE_OP, op_name(node->op.kind));
    for (size_t k = 0; k < node->op.inputs; k++)
        if (is_shown(&graph->nodes[node->inputs[k]])) {
            name_node(graph, (size_t)node->inputs[k], name);
            message_text(m, NODE_INPUT, name);
        }
    put_shape(m, &node->op.y);
    put_params(m, graph, node);
    message_end(m, begun);
}

void board_graph(Board *board, const Graph *graph) {
    if (!board || board->files[BOARD_TRAIN].graph)
        return;
    Message *records = &board->files[BOARD_TRAIN].pending;
    size_t event = event_begin(records, 0), def = message_begin(records, EVENT_GRAPH);
    for (size_t i = 0; i < graph->node_count; i++)
        if (is_shown(&graph->nodes[i]))
            put_node(records, graph, i);
    size_t versions = message_begin(records, GRAPH_VERSIONS);
    message_integer(records, PRODUCER, PRODUCER_VALUE);
    message_end(records, versions);
    message_end(records, def);
    event_end(records, event);
    board->files[BOARD_TRAIN].graph = true;
    board_flush(board);
}
