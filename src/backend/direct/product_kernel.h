/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of product.c, compiled for each kind of vector (simd.h).
 *
 * A tile of rows and one or two vectors of columns stays in vector registers while the whole sum passes by: each step
 * loads one row of b and multiplies it with each row's element of a, broadcast from memory. */
#include "backend/simd_vector.h"

enum { SIMD(ROWS) = SIMD_REGISTERS == 32 ? 14 : 6 };

typedef float SIMD(Half) __attribute__((vector_size(SIMD_BYTES / 2), aligned(sizeof(float)), may_alias));

/* What is done with the sums at the end when a vector is cut by the last column, or a ReLU has a limit.  A row of `sum`
 * is two vectors long. */
static __attribute__((noinline)) void SIMD(finish)(const SIMD(Vector) * sum, size_t rows, const Product *p,
                                                   size_t columns, float *c) {
    for (size_t i = 0; i < rows; i++, c += p->c_row)
        for (size_t j = 0; j < 2 && j * SIMD(LANES) < columns; j++) {
            float *to = c + j * SIMD(LANES);
            size_t count = columns - j * SIMD(LANES);
            SIMD(Vector) v = sum[2 * i + j];
            if (p->add)
                v += SIMD(load)(to, count);
            SIMD(store)(to, p->relu ? SIMD(limit)(SIMD(relu)(v), p->relu_max) : v, count);
        }
}

static __attribute__((noinline)) void SIMD(store_cut)(float *to, SIMD(Vector) v, size_t count) {
    SIMD(store)(to, v, count);
}

/* `rows`, `width` (vectors), `half` (one more, of half the length) and `stretch` are constants where this is inlined:
 * the sums become registers.  `columns` are those of the tile that exist. */
CPU_INLINE void SIMD(tile)(size_t rows, size_t width, bool half, size_t stretch, const Product *p, const float *a,
                           const float *b, const float *bias, size_t columns, float *c) {
    SIMD(Vector) sum[25][2];
    SIMD(Half) tail[25];
    size_t row = p->a_row, step = p->a_step;
#pragma GCC unroll 2
    for (size_t j = 0; j < 2; j++) {
        SIMD(Vector) start = {0};
        if (bias && j * SIMD(LANES) < columns)
            start = SIMD(load)(bias + j * SIMD(LANES), columns - j * SIMD(LANES));
#pragma GCC unroll 32
        for (size_t i = 0; i < rows; i++)
            if (j < width)
                sum[i][j] = start;
            else if (j == width && half)
                tail[i] = *(const SIMD(Half) *)&start;
    }
    for (size_t g = 0; g < p->segments; g++) {
        const float *x = a + g * p->a_segment, *w = b + g * p->b_segment;
        for (size_t k = 0; k < p->depth; k++, x += step, w += p->b_step) {
            SIMD(Vector) line[2];
            SIMD(Half) last = {0};
#pragma GCC unroll 2
            for (size_t j = 0; j < width; j++)
                line[j] = *(const SIMD(Vector) *)(w + j * SIMD(LANES));
            if (half)
                last = *(const SIMD(Half) *)(w + width * SIMD(LANES));
#pragma GCC unroll 32
            for (size_t i = 0; i < rows; i++) {
                float value = x[stretch ? i / stretch * row + i % stretch : i * row];
#pragma GCC unroll 2
                for (size_t j = 0; j < width; j++)
                    sum[i][j] += value * line[j];
                if (half)
                    tail[i] += value * last;
            }
        }
    }
    bool relu = p->relu, add = p->add, cut = half || columns < width * SIMD(LANES);
    size_t distance = p->c_row;
    /* Rows of c without gaps are stored in whole vectors: what is too much is the next row's, which is stored after. */
    bool gaps = columns != distance || 2 * columns < width * SIMD(LANES);
    if (half || (cut && (add || gaps)) || (relu && p->relu_max < INFINITY)) {
        SIMD(Vector) copy[25][2];
#pragma GCC unroll 32
        for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 2
            for (size_t j = 0; j < width; j++)
                copy[i][j] = sum[i][j];
            if (half) {
                ((SIMD(Half) *)&copy[i][width])[0] = tail[i];
                ((SIMD(Half) *)&copy[i][width])[1] = (SIMD(Half)){0};
            }
        }
        SIMD(finish)(copy[0], rows, p, columns, c);
        return;
    }
    if (add)
#pragma GCC unroll 32
        for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (size_t j = 0; j < width; j++)
                sum[i][j] += *(const SIMD(Vector) *)(c + i * distance + j * SIMD(LANES));
    if (relu)
#pragma GCC unroll 32
        for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (size_t j = 0; j < width; j++)
                sum[i][j] = SIMD(relu)(sum[i][j]);
#pragma GCC unroll 32
    for (size_t i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (size_t j = 0; j < width; j++)
            if (cut && i + 1 == rows)
                SIMD(store_cut)(c + i * distance + j * SIMD(LANES), sum[i][j], columns - j * SIMD(LANES));
            else
                *(SIMD(Vector) *)(c + i * distance + j * SIMD(LANES)) = sum[i][j];
}

/* A tile of some rows, fewer than 15: a constant number of rows for each. */
CPU_INLINE void SIMD(some_rows)(size_t rows, size_t width, bool half, const Product *p, const float *a, const float *b,
                                const float *bias, size_t columns, float *c) {
#define TILE(n)                                                                                                        \
    case n:                                                                                                            \
        if (n <= SIMD(ROWS))                                                                                           \
            SIMD(tile)(n <= SIMD(ROWS) ? n : 1, width, half, 0, p, a, b, bias, columns, c);                            \
        break;
    switch (rows) {
        TILE(1)
        TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
    }
#undef TILE
}

