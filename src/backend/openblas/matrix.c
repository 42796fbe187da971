/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/openblas/openblas.h"
#include <cblas.h>

void sgemm(bool a_transposed, bool b_transposed, size_t m, size_t n, size_t k, const float *a, size_t lda,
           const float *b, size_t ldb, bool add, float *c, size_t ldc) {
    cblas_sgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans, b_transposed ? CblasTrans : CblasNoTrans,
                (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b, (blasint)ldb, add ? 1.0f : 0.0f, c,
                (blasint)ldc);
}
