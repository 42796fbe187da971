/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution as cross-correlation (the kernel is not flipped; Goodfellow et al., Deep Learning, 2016, ch. 9.1):
 *     y[n,p,q,k] = b[k] + sum_{r,s,c} x[n, p u + r d - h, q u + s d - h, c] w[r,s,c,k]
 * with stride u, dilation d and padding h; terms outside the image are 0.  The transposed convolution is its gradient
 * by x, from y's side: the same three sums with the roles of image and output exchanged. */
#include "backend/ref/ref.h"
#include <string.h>

/* The convolution that both operations are made of: image [H,W,C], output [P,Q,K]. */
typedef struct Geometry {
    size_t n, H, W, C, P, Q, K, groups;
    const ConvAttr *attr;
} Geometry;

static Geometry geometry(const OpDesc *op) {
    bool transposed = op->kind == OP_CONV2D_TRANSPOSE;
    const size_t *image = (transposed ? &op->y : &op->x[0])->dim, *output = (transposed ? &op->x[0] : &op->y)->dim;
    return (Geometry){.n = op->n,
                      .H = image[0],
                      .W = image[1],
                      .C = image[2],
                      .P = output[0],
                      .Q = output[1],
                      .K = output[2],
                      .groups = op->attr.conv.groups,
                      .attr = &op->attr.conv};
}

/* Where along an axis kernel element `tap` meets the image from output position `out`; false: in the padding. */
static bool inside(const ConvAttr *a, int axis, size_t out, size_t tap, size_t length, size_t *at) {
    size_t padded = out * a->stride[axis] + tap * a->dilation[axis], before = a->pad[axis][0];
    *at = padded - before;
    return padded >= before && *at < length;
}

/* One pair of an output position and an image position under one kernel element: all channels of both. */
typedef void TapSum(const Geometry *g, Real *x, Real *w, Real *y);

/* Calls `sum` for every pair, in order of y, then of the kernel.  x, w, y: of the three, `sum` changes one. */
static void for_each_tap(const Geometry *g, const Real *x, const Real *w, const Real *y, TapSum *sum) {
    const ConvAttr *a = g->attr;
    size_t h, v;
    for (size_t n = 0; n < g->n; n++)
        for (size_t p = 0; p < g->P; p++)
            for (size_t q = 0; q < g->Q; q++)
                for (size_t r = 0; r < a->kernel[0]; r++)
                    for (size_t s = 0; s < a->kernel[1]; s++)
                        if (inside(a, 0, p, r, g->H, &h) && inside(a, 1, q, s, g->W, &v))
                            sum(g, (Real *)x + ((n * g->H + h) * g->W + v) * g->C,
                                (Real *)w + (r * a->kernel[1] + s) * (g->C / g->groups) * g->K,
                                (Real *)y + ((n * g->P + p) * g->Q + q) * g->K);
}

/* y[k] += sum_c x[c] w[c,k]; with groups, c and k of the same group. */
static void output_sum(const Geometry *g, Real *x, Real *w, Real *y) {
    size_t channels = g->C / g->groups, filters = g->K / g->groups;
    for (size_t c = 0; c < g->C; c++) {
        const Real *row = w + c % channels * g->K + c / channels * filters;
        Real *to = y + c / channels * filters;
        for (size_t k = 0; k < filters; k++)
            to[k] += x[c] * row[k];
    }
}

/* x[c] += sum_k w[c,k] y[k] */
static void image_sum(const Geometry *g, Real *x, Real *w, Real *y) {
    size_t channels = g->C / g->groups, filters = g->K / g->groups;
    for (size_t c = 0; c < g->C; c++) {
        const Real *row = w + c % channels * g->K + c / channels * filters, *from = y + c / channels * filters;
        Real sum = 0;
        for (size_t k = 0; k < filters; k++)
            sum += row[k] * from[k];
        x[c] += sum;
    }
}

/* w[c,k] += x[c] y[k] */
static void kernel_sum(const Geometry *g, Real *x, Real *w, Real *y) {
    size_t channels = g->C / g->groups, filters = g->K / g->groups;
    for (size_t c = 0; c < g->C; c++) {
        Real *row = w + c % channels * g->K + c / channels * filters;
        const Real *from = y + c / channels * filters;
        for (size_t k = 0; k < filters; k++)
            row[k] += x[c] * from[k];
    }
}

static void set_zero(Real *a, size_t count) {
    memset(a, 0, count * sizeof *a);
}

/* y starts as the bias, or 0. */
static void start_output(const OpDesc *op, const OpBuffers *b) {
    size_t filters = op->y.dim[2], count = op->n * shape_count(&op->y);
    for (size_t i = 0; i < count; i++)
        b->y[i] = op->has_w[1] ? b->w[1][i % filters] : 0;
}

/* dx and dw start from 0, or from what they are added to. */
static void start_gradients(const OpDesc *op, const OpBuffers *b) {
    if (b->dx[0] && !b->dx_add[0])
        set_zero(b->dx[0], op->n * shape_count(&op->x[0]));
    for (size_t i = 0; i < op->params; i++)
        if (b->dw[i] && !b->dw_add[i])
            set_zero(b->dw[i], shape_count(&op->w[i]));
}

static void bias_gradient(const OpDesc *op, const OpBuffers *b) {
    size_t filters = op->y.dim[2], count = op->n * shape_count(&op->y);
    if (b->dw[1])
        for (size_t i = 0; i < count; i++)
            b->dw[1][i % filters] += b->dy[i];
}

static void conv2d_forward(const OpDesc *op, const OpBuffers *b) {
    Geometry g = geometry(op);
    start_output(op, b);
    for_each_tap(&g, b->x[0], b->w[0], b->y, output_sum);
}

static void conv2d_backward(const OpDesc *op, const OpBuffers *b) {
    Geometry g = geometry(op);
    start_gradients(op, b);
    if (b->dx[0])
        for_each_tap(&g, b->dx[0], b->w[0], b->dy, image_sum);
    if (b->dw[0])
        for_each_tap(&g, b->x[0], b->dw[0], b->dy, kernel_sum);
    bias_gradient(op, b);
}

static void conv2d_transpose_forward(const OpDesc *op, const OpBuffers *b) {
    Geometry g = geometry(op);
    start_output(op, b);
    for_each_tap(&g, b->y, b->w[0], b->x[0], image_sum);
}

static void conv2d_transpose_backward(const OpDesc *op, const OpBuffers *b) {
    Geometry g = geometry(op);
    start_gradients(op, b);
    if (b->dx[0])
        for_each_tap(&g, b->dy, b->w[0], b->dx[0], output_sum);
    if (b->dw[0])
        for_each_tap(&g, b->dy, b->dw[0], b->x[0], kernel_sum);
    bias_gradient(op, b);
}

const Kernel ref_conv2d = {.forward = conv2d_forward, .backward = conv2d_backward};
const Kernel ref_conv2d_transpose = {.forward = conv2d_transpose_forward, .backward = conv2d_transpose_backward};
