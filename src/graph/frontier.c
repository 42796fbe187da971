/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/graph.h"

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
