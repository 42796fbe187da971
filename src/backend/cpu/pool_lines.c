/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/pool.h"
#ifdef __x86_64__
#include <immintrin.h>
#endif

/* Every output, of y or of dx, is computed once from all that it depends on: y from the pixels of its window, dx from
 * the windows that its pixel lies in.  Both are called taps here.  Along an axis tap k of an output is number first + k
 * on the other side, and lies at `place` + k place_step of (or has the output at this place of) the window. */
typedef struct Taps {
    size_t first, count;
    ptrdiff_t place;
} Taps;

static Taps taps_of_window(const Pool *g, int axis, size_t p, size_t extent) {
    Extent e = extent_at(g, axis, p, extent);
    return (Taps){e.from, e.to - e.from, (ptrdiff_t)e.cut};
}

/* The windows, of `windows`, that a pixel lies in. */
static Taps taps_of_pixel(const Pool *g, int axis, size_t pixel, size_t windows) {
    size_t at = pixel + g->pad[axis], size = g->size[axis], stride = g->stride[axis];
    size_t first = at < size ? 0 : (at - size) / stride + 1, end = at_most(at / stride + 1, windows);
    return (Taps){first, end > first ? end - first : 0, (ptrdiff_t)at - (ptrdiff_t)(first * stride)};
}

/* Outputs of a line that have their taps at the same distance from them: `outputs`, each to_step elements after the
 * last, as their taps are from_step. */
typedef struct Run {
    size_t taps;
    const float *from[POOL_TAPS];
    const uint8_t *index[POOL_TAPS]; /* gradient of max */
    int32_t place[POOL_TAPS];        /* max */
    float share[POOL_TAPS];          /* average */
    size_t outputs, from_step, to_step, channels;
    float *to;
    uint8_t *to_index; /* max: NULL where not wanted */
    bool add;
} Run;

#define SIMD_FILE "backend/cpu/pool_kernel.h"
#include "backend/simd.h"

typedef void RunKernel(const Run *run);

/* All outputs of one example: what all its runs have in common. */
typedef struct Lines {
    const Pool *g;
    bool gradient;
    size_t height, width;           /* of outputs */
    size_t from_height, from_width; /* of the other side */
    const float *from;
    const uint8_t *index;
    RunKernel *kernel;
    Run run;
} Lines;

static Taps taps_of(const Lines *l, int axis, size_t output) {
    size_t extent = axis ? l->from_width : l->from_height;
    return l->gradient ? taps_of_pixel(l->g, axis, output, extent) : taps_of_window(l->g, axis, output, extent);
}

/* 1 / elements of window p, q. */
static float share_of(const Pool *g, size_t p, size_t q) {
    Extent rows = extent_at(g, 0, p, g->H), columns = extent_at(g, 1, q, g->W);
    return 1.0f / (float)((rows.to - rows.from) * (columns.to - columns.from));
}

/* `outputs` from column q of line p on, each `step` after the last. */
static void run(Lines *l, size_t p, size_t q, Taps rows, size_t outputs, size_t step) {
    const Pool *g = l->g;
    Run *r = &l->run;
    Taps columns = taps_of(l, 1, q);
    size_t output = (p * l->width + q) * g->C;
    r->taps = 0;
    for (size_t i = 0; i < rows.count; i++)
        for (size_t k = 0; k < columns.count; k++, r->taps++) {
            size_t h = rows.first + i, w = columns.first + k, at = (h * l->from_width + w) * g->C;
            ptrdiff_t row = l->gradient ? rows.place - (ptrdiff_t)(i * g->stride[0]) : rows.place + (ptrdiff_t)i;
            ptrdiff_t column =
                l->gradient ? columns.place - (ptrdiff_t)(k * g->stride[1]) : columns.place + (ptrdiff_t)k;
            r->from[r->taps] = l->from + at;
            r->index[r->taps] = l->index ? l->index + at : NULL;
            r->place[r->taps] = (int32_t)(row * (ptrdiff_t)g->size[1] + column);
            if (!g->max)
                r->share[r->taps] = l->gradient ? share_of(g, h, w) : share_of(g, p, q);
        }
    Run one = *r;
    one.outputs = outputs;
    one.to += output;
    if (one.to_index)
        one.to_index += output;
    one.to_step = step * g->C;
    l->kernel(&one);
}

/* Of an axis the outputs from .. to - 1 whose taps are all there, and are or have whole windows. */
typedef struct Inside {
    size_t from, to;
} Inside;

static Inside outputs_inside(const Lines *l, int axis) {
    const Pool *g = l->g;
    size_t extent = axis ? g->W : g->H, size = g->size[axis], stride = g->stride[axis], pad = g->pad[axis];
    size_t outputs = axis ? l->width : l->height, windows = axis ? g->Q : g->P;
    size_t from = (pad + stride - 1) / stride; /* whole windows */
    size_t to = extent + pad < size ? 0 : at_most((extent + pad - size) / stride + 1, windows);
    if (l->gradient) { /* a pixel that window from - 1 ends before, and window `to` begins after */
        size_t before = from * stride + size, after = to * stride;
        from = before > stride + pad ? before - stride - pad : 0;
        to = after > pad ? after - pad : 0;
    }
    to = at_most(to, outputs);
    return from < to ? (Inside){from, to} : (Inside){outputs, outputs};
}

static void line(Lines *l, size_t p, Inside inside) {
    size_t step = l->gradient ? l->g->stride[1] : 1;
    Taps rows = taps_of(l, 0, p);
    for (size_t q = 0; q < inside.from; q++)
        run(l, p, q, rows, 1, 1);
    for (size_t q = inside.from; q < at_most(inside.from + step, inside.to); q++)
        run(l, p, q, rows, (inside.to - q - 1) / step + 1, step);
    for (size_t q = inside.to; q < l->width; q++)
        run(l, p, q, rows, 1, 1);
}

static void lines(Lines *l, size_t n) {
    const Pool *g = l->g;
    Inside inside = outputs_inside(l, 1);
    size_t output = l->height * l->width * g->C, from = l->from_height * l->from_width * g->C;
    l->run.channels = g->C;
    l->run.from_step = (l->gradient ? 1 : g->stride[1]) * g->C;
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < l->height; p++)
            line(l, p, inside);
        l->from += from;
        l->run.to += output;
        l->index = l->index ? l->index + from : NULL;
        l->run.to_index = l->run.to_index ? l->run.to_index + output : NULL;
    }
}

void pool_lines(const Pool *g, size_t n, const float *x, float *y, uint8_t *index) {
    Lines l = {.g = g,
               .height = g->P,
               .width = g->Q,
               .from_height = g->H,
               .from_width = g->W,
               .from = x,
               .kernel = g->max ? SIMD_BEST(max) : SIMD_BEST(sum),
               .run = {.to = y, .to_index = index}};
    lines(&l, n);
}

void pool_lines_backward(const Pool *g, size_t n, const float *dy, const uint8_t *index, bool add, float *dx) {
    Lines l = {.g = g,
               .gradient = true,
               .height = g->H,
               .width = g->W,
               .from_height = g->P,
               .from_width = g->Q,
               .from = dy,
               .index = index,
               .kernel = g->max ? SIMD_BEST(max_gradient) : SIMD_BEST(sum),
               .run = {.to = dx, .add = add}};
    lines(&l, n);
}
