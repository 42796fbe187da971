/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* Nearest neighbour, and bilinear interpolation between two rows and two columns; half-pixel centres, edges clamped.
 * Either way an output position is a weighted sum of at most four input positions. */
typedef struct Pair {
    size_t index[2];
    float weight[2]; /* weight[1] 0: only index[0] counts */
} Pair;

/* The input positions along one axis that output position `i` of `out` reads.  In units of 1 / (2 out) input positions, so
 * that no rounding decides which one is taken. */
static Pair source_of(Interpolation interpolation, size_t i, size_t out, size_t in) {
    size_t unit = 2 * out, centre = (2 * i + 1) * in;
    if (interpolation == INTERPOLATE_NEAREST)
        return (Pair){{centre / unit, 0}, {1, 0}};
    size_t place = centre > out ? centre - out : 0, low = place / unit;
    float part = low + 1 < in ? (float)(place % unit) / (float)unit : 0;
    return (Pair){{low, low + 1}, {1 - part, part}};
}

CPU_CLONES
static void add_scaled(const float *restrict from, size_t count, float scale, float *restrict to) {
    for (size_t i = 0; i < count; i++)
        to[i] += scale * from[i];
}

/* One output position (p, q): y += weight x at each of its sources, or backward dx += weight dy. */
static void resize_position(const OpDesc *op, Pair row, Pair column, const float *x, float *y, const float *dy,
                            float *dx) {
    size_t W = op->x[0].dim[1], C = op->x[0].dim[2];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            float weight = row.weight[i] * column.weight[j];
            size_t at = (row.index[i] * W + column.index[j]) * C;
            if (weight > 0 && y)
                add_scaled(x + at, C, weight, y);
            else if (weight > 0)
                add_scaled(dy, C, weight, dx + at);
        }
}

/* All positions; forward where y is given, backward where dx is. */
static void resize(const OpDesc *op, const float *x, float *y, const float *dy, float *dx) {
    const size_t *in = op->x[0].dim, *out = op->y.dim;
    Interpolation interpolation = op->attr.resize.interpolation;
    size_t image = shape_count(&op->x[0]), C = in[2];
    for (size_t n = 0, at = 0; n < op->n; n++)
        for (size_t p = 0; p < out[0]; p++) {
            Pair row = source_of(interpolation, p, out[0], in[0]);
            for (size_t q = 0; q < out[1]; q++, at += C) {
                Pair column = source_of(interpolation, q, out[1], in[1]);
                if (y)
                    resize_position(op, row, column, x + n * image, y + at, NULL, NULL);
                else
                    resize_position(op, row, column, NULL, NULL, dy + at, dx + n * image);
            }
        }
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    memset(b->y, 0, total_count(op, &op->y) * sizeof *b->y);
    resize(op, b->x[0], b->y, NULL, NULL);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    if (!b->dx[0])
        return;
    if (!b->dx_add[0])
        memset(b->dx[0], 0, total_count(op, &op->x[0]) * sizeof(float));
    resize(op, NULL, NULL, b->dy, b->dx[0]);
}

const Kernel cpu_resize2d = {.forward = forward, .backward = backward};
