/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions by kernels of 3x3, stride 1, without dilation and groups, by Winograd's algorithm (tiles.h).  Work goes
 * block by block of tiles, so that what one pass writes is in the cache when the next one reads it:
 *
 *     forward, data    V = B^T x B;  for each block of output channels: U = G w G^T, M = V U, y = A^T M A
 *     weights          V = B^T x B, W = A dy A^T;  for each block of dw: M = V^T W, dw += G^T M G
 *
 * The sizes of blocks, and so the order of sums and the bits, depend on the shapes alone. */
#ifndef BACKEND_WINOGRAD_WINOGRAD_H
#define BACKEND_WINOGRAD_WINOGRAD_H
#include "backend/backend.h"
#include "backend/winograd/tiles.h"

/* x [n,H,W,C] -> y [n,P,Q,K]. */
typedef struct WinogradSizes {
    size_t n, H, W, C, P, Q, K;
    size_t pad[2]; /* before the first row, column */
} WinogradSizes;

/* Whether this is faster than the direct method. */
bool winograd_wins(const WinogradSizes *g);

/* The convolution whose data gradient this is, as a convolution dy -> dx of its own, but of the turned weights. */
WinogradSizes winograd_turned(const WinogradSizes *g);

/* Bytes of `work` that the two functions below need. */
size_t winograd_output_bytes(const WinogradSizes *g);
size_t winograd_weights_bytes(const WinogradSizes *g);

/* y = conv(x, w), finished as `finish` says.  w: [3,3,C,K]; turned: [3,3,K,C]. */
void winograd_output(const WinogradSizes *g, const float *x, const float *w, bool turned, const Finish *finish,
                     float *y, float *work);

/* dw [3,3,C,K] = gradient of sum(y dy) by w, or dw += when `add`. */
void winograd_weights(const WinogradSizes *g, const float *x, const float *dy, bool add, float *dw, float *work);

#endif
