/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix product for operands that are in cache already, in a layout that the caller chose: no packing, no blocking, so
 * that small products cost no more than their arithmetic.  Single precision. */
#ifndef BACKEND_GEMM_H
#define BACKEND_GEMM_H
#include <stdbool.h>
#include <stddef.h>

/* Rows of b and c are adjacent elements.  Distances are in elements. */
typedef struct Gemm {
    size_t rows, columns, depth; /* of c [rows, columns] and a [rows, depth] */
    size_t a_row, a_depth; /* from one row of a to the next, from one element of a row to the next: either may be 1 */
    size_t b_row, c_row;
    bool add;
} Gemm;

/* c = a b, or c += a b when g->add.  Sums run over the depth in order; `add` adds the finished sum.  Computed in tiles
 * of GEMM_COLUMNS columns; fast when columns is a multiple of 16 (of GEMM_COLUMNS: a little faster), right for any.  At
 * best GEMM_COLUMNS * depth elements of b stay in L1, and c is not larger than L2. */
void gemm(const Gemm *g, const float *a, const float *b, float *c);

enum { GEMM_COLUMNS = 32 };

#endif
