/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"
#include "base/memory.h"

static const RefKernel *const kernels[] = {
#define REF_KERNEL(constant, name) &ref_##name,
    OP_LIST(REF_KERNEL)
#undef REF_KERNEL
};

static bool supports(const OpDesc *op) {
    (void)op;
    return true;
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

const Backend backend_ref = {.name = "ref",
                             .supports = supports,
                             .prepare = prepare,
                             .forward = forward,
                             .backward = backward,
                             .release = memory_free};
