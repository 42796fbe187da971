/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/op.h"
#include <math.h>

const char *op_name(OpKind kind) {
#define OP_TEXT(constant, name) #name,
    static const char *const names[] = {OP_LIST(OP_TEXT)};
    return names[kind];
}

static void take_frames(Shape *shape) {
    *shape = SHAPE(shape->dim[1], shape->dim[2], shape->dim[3]);
}

void op_frames_to_images(OpDesc *op) {
    if (!op_is_of_frames(op))
        return;
    op->n *= op->x[0].dim[0];
    op->batch *= op->x[0].dim[0];
    take_frames(&op->x[0]);
    take_frames(&op->y);
}

size_t loss_class(const Real *x, size_t count) {
    size_t best = 0;
    for (size_t c = 0; c < count; c++) {
        if (isnan(x[c]))
            return count;
        if (x[c] > x[best])
            best = c;
    }
    return best;
}
