/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/rows.h"
#include "backend/clones.h"
#include <string.h>

void fill_rows(float *rows, size_t count, size_t columns, const float *values) {
    for (size_t i = 0; i < count; i++)
        memcpy(rows + i * columns, values, columns * sizeof *rows);
}

/* The sums of `width` columns of a, or of a times b where b is not NULL.  Inlined with constants for width and b, so that
 * `part` stays in registers. */
CPU_INLINE void sum_columns(const float *a, const float *b, size_t count, size_t columns, size_t width,
                            float *restrict sum) {
    for (size_t first = 0; first < count; first += SUM_CHUNK) {
        float part[COLUMN_TILE] = {0};
        for (size_t i = first; i < at_most(first + SUM_CHUNK, count); i++)
            for (size_t k = 0; k < width; k++)
                part[k] += a[i * columns + k] * (b ? b[i * columns + k] : 1);
        for (size_t k = 0; k < width; k++)
            sum[k] += part[k];
    }
}

CPU_CLONES
static void sum_tile(const float *a, size_t count, size_t columns, size_t width, float *restrict sum) {
    if (width == 64)
        sum_columns(a, NULL, count, columns, 64, sum);
    else if (width == 32)
        sum_columns(a, NULL, count, columns, 32, sum);
    else
        sum_columns(a, NULL, count, columns, width, sum);
}

CPU_CLONES
static void sum_product_tile(const float *a, const float *b, size_t count, size_t columns, size_t width,
                             float *restrict sum) {
    sum_columns(a, b, count, columns, width, sum);
}

static void give_sums(const float *tile, size_t width, float factor, bool add, float *sums) {
    for (size_t k = 0; k < width; k++)
        sums[k] = add ? sums[k] + factor * tile[k] : factor * tile[k];
}

void sum_rows(const float *rows, size_t count, size_t columns, float factor, bool add, float *sums) {
    for (size_t first = 0; first < columns; first += COLUMN_TILE) {
        size_t width = at_most(columns - first, COLUMN_TILE);
        float tile[COLUMN_TILE] = {0};
        sum_tile(rows + first, count, columns, width, tile);
        give_sums(tile, width, factor, add, sums + first);
    }
}

void sum_row_products(const float *a, const float *b, size_t count, size_t columns, bool add, float *sums) {
    for (size_t first = 0; first < columns; first += COLUMN_TILE) {
        size_t width = at_most(columns - first, COLUMN_TILE);
        float tile[COLUMN_TILE] = {0};
        sum_product_tile(a + first, b + first, count, columns, width, tile);
        give_sums(tile, width, 1, add, sums + first);
    }
}

CPU_CLONES
void scale_values(const float *from, size_t count, float scale, bool add, float *to) {
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        to[i] = add ? to[i] + scale * from[i] : scale * from[i];
}
