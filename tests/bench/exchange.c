/* SPDX-License-Identifier: Apache-2.0
 *
 * Speed of the exchange of gradients beside MPI_Allreduce, under mpirun:
 *
 *     bench_exchange [-b KB] [KB ...]              by size, 4 KB to 100 MB
 *     bench_exchange [-b KB] overlap [MB [ms]]     a step of `ms` of sgemm with an exchange of `MB` behind it
 *
 * -b: the size of a bucket (GradSyncOptions.bucket_bytes).
 *
 * By size: ranks write a vector, sum it, read the result; a vector that is summed again and again without being written
 * would stay in the caches of whoever sums it.  The time of writing and reading the same memory alone is subtracted.
 * All are interleaved, many short series of each; times are those of the slowest rank. */
#include "base/log.h"
#include "base/memory.h"
#include "dist/gradsync.h"
#include <cblas.h>
#include <math.h>
#include <mpi.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SERIES = 41, SLICE = 256 };
typedef enum Way { MPI, MPI_BASE, OURS, OURS_BASE, WAYS } Way;

static Dist *dist;
static size_t bucket_bytes;

/* ---- what is measured ---- */

typedef struct Bench {
    size_t count;
    float *vector; /* of MPI */
    GradSync *sync;
    float *slab;  /* of ours, between steps */
    unsigned sum; /* of what was read: so that reading is not left out */
} Bench;

static void write_vector(float *vector, size_t count, float value) {
    for (size_t i = 0; i < count; i++)
        vector[i] = value;
}

static unsigned read_vector(const float *vector, size_t count) {
    unsigned sum = 0, word;
    for (size_t i = 0; i < count; i++) {
        memcpy(&word, vector + i, sizeof word);
        sum += word;
    }
    return sum;
}

