/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions by kernels of 3x3, stride 1, without dilation and groups, by Winograd's algorithm (tiles.h).  Work goes
 * block by block of tiles, so that what one pass writes is in the cache when the next one reads it:
 *
 *     forward    V = B^T x B;  for each block of outputs: U = G w G^T, M = V U, y = A^T M A
 *     backward   W = A dy A^T
 *     weights    V = B^T x B;  for each block of dw: M = V^T W, dw += G^T M G
 *     data       for each block of inputs: M = W U^T, dx += B M B^T
 *
 * The sizes of blocks, and so the order of sums and the bits, depend on the shapes alone. */
#ifndef BACKEND_WINOGRAD_WINOGRAD_H
#define BACKEND_WINOGRAD_WINOGRAD_H
#include "backend/openblas/openblas.h"
#include "backend/winograd/tiles.h"

/* Whether this is faster than the direct method. */
bool winograd_wins(const ConvSizes *g);

/* Bytes of `work` that the two functions below need. */
size_t winograd_forward_bytes(const ConvSizes *g);
size_t winograd_backward_bytes(const ConvSizes *g);

/* y = conv(x, w), finished as `finish` says. */
void winograd_forward(const ConvSizes *g, const float *x, const float *w, const Finish *finish, float *y, float *work);

/* The gradients of sum(y dy): by w, dw or dw += when add_dw; by x, dx or dx += when add_dx.  dw and dx may be NULL; x
 * is read for dw, w for dx. */
void winograd_backward(const ConvSizes *g, const float *x, const float *w, const float *dy, bool add_dw, float *dw,
                       bool add_dx, float *dx, float *work);

#endif
