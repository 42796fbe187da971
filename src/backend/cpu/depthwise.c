/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/depthwise.h"
#include "backend/cpu/cpu.h"
#include <string.h>

/* Depthwise convolution, one filter per channel:
 *     y[n,p,q,c]  = b[c] + sum_{r,s} x[n, p u - a + r d, q u - a + s d, c] w[r,s,c]     stride u, padding a, dilation d
 *     dx[n,h,w,c] = sum_{r,s} dy[n, (h + a - r d) / u, (w + a - s d) / u, c] w[r,s,c]   where these are whole numbers
 * With u > 1 (then d is 1) the pixels of dx fall into u classes per axis: those of one class (w + a) mod u meet every
 * u-th tap, and are a line of outputs like those of y with stride 1. */

/* Of the taps s of output j those inside the image, and the pixel of the first of them. */
typedef struct Taps {
    size_t from, to, pixel;
} Taps;

CPU_INLINE Taps taps_inside(const Line *l, size_t j) {
    ptrdiff_t reach = (ptrdiff_t)l->reach, at = l->first + (ptrdiff_t)(j * l->step), width = (ptrdiff_t)l->width;
    ptrdiff_t from = at < 0 ? (-at + reach - 1) / reach : 0, to = at < width ? (width - at + reach - 1) / reach : 0;
    ptrdiff_t most = (ptrdiff_t)l->taps;
    to = to > most ? most : to;
    return from < to ? (Taps){(size_t)from, (size_t)to, (size_t)(at + from * reach)} : (Taps){0};
}

/* The outputs that meet pixels of the image only: from .. to - 1. */
typedef struct Inside {
    size_t from, to;
} Inside;

CPU_INLINE Inside outputs_inside(const Line *l) {
    ptrdiff_t step = (ptrdiff_t)l->step, count = (ptrdiff_t)l->count;
    ptrdiff_t room = (ptrdiff_t)l->width - 1 - l->first - ((ptrdiff_t)l->taps - 1) * (ptrdiff_t)l->reach;
    ptrdiff_t from = l->first < 0 ? (-l->first + step - 1) / step : 0, to = room < 0 ? 0 : room / step + 1;
    from = from > count ? count : from;
    to = to > count ? count : to;
    return (Inside){(size_t)from, (size_t)(to > from ? to : from)};
}

#define SIMD_FILE "backend/cpu/depthwise_kernel.h"
#include "backend/simd.h"

void depthwise_sum(const Sum *g) {
    SIMD_BEST(sum)(g);
}

void depthwise_weights(const Line *line, const float *dy, float *dw) {
    SIMD_BEST(weights)(line, dy, dw);
}

typedef struct Sizes {
    size_t H, W, C, P, Q, R, S;
    const ConvAttr *a;
} Sizes;

static Sizes sizes_of(const OpDesc *op) {
    return (Sizes){op->x[0].dim[0], op->x[0].dim[1],         op->x[0].dim[2],         op->y.dim[0],
                   op->y.dim[1],    op->attr.conv.kernel[0], op->attr.conv.kernel[1], &op->attr.conv};
}

static bool supports(const OpDesc *op) {
    const ConvAttr *a = &op->attr.conv;
    bool one = a->dilation[0] == 1 && a->dilation[1] == 1;
    return a->groups == op->x[0].dim[2] && a->filters == a->groups && a->groups > 1 &&
           (one || (a->stride[0] == 1 && a->stride[1] == 1));
}

/* The taps of an axis that an output, or the outputs of one class of dx, may meet: tap, tap + tap_step, ..; the first
 * of them at pixel `first` of the other side, each `reach` further.  tap_step is negative for dx, so that pixels
 * ascend. */
typedef struct Axis {
    size_t taps, reach;
    ptrdiff_t first, tap, tap_step;
} Axis;

/* Of output p. */
static Axis axis_of_y(const ConvAttr *a, int axis, size_t p) {
    return (Axis){.taps = a->kernel[axis],
                  .reach = a->dilation[axis],
                  .first = (ptrdiff_t)(p * a->stride[axis]) - (ptrdiff_t)a->pad[axis][0],
                  .tap = 0,
                  .tap_step = 1};
}

/* Of pixel h of dx, and of those a multiple of the stride further. */
static Axis axis_of_dx(const ConvAttr *a, int axis, size_t h) {
    size_t u = a->stride[axis], at = h + a->pad[axis][0], tap = at % u;
    size_t taps = tap < a->kernel[axis] ? (a->kernel[axis] - tap - 1) / u + 1 : 0;
    ptrdiff_t last = (ptrdiff_t)taps - 1;
    return (Axis){.taps = taps,
                  .reach = a->dilation[axis],
                  .first = (ptrdiff_t)(at / u) - last * (ptrdiff_t)a->dilation[axis],
                  .tap = (ptrdiff_t)tap + last * (ptrdiff_t)u,
                  .tap_step = -(ptrdiff_t)u};
}

