/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of model/ share.  Include it before anything else. */
#ifndef TESTS_UNIT_MODEL_TEST_H
#define TESTS_UNIT_MODEL_TEST_H
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "base/memory.h"
#include "graph/graph.h"
#include "model/model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)
#define assert_message(text)                                                                                           \
    do {                                                                                                               \
        if (strstr(status_message(), text) == NULL)                                                                    \
            fail_msg("message \"%s\" lacks \"%s\"", status_message(), text);                                           \
    } while (0)

/* The text of tests/golden/keras/NAME; the caller frees it with free. */
static inline char *golden(const char *name) {
    const char *root = getenv("CNN_SOURCE_DIR");
    char path[1024], *text = calloc(1, 1 << 20);
    snprintf(path, sizeof path, "%s/tests/golden/keras/%s", root ? root : ".", name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Builds `text` with these losses into a new, finished graph. */
static inline Status build_text(const char *text, const ModelLoss *losses, size_t loss_count, Model **model,
                                Graph **graph) {
    *graph = NULL;
    TRY(model_parse(text, "net", model));
    TRY(graph_create(graph));
    TRY(model_build(*model, &(ModelBuild){.losses = losses, .loss_count = loss_count}, *graph));
    return graph_finish(*graph);
}

/* For cmocka's teardown: every block was given back. */
static inline int nothing_left(void **state) {
    (void)state;
    memory_fail_at(0);
    if (memory_stats().live_count != 0)
        print_error("%zu blocks were not given back\n", memory_stats().live_count);
    return memory_stats().live_count != 0;
}

static inline void release(Model *model, Graph *graph) {
    graph_destroy(graph);
    model_destroy(model);
}

/* Elements of all parameters that are saved as weights. */
static inline size_t saved_count(const Graph *graph) {
    size_t count = 0;
    for (size_t i = 0; i < graph->param_count; i++)
        if (graph->params[i].spec.role != PARAM_CONSTANT)
            count += graph->params[i].count;
    return count;
}

static inline const Param *find_param(const Graph *graph, const char *layer, const char *name) {
    for (size_t i = 0; i < graph->param_count; i++)
        if (strcmp(graph->params[i].spec.layer, layer) == 0 && strcmp(graph->params[i].spec.name, name) == 0)
            return &graph->params[i];
    fail_msg("no parameter %s of layer %s", name, layer);
    return NULL;
}

/* Whether an Embedding reads that node: it is to be whole numbers. */
static inline bool reads_numbers(const Graph *graph, int node) {
    bool reads = false;
    for (size_t i = 0; i < graph->node_count; i++)
        reads = reads || (graph->nodes[i].op.kind == OP_EMBEDDING && graph->nodes[i].inputs[0] == node);
    return reads;
}

#endif
