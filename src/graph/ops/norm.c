/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

/* Gamma, beta and the moving statistics, where present, have the extents of the axes that they act on. */
static Status check_params(const OpDesc *op, const char *const names[], size_t count, const Shape *expected) {
    char has[SHAPE_TEXT], needs[SHAPE_TEXT];
    for (size_t i = 0; i < count && i < op->params; i++)
        if (op->has_w[i] && !shape_equal(&op->w[i], expected))
            return status_fail(STATUS_FAILED, "%s has shape %s, but the normalized axes have %s", names[i],
                               shape_format(&op->w[i], has), shape_format(expected, needs));
    return STATUS_OK;
}

/* What the three have in common: at least one axis, y shaped like x, an epsilon that a root can take. */
static Status check_input(OpDesc *op) {
    if (op->x[0].rank == 0)
        return status_fail(STATUS_FAILED, "a scalar has no axis to normalize over");
    if (!(op->attr.norm.epsilon >= 0))
        return status_fail(STATUS_FAILED, "epsilon %g is negative", op->attr.norm.epsilon);
    op->y = op->x[0];
    op->keeps_x = true;
    return STATUS_OK;
}

static Shape channels(const OpDesc *op) {
    return SHAPE(op->x[0].dim[op->x[0].rank - 1]);
}

static Status batch_norm_shape(OpDesc *op) {
    static const char *const names[] = {"gamma", "beta", "the moving mean", "the moving variance"};
    TRY(check_input(op));
    if (op->params != 4 || !op->has_w[2] || !op->has_w[3])
        return status_fail(STATUS_FAILED, "a batch normalization needs its moving mean and moving variance");
    if (op->inputs > 1 && !shape_equal(&op->x[1], &op->x[0]))
        return status_fail(STATUS_FAILED, "what is added to a batch normalization must have its shape");
    Shape per_channel = channels(op);
    return check_params(op, names, 4, &per_channel);
}

static Status layer_norm_shape(OpDesc *op) {
    static const char *const names[] = {"gamma", "beta"};
    char text[SHAPE_TEXT];
    size_t axes = op->attr.norm.axes;
    TRY(check_input(op));
    if (axes < 1 || axes > op->x[0].rank)
        return status_fail(STATUS_FAILED, "cannot normalize over the last %zu axes of %s", axes,
                           shape_format(&op->x[0], text));
    Shape last = {.rank = axes};
    for (size_t i = 0; i < axes; i++)
        last.dim[i] = op->x[0].dim[op->x[0].rank - axes + i];
    return check_params(op, names, 2, &last);
}

static Status group_norm_shape(OpDesc *op) {
    static const char *const names[] = {"gamma", "beta"};
    TRY(check_input(op));
    Shape per_channel = channels(op);
    if (op->attr.norm.groups == 0 || per_channel.dim[0] % op->attr.norm.groups != 0)
        return status_fail(STATUS_FAILED, "%zu channels do not divide into %zu groups", per_channel.dim[0],
                           op->attr.norm.groups);
    return check_params(op, names, 2, &per_channel);
}

/* Two passes for mean and variance (three operations), then centring, two factors and an offset. */
static double flops(const OpDesc *op) {
    return 7.0 * (double)shape_count(&op->y);
}

const OpRule op_rule_batch_norm = {.shape = batch_norm_shape, .flops = flops};
const OpRule op_rule_layer_norm = {.shape = layer_norm_shape, .flops = flops};
const OpRule op_rule_group_norm = {.shape = group_norm_shape, .flops = flops};
