/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/rows.h"
#include "backend/gemm.h"
#include "backend/winograd/winograd.h"
#include <string.h>

/* All of U is made once a call when it is so small that it stays in the second-level cache beside a block's V and M; then
 * blocks of few tiles are better.  Otherwise it is made anew for each block of tiles, which must be so many that this costs
 * little beside the products.  Blocks of channels: M and U of one stay in the second-level cache, and a row of U for all
 * its inputs in the first.  All found by measuring. */
enum { KEPT_BYTES = 1024 * 1024, KEPT_TILES = 32, TILES = 128, INPUTS = 64, OUTPUTS = 32 };

WinogradSizes winograd_turned(const WinogradSizes *g) {
    return (WinogradSizes){.n = g->n,
                           .H = g->P,
                           .W = g->Q,
                           .C = g->K,
                           .P = g->H,
                           .Q = g->W,
                           .K = g->C,
                           .pad = {2 - g->pad[0], 2 - g->pad[1]}};
}

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static size_t tile_count(const WinogradSizes *g) {
    return g->n * divide_up(g->P, TILE) * divide_up(g->Q, TILE);
}

/* The direct method multiplies 9 P Q times where this does 36 times for each tile, some of which reach beyond y.  The
 * transforms' cost stands in no relation to few channels, and that of the weights in none to few tiles. */
bool winograd_wins(const WinogradSizes *g) {
    size_t tiles = tile_count(g);
    return g->C >= 16 && g->K >= 16 && tiles >= 16 && 9 * g->n * g->P * g->Q >= 54 * tiles;
}

/* Both images lie under the tiles of y. */
static Image image_of(const WinogradSizes *g, bool output, const float *zeros) {
    return (Image){.height = output ? g->P : g->H,
                   .width = output ? g->Q : g->W,
                   .channels = output ? g->K : g->C,
                   .rows = divide_up(g->P, TILE),
                   .columns = divide_up(g->Q, TILE),
                   .pad = {output ? 0 : g->pad[0], output ? 0 : g->pad[1]},
                   .zeros = zeros};
}

static Points points_block(const Points *points, size_t block) {
    Points p = *points;
    p.data += block * p.block;
    return p;
}

static float *place(Points *points, size_t blocks, float *work) {
    points->data = work;
    return work + points_size(points, blocks);
}

/* m = a b or m += a b at all points. */
static void multiply(const Gemm *g, const Points *a, const Points *b, const Points *m) {
    for (size_t i = 0; i < POINTS; i++)
        gemm(g, a->data + i * a->step, b->data + i * b->step, m->data + i * m->step);
}

typedef struct OutputBlocks {
    size_t count, tiles; /* of tiles */
    bool keep;           /* all of U is made once */
    Points v, u, m;
} OutputBlocks;

static OutputBlocks output_blocks(const WinogradSizes *g) {
    size_t total = tile_count(g), blocks;
    OutputBlocks b = {.v = points_make(1, g->C, INPUTS)};
    b.u = points_make(b.v.width, g->K, OUTPUTS);
    blocks = points_blocks(&b.v, g->C) * points_blocks(&b.u, g->K);
    b.keep = points_size(&b.u, blocks) * sizeof(float) <= KEPT_BYTES;
    b.count = divide_up(total, b.keep ? KEPT_TILES : TILES);
    b.tiles = divide_up(total, b.count);
    b.v = points_make(b.tiles, g->C, INPUTS);
    b.m = points_make(b.tiles, g->K, OUTPUTS);
    return b;
}

static size_t round_up(size_t channels) {
    return divide_up(channels, CHANNEL_MULTIPLE) * CHANNEL_MULTIPLE;
}

static size_t u_blocks(const WinogradSizes *g, const OutputBlocks *b) {
    return b->keep ? points_blocks(&b->v, g->C) * points_blocks(&b->u, g->K) : 1;
}

size_t winograd_output_bytes(const WinogradSizes *g) {
    OutputBlocks b = output_blocks(g);
    return sizeof(float) * (round_up(g->C) + points_size(&b.v, points_blocks(&b.v, g->C)) +
                            points_size(&b.u, u_blocks(g, &b)) + points_size(&b.m, 1));
}

