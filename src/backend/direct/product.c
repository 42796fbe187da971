/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/direct/product.h"
#include "backend/clones.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

#define SIMD_FILE "backend/direct/product_kernel.h"
#include "backend/simd.h"

void product(const Product *p, const float *a, const float *b, float *c) {
    SIMD_BEST(product)(p, a, b, c);
}

void product_sum_rows(const float *rows, size_t count, size_t columns, float *sums) {
    SIMD_BEST(sum_rows)(rows, count, columns, sums);
}

void product_dots(const float *a, const float *b, size_t rows, size_t columns, bool add, float *c) {
    SIMD_BEST(dots)(a, b, rows, columns, add, c);
}