static void run_once(Bench *b, Way way) {
    float *vector = way == OURS_BASE ? b->slab : b->vector;
    if (way == OURS) {
        gradsync_begin(b->sync, (size_t)dist_ranks(dist));
        vector = gradsync_slab(b->sync);
    }
    write_vector(vector, b->count, (float)(1 + dist_rank(dist)));
    if (way == MPI)
        MPI_Allreduce(MPI_IN_PLACE, vector, (int)b->count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    if (way == OURS) {
        gradsync_final(b->sync, b->count);
        vector = b->slab = gradsync_wait(b->sync);
    }
    b->sum += read_vector(vector, b->count);
}

/* Seconds of one of `runs` runs, on the slowest rank. */
static double time_series(Bench *b, Way way, int runs) {
    dist_barrier(dist);
    double start = dist_time();
    for (int i = 0; i < runs; i++)
        run_once(b, way);
    double time = (dist_time() - start) / runs;
    MPI_Allreduce(MPI_IN_PLACE, &time, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return time;
}

static int compare(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static double median(double *times, size_t count) {
    qsort(times, count, sizeof *times, compare);
    return times[count / 2];
}

static void print_row(size_t bytes, double times[WAYS][SERIES], size_t series) {
    double middle[WAYS], least[WAYS];
    for (int w = 0; w < WAYS; w++) {
        middle[w] = 1e3 * median(times[w], series);
        least[w] = 1e3 * times[w][0];
    }
    for (int w = 0; w < WAYS; w += 2) {
        middle[w] -= middle[w + 1];
        least[w] -= least[w + 1];
    }
    log_info("%9.0f KB | %9.4f %9.4f | %9.4f %9.4f | %5.2f %5.2f\n", (double)bytes / 1024, least[MPI], middle[MPI],
             least[OURS], middle[OURS], least[OURS] / least[MPI], middle[OURS] / middle[MPI]);
}

static Status measure_size(size_t bytes) {
    static double times[WAYS][SERIES];
    Bench b = {.count = bytes / sizeof(float)};
    const GradSyncOptions options = {
        .count = b.count, .micro_batches = (size_t)dist_ranks(dist), .bucket_bytes = bucket_bytes};
    TRY(dist_agree(dist, memory_new(&b.vector, b.count, "vector")));
    TRY(gradsync_create(dist, &options, &b.sync));
    double once = fmax(time_series(&b, MPI, 1), time_series(&b, MPI, 2));
    int runs = (int)fmin(fmax(2e-3 / once, 1), 1000);
    size_t series = (size_t)fmin(fmax(3 / (once * runs), 5), SERIES);
    for (size_t s = 0; s < series + 1; s++) /* the first to warm up */
        for (int way = 0; way < WAYS; way++)
            times[way][s ? s - 1 : 0] = time_series(&b, (Way)way, runs);
    print_row(bytes, times, series);
    gradsync_destroy(b.sync);
    memory_free(b.vector);
    return STATUS_OK;
}

static Status measure_sizes(int argc, char **argv) {
    static const size_t kilobytes[] = {4, 16, 64, 256, 1024, 4096, 25 * 1024, 100 * 1024};
    log_info("ms without writing and reading; %d ranks on %d node%s\n", dist_ranks(dist), dist_nodes(dist),
             dist_nodes(dist) == 1 ? "" : "s");
    log_info("%12s | %19s | %19s | %11s\n", "", "MPI_Allreduce", "this", "ratio");
    log_info("%12s | %9s %9s | %9s %9s | %5s %5s\n", "", "least", "median", "least", "median", "least", "med.");
    for (int i = 1; i < argc; i++)
        TRY(measure_size((size_t)atol(argv[i]) * 1024));
    for (size_t i = 0; argc < 2 && i < sizeof kilobytes / sizeof *kilobytes; i++)
        TRY(measure_size(kilobytes[i] * 1024));
    return STATUS_OK;
}

/* ---- the exchange behind a step ---- */

typedef struct Step {
    Bench bench;
    size_t slices; /* of the step; each is a small sgemm and a share of the vector */
    float *a, *b, *c;
    bool shares_cores; /* more ranks than the machine has */
} Step;

static void multiply(Step *s) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SLICE, SLICE, SLICE, 1, s->a, SLICE, s->b, SLICE, 0, s->c,
                SLICE);
}

/* Seconds of a step on the slowest rank, with or without computing and exchanging. */
static double time_step(Step *s, bool compute, bool exchange) {
    Bench *b = &s->bench;
    dist_barrier(dist);
    double start = dist_time();
    float *vector = b->vector;
    if (exchange) {
        gradsync_begin(b->sync, (size_t)dist_ranks(dist));
        vector = gradsync_slab(b->sync);
    }
    for (size_t i = 0, done = 0; i < s->slices; i++) {
        if (compute)
            multiply(s);
        if (s->shares_cores) /* as each rank had a slower one of its own */
            sched_yield();
        size_t end = b->count * (i + 1) / s->slices;
        write_vector(vector + done, end - done, 1);
        done = end;
        if (exchange)
            gradsync_final(b->sync, done);
    }
    if (exchange)
        gradsync_wait(b->sync);
    double time = dist_time() - start;
    MPI_Allreduce(MPI_IN_PLACE, &time, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return time;
}

static Status measure_overlap(double megabytes, double milliseconds) {
    enum { STEPS = 15, COMPUTE = 0, EXCHANGE, BOTH, KINDS };
    static double times[KINDS][STEPS];
    Step s = {.bench.count = (size_t)(megabytes * 1e6 / sizeof(float)), .slices = 1};
    const GradSyncOptions options = {
        .count = s.bench.count, .micro_batches = (size_t)dist_ranks(dist), .bucket_bytes = bucket_bytes};
    TRY(dist_agree(dist, memory_new(&s.bench.vector, s.bench.count, "vector")));
    TRY(dist_agree(dist, memory_new(&s.a, SLICE * SLICE, "matrix")));
    TRY(dist_agree(dist, memory_new(&s.b, SLICE * SLICE, "matrix")));
    TRY(dist_agree(dist, memory_new(&s.c, SLICE * SLICE, "matrix")));
    TRY(gradsync_create(dist, &options, &s.bench.sync));
    double slice = INFINITY;
    for (int i = 0; i < 50; i++) {
        double start = dist_time();
        multiply(&s);
        slice = fmin(slice, dist_time() - start);
    }
    MPI_Allreduce(MPI_IN_PLACE, &slice, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
    s.shares_cores = dist_ranks(dist) > sysconf(_SC_NPROCESSORS_ONLN);
    if (s.shares_cores)
        slice *= (double)dist_ranks(dist) / (double)sysconf(_SC_NPROCESSORS_ONLN);
    s.slices = (size_t)fmax(1e-3 * milliseconds / slice, 1);
    for (int i = 0; i < STEPS + 1; i++) {
        int at = i ? i - 1 : 0;
        times[COMPUTE][at] = time_step(&s, true, false);
        times[EXCHANGE][at] = time_step(&s, false, true);
        times[BOTH][at] = time_step(&s, true, true);
    }
    double m[KINDS], least[KINDS];
    for (int w = 0; w < KINDS; w++) {
        m[w] = 1e3 * median(times[w], STEPS);
        least[w] = 1e3 * times[w][0];
    }
    log_info(
        "%.0f MB behind a step, %d ranks on %d nodes, ms, least (median): compute %.0f (%.0f), exchange %.0f (%.0f), "
        "step with both %.0f (%.0f); over the larger %.2f (%.2f)\n",
        megabytes, dist_ranks(dist), dist_nodes(dist), least[0], m[0], least[1], m[1], least[2], m[2],
        least[2] / fmax(least[0], least[1]), m[2] / fmax(m[0], m[1]));
    gradsync_destroy(s.bench.sync);
    memory_free(s.bench.vector);
    memory_free(s.a);
    memory_free(s.b);
    memory_free(s.c);
    return STATUS_OK;
}

int main(int argc, char **argv) {
    log_set_program("bench_exchange");
    Status status = dist_init(&argc, &argv, &dist);
    if (status != STATUS_OK) {
        log_error("%s", status_message());
        return (int)status;
    }
    if (argc > 2 && strcmp(argv[1], "-b") == 0) {
        bucket_bytes = (size_t)atol(argv[2]) * 1024;
        argc -= 2;
        argv += 2;
    }
    if (argc > 1 && strcmp(argv[1], "overlap") == 0)
        status = measure_overlap(argc > 2 ? atof(argv[2]) : 25, argc > 3 ? atof(argv[3]) : 320);
    else
        status = measure_sizes(argc, argv);
    dist_finish(dist);
    return (int)status;
}
