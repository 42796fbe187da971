/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/clones.h"
#include "backend/cpu/rows.h"
#include "backend/direct/direct.h"
#include "backend/direct/product.h"
#include <string.h>

void direct_data_sizes(Conv *g) {
    if (g->stride[0] == 1 && g->stride[1] == 1 && g->C % PRODUCT_SLACK == 0) {
        g->left = g->S - 1;
        g->out = g->left + (g->Q > g->W + g->pad[1] ? g->Q : g->W + g->pad[1]);
    } else {
        g->line = (g->S * g->C + PRODUCT_SLACK - 1) / PRODUCT_SLACK * PRODUCT_SLACK;
    }
}

size_t direct_data_packed_count(const Conv *g) {
    return g->R * g->K * (g->line ? g->line : g->S * g->C);
}

/* Kernel rows that meet image rows of one remainder modulo the stride: remainder, remainder + stride, .. */
static size_t kernel_rows(const Conv *g, size_t remainder) {
    return remainder < g->R ? (g->R - remainder + g->stride[0] - 1) / g->stride[0] : 0;
}

/* Kernel row r of w' in the first form: [s][k][c], columns backwards. */
static void pack_backwards(const Conv *g, const float *w, float *to) {
    for (size_t s = g->S; s-- > 0;)
        for (size_t k = 0; k < g->K; k++)
            for (size_t c = 0; c < g->C; c++)
                *to++ = w[(s * g->C + c) * g->K + k];
}

/* In the second form: [k][s][c], and zeros up to a whole vector. */
static void pack_lines(const Conv *g, const float *w, float *to) {
    memset(to, 0, g->K * g->line * sizeof *to);
    for (size_t k = 0; k < g->K; k++)
        for (size_t i = 0; i < g->S * g->C; i++)
            to[k * g->line + i] = w[i * g->K + k];
}

void direct_data_pack(const Conv *g, const float *w, float *turned) {
    size_t row = g->S * g->C * g->K, packed = direct_data_packed_count(g) / g->R;
    for (size_t remainder = 0; remainder < g->stride[0]; remainder++)
        for (size_t i = kernel_rows(g, remainder); i-- > 0; turned += packed)
            (g->line ? pack_lines : pack_backwards)(g, w + (remainder + i * g->stride[0]) * row, turned);
}

/* dx += part. */
CPU_CLONES
static void scatter(const Conv *g, const float *part, float *dx) {
    for (size_t q = 0; q < g->Q; q++) {
        size_t start = q * g->stride[1], first = start < g->pad[1] ? g->pad[1] - start : 0;
        if (start >= g->pad[1] + g->W)
            break;
        const float *from = part + q * g->line + first * g->C;
        float *restrict to = dx + (start + first - g->pad[1]) * g->C;
        size_t columns = at_most(g->S, g->pad[1] + g->W - start);
        for (size_t i = 0; i < (columns - first) * g->C; i++)
            to[i] += from[i];
    }
}

void direct_data_gradient(const Conv *g, const float *dy, const float *turned, bool add, float *part, float *dx) {
    size_t packed = direct_data_packed_count(g) / g->R;
    Product p = {.rows = g->W,
                 .columns = g->C,
                 .depth = g->S * g->K,
                 .a_row = g->K,
                 .a_segment = g->out * g->K,
                 .a_step = 1,
                 .b_segment = packed,
                 .b_step = g->C,
                 .c_row = g->C,
                 .add = add};
    if (g->line) {
        p.rows = g->Q;
        p.columns = p.b_step = p.c_row = g->line;
        p.depth = g->K;
        p.add = false;
    }
    for (size_t h = 0; h < g->H; h++, dx += g->W * g->C) {
        size_t remainder = (h + g->pad[0]) % g->stride[0], start = (h + g->pad[0]) / g->stride[0];
        size_t rows = kernel_rows(g, remainder), first = 0, end = 0, before = 0;
        if (rows > 0)
            direct_rows_inside(start, rows - 1, rows, g->P, &first, &end);
        for (size_t i = 0; i < remainder; i++)
            before += kernel_rows(g, i);
        p.segments = end - first;
        const float *from = p.segments ? dy + (start + first - (rows - 1)) * p.a_segment : dy;
        const float *w = turned + (before + first) * packed;
        if (g->line == 0) {
            product(&p, from + g->pad[1] * g->K, w, dx);
            continue;
        }
        if (!add)
            memset(dx, 0, g->W * g->C * sizeof *dx);
        if (p.segments > 0) {
            product(&p, from, w, part);
            scatter(g, part, dx);
        }
    }
}
