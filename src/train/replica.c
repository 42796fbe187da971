/* SPDX-License-Identifier: Apache-2.0 */
#include "train/replica.h"
#include "base/memory.h"

Status replica_create(const Graph *graph, PlanOptions options, Replica **out) {
    TRY(memory_new(out, 1, "replica"));
    (*out)->graph = graph;
    (*out)->options = options;
    return STATUS_OK;
}

void replica_destroy(Replica *replica) {
    if (replica == NULL)
        return;
    for (size_t i = 0; i < replica->plan_count; i++)
        plan_destroy(replica->plans[i]);
    memory_free(replica->weights);
    memory_free(replica->arena);
    memory_free(replica);
}

static Plan *find(const Replica *replica, Pass pass, size_t n) {
    for (size_t i = 0; i < replica->plan_count; i++)
        if (replica->plans[i]->pass == pass && replica->plans[i]->n == n)
            return replica->plans[i];
    return NULL;
}

Status replica_prepare(Replica *replica, Pass pass, size_t n) {
    if (n == 0 || find(replica, pass, n))
        return STATUS_OK;
    CHECK(replica->plan_count < REPLICA_MAX_PLANS, "%zu plans", replica->plan_count);
    Plan *plan;
    TRY(plan_create(replica->graph, pass, n, &replica->options, &plan));
    replica->plans[replica->plan_count++] = plan;
    if (replica->arena_bytes < plan->arena_bytes)
        replica->arena_bytes = plan->arena_bytes;
    return STATUS_OK;
}

Status replica_ready(Replica *replica) {
    TRY(memory_new(&replica->weights, replica->graph->weight_count, "weights"));
    TRY(memory_alloc(replica->arena_bytes, 1, "activations", &replica->arena));
    for (size_t i = 0; i < replica->plan_count; i++)
        executor_bind(replica->plans[i], replica->arena, replica->weights);
    return STATUS_OK;
}

Plan *replica_plan(const Replica *replica, Pass pass, size_t n) {
    Plan *plan = find(replica, pass, n);
    CHECK(plan != NULL, "no plan for pass %d of %zu examples", (int)pass, n);
    return plan;
}
