/* SPDX-License-Identifier: Apache-2.0
 *
 * What benchmarks of kernels measure with, and measure themselves against. */
#ifndef TESTS_BENCH_PEAK_H
#define TESTS_BENCH_PEAK_H
#include <cblas.h>
#include <math.h>
#include <stddef.h>
#include <time.h>

/* This thread's processor time: other work on the machine counts less than on the clock. */
static inline double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* OpenBLAS's product of two matrices of 1024 x 1024, best of 15, in GFLOP/s. */
static inline double sgemm_peak(void) {
    enum { SIZE = 1024, TRIES = 15 };
    static float a[SIZE * SIZE], b[SIZE * SIZE], c[SIZE * SIZE];
    double best = INFINITY;
    for (size_t i = 0; i < SIZE * SIZE; i++)
        a[i] = b[i] = (float)(i % 7);
    for (int i = 0; i < TRIES; i++) {
        double start = seconds();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIZE, SIZE, SIZE, 1, a, SIZE, b, SIZE, 0, c, SIZE);
        best = fmin(best, seconds() - start);
    }
    return 2e-9 * SIZE * SIZE * SIZE / best;
}

#endif
