/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"

static const Kernel *const kernels[] = {
#define REF_KERNEL(constant, name) &ref_##name,
    OP_LIST(REF_KERNEL)
#undef REF_KERNEL
};

static bool supports(const OpDesc *op) {
    (void)op;
    return true;
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    return kernel_prepare(kernels[op->kind], op, state, memory);
}

const Backend backend_ref = {.name = "ref", .supports = supports, .prepare = prepare, KERNEL_RUNS};
