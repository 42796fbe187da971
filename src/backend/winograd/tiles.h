/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution by 3x3 kernels as products at points: Winograd's algorithm F(4x4,3x3) (S. Winograd, "Arithmetic
 * complexity of computations", 1980; for neural networks: A. Lavin, S. Gray, "Fast algorithms for convolutional neural
 * networks", 2015).
 *
 * In one dimension, four outputs y of a convolution of six inputs d with three weights g are evaluated at POINTS
 * points:
 *
 *     y = A^T [ (G g) (B^T d) ]          products elementwise
 *
 * and in two dimensions this is done along columns and then rows: 36 products instead of 144 for a tile of 4x4 outputs.
 * With channels every product becomes a sum over them: one matrix product for each of the 36 points of the plane, over
 * all tiles.  The gradients are those of this formula; their products are at the same points:
 *
 *     dg = G^T [ (A dy) (B^T d) ]        dd = B [ (G g) (A dy) ], added where patches of neighbours overlap
 *
 * The points are 0, a, -a, b, -b and infinity.  With p one of the first five, q the others:
 *     A^T [i, p] = p^i        G [p, j] = p^j / prod(p - q)        B^T [p, :] = coefficients of prod(x - q)
 *     A^T [3, inf] = 1        G [inf, 2] = 1                      B^T [inf, :] = coefficients of x (x^2-a^2) (x^2-b^2)
 * all else at infinity being 0.  a = 5/8, b = 3/2: with them the error is less than half of that with the usual 1, 2
 * (about 8e-7 of the result's root mean square at 64 channels), and all coefficients of B and A are exact.
 *
 * Activations are NHWC, weights HWIO, as everywhere; the transforms are vectorised over channels.  Floats only. */
#ifndef BACKEND_WINOGRAD_TILES_H
#define BACKEND_WINOGRAD_TILES_H
#include <stdbool.h>
#include <stddef.h>

enum {
    TILE = 4,             /* outputs of a tile in a row */
    PATCH = 6,            /* inputs */
    POINTS = 36,          /* 6 x 6 */
    CHANNEL_MULTIPLE = 16 /* blocks of channels are as wide as a multiple of this: the longest vector */
};

/* What stands at the points: for each of the 36 a matrix [rows, channels], in blocks of channels:
 *     data[channel / width * block + point * step + row * width + channel % width]
 * The matrices of one block lie beside each other; `step` is chosen by points_make so that the elements of one row and
 * channel do not fall on the same lines of the cache. */
typedef struct Points {
    float *data;
    size_t width, step, block;
} Points;

/* Without memory: data is NULL.  channels > 0; width: at most `width`, a multiple of CHANNEL_MULTIPLE. */
Points points_make(size_t rows, size_t channels, size_t width);

/* Floats that `blocks` blocks take; a multiple of CHANNEL_MULTIPLE. */
size_t points_size(const Points *points, size_t blocks);

/* Blocks for so many channels. */
size_t points_blocks(const Points *points, size_t channels);

/* A batch of images [n, height, width, channels] under a grid of tiles [n, rows, columns]: tile (row, column) is about
 * the image's rows from TILE * row - pad[0] on and columns from TILE * column - pad[1] on.  What lies outside counts
 * 0. */
typedef struct Image {
    size_t height, width, channels;
    size_t rows, columns, pad[2];
    float *outside; /* stands for every pixel outside: `channels` zeros, which points_to_input changes */
} Image;

/* Tiles first .. first + count - 1 become rows 0 .. count - 1. */

/* to = B^T d B of the 6x6 patches of x. */
void points_from_input(const Image *image, const float *x, size_t first, size_t count, const Points *to);

/* to = A dy A^T of the 4x4 patches of dy. */
void points_from_gradient(const Image *image, const float *dy, size_t first, size_t count, const Points *to);

/* What is done to the outputs: y = min(max(sum + bias, 0), relu_max), or y += sum. */
typedef struct Finish {
    const float *bias; /* [channels] or NULL */
    bool add;          /* without bias and relu */
    bool relu;
    float relu_max; /* INFINITY: none */
} Finish;

/* The 4x4 patches of y = A^T m A, for channels from `channel` on, which are all in one block of m. */
void points_to_output(const Image *image, const Points *m, size_t first, size_t count, size_t channel, size_t channels,
                      const Finish *finish, float *y);

/* dx += B m B^T in the 6x6 patches of dx, for channels as above. */
void points_to_input(const Image *image, const Points *m, size_t first, size_t count, size_t channel, size_t channels,
                     float *dx);

/* Part of weights [3,3,inputs,outputs]: the block of inputs in [row, row + rows) and of outputs in [column, column +
 * columns); transposed: the block's rows are outputs, its columns inputs. */
typedef struct WeightBlock {
    size_t inputs, outputs;
    size_t row, rows, column, columns;
    bool transposed;
} WeightBlock;

/* to [rows, columns] = G w G^T. */
void points_from_weights(const WeightBlock *block, const float *w, const Points *to);

/* dw = G^T m G, or dw += when `add`; not transposed. */
void points_to_weights(const WeightBlock *block, const Points *m, bool add, float *dw);

#endif
