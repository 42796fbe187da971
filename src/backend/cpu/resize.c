/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* Nearest neighbour, and bilinear interpolation between two rows and two columns; half-pixel centres, edges clamped.
 * Either way an output position is a weighted sum of at most four input positions: of two rows first, which become one
 * row of the input's width in `work`, then of two columns. */
typedef struct Pair {
    size_t index[2];
    float weight[2]; /* weight[1] 0: only index[0] counts */
} Pair;

/* The input positions along one axis that output position `i` of `out` reads.  In units of 1 / (2 out) input positions,
 * so that no rounding decides which one is taken. */
static Pair source_of(Interpolation interpolation, size_t i, size_t out, size_t in) {
    size_t unit = 2 * out, centre = (2 * i + 1) * in;
    if (interpolation == INTERPOLATE_NEAREST)
        return (Pair){{centre / unit, 0}, {1, 0}};
    size_t place = centre > out ? centre - out : 0, low = place / unit;
    float part = low + 1 < in ? (float)(place % unit) / (float)unit : 0;
    return (Pair){{low, part > 0 ? low + 1 : low}, {1 - part, part}};
}

static void set_pairs(Interpolation interpolation, size_t out, size_t in, Pair *pairs) {
    for (size_t i = 0; i < out; i++)
        pairs[i] = source_of(interpolation, i, out, in);
}

/* work: a Pair of each row and each column of the output, then a row of the input. */
typedef struct Work {
    Pair *rows, *columns;
    float *row;
} Work;

static Work work_of(const OpDesc *op, const OpBuffers *b) {
    const size_t *in = op->x[0].dim, *out = op->y.dim;
    Work w = {.rows = b->work};
    w.columns = w.rows + out[0];
    w.row = (float *)(w.columns + out[1]);
    set_pairs(op->attr.resize.interpolation, out[0], in[0], w.rows);
    set_pairs(op->attr.resize.interpolation, out[1], in[1], w.columns);
    return w;
}

/* y = the weighted rows a and b; a weight of 0 takes no part, so that a NaN there does not spread. */
CPU_CLONES
static void mix_rows(const Pair *pair, const float *restrict a, const float *restrict b, size_t count,
                     float *restrict y) {
    for (size_t i = 0; i < count; i++)
        y[i] = pair->weight[1] > 0 ? pair->weight[0] * a[i] + pair->weight[1] * b[i] : a[i];
}

/* C is a constant where this is inlined, if it can be. */
CPU_INLINE void mix_columns(const Pair *pair, size_t count, size_t C, const float *restrict row, float *restrict y) {
    for (size_t q = 0; q < count; q++, pair++, y += C) {
        const float *a = row + pair->index[0] * C, *b = row + pair->index[1] * C;
        for (size_t c = 0; c < C; c++)
            y[c] = pair->weight[1] > 0 ? pair->weight[0] * a[c] + pair->weight[1] * b[c] : a[c];
    }
}

CPU_CLONES
static void mix_all_columns(const Pair *pairs, size_t count, size_t C, const float *row, float *y) {
    if (C == 1)
        mix_columns(pairs, count, 1, row, y);
    else
        mix_columns(pairs, count, C, row, y);
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    const size_t *in = op->x[0].dim, *out = op->y.dim;
    size_t C = in[2], width = in[1] * C;
    Work w = work_of(op, b);
    for (size_t i = 0; i < op->n * out[0]; i++) {
        const float *image = b->x[0] + i / out[0] * in[0] * width;
        const Pair *pair = &w.rows[i % out[0]];
        mix_rows(pair, image + pair->index[0] * width, image + pair->index[1] * width, width, w.row);
        mix_all_columns(w.columns, out[1], C, w.row, b->y + i * out[1] * C);
    }
}

CPU_CLONES
static void add_scaled(const float *restrict from, size_t count, float scale, float *restrict to) {
    for (size_t i = 0; i < count; i++)
        to[i] += scale * from[i];
}

/* The transpose of forward: columns to a row, the row to two. */
static void backward(const OpDesc *op, const OpBuffers *b) {
    const size_t *in = op->x[0].dim, *out = op->y.dim;
    size_t C = in[2], width = in[1] * C;
    if (!b->dx[0])
        return;
    Work w = work_of(op, b);
    if (!b->dx_add[0])
        memset(b->dx[0], 0, total_count(op, &op->x[0]) * sizeof(float));
    for (size_t i = 0; i < op->n * out[0]; i++) {
        float *image = b->dx[0] + i / out[0] * in[0] * width;
        const float *dy = b->dy + i * out[1] * C;
        memset(w.row, 0, width * sizeof *w.row);
        for (size_t q = 0; q < out[1]; q++, dy += C)
            for (int k = 0; k < 2; k++)
                if (w.columns[q].weight[k] > 0)
                    add_scaled(dy, C, w.columns[q].weight[k], w.row + w.columns[q].index[k] * C);
        for (int k = 0; k < 2; k++)
            if (w.rows[i % out[0]].weight[k] > 0)
                add_scaled(w.row, width, w.rows[i % out[0]].weight[k], image + w.rows[i % out[0]].index[k] * width);
    }
}

static void memory(const OpDesc *op, OpMemory *memory) {
    size_t width = op->x[0].dim[1] * op->x[0].dim[2];
    memory->work_bytes = (op->y.dim[0] + op->y.dim[1]) * sizeof(Pair) + width * sizeof(float);
}

const Kernel cpu_resize2d = {.forward = forward, .backward = backward, .memory = memory};
