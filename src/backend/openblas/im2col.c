/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/clones.h"
#include "backend/openblas/openblas.h"
#include <string.h>

/* One kernel row of one output image row in col: for each of Q positions `size` = S C/groups elements, which come from
 * one image row; the next position's lie `distance` = R S C/groups further on. */
typedef struct Pieces {
    size_t count, size, distance;
} Pieces;

static Pieces pieces_of(const ConvSizes *g) {
    size_t channels = g->C / g->groups;
    return (Pieces){g->Q, g->S * channels, g->R * g->S * channels};
}

/* Kernel column s lies inside the image for output column q: *w is its image column. */
static bool column_inside(const ConvSizes *g, size_t q, size_t s, size_t *w) {
    *w = q * g->stride[1] + s * g->dilation[1];
    if (*w < g->pad[1] || *w >= g->W + g->pad[1])
        return false;
    *w -= g->pad[1];
    return true;
}

/* The whole of output column q's piece is one contiguous run of the image row, from column *w. */
static bool run_inside(const ConvSizes *g, size_t q, size_t *w) {
    size_t last;
    bool contiguous = g->groups == 1 && (g->dilation[1] == 1 || g->S == 1);
    return contiguous && column_inside(g, q, 0, w) && column_inside(g, q, g->S - 1, &last);
}

/* The image row that kernel row r meets in output image row `row` (of the n P); false: it lies in the padding. */
static bool image_row(const ConvSizes *g, size_t row, size_t r, size_t *h) {
    *h = row % g->P * g->stride[0] + r * g->dilation[0];
    if (*h < g->pad[0] || *h >= g->H + g->pad[0])
        return false;
    *h += row / g->P * g->H - g->pad[0];
    return true;
}

/* memcpy, without the cost of a call for one kernel row on one channel, or a pixel of a few. */
CPU_INLINE void copy_run(float *restrict to, const float *restrict from, size_t count) {
    switch (count) {
    case 1:
        memcpy(to, from, 1 * sizeof *to);
        break;
    case 2:
        memcpy(to, from, 2 * sizeof *to);
        break;
    case 3:
        memcpy(to, from, 3 * sizeof *to);
        break;
    case 5:
        memcpy(to, from, 5 * sizeof *to);
        break;
    case 9:
        memcpy(to, from, 9 * sizeof *to);
        break;
    default:
        memcpy(to, from, count * sizeof *to);
    }
}

/* `image`: the image row from the first channel of the group on; `col`: the first piece. */
static void gather_row(const ConvSizes *g, const float *image, float *col) {
    Pieces pieces = pieces_of(g);
    size_t channels = g->C / g->groups, w;
    for (size_t q = 0; q < pieces.count; q++, col += pieces.distance)
        if (run_inside(g, q, &w))
            copy_run(col, image + w * g->C, pieces.size);
        else
            for (size_t s = 0; s < g->S; s++)
                if (column_inside(g, q, s, &w))
                    copy_run(col + s * channels, image + w * g->C, channels);
                else
                    memset(col + s * channels, 0, channels * sizeof *col);
}

void im2col(const ConvSizes *g, size_t group, const float *x, size_t first, size_t rows, float *col) {
    Pieces pieces = pieces_of(g);
    const float *channel = x + group * (g->C / g->groups);
    for (size_t i = 0; i < rows; i++)
        for (size_t r = 0; r < g->R; r++) {
            float *to = col + i * g->Q * pieces.distance + r * pieces.size;
            size_t h;
            if (image_row(g, first + i, r, &h))
                gather_row(g, channel + h * g->W * g->C, to);
            else
                for (size_t q = 0; q < g->Q; q++)
                    memset(to + q * pieces.distance, 0, pieces.size * sizeof *to);
        }
}

CPU_CLONES
static void scatter_row(const ConvSizes *g, const float *col, float *image) {
    Pieces pieces = pieces_of(g);
    size_t channels = g->C / g->groups, w;
    for (size_t q = 0; q < pieces.count; q++, col += pieces.distance)
        if (run_inside(g, q, &w)) {
            float *restrict to = image + w * g->C;
            for (size_t i = 0; i < pieces.size; i++)
                to[i] += col[i];
        } else {
            for (size_t s = 0; s < g->S; s++)
                if (column_inside(g, q, s, &w)) {
                    float *restrict to = image + w * g->C;
                    for (size_t i = 0; i < channels; i++)
                        to[i] += col[s * channels + i];
                }
        }
}

void col2im(const ConvSizes *g, size_t group, const float *col, size_t first, size_t rows, float *dx) {
    Pieces pieces = pieces_of(g);
    float *channel = dx + group * (g->C / g->groups);
    size_t h;
    for (size_t i = 0; i < rows; i++)
        for (size_t r = 0; r < g->R; r++)
            if (image_row(g, first + i, r, &h))
                scatter_row(g, col + i * g->Q * pieces.distance + r * pieces.size, channel + h * g->W * g->C);
}
