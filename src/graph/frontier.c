/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "graph/graph.h"
#include <string.h>

/* A loss reads its prediction first; what follows are labels. */
static size_t values_read(const Node *node) {
    return node->op.kind == OP_LOSS ? 1 : node->op.inputs;
}

int graph_frontier(const Graph *graph) {
    int found = -1;
    for (size_t i = 0; i < graph->node_count; i++) {
        const Node *node = &graph->nodes[i];
        for (size_t k = 0; node->needs_gradient && k < values_read(node); k++) {
            int input = node->inputs[k];
            if (graph->nodes[input].needs_gradient || input == found)
                continue;
            if (found >= 0 || graph->nodes[input].op.kind == OP_INPUT)
                return -1;
            found = input;
        }
    }
    return found;
}

/* What is known of a node: that its value never changes, that it has a frozen parameter at or before it. */
typedef struct Front {
    bool constant, frozen;
} Front;

static Front front_of(const Graph *graph, const Node *node, const Front *fronts) {
    Front front = {.constant = node->in_training && node->op.kind != OP_LOSS && !op_is_random(&node->op)};
    for (size_t k = 0; k < node->op.inputs; k++) {
        front.constant &= fronts[node->inputs[k]].constant;
        front.frozen |= fronts[node->inputs[k]].frozen;
    }
    for (size_t k = 0; k < node->op.params; k++) {
        ParamRole role = node->params[k] < 0 ? PARAM_CONSTANT : graph->params[node->params[k]].spec.role;
        front.constant &= role != PARAM_TRAINED && role != PARAM_STATISTIC;
        front.frozen |= role == PARAM_FROZEN;
    }
    return front;
}

/* Do the losses depend on an input of the network in another way than through node `v`?  reached: scratch. */
static bool is_passed_by(const Graph *graph, int v, bool *reached) {
    memset(reached, 0, graph->node_count * sizeof *reached);
    for (size_t i = graph->node_count; i-- > 0;) {
        const Node *node = &graph->nodes[i];
        reached[i] |= node->op.kind == OP_LOSS;
        if (!reached[i] || (int)i == v)
            continue;
        if (node->op.kind == OP_INPUT)
            return true;
        for (size_t k = 0; k < values_read(node); k++)
            reached[node->inputs[k]] = true;
    }
    return false;
}

Status graph_constant(const Graph *graph, int *node) {
    Front *fronts;
    bool *reached = NULL;
    *node = -1;
    TRY(memory_new(&fronts, graph->node_count, "graph"));
    Status status = memory_new(&reached, graph->node_count, "graph");
    for (size_t i = 0; status == STATUS_OK && i < graph->node_count; i++)
        fronts[i] = front_of(graph, &graph->nodes[i], fronts);
    for (int v = (int)graph->node_count - 1; status == STATUS_OK && v > 0 && *node < 0; v--)
        if (fronts[v].constant && fronts[v].frozen && !is_passed_by(graph, v, reached))
            *node = v;
    memory_free(fronts);
    memory_free(reached);
    return status;
}
