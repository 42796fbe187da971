/* SPDX-License-Identifier: Apache-2.0
 *
 * An operation computed by functions of its description and buffers alone: what the backends made of loops (ref, cpu)
 * consist of.  They have a table of kernels and hand the rest to the three functions here. */
#ifndef BACKEND_KERNEL_H
#define BACKEND_KERNEL_H
#include "backend/backend.h"
#include "base/memory.h"

typedef struct Kernel {
    void (*forward)(const OpDesc *op, const OpBuffers *b);
    void (*backward)(const OpDesc *op, const OpBuffers *b); /* NULL for operations that are never run */
    void (*collect)(const OpDesc *op, const OpBuffers *b);  /* batch_norm */
    void (*collect_backward)(const OpDesc *op, const OpBuffers *b);
    bool (*supports)(const OpDesc *op);                 /* NULL: every description */
    void (*memory)(const OpDesc *op, OpMemory *memory); /* NULL: needs none */
    bool has_relu; /* does what op->relu says itself; else it is done here, in passes of their own */
} Kernel;

/* Backend.prepare for an operation of this kernel (static): the state is a copy of the description, freed with
 * memory_free.  Fails when memory does. */
Status kernel_prepare(const Kernel *kernel, const OpDesc *op, void **state, OpMemory *memory);

/* Those of a Backend's functions that are the same for all kernels. */
#define KERNEL_RUNS                                                                                                    \
    .collect = kernel_collect, .collect_backward = kernel_collect_backward, .forward = kernel_forward,                 \
    .backward = kernel_backward, .release = memory_free

void kernel_collect(void *state, const OpBuffers *buffers);
void kernel_collect_backward(void *state, const OpBuffers *buffers);
void kernel_forward(void *state, const OpBuffers *buffers);
void kernel_backward(void *state, const OpBuffers *buffers);

/* y[i] = min(max(y[i], 0), max); NaN stays. */
void kernel_relu(Real *y, size_t count, double max);

/* dy[i] = 0 where y[i], the value after the ReLU, is 0 or less, or max. */
void kernel_relu_mask(const Real *y, size_t count, double max, Real *dy);

#endif
