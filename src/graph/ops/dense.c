/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

static Status dense_shape(OpDesc *op) {
    char x[SHAPE_TEXT], w[SHAPE_TEXT];
    if (op->x[0].rank == 0)
        return status_fail(STATUS_FAILED, "input must have at least one dimension");
    if (op->params < 1 || !op->has_w[0])
        return status_fail(STATUS_FAILED, "has no kernel");
    size_t last = op->x[0].rank - 1;
    if (op->w[0].rank != 2 || op->w[0].dim[0] != op->x[0].dim[last])
        return status_fail(STATUS_FAILED, "kernel %s does not fit input %s: it needs %zu rows",
                           shape_format(&op->w[0], w), shape_format(&op->x[0], x), op->x[0].dim[last]);
    Shape bias = SHAPE(op->w[0].dim[1]);
    if (op->params > 1 && op->has_w[1] && !shape_equal(&op->w[1], &bias))
        return status_fail(STATUS_FAILED, "bias %s does not fit %zu outputs", shape_format(&op->w[1], w), bias.dim[0]);
    op->y = op->x[0];
    op->y.dim[last] = bias.dim[0];
    op->keeps_x = true;
    return STATUS_OK;
}

static double dense_flops(const OpDesc *op) {
    return 2 * (double)shape_count(&op->y) * (double)op->w[0].dim[0];
}

const OpRule op_rule_dense = {.shape = dense_shape, .flops = dense_flops};
