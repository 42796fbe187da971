/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* Pooling of windows; a global pool is one window as large as the image.  Padding is left out of every window, so a window
 * is a rectangle inside the image; paddings are less than the window, so it is not empty.  max: the place of the largest
 * element, as its index in the (unclipped) window, is saved in one byte per output where that is enough, else in four. */
typedef struct Pool {
    size_t H, W, C, P, Q;
    size_t size[2], stride[2], pad[2];
    bool small; /* saved indices are uint8_t, else uint32_t */
} Pool;

typedef struct Window {
    size_t h0, h1, w0, w1; /* rows h0 .. h1-1, columns w0 .. w1-1 of the image */
    size_t corner;         /* index in the unclipped window of (h0, w0) */
} Window;

static Pool pool_of(const OpDesc *op) {
    const PoolAttr *a = &op->attr.pool;
    const size_t *x = op->x[0].dim;
    Pool g = {.H = x[0], .W = x[1], .C = x[2], .P = 1, .Q = 1, .size = {x[0], x[1]}, .stride = {1, 1}};
    if (op->kind == OP_MAX_POOL2D || op->kind == OP_AVERAGE_POOL2D) {
        g.P = op->y.dim[0], g.Q = op->y.dim[1];
        for (int axis = 0; axis < 2; axis++)
            g.size[axis] = a->size[axis], g.stride[axis] = a->stride[axis], g.pad[axis] = a->pad[axis][0];
    }
    g.small = g.size[0] * g.size[1] <= 256;
    return g;
}

/* The part inside the image of window p along one axis; *cut: how much of it is before the image. */
static void clip(size_t p, size_t stride, size_t size, size_t pad, size_t extent, size_t *from, size_t *to,
                 size_t *cut) {
    size_t start = p * stride;
    *cut = start < pad ? pad - start : 0;
    *from = start + *cut - pad;
    *to = at_most(start + size - pad, extent);
}

static Window window_at(const Pool *g, size_t p, size_t q) {
    Window w;
    size_t cut_h, cut_w;
    clip(p, g->stride[0], g->size[0], g->pad[0], g->H, &w.h0, &w.h1, &cut_h);
    clip(q, g->stride[1], g->size[1], g->pad[1], g->W, &w.w0, &w.w1, &cut_w);
    w.corner = cut_h * g->size[1] + cut_w;
    return w;
}

/* What a kernel is given for one output position and at most COLUMN_TILE channels: the example's first such channel in x
 * (or dx), y (or dy), and the saved indices. */
typedef struct Place {
    const Pool *g;
    Window w;
    float *image, *out;
    uint8_t *index8;
    uint32_t *index32;
} Place;

typedef void PoolKernel(Place place, size_t width);

static void for_each_window(const OpDesc *op, const float *image, const float *out, void *saved, PoolKernel *kernel) {
    Pool g = pool_of(op);
    for (size_t n = 0, row = 0; n < op->n; n++)
        for (size_t p = 0; p < g.P; p++)
            for (size_t q = 0; q < g.Q; q++, row++)
                for (size_t c = 0; c < g.C; c += COLUMN_TILE) {
                    size_t o = row * g.C + c;
                    /* A kernel writes to either the image or the output, and gets the other one as it is. */
                    Place place = {.g = &g,
                                   .w = window_at(&g, p, q),
                                   .image = (float *)image + n * g.H * g.W * g.C + c,
                                   .out = (float *)out + o};
                    if (saved && g.small)
                        place.index8 = (uint8_t *)saved + o;
                    else if (saved)
                        place.index32 = (uint32_t *)saved + o;
                    kernel(place, at_most(g.C - c, COLUMN_TILE));
                }
}

/* A NaN wins, so that it is not lost. */
CPU_INLINE void max_columns(Place place, size_t width) {
    const Pool *g = place.g;
    float best[COLUMN_TILE];
    uint32_t at[COLUMN_TILE];
    for (size_t c = 0; c < width; c++) {
        best[c] = place.image[(place.w.h0 * g->W + place.w.w0) * g->C + c];
        at[c] = (uint32_t)place.w.corner;
    }
    for (size_t h = place.w.h0; h < place.w.h1; h++)
        for (size_t w = place.w.w0; w < place.w.w1; w++) {
            const float *x = place.image + (h * g->W + w) * g->C;
            uint32_t index = (uint32_t)(place.w.corner + (h - place.w.h0) * g->size[1] + (w - place.w.w0));
            for (size_t c = 0; c < width; c++) {
                bool wins = (x[c] > best[c]) | (x[c] != x[c]);
                best[c] = wins ? x[c] : best[c];
                at[c] = wins ? index : at[c];
            }
        }
    memcpy(place.out, best, width * sizeof *best);
    if (place.index8)
        for (size_t c = 0; c < width; c++)
            place.index8[c] = (uint8_t)at[c];
    else if (place.index32)
        memcpy(place.index32, at, width * sizeof *at);
}

