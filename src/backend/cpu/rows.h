/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops over matrices of rows [count, columns] that several kernels share.  A tensor is one with the channels as
 * columns. */
#ifndef BACKEND_CPU_ROWS_H
#define BACKEND_CPU_ROWS_H
#include <stdbool.h>
#include <stddef.h>

/* Every row += bias [columns] (NULL: 0), then with `relu` its elements are cut to 0 .. max; NaN stays. */
void finish_rows(float *rows, size_t count, size_t columns, const float *bias, bool relu, double max);

/* sums [columns] = factor * sum over all rows, or sums += when `add`. */
void sum_rows(const float *rows, size_t count, size_t columns, float factor, bool add, float *sums);

/* sums [columns] = sum over all rows of a times b, elementwise, or sums += when `add`. */
void sum_row_products(const float *a, const float *b, size_t count, size_t columns, bool add, float *sums);

/* The way back through finish_rows, for dy [count, columns]: with `relu` it is set to 0 where y, after the ReLU, is not
 * inside (0, max); then db [columns] (NULL: not wanted) = the sum of its rows, or += when `add`. */
void finish_rows_backward(const float *y, bool relu, double max, float *dy, size_t count, size_t columns, bool add,
                          float *db);

/* to[i] = scale * from[i], or to[i] += when `add`.  `to` may be `from`. */
void scale_values(const float *from, size_t count, float scale, bool add, float *to);

/* Loops run over at most COLUMN_TILE columns at a time, whose sums fit in vector registers or at least in L1, and sums
 * are taken of SUM_CHUNK rows and then of chunks: the rounding error of a plain float sum of n terms grows with n, of a
 * sum of chunks with n / SUM_CHUNK + SUM_CHUNK.  The order depends on the shapes alone. */
enum { COLUMN_TILE = 64, SUM_CHUNK = 256 };

/* The smaller of the two. */
static inline size_t at_most(size_t a, size_t limit) {
    return a < limit ? a : limit;
}

#endif
