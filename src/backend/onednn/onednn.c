/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/onednn/onednn.h"
#include "backend/onednn/api.h"
#include <stdio.h>
#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
#include <omp.h>
#endif

static const OnednnFamily *family_of(const OpDesc *op) {
    switch (op->kind) {
    case OP_CONV2D:
    case OP_CONV2D_TRANSPOSE:
        return &onednn_conv;
    case OP_DENSE:
        return &onednn_dense;
    default:
        return NULL;
    }
}

/* The library has fast kernels for NHWC from AVX2 on; on other CPUs it falls back to plain loops. */
static bool cpu_is_fast(void) {
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

static bool supports(const OpDesc *op) {
    const OnednnFamily *family = family_of(op);
    return family && cpu_is_fast() && family->supports(op);
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    return family_of(op)->prepare(op, state, memory);
}

static const OnednnFamily *family_of_state(const void *state) {
    return *(const OnednnFamily *const *)state;
}

static void forward(void *state, const OpBuffers *buffers) {
    family_of_state(state)->forward(state, buffers);
}

static void backward(void *state, const OpBuffers *buffers) {
    family_of_state(state)->backward(state, buffers);
}

static void release(void *state) {
    if (state)
        family_of_state(state)->release(state);
}

static void set_threads(int threads) {
#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

static void describe(char *text, size_t size) {
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, size, "onednn %d.%d.%d", version->major, version->minor, version->patch);
}

const Backend backend_onednn = {.name = "onednn",
                                .supports = supports,
                                .prepare = prepare,
                                .forward = forward,
                                .backward = backward,
                                .release = release,
                                .set_threads = set_threads,
                                .describe = describe};
