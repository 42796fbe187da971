/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/openblas/openblas.h"
#include "base/memory.h"
#include <limits.h>

/* What is known of an operation once it is prepared. */
typedef struct State {
    OpKind kind;
    bool relu;
    double relu_max;
    ConvSizes conv;   /* conv2d, conv2d_transpose */
    size_t rows, out; /* y [rows, out] */
    size_t in;        /* dense: x [rows, in] */
} State;

/* cblas_sgemm counts in int. */
static bool sizes_fit(const OpDesc *op) {
    size_t positions = 1;
    if (op->kind == OP_DENSE)
        positions = op->n * (shape_count(&op->x[0]) / op->x[0].dim[op->x[0].rank - 1]);
    return positions <= INT_MAX && shape_count(&op->w[0]) <= INT_MAX && shape_count(&op->x[0]) <= INT_MAX &&
           shape_count(&op->y) <= INT_MAX;
}

/* A group's matrices must be wide enough for sgemm: not for depthwise convolutions. */
static bool groups_are_wide(const OpDesc *op) {
    size_t groups = op->attr.conv.groups;
    return groups == 1 || (op->x[0].dim[2] / groups >= 4 && op->attr.conv.filters / groups >= 4);
}

static bool supports(const OpDesc *op) {
    if (op->kind == OP_CONV2D)
        return groups_are_wide(op) && sizes_fit(op);
    return (op->kind == OP_CONV2D_TRANSPOSE || op->kind == OP_DENSE) && sizes_fit(op);
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    State *s;
    *memory = (OpMemory){0};
    TRY(memory_new(&s, 1, "operation"));
    s->kind = op->kind;
    s->relu = op->relu;
    s->relu_max = op->relu_max;
    s->out = op->y.dim[op->y.rank - 1];
    s->rows = op->n * shape_count(&op->y) / s->out;
    if (op->kind == OP_DENSE) {
        s->in = op->w[0].dim[0];
    } else {
        s->conv = conv_sizes(op);
        memory->work_bytes = conv_work_bytes(&s->conv);
    }
    *state = s;
    return STATUS_OK;
}

static void dense_forward(const State *s, const OpBuffers *b) {
    sgemm(false, false, s->rows, s->out, s->in, b->x[0], s->in, b->w[0], s->out, false, b->y, s->out);
    finish_rows(b->y, s->rows, s->out, b->w[1], s->relu, s->relu_max);
}

static void forward(void *state, const OpBuffers *b) {
    const State *s = state;
    const ConvSizes *g = &s->conv;
    if (s->kind == OP_DENSE) {
        dense_forward(s, b);
    } else if (s->kind == OP_CONV2D) {
        conv_output(g, b->x[0], b->w[0], &(ConvEnd){b->w[1], s->relu, s->relu_max}, false, b->y, b->work);
    } else {
        conv_data_gradient(g, b->x[0], b->w[0], false, b->y, b->work);
        finish_rows(b->y, g->n * g->H * g->W, g->C, b->w[1], s->relu, s->relu_max);
    }
}

static void dense_backward(const State *s, const OpBuffers *b) {
    if (b->dw[0])
        sgemm(true, false, s->in, s->out, s->rows, b->x[0], s->in, b->dy, s->out, b->dw_add[0], b->dw[0], s->out);
    if (b->dx[0])
        sgemm(false, true, s->rows, s->in, s->out, b->dy, s->out, b->w[0], s->out, b->dx_add[0], b->dx[0], s->in);
}

static void conv_backward(const ConvSizes *g, const OpBuffers *b) {
    if (b->dw[0])
        conv_weight_gradient(g, b->x[0], b->dy, b->dw_add[0], b->dw[0], b->work);
    if (b->dx[0])
        conv_data_gradient(g, b->dy, b->w[0], b->dx_add[0], b->dx[0], b->work);
}

static void conv_transpose_backward(const ConvSizes *g, const OpBuffers *b) {
    if (b->dw[0])
        conv_weight_gradient(g, b->dy, b->x[0], b->dw_add[0], b->dw[0], b->work);
    if (b->dx[0])
        conv_output(g, b->dy, b->w[0], &(ConvEnd){0}, b->dx_add[0], b->dx[0], b->work);
}

static void backward(void *state, const OpBuffers *b) {
    const State *s = state;
    finish_rows_backward(b->y, s->relu, s->relu_max, b->dy, s->rows, s->out, b->dw_add[1], b->dw[1]);
    if (s->kind == OP_DENSE)
        dense_backward(s, b);
    else if (s->kind == OP_CONV2D)
        conv_backward(&s->conv, b);
    else
        conv_transpose_backward(&s->conv, b);
}

const Backend backend_openblas = {.name = "openblas",
                                  .supports = supports,
                                  .prepare = prepare,
                                  .forward = forward,
                                  .backward = backward,
                                  .release = memory_free};
