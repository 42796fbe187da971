/* SPDX-License-Identifier: Apache-2.0 */
#include "train/average.h"
#include "base/memory.h"
#include <string.h>

Status average_create(const Graph *graph, double decay, Average **out) {
    *out = NULL;
    if (decay == 0)
        return STATUS_OK;
    TRY(memory_new(out, 1, "averaged weights"));
    Average *average = *out;
    average->decay = decay;
    average->moving = graph->trained_count + graph->statistic_count;
    average->count = graph->weight_count;
    Status status = memory_new(&average->slab, average->count, "averaged weights");
    if (status != STATUS_OK) {
        memory_free(average);
        *out = NULL;
    }
    return status;
}

void average_destroy(Average *average) {
    if (average)
        memory_free(average->slab);
    memory_free(average);
}

void average_start(Average *average, const Real *weights) {
    if (average)
        memcpy(average->slab, weights, average->count * sizeof *weights);
}

void average_update(Average *average, uint64_t step, const Real *weights) {
    if (average == NULL)
        return;
    double warm = (1 + (double)step) / (10 + (double)step);
    Real part = (Real)(1 - (warm < average->decay ? warm : average->decay));
    Real *restrict slab = average->slab;
    const Real *restrict now = weights;
    for (size_t i = 0; i < average->moving; i++)
        slab[i] += part * (now[i] - slab[i]);
}

void average_swap(Average *average, Real *weights) {
    if (average == NULL)
        return;
    for (size_t i = 0; i < average->moving; i++) {
        Real kept = weights[i];
        weights[i] = average->slab[i];
        average->slab[i] = kept;
    }
}
