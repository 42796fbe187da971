/* SPDX-License-Identifier: Apache-2.0
 *
 * The one loop that all of this backend's arithmetic is made of: a matrix product whose operands lie as they are in
 * tensors, so that nothing is copied into a matrix first.  Single precision. */
#ifndef BACKEND_DIRECT_PRODUCT_H
#define BACKEND_DIRECT_PRODUCT_H
#include <stdbool.h>
#include <stddef.h>

/* c [rows, columns] = bias [columns] + sum over `segments`, and `depth` steps in each, of a b.  Distances in elements:
 *     a(row i, segment g, step k) = a[row(i) + g a_segment + k a_step]
 *     b(segment g, step k, column j) = b[g b_segment + k b_step + j]
 *     c(row i, column j) = c[i c_row + j]
 * where row(i) = i a_row; with `stretch` in {3, 5} rows = stretch^2 and row(i) = i / stretch * a_row + i % stretch.
 *
 * Whole vectors of b are read: PRODUCT_SLACK elements behind it must be readable unless columns is a multiple of
 * PRODUCT_SLACK.  What they hold does not matter.  Nothing but the columns of c is written. */
typedef struct Product {
    size_t rows, columns, segments, depth;
    size_t a_row, a_segment, a_step, b_segment, b_step, c_row;
    size_t stretch;    /* 0: rows are a_row apart */
    const float *bias; /* NULL: 0 */
    bool add;          /* c += instead of c = */
    bool relu;         /* then c = min(max(c, 0), relu_max) */
    float relu_max;
} Product;

enum { PRODUCT_SLACK = 16, PRODUCT_ROWS = 14 };

/* The order of a sum depends on the Product alone. */
void product(const Product *p, const float *a, const float *b, float *c);

/* sums [columns] += sum of all `count` rows, which are adjacent.  PRODUCT_SLACK elements behind them must be
 * readable. */
void product_sum_rows(const float *rows, size_t count, size_t columns, float *sums);

/* c [rows] = b [rows, columns] a [columns], or c += when `add`. */
void product_dots(const float *a, const float *b, size_t rows, size_t columns, bool add, float *c);

#endif
