/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"
#include "graph/ops/window.h"

/* Neither reads x or y in backward: the maximum saves its place. */
static Status pool_shape(OpDesc *op) {
    PoolAttr *a = &op->attr.pool;
    Window window = {.name = "pooling window",
                     .size = {a->size[0], a->size[1]},
                     .stride = {a->stride[0], a->stride[1]},
                     .dilation = {1, 1},
                     .padding = a->padding};
    TRY(window_check(&window, &op->x[0]));
    op->y = op->x[0];
    return window_positions(&window, &op->x[0], a->pad, op->y.dim);
}

static Status global_pool_shape(OpDesc *op) {
    char text[SHAPE_TEXT];
    const Shape *x = &op->x[0];
    if (x->rank != 3)
        return status_fail(STATUS_FAILED, "input %s is no image: it needs height, width and channels",
                           shape_format(x, text));
    op->y = op->attr.pool.keepdims ? SHAPE(1, 1, x->dim[2]) : SHAPE(x->dim[2]);
    return STATUS_OK;
}

static double pool_flops(const OpDesc *op) {
    return (double)shape_count(&op->y) * (double)(op->attr.pool.size[0] * op->attr.pool.size[1]);
}

static double global_pool_flops(const OpDesc *op) {
    return (double)shape_count(&op->x[0]);
}

const OpRule op_rule_max_pool2d = {.shape = pool_shape, .flops = pool_flops};
const OpRule op_rule_average_pool2d = {.shape = pool_shape, .flops = pool_flops};
const OpRule op_rule_global_max_pool2d = {.shape = global_pool_shape, .flops = global_pool_flops};
const OpRule op_rule_global_average_pool2d = {.shape = global_pool_shape, .flops = global_pool_flops};
