/* SPDX-License-Identifier: Apache-2.0 */
#include "train/profile.h"
#include "backend/select.h"
#include "base/memory.h"
#include "train/profile_internal.h"
#include <errno.h>
#include <string.h>

enum {
    MOST_EVENTS = 400000, /* about 13 MB; fewer steps are recorded where they would be more */
    OTHER_EVENTS = 16,    /* of a step, beside its operations; of small waits there may be more */
    PEAK_PRODUCTS = 8,    /* at least, where others keep the cores busy */
    PEAK_SIZE = 512       /* rows and columns of the product that shows the peak */
};
static const double peak_seconds = 0.1, shortest_exchange = 1e-6;

/* ---- create ------------------------------------------------------------------------------------------------------ */

/* Best speed of a square matrix product, FLOP/s: what the layers' speeds are compared with. */
static Status measure_peak(double *peak) {
    OpDesc op = {.kind = OP_DENSE,
                 .n = PEAK_SIZE,
                 .batch = PEAK_SIZE,
                 .inputs = 1,
                 .x = {SHAPE(PEAK_SIZE)},
                 .params = 1,
                 .has_w = {true},
                 .w = {SHAPE(PEAK_SIZE, PEAK_SIZE)},
                 .y = SHAPE(PEAK_SIZE)};
    const Backend *backend = backend_select(&op, NULL);
    OpMemory memory = {0};
    OpContext context = {0};
    void *state = NULL;
    Real *numbers = NULL;
    char *work = NULL;
    Status status;
    *peak = 0;
    TRY_GOTO(backend->prepare(&op, &state, &memory), done);
    TRY_GOTO(memory_new(&numbers, 3 * PEAK_SIZE * PEAK_SIZE, "measurement of the peak"), done);
    TRY_GOTO(memory_new(&work, memory.work_bytes + memory.packed_bytes + MEMORY_ALIGN, "measurement of the peak"),
             done);
    for (size_t i = 0; i < 2 * PEAK_SIZE * PEAK_SIZE; i++)
        numbers[i] = 1;
    size_t packed_at = (memory.work_bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
    OpBuffers buffers = {.x = {numbers},
                         .w = {numbers + PEAK_SIZE * PEAK_SIZE},
                         .y = numbers + 2 * PEAK_SIZE * PEAK_SIZE,
                         .first = true,
                         .last = true,
                         .pack = true,
                         .packed = work + packed_at,
                         .work = work,
                         .context = &context};
    double start = dist_time(), before = start, best = 0;
    for (int i = 0; i < PEAK_PRODUCTS || before - start < peak_seconds; i++) {
        backend->forward(state, &buffers);
        buffers.pack = false;
        double now = dist_time();
        best = best > 0 && best < now - before ? best : now - before;
        before = now;
    }
    *peak = PEAK_SIZE * op_flops(&op) / best;
done:
    backend->release(state);
    memory_free(numbers);
    memory_free(work);
    return status;
}

/* Calls of a backend in one run of the plan. */
static size_t calls(const Plan *plan) {
    size_t count = 0;
    for (size_t g = 0; g < plan->group_count; g++)
        count += plan->groups[g].slices * (plan->groups[g].end - plan->groups[g].first);
    return count;
}

static Status fill(Profile *p, size_t micro_batches, uint64_t steps) {
    size_t per_step = micro_batches * (calls(p->plan) + OTHER_EVENTS);
    p->steps_wanted = MOST_EVENTS / per_step + 1 < PROFILE_STEPS ? MOST_EVENTS / per_step + 1 : PROFILE_STEPS;
    p->first_step =
        steps > PROFILE_WARM_UP + p->steps_wanted ? PROFILE_WARM_UP : 0; /* a short run is warm-up and all */
    p->room = p->steps_wanted * per_step + OTHER_EVENTS;
    TRY(memory_new(&p->events, p->room, "profile"));
    TRY(memory_new(&p->layers, p->plan->graph->node_count, "profile"));
    if (dist_rank(p->dist) != 0)
        return STATUS_OK;
    p->file = fopen(p->path, "w");
    if (p->file == NULL)
        return status_fail(STATUS_FAILED, "cannot write %s: %s. Check --profile.", p->path, strerror(errno));
    return measure_peak(&p->peak);
}

Status profile_create(Dist *dist, const char *path, const Plan *plan, size_t micro_batches, uint64_t steps,
                      Profile **out) {
    Profile *profile;
    Status status = memory_new(&profile, 1, "profile");
    *out = profile;
    if (status == STATUS_OK) {
        profile->dist = dist;
        profile->plan = plan;
        status = memory_strdup(path, &profile->path);
    }
    if (status == STATUS_OK)
        status = fill(profile, micro_batches, steps);
    TRY(dist_agree(dist, status));
    dist_barrier(dist);
    profile->zero = dist_time();
    return STATUS_OK;
}

void profile_destroy(Profile *profile) {
    if (profile == NULL)
        return;
    if (profile->file)
        fclose(profile->file);
    memory_free(profile->path);
    memory_free(profile->events);
    memory_free(profile->layers);
    memory_free(profile);
}

/* ---- record ------------------------------------------------------------------------------------------------------ */

static void add_event(Profile *p, double began, double ended, int node, unsigned what) {
    if (p->count == p->room) {
        p->lost++;
        return;
    }
    p->events[p->count++] = (ProfileEvent){
        .began = began - p->zero, .seconds = ended - began, .step = (uint32_t)p->steps, .node = node, .what = what};
}

void profile_begin_step(Profile *p) {
    if (p == NULL)
        return;
    p->recording = p->steps_seen >= p->first_step && p->steps < p->steps_wanted;
    p->steps_seen++;
    p->step_began = profile_start(p);
}

void profile_end_step(Profile *p, size_t examples) {
    if (p == NULL || !p->recording)
        return;
    profile_add(p, PROFILE_STEP, p->step_began);
    p->examples += examples;
    p->steps++;
    p->recording = false;
}

static void trace(void *user, size_t step, StepPhase phase, bool begin) {
    Profile *p = user;
    double now = dist_time();
    if (begin) {
        p->operation_began = now;
        return;
    }
    int node = p->running->steps[step].node;
    p->layers[node].seconds[phase] += now - p->operation_began;
    add_event(p, p->operation_began, now, node, phase);
}

void profile_attach(Profile *p, const Plan *plan, ExecutorRun *run) {
    if (p == NULL || !p->recording)
        return;
    p->running = plan;
    run->trace = trace;
    run->trace_user = p;
}

/* Steps are recorded within their window, what happens between steps the first time. */
static bool wanted(const Profile *p, ProfileKind kind) {
    return kind < PROFILE_VALIDATION ? p->recording : !p->had[kind];
}

double profile_start(const Profile *p) {
    return p ? dist_time() : 0;
}

void profile_add(Profile *p, ProfileKind kind, double began) {
    if (p == NULL || !wanted(p, kind))
        return;
    double now = dist_time();
    p->had[kind] = true;
    p->seconds[kind] += now - began;
    if (kind != PROFILE_EXCHANGE || now - began >= shortest_exchange)
        add_event(p, began, now, -1, kind);
}
