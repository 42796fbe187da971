/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include "base/memory.h"

static const CpuKernel *const kernels[OP_KINDS] = {
#define CPU_KERNEL(constant, name) [OP_##constant] = &cpu_##name,
    CPU_OPS(CPU_KERNEL)
#undef CPU_KERNEL
};

static bool supports(const OpDesc *op) {
    const CpuKernel *kernel = kernels[op->kind];
    return kernel && (!kernel->supports || kernel->supports(op));
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    OpDesc *copy;
    *memory = (OpMemory){0, 0};
    TRY(memory_new(&copy, 1, "operation"));
    *copy = *op;
    if (kernels[op->kind]->memory)
        kernels[op->kind]->memory(op, memory);
    *state = copy;
    return STATUS_OK;
}

static void forward(void *state, const OpBuffers *buffers) {
    const OpDesc *op = state;
    kernels[op->kind]->forward(op, buffers);
}

static void backward(void *state, const OpBuffers *buffers) {
    const OpDesc *op = state;
    kernels[op->kind]->backward(op, buffers);
}

const Backend backend_cpu = {.name = "cpu",
                             .supports = supports,
                             .prepare = prepare,
                             .forward = forward,
                             .backward = backward,
                             .release = memory_free};