/* All rows of a tile's columns, in tiles of nearly the same height: a low one at the end would be slower. */
CPU_INLINE void SIMD(all_rows)(size_t rows, size_t width, bool half, const Product *p, const float *a, const float *b,
                               const float *bias, size_t columns, float *c) {
    size_t tiles = (rows + SIMD(ROWS) - 1) / SIMD(ROWS);
    for (size_t t = 0; t < tiles; t++) {
        size_t first = t * rows / tiles;
        SIMD(some_rows)
        ((t + 1) * rows / tiles - first, width, half, p, a + first * p->a_row, b, bias, columns, c + first * p->c_row);
    }
}

/* Rows in stretches: at once where the registers suffice, else each stretch is a product of its own. */
CPU_INLINE void SIMD(stretches)(const Product *p, const float *a, const float *b, const float *bias, size_t columns,
                                float *c) {
    if (p->stretch == 3) {
        SIMD(tile)(9, 1, false, 3, p, a, b, bias, columns, c);
    } else if (SIMD_REGISTERS == 32) {
        SIMD(tile)(SIMD_REGISTERS == 32 ? 25 : 1, 1, false, 5, p, a, b, bias, columns, c);
    } else {
        Product part = *p;
        part.a_row = 1;
        for (size_t r = 0; r < p->stretch; r++)
            SIMD(all_rows)
        (p->stretch, 1, false, &part, a + r * p->a_row, b, bias, columns, c + r * p->stretch * p->c_row);
    }
}

static void SIMD(product)(const Product *p, const float *a, const float *b, float *c) {
    /* Where a vector is long, half of one costs less: many processors compute 64 bytes as twice 32. */
    const bool halves = SIMD_BYTES == 64;
    const size_t widest = p->stretch ? SIMD(LANES) : 2 * SIMD(LANES);
    for (size_t j = 0; j < p->columns; j += widest) {
        size_t columns = p->columns - j < widest ? p->columns - j : widest;
        const float *bias = p->bias ? p->bias + j : NULL;
        if (p->stretch)
            SIMD(stretches)(p, a, b + j, bias, columns, c + j);
        else if (halves && columns <= SIMD(LANES) / 2)
            SIMD(all_rows)(p->rows, 0, halves, p, a, b + j, bias, columns, c + j);
        else if (columns <= SIMD(LANES))
            SIMD(all_rows)(p->rows, 1, false, p, a, b + j, bias, columns, c + j);
        else if (halves && columns <= SIMD(LANES) * 3 / 2)
            SIMD(all_rows)(p->rows, 1, halves, p, a, b + j, bias, columns, c + j);
        else
            SIMD(all_rows)(p->rows, 2, false, p, a, b + j, bias, columns, c + j);
    }
}

/* Four rows at a time: one sum alone would wait for each addition to end. */
static void SIMD(sum_rows)(const float *rows, size_t count, size_t columns, float *sums) {
    for (size_t j = 0; j < columns; j += SIMD(LANES)) {
        SIMD(Vector) sum[4] = {0};
        const float *row = rows + j;
        size_t i = 0, width = columns - j;
        for (; i + 4 <= count; i += 4, row += 4 * columns)
#pragma GCC unroll 4
            for (size_t k = 0; k < 4; k++)
                sum[k] += *(const SIMD(Vector) *)(row + k * columns);
        for (; i < count; i++, row += columns)
            sum[0] += *(const SIMD(Vector) *)row;
        SIMD(store)(sums + j, SIMD(load)(sums + j, width) + ((sum[0] + sum[1]) + (sum[2] + sum[3])), width);
    }
}

/* The sum of all lanes: each half of them is added to the other, and so on. */
CPU_INLINE float SIMD(lane_sum)(SIMD(Vector) v) {
    SIMD(Mask) lane;
    for (size_t l = 0; l < SIMD(LANES); l++)
        lane[l] = (int32_t)l;
#pragma GCC unroll 8
    for (int32_t half = SIMD(LANES) / 2; half > 0; half /= 2)
        v += SIMD_SHUFFLE(v, v, lane ^ half);
    return v[0];
}

/* `exact`: nothing behind the columns is read.  Else whole vectors are, which is faster, and what is too much
 * masked. */
CPU_INLINE void SIMD(some_dots)(size_t rows, bool exact, const float *a, const float *b, size_t columns, bool add,
                                float *c) {
    SIMD(Vector) sum[4];
    SIMD(Mask) lane;
    for (size_t l = 0; l < SIMD(LANES); l++)
        lane[l] = (int32_t)l;
#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i++)
        sum[i] = (SIMD(Vector)){0};
    for (size_t j = 0; j < columns; j += SIMD(LANES)) {
        size_t count = columns - j;
        SIMD(Vector) line = SIMD(load)(a + j, count);
        SIMD(Mask) keep = lane < (int32_t)(count < SIMD(LANES) ? count : SIMD(LANES));
#pragma GCC unroll 4
        for (size_t i = 0; i < rows; i++) {
            const float *from = b + i * columns + j;
            sum[i] += line * (exact ? SIMD(load)(from, count) : (SIMD(Vector))(*(const SIMD(Mask) *)from & keep));
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < rows; i++)
        c[i] = add ? c[i] + SIMD(lane_sum)(sum[i]) : SIMD(lane_sum)(sum[i]);
}

static void SIMD(dots)(const float *a, const float *b, size_t rows, size_t columns, bool add, float *c) {
    size_t i = 0, last = SIMD(LANES) / columns + 1; /* rows from which a vector might reach behind b */
    for (; i + 4 + last <= rows; i += 4)
        SIMD(some_dots)(4, false, a, b + i * columns, columns, add, c + i);
    for (; i < rows; i++)
        SIMD(some_dots)(1, true, a, b + i * columns, columns, add, c + i);
}
