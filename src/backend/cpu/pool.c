/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/pool.h"
#include <string.h>

static bool is_max(const OpDesc *op) {
    return op->kind == OP_MAX_POOL2D || op->kind == OP_GLOBAL_MAX_POOL2D;
}

static Pool pool_of(const OpDesc *op) {
    const PoolAttr *a = &op->attr.pool;
    const size_t *x = op->x[0].dim;
    Pool g = {.H = x[0], .W = x[1], .C = x[2], .P = 1, .Q = 1, .size = {x[0], x[1]}, .stride = {x[0], x[1]}};
    g.max = is_max(op);
    if (op->kind == OP_MAX_POOL2D || op->kind == OP_AVERAGE_POOL2D) {
        g.P = op->y.dim[0], g.Q = op->y.dim[1];
        for (int axis = 0; axis < 2; axis++)
            g.size[axis] = a->size[axis], g.stride[axis] = a->stride[axis], g.pad[axis] = a->pad[axis][0];
    }
    g.small = g.size[0] * g.size[1] <= 256;
    g.tiles = g.size[0] == g.stride[0] && g.size[1] == g.stride[1];
    return g;
}

/* Some windows of one row of outputs, side by side, at most PIECE outputs: what a kernel is given. */
enum { PIECE = 1024 };

typedef struct Piece {
    const Pool *g;
    Extent rows;       /* of the image, in all windows */
    size_t q, windows; /* window numbers q .. q + windows - 1 */
    size_t channels;   /* of all C; less than all only with one window */
    float *image;      /* the example's first such channel in x (or dx) */
    float *out;        /* the first output, of y (or dy) */
    void *index;       /* its saved index; NULL: not wanted */
    bool assign;       /* a gradient is written, not added */
} Piece;

/* A kernel writes to either the image or the output, and gets the other one as it is. */
static void for_each_piece(const OpDesc *op, const float *image, const float *out, void *saved, bool assign,
                           void (*kernel)(const Piece *)) {
    Pool g = pool_of(op);
    size_t channels = at_most(g.C, PIECE), most = PIECE / channels, index_bytes = g.small ? 1 : sizeof(uint32_t);
    for (size_t n = 0; n < op->n; n++)
        for (size_t p = 0; p < g.P; p++)
            for (size_t q = 0; q < g.Q; q += most)
                for (size_t c = 0; c < g.C; c += channels) {
                    size_t o = ((n * g.P + p) * g.Q + q) * g.C + c;
                    Piece piece = {.g = &g,
                                   .rows = extent_at(&g, 0, p, g.H),
                                   .q = q,
                                   .windows = at_most(g.Q - q, most),
                                   .channels = at_most(g.C - c, channels),
                                   .image = (float *)image + n * g.H * g.W * g.C + c,
                                   .out = (float *)out + o,
                                   .index = saved ? (char *)saved + o * index_bytes : NULL,
                                   .assign = assign};
                    kernel(&piece);
                }
}

/* One window of a piece: an image row's first element in it, and so on. */
typedef struct Window {
    Extent rows, columns;
    float *image;
    size_t row; /* elements from one image row to the next */
    bool whole; /* not clipped */
} Window;

CPU_INLINE Window window_at(const Piece *piece, size_t number) {
    const Pool *g = piece->g;
    Window w = {.rows = piece->rows, .columns = extent_at(g, 1, piece->q + number, g->W), .row = g->W * g->C};
    w.image = piece->image + w.rows.from * w.row + w.columns.from * g->C;
    w.whole = w.rows.to - w.rows.from == g->size[0] && w.columns.to - w.columns.from == g->size[1];
    return w;
}

/* A NaN wins, so that it is not lost. */
CPU_INLINE void take(float x, uint32_t index, float *best, uint32_t *at) {
    bool wins = (x > *best) | (x != x);
    *best = wins ? x : *best;
    *at = wins ? index : *at;
}

CPU_INLINE void max_of_4(const Window *w, size_t C, size_t channels, float *restrict y, uint32_t *restrict at) {
    const float *upper = w->image, *lower = upper + w->row;
    for (size_t c = 0; c < channels; c++) {
        float best = upper[c];
        uint32_t index = 0;
        take(upper[C + c], 1, &best, &index);
        take(lower[c], 2, &best, &index);
        take(lower[C + c], 3, &best, &index);
        y[c] = best;
        at[c] = index;
    }
}

