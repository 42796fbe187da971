/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/ops/window.h"
#include "graph/ops/rules.h"
#include <stdio.h>

Status window_check(const Window *window, const Shape *x) {
    char text[SHAPE_TEXT];
    if (x->rank != 3)
        return status_fail(STATUS_FAILED, "input %s is no image: it needs height, width and channels",
                           shape_format(x, text));
    for (int axis = 0; axis < 2; axis++) {
        const size_t sizes[] = {window->size[axis], window->stride[axis], window->dilation[axis]};
        for (size_t i = 0; i < 3; i++)
            if (sizes[i] < 1 || sizes[i] > RULE_EXTENT_MAX)
                return status_fail(STATUS_FAILED,
                                   "%s %zux%zu, stride %zux%zu, dilation %zux%zu: each must be at least 1%s",
                                   window->name, window->size[0], window->size[1], window->stride[0], window->stride[1],
                                   window->dilation[0], window->dilation[1], sizes[i] ? " and below 2^31" : "");
    }
    return STATUS_OK;
}

static size_t extent(const Window *window, int axis) {
    return (window->size[axis] - 1) * window->dilation[axis] + 1;
}

static Status does_not_fit(const Window *window, const Shape *x) {
    char text[SHAPE_TEXT], dilated[64] = "";
    if (window->dilation[0] > 1 || window->dilation[1] > 1)
        snprintf(dilated, sizeof dilated, " of dilation %zux%zu", window->dilation[0], window->dilation[1]);
    return status_fail(STATUS_FAILED, "input %s is smaller than the %zux%zu %s%s with %s padding",
                       shape_format(x, text), window->size[0], window->size[1], window->name, dilated,
                       window->padding == PADDING_VALID ? "valid" : "explicit");
}

static Status check_explicit(const Window *window, size_t pad[2][2]) {
    for (int axis = 0; axis < 2; axis++)
        for (int side = 0; side < 2; side++)
            if (pad[axis][side] >= extent(window, axis))
                return status_fail(STATUS_FAILED, "padding %zu is not smaller than the %zux%zu %s", pad[axis][side],
                                   window->size[0], window->size[1], window->name);
    return STATUS_OK;
}

static void split(size_t total, size_t pad[2]) {
    pad[0] = total / 2;
    pad[1] = total - pad[0];
}

Status window_positions(const Window *window, const Shape *x, size_t pad[2][2], size_t count[2]) {
    if (window->padding == PADDING_EXPLICIT)
        TRY(check_explicit(window, pad));
    for (int axis = 0; axis < 2; axis++) {
        size_t n = x->dim[axis], stride = window->stride[axis], e = extent(window, axis);
        if (window->padding == PADDING_SAME) {
            count[axis] = (n - 1) / stride + 1;
            size_t covered = (count[axis] - 1) * stride + e;
            split(covered > n ? covered - n : 0, pad[axis]);
            continue;
        }
        if (window->padding == PADDING_VALID)
            pad[axis][0] = pad[axis][1] = 0;
        n += pad[axis][0] + pad[axis][1];
        if (n < e)
            return does_not_fit(window, x);
        count[axis] = (n - e) / stride + 1;
    }
    return STATUS_OK;
}

Status window_transposed(const Window *window, const Shape *x, const size_t *output_padding, size_t pad[2][2],
                         size_t length[2]) {
    if (window->padding == PADDING_EXPLICIT)
        TRY(check_explicit(window, pad));
    for (int axis = 0; axis < 2; axis++) {
        size_t stride = window->stride[axis], e = extent(window, axis);
        size_t more = output_padding ? output_padding[axis] : 0;
        size_t covered = (x->dim[axis] - 1) * stride + e, cropped = 0, total = covered + more;
        if (more >= stride)
            return status_fail(STATUS_FAILED, "output padding %zu is not smaller than the stride %zu", more, stride);
        if (window->padding == PADDING_EXPLICIT)
            cropped = pad[axis][0] + pad[axis][1];
        else if (window->padding == PADDING_SAME)
            cropped = output_padding ? e / 2 * 2 : 0;
        if (total <= cropped)
            return status_fail(STATUS_FAILED, "padding %zu leaves nothing of the %zu elements that the %s covers",
                               cropped, covered, window->name);
        length[axis] = total - cropped;
        if (window->padding != PADDING_EXPLICIT && !output_padding)
            length[axis] =
                window->padding == PADDING_SAME ? x->dim[axis] * stride : covered + (stride > e ? stride - e : 0);
        if (window->padding != PADDING_EXPLICIT)
            split(covered > length[axis] ? covered - length[axis] : 0, pad[axis]);
    }
    return STATUS_OK;
}
