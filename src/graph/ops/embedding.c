/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

static Status embedding_shape(OpDesc *op) {
    char text[SHAPE_TEXT];
    if (op->params != 1 || !op->has_w[0] || op->w[0].rank != 2)
        return status_fail(STATUS_FAILED, "needs a matrix with a row for each number");
    if (op->x[0].rank == SHAPE_MAX)
        return status_fail(STATUS_FAILED, "input %s has no room for one dimension more", shape_format(&op->x[0], text));
    op->y = op->x[0];
    op->y.dim[op->y.rank++] = op->w[0].dim[1];
    op->keeps_x = true;
    return STATUS_OK;
}

const OpRule op_rule_embedding = {.shape = embedding_shape};
