/* SPDX-License-Identifier: Apache-2.0
 *
 * The trainer's part of comparing replicas (replicas.h): what of them, and what a person is told. */
#include "base/hash.h"
#include "train/trainer_internal.h"
#include "train/watchdog.h"

/* Of all that this rank goes on with, as its checkpoint would hold it. */
static uint64_t hash_replica(const Trainer *t) {
    const Graph *graph = t->setup.graph;
    uint64_t hash = hash_bytes(t->state.step, t->replica->weights, graph->weight_count * sizeof(Real));
    for (size_t i = 0; i < t->optimizer->slot_count; i++)
        hash = hash_bytes(hash, t->optimizer->slots[i].slab, graph->trained_count * sizeof(Real));
    if (t->average)
        hash = hash_bytes(hash, t->average->slab, t->average->count * sizeof(Real));
    return hash_bytes(hash, &t->state.totals, sizeof t->state.totals);
}

/* Adds to the message how to go on. */
static Status advise(Trainer *t) {
    const char *folder = t->run ? run_folder(t->run) : "the run";
    char name[RUN_NAME];
    if (trainer__saved(t) == UINT64_MAX)
        return status_fail(STATUS_RETRY, "%s. There is no checkpoint yet: start again", status_message());
    return status_fail(STATUS_RETRY, "%s. No checkpoint is written of that; %s/%s is good: go on with --resume %s",
                       status_message(), folder, run_step_name(t->saved_step, name), folder);
}

Status trainer__check_replicas(Trainer *t) {
    if (dist_ranks(t->dist) == 1 || t->unlike)
        return STATUS_OK;
    watchdog_at(WATCH_REPLICAS);
    Status status = replicas_compare(t->dist, hash_replica(t), t->state.step);
    if (status == STATUS_OK)
        return STATUS_OK;
    progress_break(&t->progress);
    return dist_agree(t->dist, advise(t));
}
