/* SPDX-License-Identifier: Apache-2.0 */
#include "train/vocabulary.h"
#include "base/memory.h"
#include "model/layers.h"
#include <math.h>
#include <string.h>

static bool is_x(const Model *model, size_t layer) {
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i].layer == layer)
            return model->input_count == 1 || strcmp(model->layers[layer].name, "x") == 0;
    return false;
}

bool vocabulary_is_read(const Model *model) {
    for (size_t l = 0; l < model->layer_count; l++) {
        const ModelLayer *layer = &model->layers[l];
        for (size_t c = 0; strcmp(layer->class->name, "Embedding") == 0 && c < layer->call_count; c++)
            if (is_x(model, layer->calls[c].inputs[0].layer))
                return true;
    }
    return false;
}

Status vocabulary_refuse(const Model *model, const char *option) {
    if (!vocabulary_is_read(model))
        return STATUS_OK;
    return status_fail(STATUS_USAGE,
                       "%s would change the whole numbers that the Embedding of network %s reads: leave it away",
                       option, model->name);
}

static Status check_block(const Setup *setup, DatasetSplit split, size_t first, const Real *x, size_t count,
                          size_t rows) {
    size_t width = shape_count(&setup->info->shape);
    for (size_t i = 0; i < count; i++)
        if (!(x[i] >= 0 && x[i] < (Real)rows && x[i] == floor((double)x[i])))
            return status_fail(
                STATUS_FAILED,
                "%s: /%s/x has %g in example %zu, but the Embedding of network %s takes whole numbers from 0 "
                "to %zu. (A named network goes by the attribute value_max of the data, the largest number.)",
                setup->info->path, dataset_split_names[split], (double)x[i], first + i / width, setup->model->name,
                rows - 1);
    return STATUS_OK;
}

static Status check_split(const Setup *setup, DatasetSplit split, size_t rows) {
    enum { BLOCK_NUMBERS = 1 << 18 };
    size_t width = shape_count(&setup->info->shape), count = setup->info->count[split], block = BLOCK_NUMBERS / width;
    uint64_t *numbers;
    Real *x = NULL;
    block = block < 1 ? 1 : block < count ? block : count;
    TRY(memory_new(&numbers, block, "row numbers"));
    Status status = memory_new(&x, block * width, "examples");
    for (size_t first = 0; status == STATUS_OK && first < count; first += block) {
        size_t n = count - first < block ? count - first : block;
        for (size_t i = 0; i < n; i++)
            numbers[i] = first + i;
        status = dataset_read(setup->data, split, numbers, n, NULL, x, NULL);
        if (status == STATUS_OK)
            status = check_block(setup, split, first, x, n * width, rows);
    }
    memory_free(x);
    memory_free(numbers);
    return status;
}

Status vocabulary_check(const Setup *setup, int node) {
    size_t rows = SIZE_MAX;
    for (size_t i = 0; i < setup->graph->node_count; i++) {
        const Node *reader = &setup->graph->nodes[i];
        if (reader->op.kind == OP_EMBEDDING && reader->inputs[0] == node && reader->op.w[0].dim[0] < rows)
            rows = reader->op.w[0].dim[0];
    }
    bool surely = rows == SIZE_MAX || (setup->info->is_uint8 && rows > UINT8_MAX);
    for (DatasetSplit split = 0; !surely && split < DATASET_SPLITS; split++)
        if (setup->info->count[split] > 0)
            TRY(check_split(setup, split, rows));
    return STATUS_OK;
}
