/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference kernels: the plain loops of the formulas, in Real.  Each family is one file that defines a kernel per
 * operation, `const Kernel ref_conv2d`; the table in ref.c derives from OP_LIST.
 *
 * Rules for all of them: forward overwrites y.  backward overwrites dx and dw, or adds where dx_add, dw_add say so, and
 * skips what is NULL.  Sums run in one fixed order. */
#ifndef BACKEND_REF_REF_H
#define BACKEND_REF_REF_H
#include "backend/kernel.h"

#define REF_KERNEL(constant, name) extern const Kernel ref_##name;
OP_LIST(REF_KERNEL)
#undef REF_KERNEL

#endif
