/* SPDX-License-Identifier: Apache-2.0
 *
 * rescale: y = x scale + offset.  scale: the same per channel.  normalize: y = (x - mean) / max(sqrt(variance), 1e-7)
 * per channel, as in Keras. */
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* y may lie on x, dx on dy: each element is read before it is written. */
static void rescale_forward(const OpDesc *op, const OpBuffers *b) {
    Real scale = (Real)op->attr.rescale.scale, offset = (Real)op->attr.rescale.offset;
    for (size_t i = 0; i < op->n * shape_count(&op->y); i++)
        b->y[i] = b->x[0][i] * scale + offset;
}

static void rescale_backward(const OpDesc *op, const OpBuffers *b) {
    Real scale = (Real)op->attr.rescale.scale;
    for (size_t i = 0; b->dx[0] && i < op->n * shape_count(&op->y); i++)
        b->dx[0][i] = b->dy[i] * scale + (b->dx_add[0] ? b->dx[0][i] : 0);
}

static Real deviation(const OpBuffers *b, size_t c) {
    return (Real)fmax(sqrt((double)b->w[1][c]), 1e-7);
}

static void normalize_forward(const OpDesc *op, const OpBuffers *b) {
    size_t C = op->w[0].dim[0];
    for (size_t i = 0; i < op->n * shape_count(&op->y); i++)
        b->y[i] = (b->x[0][i] - b->w[0][i % C]) / deviation(b, i % C);
}

static void normalize_backward(const OpDesc *op, const OpBuffers *b) {
    size_t C = op->w[0].dim[0];
    for (size_t i = 0; b->dx[0] && i < op->n * shape_count(&op->y); i++)
        b->dx[0][i] = b->dy[i] / deviation(b, i % C) + (b->dx_add[0] ? b->dx[0][i] : 0);
}

static void scale_forward(const OpDesc *op, const OpBuffers *b) {
    size_t C = op->w[0].dim[0];
    for (size_t i = 0; i < op->n * shape_count(&op->y); i++)
        b->y[i] = b->x[0][i] * b->w[0][i % C] + (b->w[1] ? b->w[1][i % C] : 0);
}

/* dx = w0 dy, dw0 = sum x dy, dw1 = sum dy */
static void scale_backward(const OpDesc *op, const OpBuffers *b) {
    size_t C = op->w[0].dim[0];
    for (size_t k = 0; k < 2; k++)
        if (b->dw[k] && !b->dw_add[k])
            memset(b->dw[k], 0, C * sizeof(Real));
    for (size_t i = 0; i < op->n * shape_count(&op->y); i++) {
        Real dy = b->dy[i];
        if (b->dw[0])
            b->dw[0][i % C] += b->x[0][i] * dy;
        if (b->dw[1])
            b->dw[1][i % C] += dy;
        if (b->dx[0])
            b->dx[0][i] = b->w[0][i % C] * dy + (b->dx_add[0] ? b->dx[0][i] : 0);
    }
}

const Kernel ref_scale = {.forward = scale_forward, .backward = scale_backward};
const Kernel ref_rescale = {.forward = rescale_forward, .backward = rescale_backward};
const Kernel ref_normalize = {.forward = normalize_forward, .backward = normalize_backward};
