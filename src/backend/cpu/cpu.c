/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"

static const Kernel *const kernels[OP_KINDS] = {
#define CPU_KERNEL(constant, name) [OP_##constant] = &cpu_##name,
    CPU_OPS(CPU_KERNEL)
#undef CPU_KERNEL
};

static bool supports(const OpDesc *op) {
    const Kernel *kernel = kernels[op->kind];
    OpDesc images = *op;
    op_frames_to_images(&images);
    return kernel && (!kernel->supports || kernel->supports(&images));
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    return kernel_prepare(kernels[op->kind], op, state, memory);
}

const Backend backend_cpu = {.name = "cpu", .supports = supports, .prepare = prepare, KERNEL_RUNS};
