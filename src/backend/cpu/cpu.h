/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectorised loops for what is not matrix arithmetic.  Each family is one file that defines a kernel per operation,
 * `const Kernel cpu_max_pool2d`; the formulas stand at ref/, which each kernel must agree with up to rounding.
 *
 * How they are written: plain C loops over adjacent elements, mostly channels, which the compiler vectorises for
 * several CPUs (clones.h).  Loops that may run in place (y on x, dx on dy) carry `#pragma GCC ivdep`: the compiler then
 * need not check for overlap, and element i is read before it is written.  Sums run in an order that the shapes alone
 * decide. */
#ifndef BACKEND_CPU_CPU_H
#define BACKEND_CPU_CPU_H
#include "backend/clones.h"
#include "backend/cpu/rows.h"
#include "backend/kernel.h"

// clang-format off
/* The operations that this backend has: enum constant, name. */
#define CPU_OPS(X)                                                                                                     \
    X(CONV2D, conv2d) X(MAX_POOL2D, max_pool2d) X(AVERAGE_POOL2D, average_pool2d)                                      \
    X(GLOBAL_MAX_POOL2D, global_max_pool2d) X(GLOBAL_AVERAGE_POOL2D, global_average_pool2d)                            \
    X(PAD2D, pad2d) X(CROP2D, crop2d) X(RESIZE2D, resize2d) X(RESCALE, rescale) X(NORMALIZE, normalize)                \
    X(SCALE, scale) X(DROPOUT, dropout) X(BATCH_NORM, batch_norm) X(LAYER_NORM, layer_norm)                            \
    X(ADD, add) X(SUBTRACT, subtract) X(MULTIPLY, multiply) X(AVERAGE, average) X(CONCAT, concat)                      \
    X(ACTIVATION, activation) X(SOFTMAX, softmax)                                                                      \
    X(LOSS, loss)

// clang-format on
#define CPU_KERNEL(constant, name) extern const Kernel cpu_##name;
CPU_OPS(CPU_KERNEL)
#undef CPU_KERNEL

/* Extent of the last axis; 1 for a scalar. */
static inline size_t channels_of(const Shape *shape) {
    return shape->rank ? shape->dim[shape->rank - 1] : 1;
}

/* Elements of the whole batch. */
static inline size_t total_count(const OpDesc *op, const Shape *shape) {
    return op->n * shape_count(shape);
}

#endif