CPU_INLINE void max_of_some(const Window *w, const Pool *g, size_t channels, float *restrict y, uint32_t *restrict at) {
    size_t corner = w->rows.cut * g->size[1] + w->columns.cut;
    for (size_t c = 0; c < channels; c++)
        y[c] = w->image[c], at[c] = (uint32_t)corner;
    for (size_t h = 0; h < w->rows.to - w->rows.from; h++)
        for (size_t s = 0; s < w->columns.to - w->columns.from; s++) {
            const float *x = w->image + h * w->row + s * g->C;
            for (size_t c = 0; c < channels; c++)
                take(x[c], (uint32_t)(corner + h * g->size[1] + s), &y[c], &at[c]);
        }
}

CPU_CLONES
static void max_piece(const Piece *piece) {
    const Pool *g = piece->g;
    uint32_t at[PIECE];
    size_t channels = piece->channels, count = piece->windows * channels;
    uint8_t *restrict index8 = piece->index;
    for (size_t i = 0; i < piece->windows; i++) {
        Window w = window_at(piece, i);
        if (w.whole && g->size[0] == 2 && g->size[1] == 2)
            max_of_4(&w, g->C, channels, piece->out + i * channels, at + i * channels);
        else
            max_of_some(&w, g, channels, piece->out + i * channels, at + i * channels);
    }
    if (index8 && g->small)
        for (size_t i = 0; i < count; i++)
            index8[i] = (uint8_t)at[i];
    else if (index8)
        memcpy(index8, at, count * sizeof *at);
}

/* condition ? g : 0, without conditional expressions: of several that exclude each other the compiler makes
 * branches. */
CPU_INLINE float where(bool condition, float g) {
    uint32_t bits;
    memcpy(&bits, &g, sizeof bits);
    bits &= -(uint32_t)condition;
    memcpy(&g, &bits, sizeof g);
    return g;
}

/* dx of a whole 2x2 window, written. */
CPU_INLINE void gradient_of_4(const Window *w, size_t C, size_t channels, const float *dy, const uint32_t *at) {
    float *upper = w->image, *lower = upper + w->row;
#pragma GCC ivdep
    for (size_t c = 0; c < channels; c++) {
        float g = dy[c];
        uint32_t index = at[c];
        upper[c] = where(index == 0, g);
        upper[C + c] = where(index == 1, g);
        lower[c] = where(index == 2, g);
        lower[C + c] = where(index == 3, g);
    }
}

CPU_INLINE void gradient_of_some(const Window *w, const Pool *g, size_t channels, const float *dy, const uint32_t *at,
                                 bool assign) {
    size_t corner = w->rows.cut * g->size[1] + w->columns.cut;
    for (size_t h = 0; h < w->rows.to - w->rows.from; h++)
        for (size_t s = 0; s < w->columns.to - w->columns.from; s++) {
            float *restrict dx = w->image + h * w->row + s * g->C;
            uint32_t index = (uint32_t)(corner + h * g->size[1] + s);
            for (size_t c = 0; c < channels; c++) {
                float old = assign ? 0 : dx[c], more = dy[c];
                dx[c] = at[c] == index ? old + more : old;
            }
        }
}

CPU_CLONES
static void max_piece_gradient(const Piece *piece) {
    const Pool *g = piece->g;
    uint32_t at[PIECE];
    size_t channels = piece->channels, count = piece->windows * channels;
    const uint8_t *index8 = piece->index;
    if (g->small)
        for (size_t i = 0; i < count; i++)
            at[i] = index8[i];
    else
        memcpy(at, index8, count * sizeof *at);
    for (size_t i = 0; i < piece->windows; i++) {
        Window w = window_at(piece, i);
        if (piece->assign && w.whole && g->size[0] == 2 && g->size[1] == 2)
            gradient_of_4(&w, g->C, channels, piece->out + i * channels, at + i * channels);
        else
            gradient_of_some(&w, g, channels, piece->out + i * channels, at + i * channels, piece->assign);
    }
}

static float window_share(const Window *w) {
    return 1.0f / (float)((w->rows.to - w->rows.from) * (w->columns.to - w->columns.from));
}

/* `channels` is a constant where this is inlined, at most COLUMN_TILE.  Each image row is summed by itself first: a
 * global pool adds many elements. */
