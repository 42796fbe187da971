/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layers of a batch, y [m, out] = x [m, in] w [in, out] + bias, whose weights are too many for the caches: each of the
 * three products reads (or writes) the weights once, in the order in which they lie, and all else is packed so that the
 * matrix product (backend/gemm.h) finds it in the cache.
 *
 *     forward   y += x[:, block] w[block, :]                blocks of input features; y stays in L2
 *     dw        dw[block, :] = x[:, block]^T dy
 *     dx        dx[:, block]^T = w[block, :] dy^T           transposed, so that w need not be
 *
 * A `panel` is GEMM_COLUMNS columns of a matrix, packed. */
#include "backend/backend.h"
#include "backend/cpu/rows.h"
#include "backend/gemm.h"
#include "backend/kernel.h"
#include "base/memory.h"

enum {
    PANEL = GEMM_COLUMNS,
    BLOCK = 56,  /* input features of a block of dw and dx: some register tiles of gemm, whatever the CPU */
    DEPTH = 256, /* a panel of it fits L1 */
    L2_PART = 512 * 1024,
    ROWS_LEAST = 16,            /* below, weights are used too rarely for packing */
    WEIGHTS_LEAST = 128 * 1024, /* below, sgemm is as good */
};

typedef struct State {
    size_t rows, in, out;
    size_t block; /* input features of a block of forward */
    bool relu;
    double relu_max;
} State;

static size_t panels_of(size_t columns) {
    return (columns + PANEL - 1) / PANEL;
}

static bool supports(const OpDesc *op) {
    if (op->kind != OP_DENSE)
        return false;
    size_t rows = op->n * shape_count(&op->x[0]) / op->w[0].dim[0];
    return rows >= ROWS_LEAST && shape_count(&op->w[0]) >= WEIGHTS_LEAST;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    State *s;
    TRY(memory_new(&s, 1, "operation"));
    *s = (State){.in = op->w[0].dim[0], .out = op->w[0].dim[1], .relu = op->relu, .relu_max = op->relu_max};
    s->rows = op->n * shape_count(&op->x[0]) / s->in;
    s->block = larger(L2_PART / (panels_of(s->out) * PANEL * sizeof(float)), 16);
    s->block = at_most(at_most(s->block, DEPTH), s->in);
    size_t forward = s->block * (panels_of(s->out) * PANEL + s->rows);
    size_t weights = s->rows * (panels_of(s->out) * PANEL + BLOCK);
    size_t data = panels_of(s->rows) * PANEL * s->out + BLOCK * s->rows;
    *memory = (OpMemory){.work_bytes = larger(forward, larger(weights, data)) * sizeof(float)};
    *state = s;
    return STATUS_OK;
}

/* to[panel][row][PANEL] = from [rows, columns]; what lies beyond the last column is left as it is. */
static void pack_panels(const float *from, size_t rows, size_t columns, float *to) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j += PANEL) {
            const float *source = from + i * columns + j;
            float *target = to + j * rows + i * PANEL;
            if (j + PANEL <= columns)
                for (size_t k = 0; k < PANEL; k++)
                    target[k] = source[k];
            else
                for (size_t k = 0; k < columns - j; k++)
                    target[k] = source[k];
        }
}

/* to [rows, columns] = part of a matrix whose rows are `distance` apart. */
static void pack_rows(const float *from, size_t rows, size_t columns, size_t distance, float *to) {
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[i * columns + j] = from[i * distance + j];
}

static void forward(void *state, const OpBuffers *b) {
    const State *s = state;
    float *w = b->work, *x = w + s->block * panels_of(s->out) * PANEL;
    for (size_t i = 0; i < s->in; i += s->block) {
        size_t depth = at_most(s->in - i, s->block);
        pack_rows(b->x[0] + i, s->rows, depth, s->in, x);
        pack_panels(b->w[0] + i * s->out, depth, s->out, w);
        for (size_t j = 0; j < s->out; j += PANEL) {
            Gemm g = {.rows = s->rows,
                      .columns = at_most(s->out - j, PANEL),
                      .depth = depth,
                      .a_row = depth,
                      .a_depth = 1,
                      .b_row = PANEL,
                      .c_row = s->out,
                      .add = i > 0};
            gemm(&g, x, w + j * depth, b->y + j);
        }
    }
    for (size_t r = 0; b->w[1] && r < s->rows; r++)
        scale_values(b->w[1], s->out, 1, true, b->y + r * s->out);
    if (s->relu)
        kernel_relu(b->y, s->rows * s->out, s->relu_max);
}

static void weight_gradient(const State *s, const OpBuffers *b) {
    float *dy = b->work, *x = dy + s->rows * panels_of(s->out) * PANEL;
    pack_panels(b->dy, s->rows, s->out, dy);
    for (size_t i = 0; i < s->in; i += BLOCK) {
        size_t features = at_most(s->in - i, BLOCK);
        pack_rows(b->x[0] + i, s->rows, features, s->in, x);
        for (size_t j = 0; j < s->out; j += PANEL) {
            Gemm g = {.rows = features,
                      .columns = at_most(s->out - j, PANEL),
                      .depth = s->rows,
                      .a_row = 1,
                      .a_depth = features,
                      .b_row = PANEL,
                      .c_row = s->out,
                      .add = b->dw_add[0]};
            gemm(&g, x, dy + j * s->rows, b->dw[0] + i * s->out + j);
        }
    }
}

/* to[panel][k][PANEL]: the columns of the transposed matrix are rows of `from` [rows, columns]. */
static void pack_transposed(const float *from, size_t rows, size_t columns, float *to) {
    for (size_t i = 0; i < rows; i++) {
        float *target = to + i / PANEL * PANEL * columns + i % PANEL;
        for (size_t k = 0; k < columns; k++)
            target[k * PANEL] = from[i * columns + k];
    }
}

static void data_gradient(const State *s, const OpBuffers *b) {
    float *dy = b->work, *block = dy + panels_of(s->rows) * PANEL * s->out;
    pack_transposed(b->dy, s->rows, s->out, dy);
    for (size_t i = 0; i < s->in; i += BLOCK) {
        size_t features = at_most(s->in - i, BLOCK);
        for (size_t k = 0; k < s->out; k += DEPTH)
            for (size_t r = 0; r < s->rows; r += PANEL) {
                Gemm g = {.rows = features,
                          .columns = at_most(s->rows - r, PANEL),
                          .depth = at_most(s->out - k, DEPTH),
                          .a_row = s->out,
                          .a_depth = 1,
                          .b_row = PANEL,
                          .c_row = s->rows,
                          .add = k > 0};
                gemm(&g, b->w[0] + i * s->out + k, dy + r * s->out + k * PANEL, block + r);
            }
        for (size_t r = 0; r < s->rows; r++)
            for (size_t f = 0; f < features; f++) {
                float *dx = b->dx[0] + r * s->in + i + f;
                *dx = b->dx_add[0] ? *dx + block[f * s->rows + r] : block[f * s->rows + r];
            }
    }
}

static void backward(void *state, const OpBuffers *b) {
    const State *s = state;
    if (s->relu)
        kernel_relu_mask(b->y, s->rows * s->out, s->relu_max, b->dy);
    if (b->dw[0])
        weight_gradient(s, b);
    if (b->dw[1])
        sum_rows(b->dy, s->rows, s->out, 1, b->dw_add[1], b->dw[1]);
    if (b->dx[0])
        data_gradient(s, b);
}

const Backend backend_dense = {.name = "dense",
                               .supports = supports,
                               .prepare = prepare,
                               .forward = forward,
                               .backward = backward,
                               .release = memory_free};
