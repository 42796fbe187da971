/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace and the table that profile.h describes. */
#include "base/log.h"
#include "base/memory.h"
#include "train/profile_internal.h"
#include <errno.h>
#include <jansson.h>
#include <string.h>

static const char *const kind_names[PROFILE_KINDS] = {"step",      "data",       "exchange",
                                                      "optimizer", "validation", "checkpoint"};
static const char *const phase_names[STEP_PHASES] = {"statistics", "forward", "forward again", "backward statistics",
                                                     "backward"};

/* ---- the trace --------------------------------------------------------------------------------------------------- */

/* One object of the array. */
static void write_object(FILE *file, bool first, json_t *object) {
    fputs(first ? "[\n" : ",\n", file);
    json_dumpf(object, file, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(object);
}

static void write_rank(FILE *file, int rank) {
    char name[32];
    snprintf(name, sizeof name, "rank %d", rank);
    write_object(file, rank == 0,
                 json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}", "name", "process_name", "ph", "M", "pid", rank, "tid", 0,
                           "args", "name", name));
    write_object(file, false,
                 json_pack("{s:s, s:s, s:i, s:i, s:{s:i}}", "name", "process_sort_index", "ph", "M", "pid", rank, "tid",
                           0, "args", "sort_index", rank));
}

static void write_event(FILE *file, const Graph *graph, int rank, const ProfileEvent *e) {
    const Node *node = e->node < 0 ? NULL : &graph->nodes[e->node];
    const char *name = node ? node->layer : kind_names[e->what];
    const char *category = node ? phase_names[e->what] : "trainer";
    json_t *args = json_pack("{s:i}", "step", (int)e->step);
    if (node)
        json_object_set_new(args, "operation", json_string(op_name(node->op.kind)));
    write_object(file, false,
                 json_pack("{s:s, s:s, s:s, s:f, s:f, s:i, s:i, s:o}", "name", name, "cat", category, "ph", "X", "ts",
                           1e6 * e->began, "dur", 1e6 * e->seconds, "pid", rank, "tid", 0, "args", args));
}

/* Rank by rank, so that no rank needs room for the events of all. */
static Status write_trace(Profile *p) {
    size_t ranks = (size_t)dist_ranks(p->dist), most = 0;
    uint64_t counts[ranks], mine = p->count;
    ProfileEvent *events;
    dist_gather_all(p->dist, &mine, sizeof mine, counts, sizeof counts);
    for (size_t r = 0; r < ranks; r++)
        most = counts[r] > most ? (size_t)counts[r] : most;
    Status status = memory_new(&events, most, "profile of a rank");
    for (size_t r = 0; r < ranks && (status = dist_agree(p->dist, status)) == STATUS_OK; r++) {
        size_t bytes = (size_t)counts[r] * sizeof *events;
        dist_gather_all(p->dist, p->events, (size_t)dist_rank(p->dist) == r ? bytes : 0, events, bytes);
        if (p->file == NULL)
            continue;
        write_rank(p->file, (int)r);
        for (size_t i = 0; i < counts[r]; i++)
            write_event(p->file, p->plan->graph, (int)r, &events[i]);
    }
    memory_free(events);
    if (status == STATUS_OK && p->file != NULL) {
        fputs("\n]\n", p->file);
        if (fflush(p->file) != 0 || ferror(p->file))
            status = status_fail(STATUS_FAILED, "cannot write %s: %s", p->path, strerror(errno));
    }
    return dist_agree(p->dist, status);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* "  159  90%": speed and share of the peak; blanks where there is no arithmetic to speak of. */
static const char *format_speed(const Profile *p, double flops, double seconds, char text[32]) {
    text[0] = '\0';
    if (flops > 0 && seconds > 0)
        snprintf(text, 32, "%.0f %3.0f%%", flops * (double)p->examples / seconds / 1e9,
                 100 * flops * (double)p->examples / seconds / p->peak);
    return text;
}

static void print_layer(const Profile *p, const PlanStep *step) {
    const Node *node = &p->plan->graph->nodes[step->node];
    const double *seconds = p->layers[step->node].seconds, steps = (double)p->steps;
    double forward = seconds[PHASE_COLLECT] + seconds[PHASE_FORWARD];
    double backward = seconds[PHASE_FORWARD_AGAIN] + seconds[PHASE_COLLECT_BACKWARD] + seconds[PHASE_BACKWARD];
    bool counts = node->op.kind == OP_CONV2D || node->op.kind == OP_CONV2D_TRANSPOSE || node->op.kind == OP_DENSE;
    char forward_speed[32], backward_speed[32], name[64];
    snprintf(name, sizeof name, "%.20s (%s)", node->layer, op_name(node->op.kind));
    log_info("%-36.36s %-8.8s %9.3f %9.3f %5.1f%% %10s %10s\n", name, step->backend->name, 1e3 * forward / steps,
             1e3 * backward / steps, 100 * (forward + backward) / p->seconds[PROFILE_STEP],
             format_speed(p, counts ? op_flops(&step->op) : 0, forward, forward_speed),
             format_speed(p, counts ? op_flops_backward(&step->op) : 0, backward, backward_speed));
}

static void print_other(const Profile *p, const char *name, double seconds) {
    log_info("%-45s %9.3f %9s %5.1f%%\n", name, 1e3 * seconds / (double)p->steps, "",
             100 * seconds / p->seconds[PROFILE_STEP]);
}

static void print_table(const Profile *p) {
    double rest = p->seconds[PROFILE_STEP];
    if (p->steps == 0)
        return;
    log_info("profile of rank 0: %zu steps, %.3f ms each; GFLOP/s as %% of a matrix product's, %.0f\n", p->steps,
             1e3 * p->seconds[PROFILE_STEP] / (double)p->steps, p->peak / 1e9);
    log_info("%-36s %-8s %9s %9s %6s %10s %10s\n", "layer (operation)", "backend", "ms", "back ms", "share", "GFLOP/s",
             "back");
    for (size_t s = 0; s < p->plan->step_count; s++) {
        print_layer(p, &p->plan->steps[s]);
        for (int i = 0; i < STEP_PHASES; i++)
            rest -= p->layers[p->plan->steps[s].node].seconds[i];
    }
    for (ProfileKind kind = PROFILE_DATA; kind <= PROFILE_OPTIMIZER; kind++) {
        print_other(p, kind_names[kind], p->seconds[kind]);
        rest -= p->seconds[kind];
    }
    print_other(p, "all else, and the clock", rest);
}

Status profile_write(Profile *p) {
    if (p == NULL)
        return STATUS_OK;
    TRY(write_trace(p));
    print_table(p);
    if (p->lost > 0)
        log_warn("%s lacks %zu events of rank 0: there were more than foreseen", p->path, p->lost);
    log_info("profile: %s\n", p->path);
    return STATUS_OK;
}
