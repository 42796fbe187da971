/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"
#include "base/memory.h"
#include "graph/graph.h"

static const OpRule *const rules[] = {
#define OP_RULE(constant, name) &op_rule_##name,
    OP_LIST(OP_RULE)
#undef OP_RULE
};

/* Every extent in range, and the bytes of the tensor countable. */
static Status check_tensor(const char *what, const Shape *shape) {
    char text[SHAPE_TEXT];
    size_t bytes = sizeof(double);
    for (size_t i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 1)
            return status_fail(STATUS_FAILED, "%s %s: every extent must be at least 1", what,
                               shape_format(shape, text));
        if (shape->dim[i] > RULE_EXTENT_MAX || !memory_multiply(bytes, shape->dim[i], &bytes) || bytes > PTRDIFF_MAX)
            return status_fail(STATUS_FAILED, "%s %s is too large", what, shape_format(shape, text));
    }
    return STATUS_OK;
}

static Status check_inputs(const OpDesc *op) {
    size_t least = 1, most = 1;
    switch (op->kind) {
    case OP_INPUT:
        least = most = 0;
        break;
    case OP_SUBTRACT:
        least = most = 2;
        break;
    case OP_LOSS:
        least = 2;
        most = 3;
        break;
    case OP_BATCH_NORM:
        most = 2;
        break;
    case OP_ADD:
    case OP_MULTIPLY:
    case OP_AVERAGE:
    case OP_MAXIMUM:
    case OP_CONCAT:
        most = OP_MAX_INPUTS;
        break;
    default:
        break;
    }
    if (op->inputs < least || op->inputs > most)
        return status_fail(STATUS_FAILED, "%zu inputs, but %s takes %s%zu", op->inputs, op_name(op->kind),
                           least == most ? "" : "at most ", most);
    return STATUS_OK;
}

/* The rule is that of one image. */
static Status frames_shape(OpDesc *op) {
    Shape x = op->x[0];
    op->x[0] = SHAPE(x.dim[1], x.dim[2], x.dim[3]);
    Status status = rules[op->kind]->shape(op);
    op->x[0] = x;
    op->y = SHAPE(x.dim[0], op->y.dim[0], op->y.dim[1], op->y.dim[2]);
    return status;
}

Status op_shape(OpDesc *op) {
    TRY(check_inputs(op));
    for (size_t i = 0; i < op->inputs; i++)
        TRY(check_tensor("input", &op->x[i]));
    for (size_t i = 0; i < op->params; i++)
        if (op->has_w[i])
            TRY(check_tensor("weight", &op->w[i]));
    TRY(op_is_of_frames(op) ? frames_shape(op) : rules[op->kind]->shape(op));
    op->keeps_y |= op->relu;
    return check_tensor("output", &op->y);
}

double op_flops(const OpDesc *op) {
    const OpRule *rule = rules[op->kind];
    return rule->flops ? rule->flops(op) : (double)shape_count(&op->y);
}

double op_flops_backward(const OpDesc *op) {
    return ((op->want_dx[0] ? 1 : 0) + (op->want_dw[0] ? 1 : 0)) * op_flops(op);
}
