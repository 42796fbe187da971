/* SPDX-License-Identifier: Apache-2.0
 *
 * y[m,o] = b[o] + sum_i x[m,i] w[i,o], for all rows m: the examples, and their axes before the last. */
#include "backend/ref/ref.h"

static void forward(const OpDesc *op, const OpBuffers *b) {
    size_t I = op->w[0].dim[0], O = op->w[0].dim[1], rows = op->n * shape_count(&op->x[0]) / I;
    for (size_t m = 0; m < rows; m++) {
        Real *y = b->y + m * O;
        for (size_t o = 0; o < O; o++)
            y[o] = op->has_w[1] ? b->w[1][o] : 0;
        for (size_t i = 0; i < I; i++)
            for (size_t o = 0; o < O; o++)
                y[o] += b->x[0][m * I + i] * b->w[0][i * O + o];
    }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    size_t I = op->w[0].dim[0], O = op->w[0].dim[1], rows = op->n * shape_count(&op->x[0]) / I;
    for (size_t i = 0; b->dw[0] && !b->dw_add[0] && i < I * O; i++)
        b->dw[0][i] = 0;
    for (size_t o = 0; b->dw[1] && !b->dw_add[1] && o < O; o++)
        b->dw[1][o] = 0;
    for (size_t m = 0; m < rows; m++) {
        const Real *dy = b->dy + m * O;
        for (size_t i = 0; b->dx[0] && i < I; i++) {
            Real sum = 0;
            for (size_t o = 0; o < O; o++)
                sum += dy[o] * b->w[0][i * O + o];
            b->dx[0][m * I + i] = b->dx_add[0] ? b->dx[0][m * I + i] + sum : sum;
        }
        for (size_t i = 0; b->dw[0] && i < I; i++)
            for (size_t o = 0; o < O; o++)
                b->dw[0][i * O + o] += b->x[0][m * I + i] * dy[o];
        for (size_t o = 0; b->dw[1] && o < O; o++)
            b->dw[1][o] += dy[o];
    }
}

const Kernel ref_dense = {.forward = forward, .backward = backward};
