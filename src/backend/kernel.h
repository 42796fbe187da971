/* SPDX-License-Identifier: Apache-2.0
 *
 * An operation computed by functions of its description and buffers alone: what the backends made of loops (ref, cpu)
 * consist of.  They have a table of kernels and hand the rest to the three functions here. */
#ifndef BACKEND_KERNEL_H
#define BACKEND_KERNEL_H
#include "backend/backend.h"

typedef struct Kernel {
    void (*forward)(const OpDesc *op, const OpBuffers *b);
    void (*backward)(const OpDesc *op, const OpBuffers *b); /* NULL for operations that are never run */
    bool (*supports)(const OpDesc *op);                     /* NULL: every description */
    void (*memory)(const OpDesc *op, OpMemory *memory);     /* NULL: needs none */
} Kernel;

/* Backend.prepare for an operation of this kernel (static): the state is a copy of the description, freed with
 * memory_free.  Fails when memory does. */
Status kernel_prepare(const Kernel *kernel, const OpDesc *op, void **state, OpMemory *memory);

/* Backend.forward, Backend.backward. */
void kernel_forward(void *state, const OpBuffers *buffers);
void kernel_backward(void *state, const OpBuffers *buffers);

#endif
