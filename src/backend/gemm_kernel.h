/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of gemm, compiled for each kind of vector (simd.h).
 *
 * The result is computed in tiles that stay in vector registers while the whole depth passes by: for each step of the
 * depth one row of the tile's columns of b is loaded, and each element of a is broadcast and multiplied with it.  A
 * tile of R rows and two vectors costs R + 2 loads for 2 R multiply-adds, so it is as high as the registers allow (K.
 * Goto, R. van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). */
enum { SIMD(LANES) = SIMD_BYTES / sizeof(float), SIMD(TILE) = SIMD_REGISTERS == 32 ? 14 : 6 };

typedef float SIMD(Vector) __attribute__((vector_size(SIMD_BYTES), aligned(sizeof(float)), may_alias));

/* `rows` and `width` (vectors) are constants where this is inlined: the accumulators become registers. */
CPU_INLINE void SIMD(tile)(size_t rows, size_t width, const Gemm *g, const float *a, const float *b, float *c) {
    SIMD(Vector) sum[SIMD(TILE)][2];
    size_t row = g->a_row;
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (size_t j = 0; j < width; j++)
            sum[i][j] = (SIMD(Vector)){0};
    for (size_t k = 0; k < g->depth; k++, a += g->a_depth, b += g->b_row) {
        SIMD(Vector) line[2];
#pragma GCC unroll 2
        for (size_t j = 0; j < width; j++)
            line[j] = *(const SIMD(Vector) *)(b + j * SIMD(LANES));
#pragma GCC unroll 16
        for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (size_t j = 0; j < width; j++)
                sum[i][j] += a[i * row] * line[j];
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (size_t j = 0; j < width; j++) {
            SIMD(Vector) *to = (SIMD(Vector) *)(c + i * g->c_row + j * SIMD(LANES));
            if (g->add)
                sum[i][j] += *to;
            *to = sum[i][j];
        }
}

/* One row of tiles' columns: a constant number of rows for each tile. */
CPU_INLINE void SIMD(some_rows)(size_t rows, size_t width, const Gemm *g, const float *a, const float *b, float *c) {
#define ROWS(n)                                                                                                        \
    case n:                                                                                                            \
        if (n <= SIMD(TILE))                                                                                           \
            SIMD(tile)(n <= SIMD(TILE) ? n : 1, width, g, a, b, c);                                                    \
        break;
    switch (rows) {
        ROWS(1)
        ROWS(2) ROWS(3) ROWS(4) ROWS(5) ROWS(6) ROWS(7) ROWS(8) ROWS(9) ROWS(10) ROWS(11) ROWS(12) ROWS(13) ROWS(14)
    }
#undef ROWS
}

/* The last columns, fewer than a vector. */
CPU_INLINE void SIMD(last_columns)(size_t columns, const Gemm *g, const float *a, const float *b, float *c) {
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < columns; j++) {
            float sum = 0;
            for (size_t k = 0; k < g->depth; k++)
                sum += a[i * g->a_row + k * g->a_depth] * b[k * g->b_row + j];
            c[i * g->c_row + j] = g->add ? c[i * g->c_row + j] + sum : sum;
        }
}

static void SIMD(gemm)(const Gemm *g, const float *a, const float *b, float *c) {
    /* Tiles of nearly the same height: a low one at the end would be slower. */
    size_t tiles = (g->rows + SIMD(TILE) - 1) / SIMD(TILE), j = 0;
    for (; j + SIMD(LANES) <= g->columns;) {
        size_t width = j + 2 * SIMD(LANES) <= g->columns ? 2 : 1;
        for (size_t t = 0; t < tiles; t++) {
            size_t first = t * g->rows / tiles, rows = (t + 1) * g->rows / tiles - first;
            const float *from = a + first * g->a_row;
            float *to = c + first * g->c_row + j;
            if (width == 2)
                SIMD(some_rows)(rows, 2, g, from, b + j, to);
            else
                SIMD(some_rows)(rows, 1, g, from, b + j, to);
        }
        j += width * SIMD(LANES);
    }
    if (j < g->columns)
        SIMD(last_columns)(g->columns - j, g, a, b + j, c + j);
}
