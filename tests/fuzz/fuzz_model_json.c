/* SPDX-License-Identifier: Apache-2.0
 *
 * Keras JSON: parse, write, parse again; graph with a loss. */
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include "graph/graph.h"
#include "model/model.h"
#include <string.h>

static void build(const Model *model) {
    Graph *graph;
    const ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
    if (graph_create(&graph) != STATUS_OK)
        return;
    if (model_build(model, &(ModelBuild){.losses = &loss, .loss_count = model->output_count == 1}, graph) == STATUS_OK)
        (void)graph_finish(graph);
    graph_destroy(graph);
}

/* What was read can be written, and means the same when read again. */
static void write_and_read(const Model *model) {
    char *text, *again;
    Model *second;
    if (model_to_json(model, &text) != STATUS_OK)
        fuzz_fail("a network that was read cannot be written");
    if (model_parse(text, "written", &second) != STATUS_OK)
        fuzz_fail(status_message());
    if (model_to_json(second, &again) != STATUS_OK || strcmp(text, again) != 0)
        fuzz_fail("a network changes when it is written and read");
    model_destroy(second);
    memory_free(again);
    memory_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Model *model;
    char *text;
    if (memory_new(&text, size + 1, "text") != STATUS_OK)
        return 0;
    memcpy(text, data, size);
    if (model_parse(text, "fuzz.json", &model) == STATUS_OK) {
        build(model);
        write_and_read(model);
        model_destroy(model);
    }
    memory_free(text);
    return 0;
}
