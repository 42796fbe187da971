/* SPDX-License-Identifier: Apache-2.0
 *
 * The arithmetic of a training step of a network of the zoo, without data, exchange and optimizer: forward and backward
 * pass of one micro-batch on random examples, and where the time goes.
 *
 *     bench_step NETWORK BATCH [BACKEND [SECONDS]]
 *
 * Prints the median and the best step, and for the operations of the best step: time, share, GFLOP/s of the direct
 * method's arithmetic, backend and slices. */
#include "base/memory.h"
#include "bench/peak.h"
#include "graph/executor.h"
#include "model/zoo/zoo.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RUNS = 10000 };

typedef struct Times {
    double begin;
    double (*phase)[STEP_PHASES]; /* per step of the plan */
} Times;

static void note(void *user, size_t step, StepPhase phase, bool begin) {
    Times *times = user;
    double now = seconds();
    if (begin)
        times->begin = now;
    else
        times->phase[step][phase] += now - times->begin;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static Status make_graph(const ZooEntry *entry, Model **model, Graph **graph) {
    const ModelLoss loss = {.kind = LOSS_SPARSE_CROSSENTROPY, .weight = 1};
    TRY(zoo_create(entry->name, entry->input, entry->classes, model));
    TRY(graph_create(graph));
    TRY(model_build(*model, &(ModelBuild){.losses = &loss, .loss_count = 1}, *graph));
    return graph_finish(*graph);
}

/* Multiply-adds times two of the passes of one step, for the whole micro-batch. */
static double work_of(const PlanStep *step) {
    size_t passes = 1 + (step->runs_backward && step->op.want_dx[0]) + (step->runs_backward && step->op.want_dw[0]);
    return op_flops(&step->op) * (double)step->op.batch * (double)passes;
}

static void print_steps(const Plan *plan, const Times *best, double total) {
    double convolutions = 0, convolution_work = 0;
    printf("%-28s %-11s %-9s %6s %9s %9s %7s %8s\n", "layer", "operation", "backend", "slices", "forward", "backward",
           "share", "GFLOP/s");
    for (size_t s = 0; s < plan->step_count; s++) {
        const PlanStep *step = &plan->steps[s];
        const double *t = best->phase[s];
        double forward = t[PHASE_COLLECT] + t[PHASE_FORWARD];
        double backward = t[PHASE_FORWARD_AGAIN] + t[PHASE_COLLECT_BACKWARD] + t[PHASE_BACKWARD];
        char name[32];
        snprintf(name, sizeof name, "%s%s%s", op_name(step->op.kind), step->op.relu ? "+relu" : "",
                 step->op.kind == OP_BATCH_NORM && step->op.inputs > 1 ? "+add" : "");
        printf("%-28s %-11s %-9s %6zu %6.0f us %6.0f us %5.1f %% %8.1f\n", plan->graph->nodes[step->node].layer, name,
               step->backend->name, step->slices, 1e6 * forward, 1e6 * backward, 100 * (forward + backward) / total,
               1e-9 * work_of(step) / (forward + backward));
        if (step->op.kind == OP_CONV2D) {
            convolutions += forward + backward;
            convolution_work += work_of(step);
        }
    }
    double speed = 1e-9 * convolution_work / convolutions, peak = sgemm_peak();
    printf("convolutions: %.1f %% of the time, %.1f GFLOP/s, %.0f %% of sgemm's %.1f\n", 100 * convolutions / total,
           speed, 100 * speed / peak, peak);
}

static Status measure(const ZooEntry *entry, size_t batch, const PlanOptions *options, double limit) {
    Model *model;
    Graph *graph;
    Plan *plan;
    Real *x, *y, *weights, *gradients;
    void *arena;
    Times now, best;
    static double runs[MAX_RUNS];
    size_t count = 0, pixels = batch * shape_count(&entry->input);
    TRY(make_graph(entry, &model, &graph));
    TRY(plan_create(graph, PASS_TRAIN, batch, options, &plan));
    TRY(memory_alloc(plan->arena_bytes, 1, "arena", &arena));
    TRY(memory_new(&weights, graph->weight_count, "weights"));
    TRY(memory_new(&gradients, graph->gradient_count, "gradients"));
    TRY(memory_new(&x, pixels, "x"));
    TRY(memory_new(&y, batch, "y"));
    TRY(memory_new(&now.phase, plan->step_count, "times"));
    TRY(memory_new(&best.phase, plan->step_count, "times"));
    graph_initialize(graph, 1, weights);
    for (size_t i = 0; i < pixels; i++)
        x[i] = (Real)rng_normal(rng_key(1, RNG_TEST, 0, 0), i, 0);
    executor_bind(plan, arena, weights);
    double end = seconds() + limit, fastest = 1e9;
    while (count < 3 || (seconds() < end && count < MAX_RUNS)) {
        memset(now.phase, 0, plan->step_count * sizeof *now.phase);
        ExecutorRun run = {.inputs = (const Real *[]){x, y},
                           .gradients = gradients,
                           .weights_version = count + 1,
                           .trace = note,
                           .trace_user = &now};
        double start = seconds();
        executor_forward(plan, &run);
        executor_backward(plan, &run, NULL, NULL);
        runs[count] = seconds() - start;
        if (runs[count] < fastest) {
            fastest = runs[count];
            memcpy(best.phase, now.phase, plan->step_count * sizeof *now.phase);
        }
        count++;
    }
    qsort(runs, count, sizeof *runs, by_value);
    print_steps(plan, &best, fastest);
    printf("%s, batch %zu: best %.3f ms, %.1f images/s; median %.3f ms, %.1f images/s; arena %.1f MB\n", entry->name,
           batch, 1e3 * runs[0], (double)batch / runs[0], 1e3 * runs[count / 2], (double)batch / runs[count / 2],
           1e-6 * (double)plan->arena_bytes);
    return STATUS_OK; /* the process ends here */
}

int main(int argc, char **argv) {
    const ZooEntry *entry = argc > 2 ? zoo_find(argv[1]) : NULL;
    size_t batch = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    const char *slice = getenv("SLICE_BYTES");
    PlanOptions options = {.backend = argc > 3 ? argv[3] : NULL, .slice_bytes = slice ? strtoul(slice, NULL, 10) : 0};
    if (!entry || batch == 0) {
        fprintf(stderr, "usage: bench_step NETWORK BATCH [BACKEND [SECONDS]]\n");
        return 2;
    }
    if (measure(entry, batch, &options, argc > 4 ? strtod(argv[4], NULL) : 3) != STATUS_OK) {
        fprintf(stderr, "bench_step: %s\n", status_message());
        return 1;
    }
    return 0;
}
