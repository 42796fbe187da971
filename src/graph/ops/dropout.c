/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

static Status dropout_shape(OpDesc *op) {
    double rate = op->attr.dropout.rate;
    if (!(rate >= 0 && rate <= 1))
        return status_fail(STATUS_FAILED, "a dropout rate of %g is not between 0 and 1", rate);
    op->y = op->x[0];
    op->in_place = true;
    return STATUS_OK;
}

const OpRule op_rule_dropout = {.shape = dropout_shape};