CPU_CLONES
static void max_window(Place place, size_t width) {
    if (width == 64)
        max_columns(place, 64);
    else if (width == 32)
        max_columns(place, 32);
    else
        max_columns(place, width);
}

CPU_CLONES
static void max_window_gradient(Place place, size_t width) {
    const Pool *g = place.g;
    for (size_t h = place.w.h0; h < place.w.h1; h++)
        for (size_t w = place.w.w0; w < place.w.w1; w++) {
            float *restrict dx = place.image + (h * g->W + w) * g->C;
            size_t index = place.w.corner + (h - place.w.h0) * g->size[1] + (w - place.w.w0);
            if (g->small)
                for (size_t c = 0; c < width; c++)
                    dx[c] += place.index8[c] == (uint8_t)index ? place.out[c] : 0;
            else
                for (size_t c = 0; c < width; c++)
                    dx[c] += place.index32[c] == (uint32_t)index ? place.out[c] : 0;
        }
}

static float window_share(const Window *w) {
    return 1.0f / (float)((w->h1 - w->h0) * (w->w1 - w->w0));
}

/* Each image row is summed by itself first: a global pool adds many elements. */
CPU_CLONES
static void average_window(Place place, size_t width) {
    const Pool *g = place.g;
    float sum[COLUMN_TILE] = {0}, share = window_share(&place.w);
    for (size_t h = place.w.h0; h < place.w.h1; h++) {
        float part[COLUMN_TILE] = {0};
        for (size_t w = place.w.w0; w < place.w.w1; w++)
            for (size_t c = 0; c < width; c++)
                part[c] += place.image[(h * g->W + w) * g->C + c];
        for (size_t c = 0; c < width; c++)
            sum[c] += part[c];
    }
    for (size_t c = 0; c < width; c++)
        place.out[c] = sum[c] * share;
}

CPU_CLONES
static void average_window_gradient(Place place, size_t width) {
    const Pool *g = place.g;
    float share = window_share(&place.w);
    for (size_t h = place.w.h0; h < place.w.h1; h++)
        for (size_t w = place.w.w0; w < place.w.w1; w++) {
            float *restrict dx = place.image + (h * g->W + w) * g->C;
            for (size_t c = 0; c < width; c++)
                dx[c] += share * place.out[c];
        }
}

static bool is_max(const OpDesc *op) {
    return op->kind == OP_MAX_POOL2D || op->kind == OP_GLOBAL_MAX_POOL2D;
}

/* Indices in a window must fit. */
static bool supports(const OpDesc *op) {
    Pool g = pool_of(op);
    return g.size[0] <= UINT16_MAX && g.size[1] <= UINT16_MAX;
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    for_each_window(op, b->x[0], b->y, is_max(op) && op->training ? b->saved : NULL,
                    is_max(op) ? max_window : average_window);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    if (!b->dx[0])
        return;
    if (!b->dx_add[0])
        memset(b->dx[0], 0, total_count(op, &op->x[0]) * sizeof(float));
    for_each_window(op, b->dx[0], b->dy, is_max(op) ? b->saved : NULL,
                    is_max(op) ? max_window_gradient : average_window_gradient);
}

static void memory(const OpDesc *op, OpMemory *memory) {
    if (is_max(op) && op->training)
        memory->saved_bytes = total_count(op, &op->y) * (pool_of(op).small ? sizeof(uint8_t) : sizeof(uint32_t));
}

const Kernel cpu_max_pool2d = {.forward = forward, .backward = backward, .supports = supports, .memory = memory};
const Kernel cpu_average_pool2d = {.forward = forward, .backward = backward, .supports = supports, .memory = memory};
const Kernel cpu_global_max_pool2d = {.forward = forward, .backward = backward, .supports = supports, .memory = memory};
const Kernel cpu_global_average_pool2d = {
    .forward = forward, .backward = backward, .supports = supports, .memory = memory};
