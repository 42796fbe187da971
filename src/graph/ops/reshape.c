/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

/* y is what the caller says. */
static Status input_shape(OpDesc *op) {
    (void)op;
    return STATUS_OK;
}

static Status reshape_shape(OpDesc *op) {
    char x[SHAPE_TEXT], y[SHAPE_TEXT];
    op->y = op->attr.reshape.shape;
    double wanted = 1; /* cannot overflow; equal only if the exact product is */
    for (size_t i = 0; i < op->y.rank; i++)
        wanted *= (double)op->y.dim[i];
    if (wanted != (double)shape_count(&op->x[0]) || shape_count(&op->y) != shape_count(&op->x[0]))
        return status_fail(STATUS_FAILED, "input %s has another number of elements than %s", shape_format(&op->x[0], x),
                           shape_format(&op->y, y));
    return STATUS_OK;
}

static Status permute_shape(OpDesc *op) {
    const size_t *axis = op->attr.permute.axis;
    char text[SHAPE_TEXT];
    bool seen[SHAPE_MAX] = {false};
    op->y = op->x[0];
    for (size_t i = 0; i < op->y.rank; i++) {
        if (axis[i] >= op->y.rank || seen[axis[i]])
            return status_fail(STATUS_FAILED, "axes are no permutation of the %zu axes of input %s", op->y.rank,
                               shape_format(&op->x[0], text));
        seen[axis[i]] = true;
        op->y.dim[i] = op->x[0].dim[axis[i]];
    }
    return STATUS_OK;
}

/* For pad2d and crop2d: the input is an image, the amounts are no larger than an extent may be. */
static Status check_margins(const OpDesc *op) {
    char text[SHAPE_TEXT];
    if (op->x[0].rank != 3)
        return status_fail(STATUS_FAILED, "input %s is no image: it needs height, width and channels",
                           shape_format(&op->x[0], text));
    for (int axis = 0; axis < 2; axis++)
        for (int side = 0; side < 2; side++)
            if (op->attr.pad.amount[axis][side] > RULE_EXTENT_MAX)
                return status_fail(STATUS_FAILED, "padding or cropping %zu is too large",
                                   op->attr.pad.amount[axis][side]);
    return STATUS_OK;
}

static Status pad2d_shape(OpDesc *op) {
    TRY(check_margins(op));
    op->y = op->x[0];
    for (int axis = 0; axis < 2; axis++)
        op->y.dim[axis] += op->attr.pad.amount[axis][0] + op->attr.pad.amount[axis][1];
    return STATUS_OK;
}

static Status crop2d_shape(OpDesc *op) {
    char text[SHAPE_TEXT];
    TRY(check_margins(op));
    op->y = op->x[0];
    for (int axis = 0; axis < 2; axis++) {
        size_t cropped = op->attr.pad.amount[axis][0] + op->attr.pad.amount[axis][1];
        if (cropped >= op->y.dim[axis])
            return status_fail(STATUS_FAILED, "cropping %zu %s leaves nothing of input %s", cropped,
                               axis ? "columns" : "rows", shape_format(&op->x[0], text));
        op->y.dim[axis] -= cropped;
    }
    return STATUS_OK;
}

static Status concat_shape(OpDesc *op) {
    char first[SHAPE_TEXT], other[SHAPE_TEXT];
    size_t axis = op->attr.axis;
    if (axis >= op->x[0].rank)
        return status_fail(STATUS_FAILED, "input %s has no axis %zu", shape_format(&op->x[0], first), axis);
    op->y = op->x[0];
    for (size_t i = 1; i < op->inputs; i++) {
        Shape same = op->x[i];
        if (same.rank > axis)
            same.dim[axis] = op->x[0].dim[axis];
        if (!shape_equal(&same, &op->x[0]))
            return status_fail(STATUS_FAILED, "inputs %s and %s differ beside axis %zu", shape_format(&op->x[0], first),
                               shape_format(&op->x[i], other), axis);
        op->y.dim[axis] += op->x[i].dim[axis];
    }
    return STATUS_OK;
}

const OpRule op_rule_input = {.shape = input_shape};
const OpRule op_rule_reshape = {.shape = reshape_shape};
const OpRule op_rule_permute = {.shape = permute_shape};
const OpRule op_rule_pad2d = {.shape = pad2d_shape};
const OpRule op_rule_crop2d = {.shape = crop2d_shape};
const OpRule op_rule_concat = {.shape = concat_shape};
