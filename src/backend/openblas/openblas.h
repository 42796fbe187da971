/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and dense layers by cblas_sgemm.  A convolution's input is laid out as a matrix `col` of one row per
 * output position, in the order of the kernel's memory (K. Chellapilla, S. Puri, P. Simard, "High performance
 * convolutional neural networks for document processing", 2006), a block of output image rows at a time so that col
 * stays in cache:
 *
 *     forward  y    [M,K]   = col [M,RSC] w [RSC,K] + b         M = output positions of the block
 *     weights  dw   [RSC,K] = sum over blocks, in order, of col^T dy
 *     data     dcol [M,RSC] = dy [M,K] w^T, whose elements are added where im2col took them from
 *
 * A 1x1 convolution with stride 1 needs no col: x has that layout already.  Groups: each has its own col and columns of
 * w and y.  None of these functions fails or allocates. */
#ifndef BACKEND_OPENBLAS_OPENBLAS_H
#define BACKEND_OPENBLAS_OPENBLAS_H
#include "backend/backend.h"
#include "backend/cpu/rows.h"

/* The sizes of a convolution x [n,H,W,C] -> y [n,P,Q,K], kernel [R,S,C/groups,K]. */
typedef struct ConvSizes {
    size_t n, H, W, C, K, R, S, P, Q;
    size_t stride[2], dilation[2], pad[2]; /* height, width; pad: before the first row, column */
    size_t groups;
    bool direct;       /* col is x itself */
    size_t block_rows; /* output image rows, of the n P, in one block */
} ConvSizes;

/* The sizes of op, a conv2d, or of the convolution whose data gradient op, a conv2d_transpose, is. */
ConvSizes conv_sizes(const OpDesc *op);

/* Bytes of `work` that the functions below need. */
size_t conv_work_bytes(const ConvSizes *g);

/* What is done to a convolution's output while it is in the cache: bias [K] (NULL: none) added, and a ReLU. */
typedef struct ConvEnd {
    const float *bias;
    bool relu;
    double relu_max;
} ConvEnd;

/* y = conv(x, w), or y += when `add`, then `end`. */
void conv_output(const ConvSizes *g, const float *x, const float *w, const ConvEnd *end, bool add, float *y,
                 float *work);

/* dx, or dx += when `add`: the gradient of sum(y dy) by x. */
void conv_data_gradient(const ConvSizes *g, const float *dy, const float *w, bool add, float *dx, float *work);

/* dw, or dw += when `add`: the gradient of sum(y dy) by w. */
void conv_weight_gradient(const ConvSizes *g, const float *x, const float *dy, bool add, float *dw, float *work);

/* col [rows Q, R S C/groups] of one group, for output image rows first .. first + rows - 1 of the n P. */
void im2col(const ConvSizes *g, size_t group, const float *x, size_t first, size_t rows, float *col);

/* The transpose of im2col: adds col's elements to dx. */
void col2im(const ConvSizes *g, size_t group, const float *col, size_t first, size_t rows, float *dx);

/* c [m,n] = a b, or c += a b when `add`, row major; lda, ldb, ldc: distance of rows in elements.  a is [m,k], or stored
 * as [k,m] when a_transposed; b is [k,n], or [n,k] when b_transposed. */
void sgemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, const float *a, size_t lda,
           const float *b, size_t ldb, bool add, float *c, size_t ldc);

#endif
