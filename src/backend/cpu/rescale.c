/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <math.h>

CPU_CLONES
static void scale_and_shift(const float *x, size_t count, float scale, float offset, float *y) {
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] * scale + offset;
}

static void rescale_forward(const OpDesc *op, const OpBuffers *b) {
    scale_and_shift(b->x[0], total_count(op, &op->y), (float)op->attr.rescale.scale, (float)op->attr.rescale.offset,
                    b->y);
}

static void rescale_backward(const OpDesc *op, const OpBuffers *b) {
    if (b->dx[0])
        scale_values(b->dy, total_count(op, &op->y), (float)op->attr.rescale.scale, b->dx_add[0], b->dx[0]);
}

const Kernel cpu_rescale = {.forward = rescale_forward, .backward = rescale_backward};

/* to = from scale + offset, per channel; offset NULL: 0. */
CPU_CLONES
static void scale_rows(const float *from, size_t rows, size_t channels, const float *scale, const float *offset,
                       bool add, float *to) {
    for (size_t r = 0; r < rows; r++, from += channels, to += channels)
#pragma GCC ivdep
        for (size_t c = 0; c < channels; c++) {
            float value = from[c] * scale[c] + (offset ? offset[c] : 0);
            to[c] = add ? to[c] + value : value;
        }
}

static void scale_forward(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->y);
    scale_rows(b->x[0], total_count(op, &op->y) / channels, channels, b->w[0], b->w[1], false, b->y);
}

static void scale_backward(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->y), rows = total_count(op, &op->y) / channels;
    if (b->dw[0])
        sum_row_products(b->x[0], b->dy, rows, channels, b->dw_add[0], b->dw[0]);
    if (b->dw[1])
        sum_rows(b->dy, rows, channels, 1, b->dw_add[1], b->dw[1]);
    if (b->dx[0])
        scale_rows(b->dy, rows, channels, b->w[0], NULL, b->dx_add[0], b->dx[0]);
}

const Kernel cpu_scale = {.forward = scale_forward, .backward = scale_backward};

/* factor [channels] = 1 / max(sqrt(variance), 1e-7). */
static void set_factors(const OpDesc *op, const OpBuffers *b, float *factor) {
    size_t channels = channels_of(&op->y);
    for (size_t c = 0; c < channels; c++)
        factor[c] = 1 / fmaxf(sqrtf(b->w[1][c]), 1e-7f);
}

/* to = (from - mean) factor, per channel. */
CPU_CLONES
static void normalize_rows(const float *from, size_t rows, size_t channels, const float *mean, const float *factor,
                           float *to) {
    for (size_t r = 0; r < rows; r++, from += channels, to += channels)
#pragma GCC ivdep
        for (size_t c = 0; c < channels; c++)
            to[c] = (from[c] - mean[c]) * factor[c];
}

static void normalize_forward(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->y);
    set_factors(op, b, b->work);
    normalize_rows(b->x[0], total_count(op, &op->y) / channels, channels, b->w[0], b->work, b->y);
}

static void normalize_backward(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->y);
    if (!b->dx[0])
        return;
    set_factors(op, b, b->work);
    scale_rows(b->dy, total_count(op, &op->y) / channels, channels, b->work, NULL, b->dx_add[0], b->dx[0]);
}

static void normalize_memory(const OpDesc *op, OpMemory *memory) {
    memory->work_bytes = channels_of(&op->y) * sizeof(float);
}

const Kernel cpu_normalize = {.forward = normalize_forward, .backward = normalize_backward, .memory = normalize_memory};
