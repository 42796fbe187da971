/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/vector.h"

/* Sums and maxima along a row are taken in LANES interleaved parts, combined at the end: a plain sum cannot be vectorised
 * without changing its order. */
enum { LANES = 16 };

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

CPU_INLINE float lane_sum(const float lane[LANES], float rest) {
    for (size_t j = 0; j < LANES; j++)
        rest += lane[j];
    return rest;
}

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

/* A row of the softmax: y[i] = e^(x[i] - max) / sum. */
CPU_CLONES
static void softmax_rows(const float *x, size_t rows, size_t classes, float *y) {
    for (size_t r = 0; r < rows; r++, x += classes, y += classes) {
        float shift = largest(x, classes);
#pragma GCC ivdep
        for (size_t i = 0; i < classes; i++)
            y[i] = vector_exp(x[i] - shift);
        float share = 1 / sum_of(y, classes);
        for (size_t i = 0; i < classes; i++)
            y[i] *= share;
    }
}

/* dx = y (dy - sum dy y). */
CPU_CLONES
static void gradient_rows(const float *y, const float *dy, size_t rows, size_t classes, bool add, float *dx) {
    for (size_t r = 0; r < rows; r++, y += classes, dy += classes, dx += classes) {
        float mean = product_of(y, dy, classes);
#pragma GCC ivdep
        for (size_t i = 0; i < classes; i++) {
            float value = y[i] * (dy[i] - mean);
            dx[i] = add ? dx[i] + value : value;
        }
    }
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    size_t classes = channels_of(&op->y);
    softmax_rows(b->x[0], total_count(op, &op->y) / classes, classes, b->y);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    size_t classes = channels_of(&op->y);
    if (b->dx[0])
        gradient_rows(b->y, b->dy, total_count(op, &op->y) / classes, classes, b->dx_add[0], b->dx[0]);
}

const CpuKernel cpu_softmax = {.forward = forward, .backward = backward};
