/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/rows.h"
#include "backend/gemm.h"
#include "backend/winograd/winograd.h"
#include <string.h>

/* All of U is made once a call when it is so small that it stays in the second-level cache beside a block's V and M;
 * then blocks of few tiles are better.  Otherwise it is made anew for each block of tiles, which must be so many that
 * this costs little beside the products.  Blocks of channels: M and U of one stay in the second-level cache, and a row
 * of U for all its inputs in the first.  All found by measuring. */
enum { KEPT_BYTES = 1024 * 1024, KEPT_TILES = 32, KEPT_TILES_BACKWARD = 64, TILES = 128, DEPTH = 64, WIDTH = 32 };

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t round_up(size_t channels) {
    return divide_up(channels, CHANNEL_MULTIPLE) * CHANNEL_MULTIPLE;
}

static size_t tile_count(const ConvSizes *g) {
    return g->n * divide_up(g->P, TILE) * divide_up(g->Q, TILE);
}

/* The direct method multiplies 9 P Q times where this does 36 times a tile, of which those at the edges reach beyond y:
 * the ratio must be 1.5 at least.  The transforms of x and y cost too much beside products of few channels, those of
 * the weights beside products for few tiles, the more so when the weights come from far away.  Measured beside the
 * other backends. */
bool winograd_wins(const ConvSizes *g) {
    size_t tiles = tile_count(g);
    bool pays = 2 * 9 * g->n * g->P * g->Q >= 3 * 36 * tiles;
    return pays && g->C >= 16 && g->K >= 16 && (tiles >= 16 || (tiles >= 4 && g->C * g->K <= 64 * 64));
}

/* x or y, under the tiles of y. */
static Image image_of(const ConvSizes *g, bool is_y, float *outside) {
    return (Image){.height = is_y ? g->P : g->H,
                   .width = is_y ? g->Q : g->W,
                   .channels = is_y ? g->K : g->C,
                   .rows = divide_up(g->P, TILE),
                   .columns = divide_up(g->Q, TILE),
                   .pad = {is_y ? 0 : g->pad[0], is_y ? 0 : g->pad[1]},
                   .outside = outside};
}

/* Gives `points` its memory, and returns what is left. */
static float *place(Points *points, size_t blocks, float *work) {
    points->data = work;
    return work + points_size(points, blocks);
}

/* From `channel` on, which must not reach into the next block. */
static Points points_from(const Points *points, size_t channel) {
    Points p = *points;
    p.data += channel / p.width * p.block + channel % p.width;
    return p;
}

/* m = a b or m += a b at all points. */
static void multiply(const Gemm *g, const Points *a, const Points *b, const Points *m) {
    for (size_t i = 0; i < POINTS; i++)
        gemm(g, a->data + i * a->step, b->data + i * b->step, m->data + i * m->step);
}

/* ---- products with the weights ----------------------------------------------------------------------------------- */

/* From tiles with `inputs` channels to tiles with `outputs` channels: forward by U, backward by its transpose. */
typedef struct Weighting {
    size_t inputs, outputs;
    bool transposed;
    size_t count;      /* of blocks of tiles */
    Points from, u, m; /* of one block of tiles: all inputs; blocks of u; one block of outputs */
    size_t u_blocks;   /* 1, or all of them */
} Weighting;

static Weighting weighting_make(const ConvSizes *g, bool transposed, size_t kept_tiles) {
    Weighting s = {.inputs = transposed ? g->K : g->C, .outputs = transposed ? g->C : g->K, .transposed = transposed};
    size_t total = tile_count(g), tiles;
    s.from = points_make(1, s.inputs, DEPTH);
    s.u = points_make(s.from.width, s.outputs, WIDTH);
    s.u_blocks = points_blocks(&s.from, s.inputs) * points_blocks(&s.u, s.outputs);
    if (points_size(&s.u, s.u_blocks) * sizeof(float) > KEPT_BYTES)
        s.u_blocks = 1;
    s.count = divide_up(total, s.u_blocks > 1 ? kept_tiles : TILES);
    tiles = divide_up(total, s.count);
    s.from = points_make(tiles, s.inputs, DEPTH);
    s.m = points_make(tiles, s.outputs, WIDTH);
    return s;
}

/* m [tiles, columns] = from U, for outputs `column` and on; t: the block of tiles, at whose first one U is made. */
static void weigh(const Weighting *s, const float *w, size_t t, size_t tiles, size_t column, size_t columns) {
    size_t blocks = points_blocks(&s->from, s->inputs);
    for (size_t i = 0; i < blocks; i++) {
        size_t row = i * s->from.width, rows = at_most(s->inputs - row, s->from.width);
        Points from = points_from(&s->from, row), u = s->u;
        WeightBlock part = {s->inputs, s->outputs, row, rows, column, columns, s->transposed};
        if (s->transposed) {
            part.inputs = s->outputs;
            part.outputs = s->inputs;
        }
        if (s->u_blocks > 1)
            u.data += (column / u.width * blocks + i) * u.block;
        if (t == 0 || s->u_blocks == 1)
            points_from_weights(&part, w, &u);
        Gemm product = {tiles, round_up(columns), rows, from.width, 1, u.width, s->m.width, i > 0};
        multiply(&product, &from, &u, &s->m);
    }
}

