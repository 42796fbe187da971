/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

/* The common shape of all inputs: aligned at the last axis, an axis of extent 1 (or a missing one) is repeated. */
static Status broadcast(OpDesc *op) {
    char first[SHAPE_TEXT], other[SHAPE_TEXT];
    if (op->inputs < 2)
        return status_fail(STATUS_FAILED, "%s needs two inputs or more, it has %zu", op_name(op->kind), op->inputs);
    Shape y = op->x[0];
    for (size_t i = 1; i < op->inputs; i++) {
        Shape narrow = op->x[i], wide = y;
        if (narrow.rank > wide.rank)
            narrow = y, wide = op->x[i];
        for (size_t k = 1; k <= narrow.rank; k++) {
            size_t a = narrow.dim[narrow.rank - k], *b = &wide.dim[wide.rank - k];
            if (a != *b && a != 1 && *b != 1)
                return status_fail(STATUS_FAILED, "input %zu of shape %s does not fit the shape %s of those before it",
                                   i, shape_format(&op->x[i], other), shape_format(&y, first));
            if (*b == 1)
                *b = a;
        }
        y = wide;
    }
    op->y = y;
    return STATUS_OK;
}

/* The gradient of a sum does not read the inputs, and dx0 is dy. */
static Status sum_shape(OpDesc *op) {
    TRY(broadcast(op));
    op->in_place = shape_equal(&op->x[0], &op->y);
    return STATUS_OK;
}

static Status product_shape(OpDesc *op) {
    TRY(broadcast(op));
    op->keeps_x = true;
    return STATUS_OK;
}

static double flops(const OpDesc *op) {
    return (double)(op->inputs - 1) * (double)shape_count(&op->y);
}

const OpRule op_rule_add = {.shape = sum_shape, .flops = flops};
const OpRule op_rule_subtract = {.shape = sum_shape, .flops = flops};
const OpRule op_rule_multiply = {.shape = product_shape, .flops = flops};
const OpRule op_rule_average = {.shape = broadcast, .flops = flops};
const OpRule op_rule_maximum = {.shape = product_shape, .flops = flops};
