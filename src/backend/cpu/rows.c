/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/rows.h"
#include "backend/clones.h"
#include "backend/kernel.h"
#include <string.h>

/* What is added up: a, a b, or a where b is inside (0, max), after a is set to 0 elsewhere. */
typedef enum Term { TERM_PLAIN, TERM_PRODUCT, TERM_MASKED } Term;

typedef struct Terms {
    Term kind;
    float *a;
    const float *b;
    float max;
} Terms;

CPU_INLINE float term(Term kind, const Terms *t, size_t i) {
    float a = t->a[i];
    if (kind == TERM_PRODUCT)
        a *= t->b[i];
    if (kind == TERM_MASKED)
        t->a[i] = a = ((t->b[i] > 0) & (t->b[i] < t->max)) ? a : 0;
    return a;
}

/* sum += of `width` columns from `column`.  Inlined with constants for width and kind, so that `part` is registers. */
CPU_INLINE void sum_columns(Term kind, Terms t, size_t count, size_t columns, size_t column, size_t width,
                            float *restrict sum) {
    for (size_t first = 0; first < count; first += SUM_CHUNK) {
        float part[COLUMN_TILE] = {0};
        for (size_t i = first; i < at_most(first + SUM_CHUNK, count); i++)
#pragma GCC ivdep
            for (size_t k = 0; k < width; k++)
                part[k] += term(kind, &t, i * columns + column + k);
        for (size_t k = 0; k < width; k++)
            sum[k] += part[k];
    }
}

CPU_CLONES
static void sum_tile(const Terms *t, size_t count, size_t columns, size_t column, size_t width, float *restrict sum) {
    bool whole = width == COLUMN_TILE;
    if (t->kind == TERM_PLAIN && whole)
        sum_columns(TERM_PLAIN, *t, count, columns, column, COLUMN_TILE, sum);
    else if (t->kind == TERM_PLAIN)
        sum_columns(TERM_PLAIN, *t, count, columns, column, width, sum);
    else if (t->kind == TERM_PRODUCT)
        sum_columns(TERM_PRODUCT, *t, count, columns, column, width, sum);
    else if (whole)
        sum_columns(TERM_MASKED, *t, count, columns, column, COLUMN_TILE, sum);
    else
        sum_columns(TERM_MASKED, *t, count, columns, column, width, sum);
}

/* Few columns: as many rows as fill a tile are taken as one, and the last rows, fewer, as a narrower one. */
static void sum_narrow(const Terms *t, size_t count, size_t columns, float *tile) {
    size_t together = COLUMN_TILE / columns, whole = count / together, rest = count % together;
    sum_tile(t, whole, together * columns, 0, together * columns, tile);
    sum_tile(t, 1, 0, whole * together * columns, rest * columns, tile);
    for (size_t k = columns; k < together * columns; k++)
        tile[k % columns] += tile[k];
}

static void sum_terms(Terms t, size_t count, size_t columns, float factor, bool add, float *sums) {
    for (size_t first = 0; first < columns; first += COLUMN_TILE) {
        size_t width = at_most(columns - first, COLUMN_TILE);
        float tile[COLUMN_TILE] = {0};
        if (columns <= COLUMN_TILE / 2)
            sum_narrow(&t, count, columns, tile);
        else
            sum_tile(&t, count, columns, first, width, tile);
        for (size_t k = 0; k < width; k++)
            sums[first + k] = (add ? sums[first + k] : 0) + factor * tile[k];
    }
}

void sum_rows(const float *rows, size_t count, size_t columns, float factor, bool add, float *sums) {
    sum_terms((Terms){TERM_PLAIN, (float *)rows, NULL, 0}, count, columns, factor, add, sums);
}

void sum_row_products(const float *a, const float *b, size_t count, size_t columns, bool add, float *sums) {
    sum_terms((Terms){TERM_PRODUCT, (float *)a, b, 0}, count, columns, 1, add, sums);
}

void finish_rows_backward(const float *y, bool relu, double max, float *dy, size_t count, size_t columns, bool add,
                          float *db) {
    if (relu && db)
        sum_terms((Terms){TERM_MASKED, dy, y, (float)max}, count, columns, 1, add, db);
    else if (db)
        sum_rows(dy, count, columns, 1, add, db);
    else if (relu)
        kernel_relu_mask(y, count * columns, max, dy);
}

/* `columns` is a constant where this is inlined, if it can be. */
CPU_INLINE void finish_some(float *rows, size_t count, size_t columns, const float *bias, bool relu, float max) {
    for (size_t i = 0; i < count; i++, rows += columns)
#pragma GCC ivdep
        for (size_t k = 0; k < columns; k++) {
            float value = rows[k] + (bias ? bias[k] : 0);
            if (relu) {
                value = value < 0 ? 0 : value;
                value = value > max ? max : value;
            }
            rows[k] = value;
        }
}

CPU_CLONES
static void finish_biased(float *rows, size_t count, size_t columns, const float *bias, bool relu, float max) {
    if (columns == 16 && relu)
        finish_some(rows, count, 16, bias, true, max);
    else if (columns == 32 && relu)
        finish_some(rows, count, 32, bias, true, max);
    else if (columns == 64 && relu)
        finish_some(rows, count, 64, bias, true, max);
    else if (relu)
        finish_some(rows, count, columns, bias, true, max);
    else
        finish_some(rows, count, columns, bias, false, max);
}

void finish_rows(float *rows, size_t count, size_t columns, const float *bias, bool relu, double max) {
    if (bias)
        finish_biased(rows, count, columns, bias, relu, (float)max);
    else if (relu)
        kernel_relu(rows, count * columns, max);
}

CPU_CLONES
void scale_values(const float *from, size_t count, float scale, bool add, float *to) {
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        to[i] = add ? to[i] + scale * from[i] : scale * from[i];
}
