/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of pooling share: pool.c, window by window, and pool_lines.c, output by output, for windows that
 * overlap or leave gaps. */
#ifndef BACKEND_CPU_POOL_H
#define BACKEND_CPU_POOL_H
#include "backend/cpu/cpu.h"

/* Pooling of windows; a global pool is one window as large as the image.  Padding is left out of every window, so a
 * window is a rectangle inside the image; paddings are less than the window, so it is not empty.  max: the place of the
 * largest element, as its index in the (unclipped) window, is saved in one byte per output where that is enough, else
 * in four. */
typedef struct Pool {
    size_t H, W, C, P, Q;
    size_t size[2], stride[2], pad[2];
    bool max;
    bool small; /* saved indices are uint8_t, else uint32_t */
    bool tiles; /* windows neither overlap nor leave gaps: a gradient is written once */
} Pool;

/* The part inside the image of a window along one axis: [from, to), and how much of the window is before the image. */
typedef struct Extent {
    size_t from, to, cut;
} Extent;

CPU_INLINE Extent extent_at(const Pool *g, int axis, size_t p, size_t extent) {
    size_t start = p * g->stride[axis], pad = g->pad[axis], cut = start < pad ? pad - start : 0;
    return (Extent){start + cut - pad, at_most(start + g->size[axis] - pad, extent), cut};
}

/* Windows of at most as many elements as pool_lines takes. */
enum { POOL_TAPS = 25 };

/* y of n examples and, unless `index` is NULL, the saved indices; dx (added to with `add`), whatever was there.
 * Windows of at most POOL_TAPS elements. */
void pool_lines(const Pool *g, size_t n, const float *x, float *y, uint8_t *index);
void pool_lines_backward(const Pool *g, size_t n, const float *dy, const uint8_t *index, bool add, float *dx);

#endif
