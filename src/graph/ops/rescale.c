/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

static Status rescale_shape(OpDesc *op) {
    op->y = op->x[0];
    op->in_place = true;
    return STATUS_OK;
}

static Status normalize_shape(OpDesc *op) {
    static const char *const names[] = {"mean", "variance"};
    char x[SHAPE_TEXT], w[SHAPE_TEXT];
    if (op->x[0].rank == 0)
        return status_fail(STATUS_FAILED, "input must have at least one dimension");
    Shape channels = SHAPE(op->x[0].dim[op->x[0].rank - 1]);
    for (size_t i = 0; i < 2; i++) {
        if (op->params <= i || !op->has_w[i])
            return status_fail(STATUS_FAILED, "has no %s", names[i]);
        if (!shape_equal(&op->w[i], &channels))
            return status_fail(STATUS_FAILED, "%s %s does not fit input %s: it needs one number per channel", names[i],
                               shape_format(&op->w[i], w), shape_format(&op->x[0], x));
    }
    return rescale_shape(op);
}

static Status scale_shape(OpDesc *op) {
    static const char *const names[] = {"scale", "offset"};
    char x[SHAPE_TEXT], w[SHAPE_TEXT];
    if (op->x[0].rank == 0)
        return status_fail(STATUS_FAILED, "input must have at least one dimension");
    if (op->params < 1 || !op->has_w[0])
        return status_fail(STATUS_FAILED, "has no scale");
    Shape channels = SHAPE(op->x[0].dim[op->x[0].rank - 1]);
    for (size_t i = 0; i < 2 && i < op->params; i++)
        if (op->has_w[i] && !shape_equal(&op->w[i], &channels))
            return status_fail(STATUS_FAILED, "%s %s does not fit input %s: it needs one number per channel", names[i],
                               shape_format(&op->w[i], w), shape_format(&op->x[0], x));
    op->y = op->x[0];
    op->keeps_x = true;
    return STATUS_OK;
}

static double two_flops(const OpDesc *op) {
    return 2 * (double)shape_count(&op->y);
}

const OpRule op_rule_rescale = {.shape = rescale_shape, .flops = two_flops};
const OpRule op_rule_scale = {.shape = scale_shape, .flops = two_flops};
const OpRule op_rule_normalize = {.shape = normalize_shape, .flops = two_flops};
