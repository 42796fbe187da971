/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/lanes.h"
#include "backend/cpu/vector.h"

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

const Kernel cpu_softmax = {.forward = forward, .backward = backward};
