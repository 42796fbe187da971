/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

/* Whether the derivative is a function of the result alone.  Then the input need not be kept and y may overwrite it. */
static bool derivative_from_y(const ActivationAttr *a) {
    switch (a->kind) {
    case ACTIVATION_RELU: /* the sign of y has to tell on which side of the threshold x was */
        return a->threshold == 0 && a->slope >= 0 && a->max_value > 0;
    case ACTIVATION_ELU:
        return a->alpha >= 0;
    case ACTIVATION_CELU:
        return a->alpha > 0;
    case ACTIVATION_SOFTSIGN: /* (1 - |y|)^2 loses all digits of a large x */
    case ACTIVATION_SILU:
    case ACTIVATION_HARD_SILU:
    case ACTIVATION_GELU:
    case ACTIVATION_MISH:
        return false;
    default:
        return true;
    }
}

static Status activation_shape(OpDesc *op) {
    bool from_y = derivative_from_y(&op->attr.activation);
    op->y = op->x[0];
    op->keeps_x = !from_y;
    op->keeps_y = from_y && op->attr.activation.kind != ACTIVATION_LINEAR;
    op->in_place = from_y;
    return STATUS_OK;
}

static Status softmax_shape(OpDesc *op) {
    if (op->x[0].rank == 0)
        return status_fail(STATUS_FAILED, "softmax needs an axis of classes, its input is a scalar");
    op->y = op->x[0];
    op->keeps_y = true;
    op->in_place = true;
    return STATUS_OK;
}

static double softmax_flops(const OpDesc *op) {
    return 4.0 * (double)shape_count(&op->y);
}

static Status prelu_shape(OpDesc *op) {
    const Shape *x = &op->x[0], *w = &op->w[0];
    char text[SHAPE_TEXT], slopes[SHAPE_TEXT];
    if (op->params != 1 || !op->has_w[0])
        return status_fail(STATUS_FAILED, "prelu needs its slopes");
    bool fits = w->rank == x->rank;
    for (size_t i = 0; fits && i < x->rank; i++)
        fits = w->dim[i] == x->dim[i] || w->dim[i] == 1;
    if (!fits)
        return status_fail(STATUS_FAILED, "slopes of shape %s do not fit an input of shape %s (extents equal or 1)",
                           shape_format(w, slopes), shape_format(x, text));
    op->y = *x;
    op->keeps_x = true;
    return STATUS_OK;
}

const OpRule op_rule_activation = {.shape = activation_shape};
const OpRule op_rule_softmax = {.shape = softmax_shape, .flops = softmax_flops};
const OpRule op_rule_prelu = {.shape = prelu_shape};
