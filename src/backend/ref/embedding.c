/* SPDX-License-Identifier: Apache-2.0
 *
 * embedding: y[i] = w[x[i]], the row of that number; dw[x[i]] += dy[i].  Rows are moved as a whole, so there is no
 * faster kernel elsewhere. */
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* The row of number i; NULL where x[i] is none of 0 .. V-1.  As Keras does, a fraction is cut off. */
static Real *row_of(const OpDesc *op, const Real *x, size_t i, const Real *w) {
    Real row = x[i];
    bool is_row = row >= 0 && row < (Real)op->w[0].dim[0];
    return is_row ? (Real *)w + (size_t)row * op->w[0].dim[1] : NULL;
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    size_t count = op->n * shape_count(&op->x[0]), width = op->w[0].dim[1];
    for (size_t i = 0; i < count; i++) {
        const Real *row = row_of(op, b->x[0], i, b->w[0]);
        for (size_t k = 0; k < width; k++)
            b->y[i * width + k] = row ? row[k] : (Real)NAN;
    }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    size_t count = op->n * shape_count(&op->x[0]), width = op->w[0].dim[1];
    if (b->dx[0] && !b->dx_add[0])
        memset(b->dx[0], 0, count * sizeof(Real));
    if (b->dw[0] && !b->dw_add[0])
        memset(b->dw[0], 0, shape_count(&op->w[0]) * sizeof(Real));
    for (size_t i = 0; b->dw[0] && i < count; i++) {
        Real *row = row_of(op, b->x[0], i, b->dw[0]);
        for (size_t k = 0; row && k < width; k++)
            row[k] += b->dy[i * width + k];
    }
}

const Kernel ref_embedding = {.forward = forward, .backward = backward};