/* The line of outputs that these axes describe, of an image [height, width, C] that starts at `from`; *tap: the first
 * kernel row that meets it. */
static Line line_of(const Axis *rows, const Axis *columns, size_t C, const float *from, size_t height, size_t width,
                    size_t *tap) {
    Line whole = {.taps = rows->taps, .reach = rows->reach, .first = rows->first, .width = height};
    Taps inside = taps_inside(&whole, 0);
    *tap = inside.from;
    return (Line){.channels = C,
                  .from = from + inside.pixel * width * C,
                  .from_row = rows->reach * width * C,
                  .rows = inside.to - inside.from,
                  .taps = columns->taps,
                  .first = columns->first,
                  .reach = columns->reach,
                  .width = width};
}

static const float *weights_at(const Sizes *z, const float *w, const Axis *rows, size_t r, const Axis *columns) {
    return w + ((rows->tap + (ptrdiff_t)r * rows->tap_step) * (ptrdiff_t)z->S + columns->tap) * (ptrdiff_t)z->C;
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    Sizes z = sizes_of(op);
    Axis columns = axis_of_y(z.a, 1, 0);
    for (size_t row = 0; row < op->n * z.P; row++) {
        Axis rows = axis_of_y(z.a, 0, row % z.P);
        Sum sum = {.bias = b->w[1], .relu = op->relu, .relu_max = (float)op->relu_max};
        size_t r;
        sum.line = line_of(&rows, &columns, z.C, b->x[0] + row / z.P * z.H * z.W * z.C, z.H, z.W, &r);
        sum.line.step = z.a->stride[1];
        sum.line.count = z.Q;
        sum.line.output = z.C;
        sum.w = weights_at(&z, b->w[0], &rows, r, &columns);
        sum.w_row = (ptrdiff_t)(z.S * z.C);
        sum.w_tap = (ptrdiff_t)z.C;
        sum.to = b->y + row * z.Q * z.C;
        depthwise_sum(&sum);
    }
}

static void data_gradient(const OpDesc *op, const OpBuffers *b) {
    Sizes z = sizes_of(op);
    size_t u = z.a->stride[1];
    for (size_t row = 0; row < op->n * z.H; row++) {
        Axis rows = axis_of_dx(z.a, 0, row % z.H);
        for (size_t w = 0; w < at_most(u, z.W); w++) {
            Axis columns = axis_of_dx(z.a, 1, w);
            Sum sum = {.add = b->dx_add[0]};
            size_t r;
            sum.line = line_of(&rows, &columns, z.C, b->dy + row / z.H * z.P * z.Q * z.C, z.P, z.Q, &r);
            sum.line.step = 1;
            sum.line.count = (z.W - w - 1) / u + 1;
            sum.line.output = u * z.C;
            sum.w = weights_at(&z, b->w[0], &rows, r, &columns);
            sum.w_row = rows.tap_step * (ptrdiff_t)(z.S * z.C);
            sum.w_tap = columns.tap_step * (ptrdiff_t)z.C;
            sum.to = b->dx[0] + (row * z.W + w) * z.C;
            depthwise_sum(&sum);
        }
    }
}

static void weight_gradient(const OpDesc *op, const OpBuffers *b) {
    Sizes z = sizes_of(op);
    Axis columns = axis_of_y(z.a, 1, 0);
    if (!b->dw_add[0])
        memset(b->dw[0], 0, z.R * z.S * z.C * sizeof(float));
    for (size_t row = 0; row < op->n * z.P; row++) {
        Axis rows = axis_of_y(z.a, 0, row % z.P);
        size_t r;
        Line line = line_of(&rows, &columns, z.C, b->x[0] + row / z.P * z.H * z.W * z.C, z.H, z.W, &r);
        line.step = z.a->stride[1];
        line.count = z.Q;
        line.output = z.C;
        depthwise_weights(&line, b->dy + row * z.Q * z.C, b->dw[0] + r * z.S * z.C);
    }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = op->x[0].dim[2], rows = op->n * shape_count(&op->y) / columns;
    finish_rows_backward(b->y, op->relu, op->relu_max, b->dy, rows, columns, b->dw_add[1], b->dw[1]);
    if (b->dx[0])
        data_gradient(op, b);
    if (b->dw[0])
        weight_gradient(op, b);
}

const Kernel cpu_conv2d = {.forward = forward, .backward = backward, .supports = supports, .has_relu = true};
