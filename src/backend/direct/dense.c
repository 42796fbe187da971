/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/clones.h"
#include "backend/direct/direct.h"
#include "backend/direct/product.h"
#include "backend/kernel.h"
#include <math.h>
#include <string.h>

/* Dense layers of few rows, where each weight is used a few times only: the weights are read in place.
 *     y = x w + b,  dw = x^T dy,  dx = dy w^T */

Dense direct_dense(const OpDesc *op) {
    Dense g = {.in = op->w[0].dim[0], .out = op->w[0].dim[1], .relu = op->relu, .relu_max = (float)op->relu_max};
    g.rows = op->n * shape_count(&op->x[0]) / g.in;
    return g;
}

/* The last rows of w, those from which a vector would reach behind w. */
static size_t last_rows(const Dense *g) {
    size_t reach = (PRODUCT_SLACK + g->out - 1) / g->out;
    return g->out % PRODUCT_SLACK == 0 ? 0 : reach < g->in ? reach : g->in;
}

void direct_dense_memory(const Dense *g, OpMemory *memory) {
    size_t last = last_rows(g);
    memory->work_bytes = ((last > g->rows ? last : g->rows) * g->out + PRODUCT_SLACK) * sizeof(float);
}

void direct_dense_forward(const Dense *g, const OpBuffers *b) {
    size_t last = last_rows(g), first = g->in - last;
    Product p = {.rows = g->rows,
                 .columns = g->out,
                 .segments = 1,
                 .depth = first,
                 .a_row = g->in,
                 .a_step = 1,
                 .b_step = g->out,
                 .c_row = g->out,
                 .bias = b->w[1],
                 .relu = g->relu && last == 0,
                 .relu_max = g->relu_max};
    product(&p, b->x[0], b->w[0], b->y);
    if (last == 0)
        return;
    memcpy(b->work, b->w[0] + first * g->out, last * g->out * sizeof(float));
    p.depth = last;
    p.bias = NULL;
    p.add = true;
    p.relu = g->relu;
    product(&p, b->x[0] + first, b->work, b->y);
}

/* dx of one row: the products of dy with each row of w. */
CPU_CLONES
static void data_gradient(size_t in, size_t out, const float *dy, const float *w, bool add, float *dx) {
    enum { LANES = 16 };
    for (size_t i = 0; i < in; i++, w += out) {
        float lane[LANES] = {0}, rest = 0;
        size_t k = 0;
        for (; k + LANES <= out; k += LANES)
            for (size_t j = 0; j < LANES; j++)
                lane[j] += dy[k + j] * w[k + j];
        for (; k < out; k++)
            rest += dy[k] * w[k];
        for (size_t half = LANES / 2; half > 0; half /= 2)
            for (size_t j = 0; j < half; j++)
                lane[j] += lane[j + half];
        dx[i] = add ? dx[i] + (lane[0] + rest) : lane[0] + rest;
    }
}

void direct_dense_backward(const Dense *g, const OpBuffers *b) {
    float *dy = b->dy;
    if (g->relu)
        kernel_relu_mask(b->y, g->rows * g->out, g->relu_max, dy);
    if (b->dw[0]) {
        Product p = {.rows = g->in,
                     .columns = g->out,
                     .segments = 1,
                     .depth = g->rows,
                     .a_row = 1,
                     .a_step = g->in,
                     .b_step = g->out,
                     .c_row = g->out,
                     .add = b->dw_add[0]};
        memcpy(b->work, dy, g->rows * g->out * sizeof *dy); /* with slack behind it */
        product(&p, b->x[0], b->work, b->dw[0]);
    }
    for (size_t k = 0; b->dw[1] && k < g->out; k++) {
        float sum = 0;
        for (size_t i = 0; i < g->rows; i++)
            sum += dy[i * g->out + k];
        b->dw[1][k] = b->dw_add[1] ? b->dw[1][k] + sum : sum;
    }
    for (size_t i = 0; b->dx[0] && i < g->rows; i++)
        data_gradient(g->in, g->out, dy + i * g->out, b->w[0], b->dx_add[0], b->dx[0] + i * g->in);
}
