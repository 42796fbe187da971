/* SPDX-License-Identifier: Apache-2.0
 *
 * Resizing with half-pixel centres: pixel i of m output pixels over n input pixels lies at (i + 1/2) n / m - 1/2.
 *   nearest   floor((i + 1/2) n / m)
 *   bilinear  between the two neighbours of the position, clamped to the image; no antialiasing
 * All in whole numbers, so that no rounding decides which pixel is taken. */
#include "backend/ref/ref.h"
#include <string.h>

/* The two input pixels of an output pixel along one axis, and the weight of the second. */
typedef struct Between {
    size_t first, second;
    Real weight;
} Between;

static Between between(const OpDesc *op, int axis, size_t i) {
    size_t n = op->x[0].dim[axis], m = op->y.dim[axis], centre = (2 * i + 1) * n; /* in units of 1/(2m) pixels */
    if (op->attr.resize.interpolation == INTERPOLATE_NEAREST)
        return (Between){centre / (2 * m), centre / (2 * m), 0};
    size_t place = centre > m ? centre - m : 0;
    size_t first = place / (2 * m), second = first + 1 < n ? first + 1 : first;
    return (Between){first, second, (Real)(place % (2 * m)) / (Real)(2 * m)};
}

/* Calls f(x pixel, weight, y pixel) for the four pixels that make each pixel of y; offsets of channel 0, with batch. */
typedef void PixelSum(const OpDesc *op, Real *x, Real weight, Real *y);

static void for_each_pixel(const OpDesc *op, const Real *x, const Real *y, PixelSum *f) {
    size_t H = op->x[0].dim[0], W = op->x[0].dim[1], C = op->x[0].dim[2];
    for (size_t row = 0; row < op->n * op->y.dim[0]; row++) {
        const Real *image = x + row / op->y.dim[0] * H * W * C;
        Between v = between(op, 0, row % op->y.dim[0]);
        for (size_t q = 0; q < op->y.dim[1]; q++) {
            Between u = between(op, 1, q);
            Real *to = (Real *)y + (row * op->y.dim[1] + q) * C;
            f(op, (Real *)image + (v.first * W + u.first) * C, (1 - v.weight) * (1 - u.weight), to);
            f(op, (Real *)image + (v.first * W + u.second) * C, (1 - v.weight) * u.weight, to);
            f(op, (Real *)image + (v.second * W + u.first) * C, v.weight * (1 - u.weight), to);
            f(op, (Real *)image + (v.second * W + u.second) * C, v.weight * u.weight, to);
        }
    }
}

/* A weight of 0 takes no part, so that a NaN beside the pixel does not reach it. */
static void gather(const OpDesc *op, Real *x, Real weight, Real *y) {
    for (size_t c = 0; weight != 0 && c < op->y.dim[2]; c++)
        y[c] += weight * x[c];
}

static void scatter(const OpDesc *op, Real *x, Real weight, Real *y) {
    for (size_t c = 0; weight != 0 && c < op->y.dim[2]; c++)
        x[c] += weight * y[c];
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    memset(b->y, 0, op->n * shape_count(&op->y) * sizeof(Real));
    for_each_pixel(op, b->x[0], b->y, gather);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    if (!b->dx[0])
        return;
    if (!b->dx_add[0])
        memset(b->dx[0], 0, op->n * shape_count(&op->x[0]) * sizeof(Real));
    for_each_pixel(op, b->dx[0], b->dy, scatter);
}

const Kernel ref_resize2d = {.forward = forward, .backward = backward};