void winograd_output(const WinogradSizes *g, const float *x, const float *w, bool turned, const Finish *finish,
                     float *y, float *work) {
    OutputBlocks b = output_blocks(g);
    Image from = image_of(g, false, work), to = image_of(g, true, NULL);
    size_t total = tile_count(g), c_blocks = points_blocks(&b.v, g->C);
    memset(work, 0, round_up(g->C) * sizeof *work);
    work = place(&b.v, c_blocks, work + round_up(g->C));
    work = place(&b.m, 1, work);
    b.u.data = work;
    for (size_t t = 0; t < b.count; t++) {
        size_t first = t * total / b.count, tiles = (t + 1) * total / b.count - first;
        points_from_input(&from, x, first, tiles, &b.v);
        for (size_t k = 0; k < g->K; k += b.u.width) {
            size_t columns = at_most(g->K - k, b.u.width);
            for (size_t i = 0; i < c_blocks; i++) {
                size_t c = i * b.v.width, depth = at_most(g->C - c, b.v.width);
                WeightBlock part = {turned ? g->K : g->C, turned ? g->C : g->K, c, depth, k, columns, turned};
                Points v = points_block(&b.v, i), u = points_block(&b.u, b.keep ? k / b.u.width * c_blocks + i : 0);
                if (t == 0 || !b.keep)
                    points_from_weights(&part, w, &u);
                Gemm product = {tiles, round_up(columns), depth, v.width, 1, u.width, b.m.width, i > 0};
                multiply(&product, &v, &u, &b.m);
            }
            points_to_output(&to, &b.m, first, tiles, k, columns, finish, y);
        }
    }
}

typedef struct WeightsBlocks {
    size_t count, tiles;
    Points v, w, m;
} WeightsBlocks;

static WeightsBlocks weights_blocks(const WinogradSizes *g) {
    size_t total = tile_count(g);
    WeightsBlocks b = {.count = divide_up(total, TILES)};
    b.tiles = divide_up(total, b.count);
    b.v = points_make(b.tiles, g->C, INPUTS);
    b.w = points_make(b.tiles, g->K, OUTPUTS);
    b.m = points_make(b.v.width, g->K, OUTPUTS);
    return b;
}

size_t winograd_weights_bytes(const WinogradSizes *g) {
    WeightsBlocks b = weights_blocks(g);
    return sizeof(float) * (round_up(g->C > g->K ? g->C : g->K) + points_size(&b.v, points_blocks(&b.v, g->C)) +
                            points_size(&b.w, points_blocks(&b.w, g->K)) + points_size(&b.m, 1));
}

void winograd_weights(const WinogradSizes *g, const float *x, const float *dy, bool add, float *dw, float *work) {
    WeightsBlocks b = weights_blocks(g);
    Image from = image_of(g, false, work), to = image_of(g, true, work);
    size_t total = tile_count(g), zeros = round_up(g->C > g->K ? g->C : g->K);
    memset(work, 0, zeros * sizeof *work);
    work = place(&b.v, points_blocks(&b.v, g->C), work + zeros);
    work = place(&b.w, points_blocks(&b.w, g->K), work);
    place(&b.m, 1, work);
    for (size_t t = 0; t < b.count; t++) {
        size_t first = t * total / b.count, tiles = (t + 1) * total / b.count - first;
        points_from_input(&from, x, first, tiles, &b.v);
        points_from_gradient(&to, dy, first, tiles, &b.w);
        for (size_t k = 0; k < g->K; k += b.w.width)
            for (size_t c = 0; c < g->C; c += b.v.width) {
                Points v = points_block(&b.v, c / b.v.width), d = points_block(&b.w, k / b.w.width);
                WeightBlock part = {g->C, g->K, c, at_most(g->C - c, v.width), k, at_most(g->K - k, d.width), false};
                Gemm product = {part.rows, round_up(part.columns), tiles, 1, v.width, d.width, b.m.width, false};
                multiply(&product, &v, &d, &b.m);
                points_to_weights(&part, &b.m, add || t > 0, dw);
            }
    }
}
