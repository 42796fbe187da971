/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/broadcast.h"
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* Where the elements of example e lie in each input, and for element k of y the input's element that goes into it. */
typedef struct Merge {
    const OpDesc *op;
    size_t count[OP_MAX_INPUTS]; /* elements of one example */
    bool same[OP_MAX_INPUTS];    /* not broadcast */
} Merge;

static Merge merge_of(const OpDesc *op) {
    Merge m = {.op = op};
    for (size_t i = 0; i < op->inputs; i++) {
        m.count[i] = shape_count(&op->x[i]);
        m.same[i] = shape_equal(&op->x[i], &op->y);
    }
    return m;
}

static size_t source(const Merge *m, size_t input, size_t example, size_t k) {
    return example * m->count[input] + (m->same[input] ? k : broadcast_index(&m->op->x[input], &m->op->y, k));
}

static Real combine(OpKind kind, Real y, Real x) {
    switch (kind) {
    case OP_SUBTRACT:
        return y - x;
    case OP_MULTIPLY:
        return y * x;
    case OP_MAXIMUM:
        return x > y || isnan(x) ? x : y;
    default:
        return y + x;
    }
}

/* All inputs of an element are read before y is written: y may lie on any input that is not broadcast. */
static void forward(const OpDesc *op, const OpBuffers *b) {
    Merge m = merge_of(op);
    size_t count = shape_count(&op->y);
    for (size_t e = 0; e < op->n; e++)
        for (size_t k = 0; k < count; k++) {
            Real y = b->x[0][source(&m, 0, e, k)];
            for (size_t i = 1; i < op->inputs; i++)
                y = combine(op->kind, y, b->x[i][source(&m, i, e, k)]);
            b->y[e * count + k] = op->kind == OP_AVERAGE ? y / (Real)op->inputs : y;
        }
}

/* Derivatives of y by each of the values that went into it. */
static void derivatives(const OpDesc *op, const Real *values, Real *d) {
    size_t largest = 0; /* the first of the largest gets the gradient of a maximum */
    for (size_t i = 0; i < op->inputs; i++) {
        d[i] = op->kind == OP_AVERAGE ? 1 / (Real)op->inputs : 1;
        if (op->kind == OP_SUBTRACT && i == 1)
            d[i] = -1;
        if (op->kind == OP_MULTIPLY)
            for (size_t j = 0; j < op->inputs; j++)
                d[i] *= j == i ? 1 : values[j];
        if (op->kind == OP_MAXIMUM) {
            d[i] = 0;
            largest = values[i] > values[largest] ? i : largest;
        }
    }
    if (op->kind == OP_MAXIMUM)
        d[largest] = 1;
}

/* dy is read before anything is written: dx of an input that is not broadcast may lie on it. */
static void backward(const OpDesc *op, const OpBuffers *b) {
    Merge m = merge_of(op);
    size_t count = shape_count(&op->y);
    for (size_t i = 0; i < op->inputs; i++)
        if (b->dx[i] && !m.same[i] && !b->dx_add[i])
            memset(b->dx[i], 0, op->n * m.count[i] * sizeof(Real));
    for (size_t e = 0; e < op->n; e++)
        for (size_t k = 0; k < count; k++) {
            Real values[OP_MAX_INPUTS] = {0}, d[OP_MAX_INPUTS], dy = b->dy[e * count + k];
            for (size_t i = 0; i < op->inputs && op->keeps_x; i++)
                values[i] = b->x[i][source(&m, i, e, k)];
            derivatives(op, values, d);
            for (size_t i = 0; i < op->inputs; i++) {
                if (b->dx[i] == NULL)
                    continue;
                Real *dx = &b->dx[i][source(&m, i, e, k)];
                *dx = (m.same[i] && !b->dx_add[i] ? 0 : *dx) + d[i] * dy;
            }
        }
}

const Kernel ref_add = {.forward = forward, .backward = backward};
const Kernel ref_subtract = {.forward = forward, .backward = backward};
const Kernel ref_multiply = {.forward = forward, .backward = backward};
const Kernel ref_average = {.forward = forward, .backward = backward};
const Kernel ref_maximum = {.forward = forward, .backward = backward};
