/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums and maxima along a row of adjacent elements, in LANES interleaved parts that are combined at the end: a plain
 * sum cannot be vectorised without changing its order. */
#ifndef BACKEND_CPU_LANES_H
#define BACKEND_CPU_LANES_H
#include "backend/clones.h"
#include <stddef.h>
#include <string.h>

enum { LANES = 16 };

/* A NaN is passed over unless it comes first. */
CPU_INLINE float largest(const float *x, size_t count) {
    float lane[LANES], best;
    size_t i = 0;
    if (count >= LANES) {
        memcpy(lane, x, sizeof lane);
        for (i = LANES; i + LANES <= count; i += LANES)
            for (size_t j = 0; j < LANES; j++)
                lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    } else {
        for (size_t j = 0; j < LANES; j++)
            lane[j] = x[0];
    }
    best = lane[0];
    for (size_t j = 1; j < LANES; j++)
        best = lane[j] > best ? lane[j] : best;
    for (; i < count; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

/* The lanes together, and what was left of the row. */
CPU_INLINE float lane_sum(const float lane[LANES], float rest) {
    for (size_t j = 0; j < LANES; j++)
        rest += lane[j];
    return rest;
}

/* Sum of x. */
CPU_INLINE float sum_of(const float *x, size_t count) {
    float lane[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += x[i + j];
    for (; i < count; i++)
        rest += x[i];
    return lane_sum(lane, rest);
}

/* Sum of x y. */
CPU_INLINE float product_of(const float *x, const float *y, size_t count) {
    float lane[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += x[i + j] * y[i + j];
    for (; i < count; i++)
        rest += x[i] * y[i];
    return lane_sum(lane, rest);
}

/* Sum of (x - mean)^2. */
CPU_INLINE float squares_of(const float *x, float mean, size_t count) {
    float lane[LANES] = {0}, rest = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (x[i + j] - mean) * (x[i + j] - mean);
    for (; i < count; i++)
        rest += (x[i] - mean) * (x[i] - mean);
    return lane_sum(lane, rest);
}

#endif