CPU_INLINE void average_columns(const Window *w, size_t C, size_t channels, float *y) {
    float sum[COLUMN_TILE], part[COLUMN_TILE], share = window_share(w);
    for (size_t c = 0; c < channels; c++)
        sum[c] = 0;
    for (size_t h = 0; h < w->rows.to - w->rows.from; h++) {
        const float *x = w->image + h * w->row;
        for (size_t c = 0; c < channels; c++)
            part[c] = 0;
        for (size_t s = 0; s < w->columns.to - w->columns.from; s++, x += C)
            for (size_t c = 0; c < channels; c++)
                part[c] += x[c];
        for (size_t c = 0; c < channels; c++)
            sum[c] += part[c];
    }
    for (size_t c = 0; c < channels; c++)
        y[c] = sum[c] * share;
}

CPU_CLONES
static void average_piece(const Piece *piece) {
    for (size_t i = 0; i < piece->windows; i++) {
        Window w = window_at(piece, i);
        float *y = piece->out + i * piece->channels;
        size_t c = 0;
        for (; c + COLUMN_TILE <= piece->channels; c += COLUMN_TILE, w.image += COLUMN_TILE)
            average_columns(&w, piece->g->C, COLUMN_TILE, y + c);
        if (piece->channels - c == 16)
            average_columns(&w, piece->g->C, 16, y + c);
        else if (piece->channels - c == 32)
            average_columns(&w, piece->g->C, 32, y + c);
        else if (c < piece->channels)
            average_columns(&w, piece->g->C, piece->channels - c, y + c);
    }
}

CPU_CLONES
static void average_piece_gradient(const Piece *piece) {
    for (size_t i = 0; i < piece->windows; i++) {
        Window w = window_at(piece, i);
        const float *dy = piece->out + i * piece->channels;
        float share = window_share(&w);
        for (size_t h = 0; h < w.rows.to - w.rows.from; h++)
            for (size_t s = 0; s < w.columns.to - w.columns.from; s++) {
                float *restrict dx = w.image + h * w.row + s * piece->g->C;
                for (size_t c = 0; c < piece->channels; c++)
                    dx[c] = (piece->assign ? 0 : dx[c]) + share * dy[c];
            }
    }
}

/* Indices in a window must fit. */
static bool supports(const OpDesc *op) {
    Pool g = pool_of(op);
    return g.size[0] <= UINT16_MAX && g.size[1] <= UINT16_MAX;
}

/* Not for few channels, which are no vector; pixels that lie in one window at most are quicker written window by
 * window. */
static bool by_lines(const Pool *g, bool gradient) {
    bool overlap = g->size[0] > g->stride[0] || g->size[1] > g->stride[1];
    return (gradient ? overlap : !g->tiles) && g->size[0] * g->size[1] <= POOL_TAPS && g->C >= 16;
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    Pool g = pool_of(op);
    if (by_lines(&g, false)) {
        pool_lines(&g, op->n, b->x[0], b->y, g.max && op->training ? b->saved : NULL);
        return;
    }
    for_each_piece(op, b->x[0], b->y, is_max(op) && op->training ? b->saved : NULL, false,
                   is_max(op) ? max_piece : average_piece);
}

/* Zeroes what no window of a tiling covers: below and to the right of the last ones. */
static void clear_rest(const OpDesc *op, const Pool *g, float *dx) {
    size_t rows = at_most(g->P * g->stride[0] - g->pad[0], g->H);
    size_t columns = at_most(g->Q * g->stride[1] - g->pad[1], g->W), row = g->W * g->C;
    for (size_t n = 0; n < op->n; n++, dx += g->H * row) {
        for (size_t h = 0; h < rows && columns < g->W; h++)
            memset(dx + h * row + columns * g->C, 0, (g->W - columns) * g->C * sizeof *dx);
        memset(dx + rows * row, 0, (g->H - rows) * row * sizeof *dx);
    }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    Pool g = pool_of(op);
    bool assign = g.tiles && !b->dx_add[0];
    if (!b->dx[0])
        return;
    if (by_lines(&g, true)) {
        pool_lines_backward(&g, op->n, b->dy, b->saved, b->dx_add[0], b->dx[0]);
        return;
    }
    if (assign)
        clear_rest(op, &g, b->dx[0]);
    else if (!b->dx_add[0])
        memset(b->dx[0], 0, total_count(op, &op->x[0]) * sizeof(float));
    for_each_piece(op, b->dx[0], b->dy, is_max(op) ? b->saved : NULL, assign,
                   is_max(op) ? max_piece_gradient : average_piece_gradient);
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
