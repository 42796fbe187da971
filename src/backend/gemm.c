/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/gemm.h"
#include "backend/clones.h"

#define SIMD_FILE "backend/gemm_kernel.h"
#include "backend/simd.h"

void gemm(const Gemm *g, const float *a, const float *b, float *c) {
    SIMD_BEST(gemm)(g, a, b, c);
}
