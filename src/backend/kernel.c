/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/kernel.h"
#include "base/memory.h"

typedef struct State {
    const Kernel *kernel;
    OpDesc op;
} State;

Status kernel_prepare(const Kernel *kernel, const OpDesc *op, void **out, OpMemory *memory) {
    State *state;
    *memory = (OpMemory){0, 0};
    TRY(memory_new(&state, 1, "operation"));
    *state = (State){kernel, *op};
    if (kernel->memory)
        kernel->memory(op, memory);
    *out = state;
    return STATUS_OK;
}

void kernel_forward(void *state, const OpBuffers *buffers) {
    const State *s = state;
    s->kernel->forward(&s->op, buffers);
}

void kernel_backward(void *state, const OpBuffers *buffers) {
    const State *s = state;
    s->kernel->backward(&s->op, buffers);
}
