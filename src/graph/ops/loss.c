/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

/* Keras squeezes or adds a last axis of extent 1 where only that differs: labels {} and {1} are the same. */
static bool equal_but_for_last_one(const Shape *a, const Shape *b) {
    if (a->rank < b->rank)
        return equal_but_for_last_one(b, a);
    Shape shorter = *a;
    if (a->rank == b->rank + 1 && a->dim[b->rank] == 1)
        shorter.rank--;
    return shape_equal(&shorter, b);
}

static Status check_attr(const LossAttr *attr) {
    if (!(attr->label_smoothing >= 0 && attr->label_smoothing <= 1))
        return status_fail(STATUS_FAILED, "label smoothing of %g is not between 0 and 1", attr->label_smoothing);
    if (attr->kind == LOSS_HUBER && !(attr->delta > 0))
        return status_fail(STATUS_FAILED, "the delta of a Huber loss must be positive, not %g", attr->delta);
    if (loss_is_of_pairs(attr->kind) && !(attr->margin > 0))
        return status_fail(STATUS_FAILED, "the margin of a contrastive or triplet loss must be positive, not %g",
                           attr->margin);
    if ((attr->kind == LOSS_BINARY_FOCAL || attr->kind == LOSS_CATEGORICAL_FOCAL) &&
        !(attr->gamma >= 0 && attr->alpha >= 0 && attr->alpha <= 1))
        return status_fail(STATUS_FAILED, "a focal loss needs a gamma of at least 0 and an alpha between 0 and 1");
    return STATUS_OK;
}

static Status loss_shape(OpDesc *op) {
    const LossAttr *attr = &op->attr.loss;
    char prediction[SHAPE_TEXT], label[SHAPE_TEXT];
    TRY(check_attr(attr));
    Shape expected = op->x[0];
    bool per_axis = loss_is_of_axis(attr->kind), pairs = loss_is_of_pairs(attr->kind);
    if (per_axis && expected.rank == 0)
        return status_fail(STATUS_FAILED, "this loss needs an axis of classes, the prediction is a scalar");
    if (pairs && expected.rank != 1)
        return status_fail(STATUS_FAILED, "a contrastive or triplet loss needs a vector for each example, not %s",
                           shape_format(&expected, prediction));
    bool number = attr->kind == LOSS_SPARSE_CROSSENTROPY || pairs;
    if (number)
        expected.rank--;
    bool fits = per_axis && !number ? shape_equal(&op->x[1], &expected) : equal_but_for_last_one(&op->x[1], &expected);
    if (!fits)
        return status_fail(STATUS_FAILED, "a label of shape %s does not fit a prediction of shape %s%s",
                           shape_format(&op->x[1], label), shape_format(&op->x[0], prediction),
                           number ? " (one class number for each position)" : "");
    if (op->inputs == 3 && shape_count(&op->x[2]) != 1)
        return status_fail(STATUS_FAILED, "weights of shape %s: one number for each example is expected",
                           shape_format(&op->x[2], label));
    op->y = SHAPE(LOSS_SUMS);
    op->keeps_x = true;
    return STATUS_OK;
}

/* An exponential, a logarithm's share and the sums, per element of the prediction. */
static double loss_flops(const OpDesc *op) {
    return 4.0 * (double)shape_count(&op->x[0]);
}

const OpRule op_rule_loss = {.shape = loss_shape, .flops = loss_flops};
