/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/winograd/tiles.h"
#include "backend/clones.h"
#include "backend/cpu/rows.h"
#include <string.h>

enum { TAPS = 9, CACHE_LINE = 16 /* floats */ };

/* The points a and b, and what the products of their distances to the others make of the weights (tiles.h). */
#define A1      0.625f
#define B1      1.5f
#define A2      (A1 * A1)
#define B2      (B1 * B1)
#define SCALE_0 (1 / (A2 * B2))
#define SCALE_A (1 / (2 * A2 * (A2 - B2)))
#define SCALE_B (1 / (2 * B2 * (B2 - A2)))

Points points_make(size_t rows, size_t channels, size_t width) {
    Points p = {.width = at_most((channels + CHANNEL_MULTIPLE - 1) / CHANNEL_MULTIPLE * CHANNEL_MULTIPLE, width)};
    p.step = rows * p.width + CHANNEL_MULTIPLE;
    p.block = POINTS * p.step;
    return p;
}

size_t points_blocks(const Points *points, size_t channels) {
    return (channels + points->width - 1) / points->width;
}

size_t points_size(const Points *points, size_t blocks) {
    return blocks * points->block;
}

/* Of which example a tile is, and its first row and column of outputs. */
typedef struct TileAt {
    size_t example, row, column;
} TileAt;

static TileAt find_tile(const Image *image, size_t tile) {
    size_t in_example = image->rows * image->columns, at = tile % in_example;
    return (TileAt){tile / in_example, at / image->columns * TILE, at % image->columns * TILE};
}

/* The addresses of the size x size pixels of a tile's patch of `image`, whose elements are x. */
static void find_pixels(const Image *image, float *x, size_t tile, size_t size, float *pixels[POINTS]) {
    TileAt at = find_tile(image, tile);
    size_t width = image->width, channels = image->channels;
    float *example = x + at.example * image->height * width * channels;
    for (size_t i = 0; i < size; i++) {
        size_t row = at.row + i - image->pad[0], column = at.column - image->pad[1]; /* before the first: very large */
        for (size_t j = 0; j < size; j++, column++)
            pixels[i * size + j] =
                row < image->height && column < width ? example + (row * width + column) * channels : image->outside;
    }
}

#define SIMD_FILE "backend/winograd/tiles_kernel.h"
#include "backend/simd.h"

void points_from_input(const Image *image, const float *x, size_t first, size_t count, const Points *to) {
    SIMD_BEST(from_input)(image, x, first, count, to);
}

void points_from_gradient(const Image *image, const float *dy, size_t first, size_t count, const Points *to) {
    SIMD_BEST(from_gradient)(image, dy, first, count, to);
}

void points_to_output(const Image *image, const Points *m, size_t first, size_t count, size_t channel, size_t channels,
                      const Finish *finish, float *y) {
    SIMD_BEST(to_output)(image, m, first, count, channel, channels, finish, y);
}

void points_to_input(const Image *image, const Points *m, size_t first, size_t count, size_t channel, size_t channels,
                     float *dx) {
    SIMD_BEST(to_input)(image, m, first, count, channel, channels, dx);
}

void points_from_weights(const WeightBlock *block, const float *w, const Points *to) {
    SIMD_BEST(from_weights)(block, w, to);
}

void points_to_weights(const WeightBlock *block, const Points *m, bool add, float *dw) {
    SIMD_BEST(to_weights)(block, m, add, dw);
}
