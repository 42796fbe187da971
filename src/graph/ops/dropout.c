/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

static Status dropout_shape(OpDesc *op) {
    double rate = op->attr.dropout.rate;
    DropoutKind kind = op->attr.dropout.kind;
    if (kind == DROPOUT_NOISE && !(rate >= 0 && rate <= 1e30))
        return status_fail(STATUS_FAILED, "noise with a deviation of %g", rate);
    if (kind != DROPOUT_NOISE && !(rate >= 0 && rate <= 1))
        return status_fail(STATUS_FAILED, "a dropout rate of %g is not between 0 and 1", rate);
    if ((kind == DROPOUT_ALPHA || kind == DROPOUT_GAUSSIAN) && rate == 1)
        return status_fail(STATUS_FAILED, "a rate of 1 has no meaning for this kind of dropout");
    op->y = op->x[0];
    op->in_place = true;
    return STATUS_OK;
}

const OpRule op_rule_dropout = {.shape = dropout_shape};
