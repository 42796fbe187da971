/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/rules.h"
#include "graph/ops/window.h"

static Window kernel_window(const ConvAttr *a) {
    return (Window){.name = "kernel",
                    .size = {a->kernel[0], a->kernel[1]},
                    .stride = {a->stride[0], a->stride[1]},
                    .dilation = {a->dilation[0], a->dilation[1]},
                    .padding = a->padding};
}

/* The weights' count of channels of the input and of filters fits what the attributes say. */
static Status check_groups(const OpDesc *op) {
    const ConvAttr *a = &op->attr.conv;
    size_t channels = op->x[0].dim[2];
    if (a->groups < 1 || channels % a->groups != 0 || a->filters % a->groups != 0)
        return status_fail(STATUS_FAILED, "%zu channels and %zu filters do not divide into %zu groups", channels,
                           a->filters, a->groups);
    return STATUS_OK;
}

static Status check_bias(const OpDesc *op) {
    char text[SHAPE_TEXT];
    Shape expected = SHAPE(op->attr.conv.filters);
    if (op->params > 1 && op->has_w[1] && !shape_equal(&op->w[1], &expected))
        return status_fail(STATUS_FAILED, "bias %s does not fit %zu filters", shape_format(&op->w[1], text),
                           expected.dim[0]);
    return STATUS_OK;
}

/* `other`: a second layout that is accepted. */
static Status check_kernel(const OpDesc *op, Shape expected, const Shape *other) {
    char has[SHAPE_TEXT], needs[SHAPE_TEXT], x[SHAPE_TEXT];
    if (op->params < 1 || !op->has_w[0])
        return status_fail(STATUS_FAILED, "has no kernel");
    if (shape_equal(&op->w[0], &expected) || (other && shape_equal(&op->w[0], other)))
        return STATUS_OK;
    return status_fail(STATUS_FAILED, "kernel %s does not fit input %s with %zu filters in %zu groups: it needs %s",
                       shape_format(&op->w[0], has), shape_format(&op->x[0], x), op->attr.conv.filters,
                       op->attr.conv.groups, shape_format(&expected, needs));
}

/* A kernel of one row may be given without that extent, as layers of series have it. */
static void widen_kernel(OpDesc *op) {
    const size_t *w = op->w[0].dim;
    if (op->params > 0 && op->has_w[0] && op->w[0].rank == 3 && op->attr.conv.kernel[0] == 1)
        op->w[0] = SHAPE(1, w[0], w[1], w[2]);
}

static Status conv2d_shape(OpDesc *op) {
    ConvAttr *a = &op->attr.conv;
    widen_kernel(op);
    Window window = kernel_window(a);
    TRY(window_check(&window, &op->x[0]));
    TRY(check_groups(op));
    size_t channels = op->x[0].dim[2], filters = a->filters;
    Shape depthwise = SHAPE(a->kernel[0], a->kernel[1], channels, filters / a->groups);
    TRY(check_kernel(op, SHAPE(a->kernel[0], a->kernel[1], channels / a->groups, filters),
                     a->groups == channels ? &depthwise : NULL));
    TRY(check_bias(op));
    op->y = SHAPE(0, 0, filters);
    op->keeps_x = true;
    return window_positions(&window, &op->x[0], a->pad, op->y.dim);
}

static Status conv2d_transpose_shape(OpDesc *op) {
    ConvAttr *a = &op->attr.conv;
    widen_kernel(op);
    Window window = kernel_window(a);
    TRY(window_check(&window, &op->x[0]));
    if (a->groups != 1)
        return status_fail(STATUS_FAILED, "a transposed convolution in %zu groups is not supported", a->groups);
    TRY(check_kernel(op, SHAPE(a->kernel[0], a->kernel[1], a->filters, op->x[0].dim[2]), NULL));
    TRY(check_bias(op));
    op->y = SHAPE(0, 0, a->filters);
    op->keeps_x = true;
    return window_transposed(&window, &op->x[0], a->output_padding_set ? a->output_padding : NULL, a->pad, op->y.dim);
}

/* Each weight meets each position of the smaller image once (at the border fewer do, which is not counted). */
static double conv2d_flops(const OpDesc *op) {
    return 2 * (double)(op->y.dim[0] * op->y.dim[1]) * (double)shape_count(&op->w[0]);
}

static double conv2d_transpose_flops(const OpDesc *op) {
    return 2 * (double)(op->x[0].dim[0] * op->x[0].dim[1]) * (double)shape_count(&op->w[0]);
}

const OpRule op_rule_conv2d = {.shape = conv2d_shape, .flops = conv2d_flops};
const OpRule op_rule_conv2d_transpose = {.shape = conv2d_transpose_shape, .flops = conv2d_transpose_flops};
