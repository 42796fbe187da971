/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of the optimizer: optimizer.c has slots, spans and the course of a step, optimizer_update.c the
 * formulas. */
#ifndef TRAIN_OPTIMIZER_INTERNAL_H
#define TRAIN_OPTIMIZER_INTERNAL_H
#include "train/optimizer.h"

/* The update loops are limited by memory (sgd runs at 170 to 195 GB/s from the second-level cache, adam at 98, all at
 * the memory's own speed beyond it), so the compiler's vectorisation is enough; where it can, it also makes a copy for
 * AVX2, chosen when the program starts.  Not for AVX-512: that would bring fused multiply-adds, and then replicas on
 * different CPUs would drift apart; like this all x86 CPUs give the same bits. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
#define FOR_EVERY_CPU __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EVERY_CPU
#endif

enum { OPTIMIZER_BLOCK = 4096 }; /* elements that stay in the first-level cache */

/* What is the same for all elements of a step. */
typedef struct UpdateNumbers {
    double lr;
    double scale;              /* makes gradient sums the clipped gradient */
    double unbias_1, unbias_2; /* adam, lamb: 1 - beta^t */
} UpdateNumbers;

/* Those of step `step`, with scale 1. */
UpdateNumbers optimizer__numbers(const OptimizerOptions *options, double lr, uint64_t step);

/* Updates n elements of the span from slab element `at` on; all of it at once where it adapts.  lamb overwrites the
 * gradient. */
void optimizer__update(Optimizer *optimizer, const OptimizerSpan *span, size_t at, size_t n,
                       const UpdateNumbers *numbers, Real *weights, Real *gradient);

/* Sum of squares, in double over fixed blocks, block sums added in order. */
double optimizer__squares(const Real *x, size_t count);

#endif
