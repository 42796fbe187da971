/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/clones.h"
#include "backend/openblas/openblas.h"
#include <cblas.h>
#include <string.h>

void sgemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, const float *a, size_t lda,
           const float *b, size_t ldb, bool add, float *c, size_t ldc) {
    cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans, b_transposed ? CblasTrans : CblasNoTrans,
                (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, add ? 1.0f : 0.0f, c,
                (blasint)ldc);
}

void fill_rows(float *rows, size_t count, size_t columns, const float *values) {
    for (size_t i = 0; i < count; i++)
        memcpy(rows + i * columns, values, columns * sizeof *rows);
}

enum { TILE = 64, CHUNK = 256 };

/* sum[TILE] of up to TILE columns.  Chunks of rows are summed first: with n terms the rounding error of a plain float sum
 * grows with n, of sums of chunks with n / CHUNK + CHUNK. */
CPU_CLONES
static void sum_tile(const float *rows, size_t count, size_t columns, size_t width, float *restrict sum) {
    memset(sum, 0, TILE * sizeof *sum);
    for (size_t first = 0; first < count; first += CHUNK) {
        size_t end = first + CHUNK < count ? first + CHUNK : count;
        float part[TILE] = {0};
        for (size_t i = first; i < end; i++) {
            const float *row = rows + i * columns;
            for (size_t k = 0; k < width; k++)
                part[k] += row[k];
        }
        for (size_t k = 0; k < width; k++)
            sum[k] += part[k];
    }
}

void sum_rows(const float *rows, size_t count, size_t columns, bool add, float *sums) {
    for (size_t first = 0; first < columns; first += TILE) {
        size_t width = columns - first < TILE ? columns - first : TILE;
        float tile[TILE];
        sum_tile(rows + first, count, columns, width, tile);
        for (size_t k = 0; k < width; k++)
            sums[first + k] = add ? sums[first + k] + tile[k] : tile[k];
    }
}
