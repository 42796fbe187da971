/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"

static Status resize2d_shape(OpDesc *op) {
    char text[SHAPE_TEXT];
    if (op->x[0].rank != 3)
        return status_fail(STATUS_FAILED, "input %s is no image: it needs height, width and channels",
                           shape_format(&op->x[0], text));
    op->y = SHAPE(op->attr.resize.height, op->attr.resize.width, op->x[0].dim[2]);
    return STATUS_OK;
}

/* Bilinear: four multiply-adds an element. */
static double resize2d_flops(const OpDesc *op) {
    return (op->attr.resize.interpolation == INTERPOLATE_BILINEAR ? 8 : 1) * (double)shape_count(&op->y);
}

const OpRule op_rule_resize2d = {.shape = resize2d_shape, .flops = resize2d_flops};
