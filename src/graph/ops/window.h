/* SPDX-License-Identifier: Apache-2.0
 *
 * The sizes of sliding windows: convolution kernels and pooling windows over an image [H, W, C]. */
#ifndef GRAPH_OPS_WINDOW_H
#define GRAPH_OPS_WINDOW_H
#include "backend/op.h"
#include "base/status.h"

/* All arrays are [height, width]. */
typedef struct Window {
    const char *name; /* for messages: "kernel" */
    size_t size[2], stride[2], dilation[2];
    Padding padding;
} Window;

/* *x is an image with three dimensions, and the window's sizes are in 1 .. 2^31 - 1. */
Status window_check(const Window *window, const Shape *x);

/* The padding and the number of window positions along both axes, with the window's extent e = (size - 1) dilation + 1:
 *   valid     no padding;                             count = floor((n - e) / stride) + 1
 *   same      count = ceil(n / stride);  total padding = max((count - 1) stride + e - n, 0), the smaller half before
 *   explicit  pad as given, each less than e;         count = floor((n + before + after - e) / stride) + 1
 * (tensorflow.org/api_docs/python/tf/nn, "Notes on padding").  Fails when no window fits. */
Status window_positions(const Window *window, const Shape *x, size_t pad[2][2], size_t count[2]);

/* The transposed case: x holds the positions, and *length is the image that they cover, with e as above:
 *   valid     length = (n - 1) stride + max(e, stride)
 *   same      length = n stride
 *   explicit  length = (n - 1) stride + e - before - after
 * or with output_padding (NULL: none; each less than the stride):
 *   length = (n - 1) stride + e - 2 floor(e / 2) [same only] - before - after [explicit only] + output_padding
 * What the windows cover beyond that is cropped: pad, the smaller half before (same).  As Keras's Conv2DTranspose. */
Status window_transposed(const Window *window, const Shape *x, const size_t *output_padding, size_t pad[2][2],
                         size_t length[2]);

#endif
