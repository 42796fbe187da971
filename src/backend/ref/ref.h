/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference kernels: the plain loops of the formulas, in Real.  Each family is one file that defines a kernel per
 * operation, `const RefKernel ref_conv2d`; the table in ref.c derives from OP_LIST.
 *
 * Rules for all of them: forward overwrites y.  backward overwrites dx and dw, or adds where dx_add, dw_add say so, and skips
 * what is NULL.  Sums run in one fixed order. */
#ifndef BACKEND_REF_REF_H
#define BACKEND_REF_REF_H
#include "backend/backend.h"

typedef struct RefKernel {
    void (*forward)(const OpDesc *op, const OpBuffers *b);
    void (*backward)(const OpDesc *op, const OpBuffers *b); /* NULL for operations that are never run */
    void (*memory)(const OpDesc *op, OpMemory *memory);     /* NULL: needs none */
} RefKernel;

#define REF_KERNEL(constant, name) extern const RefKernel ref_##name;
OP_LIST(REF_KERNEL)
#undef REF_KERNEL

#endif
