/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"
#include "graph/ops/window.h"

/* Two axes at a time are those of a window over images: height and width, then depth and one that is 1. */
static Window window_of(const Conv3dAttr *a, size_t first, bool alone) {
    Window window = {.name = "kernel", .size = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .padding = a->padding};
    for (size_t i = 0; i < (alone ? 1 : 2); i++) {
        window.size[i] = a->kernel[first + i];
        window.stride[i] = a->stride[first + i];
        window.dilation[i] = a->dilation[first + i];
    }
    return window;
}

static Status positions(OpDesc *op) {
    Conv3dAttr *a = &op->attr.conv3d;
    const size_t *x = op->x[0].dim;
    Shape image = SHAPE(x[1], x[2], x[3]), depth = SHAPE(x[0], 1, x[3]);
    Window across = window_of(a, 1, false), along = window_of(a, 0, true);
    size_t pad[2][2] = {{0}}, count[2];
    TRY(window_check(&across, &image));
    TRY(window_check(&along, &depth));
    TRY(window_positions(&across, &image, a->pad + 1, op->y.dim + 1));
    TRY(window_positions(&along, &depth, pad, count));
    op->y.dim[0] = count[0];
    a->pad[0][0] = pad[0][0];
    a->pad[0][1] = pad[0][1];
    return STATUS_OK;
}

static Status conv3d_shape(OpDesc *op) {
    const Conv3dAttr *a = &op->attr.conv3d;
    char has[SHAPE_TEXT], needs[SHAPE_TEXT], x[SHAPE_TEXT];
    if (op->x[0].rank != 4)
        return status_fail(STATUS_FAILED, "input %s is no volume: it needs depth, height, width and channels",
                           shape_format(&op->x[0], x));
    size_t channels = op->x[0].dim[3], filters = a->filters;
    if (a->groups < 1 || channels % a->groups != 0 || filters % a->groups != 0)
        return status_fail(STATUS_FAILED, "%zu channels and %zu filters do not divide into %zu groups", channels,
                           filters, a->groups);
    Shape kernel = SHAPE(a->kernel[0], a->kernel[1], a->kernel[2], channels / a->groups, filters),
          bias = SHAPE(filters);
    if (op->params < 1 || !op->has_w[0] || !shape_equal(&op->w[0], &kernel))
        return status_fail(STATUS_FAILED, "kernel %s does not fit input %s: it needs %s", shape_format(&op->w[0], has),
                           shape_format(&op->x[0], x), shape_format(&kernel, needs));
    if (op->params > 1 && op->has_w[1] && !shape_equal(&op->w[1], &bias))
        return status_fail(STATUS_FAILED, "bias %s does not fit %zu filters", shape_format(&op->w[1], has), filters);
    op->y = SHAPE(0, 0, 0, filters);
    op->keeps_x = true;
    return positions(op);
}

static double conv3d_flops(const OpDesc *op) {
    return 2 * (double)(op->y.dim[0] * op->y.dim[1] * op->y.dim[2]) * (double)shape_count(&op->w[0]);
}

const OpRule op_rule_conv3d = {.shape = conv3d_shape, .flops = conv3d_flops};
