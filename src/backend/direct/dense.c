/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/clones.h"
#include "backend/direct/direct.h"
#include "backend/direct/product.h"
#include "backend/kernel.h"
#include <math.h>
#include <string.h>

/* Dense layers of one example, where each weight is used once: it is read where it lies, once.
 *     y = x w + b,  dw = x dy^T,  dx = w dy */

Dense direct_dense(const OpDesc *op) {
    return (Dense){op->w[0].dim[0], op->w[0].dim[1], op->relu, (float)op->relu_max};
}

/* The last rows of w, those from which a vector might reach behind w. */
static size_t last_rows(const Dense *g) {
    size_t reach = PRODUCT_SLACK / g->out + 1;
    return g->out % PRODUCT_SLACK == 0 ? 0 : reach < g->in ? reach : g->in;
}

void direct_dense_memory(const Dense *g, OpMemory *memory) {
    memory->work_bytes = (last_rows(g) * g->out + PRODUCT_SLACK) * sizeof(float);
}

void direct_dense_forward(const Dense *g, const OpBuffers *b) {
    size_t last = last_rows(g), first = g->in - last;
    Product p = {.rows = 1,
                 .columns = g->out,
                 .segments = 1,
                 .depth = first,
                 .a_step = 1,
                 .b_step = g->out,
                 .c_row = g->out,
                 .bias = b->w[1],
                 .relu = g->relu && last == 0,
                 .relu_max = g->relu_max};
    product(&p, b->x[0], b->w[0], b->y);
    if (last == 0)
        return;
    memcpy(b->work, b->w[0] + first * g->out, last * g->out * sizeof(float)); /* slack is behind them here */
    p.depth = last;
    p.bias = NULL;
    p.add = true;
    p.relu = g->relu;
    product(&p, b->x[0] + first, b->work, b->y);
}

/* dw [in, out] = x dy^T. */
CPU_CLONES
static void weight_gradient(size_t in, size_t out, const float *x, const float *dy, bool add, float *restrict dw) {
    for (size_t i = 0; i < in; i++, dw += out)
        for (size_t k = 0; k < out; k++)
            dw[k] = add ? dw[k] + x[i] * dy[k] : x[i] * dy[k];
}

void direct_dense_backward(const Dense *g, const OpBuffers *b) {
    const float one = 1;
    if (g->relu)
        kernel_relu_mask(b->y, g->out, g->relu_max, b->dy);
    if (b->dw[0])
        weight_gradient(g->in, g->out, b->x[0], b->dy, b->dw_add[0], b->dw[0]);
    if (b->dw[1])
        weight_gradient(1, g->out, &one, b->dy, b->dw_add[1], b->dw[1]);
    if (b->dx[0])
        product_dots(b->dy, b->w[0], g->in, g->out, b->dx_add[0], b->dx[0]);
}
