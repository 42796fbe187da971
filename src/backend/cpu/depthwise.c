/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* Depthwise convolution: every channel has its own kernel, so channels are the vector.
 *     y[n,p,q,c] = b[c] + sum_{r,s} x[n,h,w,c] w[r,s,c],  h = p stride - pad + r dilation, and so for w
 * Sizes as in conv2d; one filter per channel. */
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
    return a->groups == op->x[0].dim[2] && a->filters == a->groups && a->groups > 1;
}

/* Image index that kernel element r meets at output position p along `axis`; false: in the padding. */
CPU_INLINE bool meets(const ConvAttr *a, int axis, size_t p, size_t r, size_t extent, size_t *index) {
    size_t padded = p * a->stride[axis] + r * a->dilation[axis], pad = a->pad[axis][0];
    *index = padded - pad;
    return padded >= pad && padded - pad < extent;
}

/* `width` channels of one output row. */
CPU_INLINE void output_row(Sizes z, const float *image, const float *kernel, const float *bias, size_t p, size_t width,
                           float *restrict y) {
    for (size_t q = 0; q < z.Q; q++) {
        float sum[COLUMN_TILE];
        size_t h, w;
        for (size_t c = 0; c < width; c++)
            sum[c] = bias ? bias[c] : 0;
        for (size_t r = 0; r < z.R; r++)
            for (size_t s = 0; s < z.S && meets(z.a, 0, p, r, z.H, &h); s++)
                if (meets(z.a, 1, q, s, z.W, &w))
                    for (size_t c = 0; c < width; c++)
                        sum[c] += image[(h * z.W + w) * z.C + c] * kernel[(r * z.S + s) * z.C + c];
        for (size_t c = 0; c < width; c++)
            y[q * z.C + c] = sum[c];
    }
}

CPU_CLONES
static void output_tile(Sizes z, const float *image, const float *kernel, const float *bias, size_t p, size_t width,
                        float *restrict y) {
    if (width == 64)
        output_row(z, image, kernel, bias, p, 64, y);
    else if (width == 32)
        output_row(z, image, kernel, bias, p, 32, y);
    else
        output_row(z, image, kernel, bias, p, width, y);
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    Sizes z = sizes_of(op);
    for (size_t row = 0; row < op->n * z.P; row++)
        for (size_t c = 0; c < z.C; c += COLUMN_TILE)
            output_tile(z, b->x[0] + row / z.P * z.H * z.W * z.C + c, b->w[0] + c, b->w[1] ? b->w[1] + c : NULL,
                        row % z.P, at_most(z.C - c, COLUMN_TILE), b->y + row * z.Q * z.C + c);
}

/* dx += of one output row. */
CPU_CLONES
static void data_row(Sizes z, const float *dy, const float *kernel, size_t p, size_t width, float *restrict image) {
    size_t h, w;
    for (size_t q = 0; q < z.Q; q++)
        for (size_t r = 0; r < z.R; r++)
            for (size_t s = 0; s < z.S && meets(z.a, 0, p, r, z.H, &h); s++)
                if (meets(z.a, 1, q, s, z.W, &w))
                    for (size_t c = 0; c < width; c++)
                        image[(h * z.W + w) * z.C + c] += dy[q * z.C + c] * kernel[(r * z.S + s) * z.C + c];
}

/* dw += of one output row. */
CPU_CLONES
static void weight_row(Sizes z, const float *image, const float *dy, size_t p, size_t width, float *restrict dw) {
    size_t h, w;
    for (size_t r = 0; r < z.R; r++)
        for (size_t s = 0; s < z.S && meets(z.a, 0, p, r, z.H, &h); s++) {
            float sum[COLUMN_TILE] = {0};
            for (size_t q = 0; q < z.Q; q++)
                if (meets(z.a, 1, q, s, z.W, &w))
                    for (size_t c = 0; c < width; c++)
                        sum[c] += image[(h * z.W + w) * z.C + c] * dy[q * z.C + c];
            for (size_t c = 0; c < width; c++)
                dw[(r * z.S + s) * z.C + c] += sum[c];
        }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    Sizes z = sizes_of(op);
    size_t image = z.H * z.W * z.C;
    if (b->dx[0] && !b->dx_add[0])
        memset(b->dx[0], 0, op->n * image * sizeof(float));
    if (b->dw[0] && !b->dw_add[0])
        memset(b->dw[0], 0, z.R * z.S * z.C * sizeof(float));
    for (size_t row = 0; row < op->n * z.P; row++)
        for (size_t c = 0; c < z.C; c += COLUMN_TILE) {
            size_t width = at_most(z.C - c, COLUMN_TILE), start = row / z.P * image + c;
            const float *dy = b->dy + row * z.Q * z.C + c;
            if (b->dx[0])
                data_row(z, dy, b->w[0] + c, row % z.P, width, b->dx[0] + start);
            if (b->dw[0])
                weight_row(z, b->x[0] + start, dy, row % z.P, width, b->dw[0] + c);
        }
    if (b->dw[1])
        sum_rows(b->dy, op->n * z.P * z.Q, z.C, 1, b->dw_add[1], b->dw[1]);
}

const Kernel cpu_conv2d = {.forward = forward, .backward = backward, .supports = supports};
