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

static Plan *find(const Replica *replica, Pass pass, size_t n, PlanPart part) {
    for (size_t i = 0; i < replica->plan_count; i++) {
        Plan *plan = replica->plans[i];
        if (plan->pass == pass && plan->n == n && plan->part.from == part.from && plan->part.to == part.to)
            return plan;
    }
    return NULL;
}

Status replica_prepare(Replica *replica, Pass pass, size_t n) {
    return replica_prepare_part(replica, pass, n, (PlanPart){0});
}

Status replica_prepare_part(Replica *replica, Pass pass, size_t n, PlanPart part) {
    PlanOptions options = replica->options;
    Plan *plan;
    if (n == 0 || find(replica, pass, n, part))
        return STATUS_OK;
    CHECK(replica->plan_count < REPLICA_MAX_PLANS, "%zu plans", replica->plan_count);
    options.part = part;
    TRY(plan_create(replica->graph, pass, n, &options, &plan));
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
    return replica_plan_part(replica, pass, n, (PlanPart){0});
}

Plan *replica_plan_part(const Replica *replica, Pass pass, size_t n, PlanPart part) {
    Plan *plan = find(replica, pass, n, part);
    CHECK(plan != NULL, "no plan for pass %d of %zu examples", (int)pass, n);
    return plan;
}
