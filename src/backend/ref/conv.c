/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution as cross-correlation (the kernel is not flipped; Goodfellow et al., Deep Learning, 2016, ch. 9.1):
 *     y[n,p,q,k] = b[k] + sum_{r,s,c} x[n, p u + r d - h, q u + s d - h, c] w[r,s,c,k]
 * with stride u, dilation d and padding h; terms outside the image are 0.  conv3d has a third sum alike.  The
 * transposed convolution is its gradient by x, from y's side: the same three sums with the roles of image and output
 * exchanged. */
#include "backend/ref/ref.h"
#include <string.h>

/* The convolution that the operations are made of: image [.., C], output [.., K]; of 2-D the depth, axis 0, is 1. */
typedef struct Geometry {
    size_t n, image[3], C, output[3], K, groups;
    size_t kernel[3], stride[3], dilation[3], before[3];
} Geometry;

static void set_axis(Geometry *g, int axis, size_t image, size_t output, size_t kernel, size_t stride, size_t dilation,
                     size_t before) {
    g->image[axis] = image;
    g->output[axis] = output;
    g->kernel[axis] = kernel;
    g->stride[axis] = stride;
    g->dilation[axis] = dilation;
    g->before[axis] = before;
}

static Geometry geometry(const OpDesc *op) {
    bool transposed = op->kind == OP_CONV2D_TRANSPOSE, deep = op->kind == OP_CONV3D;
    const Shape *image = transposed ? &op->y : &op->x[0], *output = transposed ? &op->x[0] : &op->y;
    const ConvAttr *a = &op->attr.conv;
    const Conv3dAttr *v = &op->attr.conv3d;
    Geometry g = {.n = op->n,
                  .C = image->dim[image->rank - 1],
                  .K = output->dim[output->rank - 1],
                  .groups = deep ? v->groups : a->groups};
    set_axis(&g, 0, 1, 1, 1, 1, 1, 0);
    for (int i = 0; !deep && i < 2; i++)
        set_axis(&g, i + 1, image->dim[i], output->dim[i], a->kernel[i], a->stride[i], a->dilation[i], a->pad[i][0]);
    for (int i = 0; deep && i < 3; i++)
        set_axis(&g, i, image->dim[i], output->dim[i], v->kernel[i], v->stride[i], v->dilation[i], v->pad[i][0]);
    return g;
}

/* Where along an axis kernel element `tap` meets the image from output position `out`; false: in the padding. */
static bool inside(const Geometry *g, int axis, size_t out, size_t tap, size_t *at) {
    size_t padded = out * g->stride[axis] + tap * g->dilation[axis];
    *at = padded - g->before[axis];
    return padded >= g->before[axis] && *at < g->image[axis];
}

/* One pair of an output position and an image position under one kernel element: all channels of both. */
typedef void TapSum(const Geometry *g, Real *x, Real *w, Real *y);

/* All kernel elements of the output position o of an example. */
static void taps(const Geometry *g, const size_t o[3], const Real *x, const Real *w, const Real *y, TapSum *sum) {
    size_t at[3], tap = 0;
    for (size_t t = 0; t < g->kernel[0]; t++)
        for (size_t r = 0; r < g->kernel[1]; r++)
            for (size_t s = 0; s < g->kernel[2]; s++, tap++)
                if (inside(g, 0, o[0], t, &at[0]) && inside(g, 1, o[1], r, &at[1]) && inside(g, 2, o[2], s, &at[2]))
                    sum(g, (Real *)x + ((at[0] * g->image[1] + at[1]) * g->image[2] + at[2]) * g->C,
                        (Real *)w + tap * (g->C / g->groups) * g->K, (Real *)y);
}

/* Calls `sum` for every pair, in order of y, then of the kernel.  x, w, y: of the three, `sum` changes one. */
static void for_each_tap(const Geometry *g, const Real *x, const Real *w, const Real *y, TapSum *sum) {
    size_t example = g->image[0] * g->image[1] * g->image[2] * g->C, o[3];
    for (size_t n = 0; n < g->n; n++, x += example)
        for (o[0] = 0; o[0] < g->output[0]; o[0]++)
            for (o[1] = 0; o[1] < g->output[1]; o[1]++)
                for (o[2] = 0; o[2] < g->output[2]; o[2]++, y += g->K)
                    taps(g, o, x, w, y, sum);
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
    size_t filters = op->y.dim[op->y.rank - 1], count = op->n * shape_count(&op->y);
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
    size_t filters = op->y.dim[op->y.rank - 1], count = op->n * shape_count(&op->y);
    if (b->dw[1])
        for (size_t i = 0; i < count; i++)
            b->dw[1][i % filters] += b->dy[i];
}

static void conv_forward(const OpDesc *op, const OpBuffers *b) {
    Geometry g = geometry(op);
    start_output(op, b);
    for_each_tap(&g, b->x[0], b->w[0], b->y, output_sum);
}

static void conv_backward(const OpDesc *op, const OpBuffers *b) {
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

const Kernel ref_conv2d = {.forward = conv_forward, .backward = conv_backward};
const Kernel ref_conv3d = {.forward = conv_forward, .backward = conv_backward};
const Kernel ref_conv2d_transpose = {.forward = conv2d_transpose_forward, .backward = conv2d_transpose_backward};
