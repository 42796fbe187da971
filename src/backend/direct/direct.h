/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions of few channels, and dense layers of one example, without a matrix in between: in NHWC the elements that
 * one output position needs of an image row are adjacent, and so are a position's outputs, so each output row is one
 * product (product.h) of the image rows below the kernel with the weights as they are:
 *
 *     forward  y[p,q,:]      = b + sum over r, (s,c)  x[p u + r, (q u + s, c)] w[r,(s,c),:]     rows q, segments r
 *     weights  dw[r,(s,c),:] = sum over p, q          x[p u + r, (q u + s, c)] dy[p,q,:]        rows (s,c), segments p
 *     data     dx[h,w,:]     = sum over r, (s,k)      dy[h - r, (w - s, k)] w'[r,(s,k),:]       rows w, segments r
 *           or part[q,(s,c)] = sum over r, k          dy[(h - r) / u, q, k] w'[r,k,(s,c)],      rows q, segments r
 *              dx[h,w,:]     = sum over s             part[(w - s) / u, (s,:)]
 *
 * u: stride; positions include the padding.  Images are copied beside zeros where they are padded.  w' is a turned copy
 * of the weights.  The second form of the gradient by the data adds up in memory, but its vectors are full for any
 * number of channels, and it wastes nothing with strides, and with images that are small beside the kernel. */
#ifndef BACKEND_DIRECT_DIRECT_H
#define BACKEND_DIRECT_DIRECT_H
#include "backend/backend.h"

typedef struct Conv {
    size_t n, H, W, C, P, Q, K, R, S;
    size_t stride[2], pad[2]; /* height, width; pad: before the first row, column */
    bool relu;
    float relu_max;
    bool padded;        /* else x is used as it is */
    size_t rows, width; /* of the padded image; H, W when it is none */
    size_t block;       /* rows of dy whose gradient by the weights is taken at once */
    bool want_dx;
    size_t left, out; /* zeros before a row of dy, and the length of such a row with zeros; 0 and Q without */
    size_t line;      /* elements of a row of `part`: S C in whole vectors; 0: the first form */
    size_t turned;    /* place of w' in `packed` */
} Conv;

/* Of groups = 1 and dilation 1. */
Conv direct_conv(const OpDesc *op);
void direct_conv_memory(const Conv *g, OpMemory *memory);
void direct_conv_forward(const Conv *g, const OpBuffers *b);
void direct_conv_backward(const Conv *g, const OpBuffers *b);

/* Parts of it: the gradient by the data, of one example, from dy staged in rows of `out` positions. */
void direct_data_sizes(Conv *g);
size_t direct_data_packed_count(const Conv *g);
void direct_data_pack(const Conv *g, const float *w, float *turned);
void direct_data_gradient(const Conv *g, const float *dy, const float *turned, bool add, float *part, float *dx);

/* Of `rows` kernel rows, of which row 0 lies at `start`, `pad` rows before the image's first: *first .. *end - 1 are
 * inside. */
void direct_rows_inside(size_t start, size_t pad, size_t rows, size_t extent, size_t *first, size_t *end);

typedef struct Dense {
    size_t in, out;
    bool relu;
    float relu_max;
} Dense;

Dense direct_dense(const OpDesc *op);
void direct_dense_memory(const Dense *g, OpMemory *memory);
void direct_dense_forward(const Dense *g, const OpBuffers *b);
void direct_dense_backward(const Dense *g, const OpBuffers *b);

#endif