/* Tiles of block t of `count` blocks of nearly the same size. */
static size_t block_tiles(size_t total, size_t count, size_t t, size_t *first) {
    *first = t * total / count;
    return (t + 1) * total / count - *first;
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

size_t winograd_forward_bytes(const ConvSizes *g) {
    Weighting s = weighting_make(g, false, KEPT_TILES);
    return sizeof(float) * (round_up(g->C) + points_size(&s.from, points_blocks(&s.from, g->C)) + points_size(&s.m, 1) +
                            points_size(&s.u, s.u_blocks));
}

void winograd_forward(const ConvSizes *g, const float *x, const float *w, const Finish *finish, float *y, float *work) {
    Weighting s = weighting_make(g, false, KEPT_TILES);
    Image from = image_of(g, false, work), to = image_of(g, true, NULL);
    memset(work, 0, round_up(g->C) * sizeof *work);
    work = place(&s.from, points_blocks(&s.from, g->C), work + round_up(g->C));
    work = place(&s.m, 1, work);
    place(&s.u, s.u_blocks, work);
    for (size_t t = 0; t < s.count; t++) {
        size_t first, tiles = block_tiles(tile_count(g), s.count, t, &first);
        points_from_input(&from, x, first, tiles, &s.from);
        for (size_t k = 0; k < g->K; k += WIDTH) {
            size_t columns = at_most(g->K - k, WIDTH);
            weigh(&s, w, t, tiles, k, columns);
            points_to_output(&to, &s.m, first, tiles, k, columns, finish, y);
        }
    }
}

/* ---- backward ---------------------------------------------------------------------------------------------------- */

/* What backward needs beside the weighting of W: V, and M of a block of the weights' gradient, which shares its memory
 * with that of the data's. */
typedef struct Backward {
    Weighting data; /* its `from` is W */
    Points v, m;
} Backward;

static Backward backward_make(const ConvSizes *g) {
    Backward b = {.data = weighting_make(g, true, KEPT_TILES_BACKWARD)};
    b.v = points_make(divide_up(tile_count(g), b.data.count), g->C, DEPTH);
    b.m = points_make(b.v.width, g->K, WIDTH);
    return b;
}

static size_t m_size(const Backward *b) {
    return larger(points_size(&b->m, 1), points_size(&b->data.m, 1));
}

size_t winograd_backward_bytes(const ConvSizes *g) {
    Backward b = backward_make(g);
    return sizeof(float) * (round_up(larger(g->C, g->K)) + round_up(g->C) + m_size(&b) +
                            points_size(&b.data.from, points_blocks(&b.data.from, g->K)) +
                            points_size(&b.v, points_blocks(&b.v, g->C)) + points_size(&b.data.u, b.data.u_blocks));
}

/* dw (+)= of `tiles` tiles. */
static void weights_block(const ConvSizes *g, const Backward *b, size_t tiles, bool add, float *dw) {
    const Points *w = &b->data.from;
    for (size_t k = 0; k < g->K; k += WIDTH)
        for (size_t c = 0; c < g->C; c += DEPTH) {
            Points from = points_from(&b->v, c), by = points_from(w, k);
            WeightBlock part = {g->C, g->K, c, at_most(g->C - c, DEPTH), k, at_most(g->K - k, WIDTH), false};
            Gemm product = {part.rows, round_up(part.columns), tiles, 1, from.width, by.width, b->m.width, false};
            multiply(&product, &from, &by, &b->m);
            points_to_weights(&part, &b->m, add, dw);
        }
}

void winograd_backward(const ConvSizes *g, const float *x, const float *w, const float *dy, bool add_dw, float *dw,
                       bool add_dx, float *dx, float *work) {
    Backward b = backward_make(g);
    Weighting *s = &b.data;
    size_t zeros = round_up(larger(g->C, g->K)), both = zeros + round_up(g->C);
    Image from = image_of(g, false, work), to = image_of(g, true, work), overlapping = from;
    overlapping.outside = work + zeros; /* what is added there is of no use */
    memset(work, 0, both * sizeof *work);
    work = place(&s->from, points_blocks(&s->from, g->K), work + both);
    work = place(&b.v, points_blocks(&b.v, g->C), work);
    b.m.data = s->m.data = work;
    place(&s->u, s->u_blocks, work + m_size(&b));
    if (dx && !add_dx)
        memset(dx, 0, g->n * g->H * g->W * g->C * sizeof *dx);
    for (size_t t = 0; t < s->count; t++) {
        size_t first, tiles = block_tiles(tile_count(g), s->count, t, &first);
        points_from_gradient(&to, dy, first, tiles, &s->from);
        if (dw) {
            points_from_input(&from, x, first, tiles, &b.v);
            weights_block(g, &b, tiles, add_dw || t > 0, dw);
        }
        for (size_t c = 0; dx && c < g->C; c += WIDTH) {
            size_t columns = at_most(g->C - c, WIDTH);
            weigh(s, w, t, tiles, c, columns);
            points_to_input(&overlapping, &s->m, first, tiles, c, columns, dx);
        }
    }
}
