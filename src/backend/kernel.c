/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/kernel.h"
#include "backend/clones.h"
#include "base/memory.h"

typedef struct State {
    const Kernel *kernel;
    OpDesc op;
} State;

Status kernel_prepare(const Kernel *kernel, const OpDesc *op, void **out, OpMemory *memory) {
    State *state;
    *memory = (OpMemory){0};
    TRY(memory_new(&state, 1, "operation"));
    *state = (State){kernel, *op};
    op_frames_to_images(&state->op);
    if (kernel->memory)
        kernel->memory(&state->op, memory);
    *out = state;
    return STATUS_OK;
}

CPU_CLONES
void kernel_relu(Real *y, size_t count, double max) {
    for (size_t i = 0; i < count; i++) {
        Real value = y[i] < 0 ? 0 : y[i];
        y[i] = value > (Real)max ? (Real)max : value;
    }
}

CPU_CLONES
void kernel_relu_mask(const Real *y, size_t count, double max, Real *dy) {
    for (size_t i = 0; i < count; i++)
        dy[i] = ((y[i] > 0) & (y[i] < (Real)max)) ? dy[i] : 0;
}

static size_t y_count(const OpDesc *op) {
    return op->n * shape_count(&op->y);
}

void kernel_collect(void *state, const OpBuffers *buffers) {
    const State *s = state;
    s->kernel->collect(&s->op, buffers);
}

void kernel_collect_backward(void *state, const OpBuffers *buffers) {
    const State *s = state;
    if (s->op.relu && !s->kernel->has_relu)
        kernel_relu_mask(buffers->y, y_count(&s->op), s->op.relu_max, buffers->dy);
    s->kernel->collect_backward(&s->op, buffers);
}

void kernel_forward(void *state, const OpBuffers *buffers) {
    const State *s = state;
    s->kernel->forward(&s->op, buffers);
    if (s->op.relu && !s->kernel->has_relu)
        kernel_relu(buffers->y, y_count(&s->op), s->op.relu_max);
}

void kernel_backward(void *state, const OpBuffers *buffers) {
    const State *s = state;
    if (s->op.relu && !s->kernel->has_relu && !op_collects(&s->op))
        kernel_relu_mask(buffers->y, y_count(&s->op), s->op.relu_max, buffers->dy);
    s->kernel->backward(&s->op, buffers);
}
