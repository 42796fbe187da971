/* SPDX-License-Identifier: Apache-2.0 */
#include "train/summary.h"
#include "base/memory.h"
#include "base/terminal.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_WIDTH = 42, LEAST_NAME = 16, MOST_NAME = 100, SHAPE_WIDTH = 18, COUNT_WIDTH = 15 };
enum { OTHERS = 2 + SHAPE_WIDTH + COUNT_WIDTH, MOST_WIDTH = MOST_NAME + OTHERS };

/* "1,234,567" */
static const char *group_digits(size_t value, char text[32]) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%zu", value), used = 0;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

static size_t count_layer(const Graph *graph, const char *layer) {
    size_t count = 0;
    for (size_t p = 0; p < graph->param_count; p++)
        if (graph->params[p].spec.role != PARAM_CONSTANT && strcmp(graph->params[p].spec.layer, layer) == 0)
            count += graph->params[p].count;
    return count;
}

static size_t count_role(const Graph *graph, bool trained) {
    size_t count = 0;
    for (size_t p = 0; p < graph->param_count; p++) {
        ParamRole role = graph->params[p].spec.role;
        if (role != PARAM_CONSTANT && (role == PARAM_TRAINED) == trained)
            count += graph->params[p].count;
    }
    return count;
}

/* What a layer does: its first operation but for the reshapes that bring it a series, or the frames of a video, as
 * images; then that is "conv1d" and not "conv2d". */
static const char *operation(const Graph *graph, size_t first, size_t last, char text[64]) {
    size_t rank = graph->nodes[first].op.inputs > 0 ? graph->nodes[first].op.x[0].rank : 0, at = first;
    while (at < last && graph->nodes[at].op.kind == OP_RESHAPE)
        at++;
    const char *name = op_name(graph->nodes[at].op.kind), *flat = strstr(name, "2d");
    snprintf(text, 64, "%s", name);
    if (flat && (rank == 2 || rank == 4))
        text[flat - name] = rank == 2 ? '1' : '3';
    return text;
}

/* A layer's line; the shape is that of its last operation.  Layers' operations follow each other; when a shared layer
 * comes again, it has no parameters of its own. */
static void format_layer(const Graph *graph, size_t first, size_t last, bool again, int width, char *line,
                         size_t size) {
    const Node *node = &graph->nodes[first];
    char name[MOST_NAME + 1], kind[64], shape[SHAPE_TEXT], count[32] = "shared";
    int length = snprintf(name, (size_t)width + 1, "%s (%s)", node->layer, operation(graph, first, last, kind));
    if (length > width)
        memcpy(name + width - 2, "..", 2);
    if (!again)
        group_digits(count_layer(graph, node->layer), count);
    snprintf(line, size, "%-*s  %-*s%*s\n", width, name, SHAPE_WIDTH, shape_format(&graph->nodes[last].op.y, shape),
             COUNT_WIDTH, count);
}

/* Did a node before `node` belong to the same layer?  Only then is its call not the layer's first. */
static bool seen_before(const Graph *graph, size_t node) {
    for (size_t i = 0; i < node; i++)
        if (strcmp(graph->nodes[i].layer, graph->nodes[node].layer) == 0)
            return true;
    return false;
}

/* Does node `next` belong to the line of `node`?  So does the reshape to a series that the next layer does without. */
static bool continues(const Graph *graph, size_t node, size_t next) {
    if (next >= graph->node_count || strcmp(graph->nodes[next].layer, graph->nodes[node].layer) != 0)
        return false;
    return graph->nodes[next].in_prediction || graph->nodes[next].op.kind == OP_RESHAPE;
}

/* Columns for names: 79 in all where there is no terminal; on one what is left, and no more than the longest name
 * needs. */
static int name_width(const Graph *graph) {
    int room = (int)terminal_width(STDOUT_FILENO) - 3 - OTHERS, longest = NAME_WIDTH;
    if (room < 0)
        return terminal_width(STDOUT_FILENO) == 0 ? NAME_WIDTH : LEAST_NAME;
    for (size_t i = 0; i < graph->node_count; i++) {
        const Node *node = &graph->nodes[i];
        int length = (int)(strlen(node->layer) + strlen(op_name(node->op.kind))) + 3;
        longest = node->in_prediction && length > longest ? length : longest;
    }
    room = room < LEAST_NAME ? LEAST_NAME : room < MOST_NAME ? room : MOST_NAME;
    return room < longest ? room : longest;
}

Status summary_format(const Graph *graph, const char *title, const char *notes, char **out) {
    enum { LINE = MOST_WIDTH + 64, TOTALS = 8 * LINE };
    int names = name_width(graph), width = names + OTHERS;
    char line[LINE], rule[MOST_WIDTH + 64], total[32], trained[32], other[32];
    size_t notes_length = notes ? strlen(notes) : 0;
    size_t size = graph->node_count * LINE + TOTALS + strlen(title) + notes_length, used = 0;
    char *text = NULL;
    *out = NULL;
    TRY(memory_new(&text, size, "summary"));
    memset(rule, '-', (size_t)width + 2);
    rule[width + 2] = '\0';
    used += (size_t)snprintf(text, size, "%s\n%-*s  %-*s%*s\n%s\n", title, names, "layer (operation)", SHAPE_WIDTH,
                             "output shape", COUNT_WIDTH, "parameters", rule);
    for (size_t i = 0; i < graph->node_count; i++) {
        size_t last = i;
        if (!graph->nodes[i].in_prediction)
            continue; /* labels, losses */
        while (continues(graph, i, last + 1))
            last++;
        format_layer(graph, i, last, seen_before(graph, i), names, line, sizeof line);
        used += (size_t)snprintf(text + used, size - used, "%s", line);
        i = last;
    }
    snprintf(text + used, size - used, "%s\nparameters %s: %s trained, %s not trained\n%s", rule,
             group_digits(count_role(graph, true) + count_role(graph, false), total),
             group_digits(count_role(graph, true), trained), group_digits(count_role(graph, false), other),
             notes ? notes : "");
    *out = text;
    return STATUS_OK;
}
