/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/openblas/openblas.h"
#include <string.h>

/* A block's col fills about half of a core's L2 cache, but has at least so many rows that reading the weights once a
 * block costs little beside the arithmetic (each element is used twice a row). */
enum { COL_BYTES = 512 * 1024, COL_ROWS = 256 };

static size_t col_width(const ConvSizes *g) {
    return g->R * g->S * (g->C / g->groups);
}

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

/* From the shapes alone: the order of sums, and so the bits, depend on it. */
static size_t choose_block_rows(const ConvSizes *g) {
    size_t total = g->n * g->P;
    size_t rows = COL_BYTES / (g->Q * col_width(g) * sizeof(float));
    if (rows * g->Q < COL_ROWS)
        rows = divide_up(COL_ROWS, g->Q);
    if (rows >= total)
        return total;
    return divide_up(total, divide_up(total, rows)); /* blocks of nearly the same size */
}

ConvSizes conv_sizes(const OpDesc *op) {
    const ConvAttr *a = &op->attr.conv;
    bool transposed = op->kind == OP_CONV2D_TRANSPOSE;
    const size_t *x = (transposed ? &op->y : &op->x[0])->dim, *y = (transposed ? &op->x[0] : &op->y)->dim;
    ConvSizes g = {.n = op->n,
                   .H = x[0],
                   .W = x[1],
                   .C = x[2],
                   .P = y[0],
                   .Q = y[1],
                   .K = y[2],
                   .R = a->kernel[0],
                   .S = a->kernel[1],
                   .groups = transposed ? 1 : a->groups};
    g.direct = true;
    for (int axis = 0; axis < 2; axis++) {
        g.stride[axis] = a->stride[axis];
        g.dilation[axis] = a->dilation[axis];
        g.pad[axis] = a->pad[axis][0];
        g.direct = g.direct && a->kernel[axis] == 1 && a->stride[axis] == 1 && !a->pad[axis][0] && !a->pad[axis][1];
    }
    g.block_rows = choose_block_rows(&g);
    return g;
}

size_t conv_work_bytes(const ConvSizes *g) {
    return g->direct ? 0 : g->block_rows * g->Q * col_width(g) * sizeof(float);
}

/* One block: output image rows first .. first + rows - 1, of which `positions` positions from `start`. */
typedef struct Block {
    size_t first, rows, start, positions;
} Block;

static bool next_block(const ConvSizes *g, Block *block) {
    size_t total = g->n * g->P;
    block->first += block->rows;
    block->rows = total - block->first < g->block_rows ? total - block->first : g->block_rows;
    block->start = block->first * g->Q;
    block->positions = block->rows * g->Q;
    return block->rows > 0;
}

/* The matrix of one group and block, and the distance of its rows. */
static const float *block_col(const ConvSizes *g, const Block *block, size_t group, const float *x, float *work,
                              size_t *distance) {
    *distance = g->direct ? g->C : col_width(g);
    if (g->direct)
        return x + block->start * g->C + group * (g->C / g->groups);
    im2col(g, group, x, block->first, block->rows, work);
    return work;
}

void conv_output(const ConvSizes *g, const float *x, const float *w, const ConvEnd *end, bool add, float *y,
                 float *work) {
    size_t filters = g->K / g->groups, distance;
    for (Block block = {0}; next_block(g, &block);) {
        float *out = y + block.start * g->K;
        for (size_t i = 0; i < g->groups; i++) {
            const float *col = block_col(g, &block, i, x, work, &distance);
            sgemm(false, false, block.positions, filters, col_width(g), col, distance, w + i * filters, g->K, add,
                  out + i * filters, g->K);
        }
        finish_rows(out, block.positions, g->K, end->bias, end->relu, end->relu_max);
    }
}

void conv_data_gradient(const ConvSizes *g, const float *dy, const float *w, bool add, float *dx, float *work) {
    size_t filters = g->K / g->groups, width = col_width(g);
    if (!add && !g->direct)
        memset(dx, 0, g->n * g->H * g->W * g->C * sizeof *dx);
    for (Block block = {0}; next_block(g, &block);)
        for (size_t i = 0; i < g->groups; i++) {
            const float *out = dy + block.start * g->K + i * filters, *kernel = w + i * filters;
            if (g->direct) {
                sgemm(false, true, block.positions, width, filters, out, g->K, kernel, g->K, add,
                      dx + block.start * g->C + i * width, g->C);
            } else {
                sgemm(false, true, block.positions, width, filters, out, g->K, kernel, g->K, false, work, width);
                col2im(g, i, work, block.first, block.rows, dx);
            }
        }
}

void conv_weight_gradient(const ConvSizes *g, const float *x, const float *dy, bool add, float *dw, float *work) {
    size_t filters = g->K / g->groups, distance;
    for (Block block = {0}; next_block(g, &block);)
        for (size_t i = 0; i < g->groups; i++) {
            const float *col = block_col(g, &block, i, x, work, &distance);
            sgemm(true, false, col_width(g), filters, block.positions, col, distance,
                  dy + block.start * g->K + i * filters, g->K, add || block.first > 0, dw + i * filters, g->K);
        }
}
