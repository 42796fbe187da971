# SPDX-License-Identifier: Apache-2.0
"""Writes forward.inc: what torch, Keras or numpy compute for small operations, for tests/ops/test_forward.c.

    KERAS_BACKEND=torch python tests/golden/make_forward.py > tests/golden/forward.inc

Inputs and weights are not stored: they are the small whole numbers of fill() here and in the test, so that convolutions
are exact in float.  Average pooling comes from numpy alone: with padding, Keras on torch differs from Keras
on TensorFlow, which counts the real pixels.
"""
import itertools
import os

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np
import torch
import torch.nn.functional as F

lines = []


def fill(shape, tensor):
    """Element i of tensor number t (x0, x1, ..: 0, 1, ..; w0, w1, ..: 100, 101, ..), from -8 to 7."""
    i = np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint64) + np.uint64(1000 * tensor)
    return ((i * np.uint64(2654435761) % np.uint64(2**32) >> np.uint64(28)).astype(np.float64) - 8).reshape(shape)


def braces(values):
    return "{%s}" % ", ".join(str(v) for v in values)


def shape_text(shape):
    return "{%d, %s}" % (len(shape), braces(shape)) if shape else "{0}"


def emit(op, name, n, inputs, weights, attr, y, origin):
    """inputs, weights: shapes without the batch; y: the expected output with it."""
    y = np.asarray(y, dtype=np.float64)
    numbers = ["%.9g" % v for v in y.ravel()]
    desc = ".kind = OP_%s, .n = %d, .inputs = %d, .x = {%s}" % (op, n, len(inputs), ", ".join(map(shape_text, inputs)))
    if weights:
        desc += ", .params = %d, .has_w = %s, .w = {%s}" % (
            len(weights), braces(["true"] * len(weights)), ", ".join(map(shape_text, weights)))
    if attr:
        desc += ", .attr." + attr
    lines.append('    /* %s */\n    {{"%s", {%s}, golden_fill},\n     {%s}, (const double[]){' % (
        origin, name, desc, shape_text(y.shape[1:])[1:-1]))
    for i in range(0, len(numbers), 16):
        lines.append("         " + ", ".join(numbers[i:i + 16]) + ",")
    lines.append("     }},")


def nchw(a):
    return torch.from_numpy(np.ascontiguousarray(a)).permute(0, 3, 1, 2)


def nhwc(t):
    return t.permute(0, 2, 3, 1).numpy()


def same_pads(n, extent, stride):
    total = max((-(-n // stride) - 1) * stride + extent - n, 0)
    return total // 2, total - total // 2


def conv_attr(kernel, stride, dilation, groups, filters, padding, more=""):
    return "conv = {.kernel = %s, .stride = %s, .dilation = %s, .groups = %d, .filters = %d, .padding = PADDING_%s%s}" % (
        braces(kernel), braces(stride), braces(dilation), groups, filters, padding.upper(), more)


def conv(name, n, shape, kernel, filters, stride=(1, 1), dilation=(1, 1), groups=1, padding="valid"):
    """torch's conv2d with the padding put on before, confirmed by Keras."""
    x = fill((n, *shape), 0)
    w = fill((*kernel, shape[2] // groups, filters), 100)
    b = fill((filters,), 101)
    padded = x
    if padding == "same":
        pads = [same_pads(shape[i], (kernel[i] - 1) * dilation[i] + 1, stride[i]) for i in range(2)]
        padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    y = nhwc(F.conv2d(nchw(padded), torch.from_numpy(w).permute(3, 2, 0, 1), torch.from_numpy(b), stride,
                      dilation=dilation, groups=groups))
    k = keras.ops.conv(x, w, strides=stride, padding=padding, data_format="channels_last", dilation_rate=dilation)
    assert np.array_equal(keras.ops.convert_to_numpy(k) + b, y), name
    emit("CONV2D", name, n, [shape], [w.shape, b.shape], conv_attr(kernel, stride, dilation, groups, filters, padding), y,
         "torch, Keras")


def depthwise(name, n, shape, kernel, multiplier, stride=(1, 1), padding="same"):
    x = fill((n, *shape), 0)
    w = fill((*kernel, shape[2], multiplier), 100)
    y = keras.ops.convert_to_numpy(keras.ops.depthwise_conv(x, w, strides=stride, padding=padding,
                                                            data_format="channels_last"))
    emit("CONV2D", name, n, [shape], [w.shape],
         conv_attr(kernel, stride, (1, 1), shape[2], shape[2] * multiplier, padding), y, "Keras")


def transpose(n, shape, kernel, filters, stride, padding, dilation=1, more=None):
    """torch's uncropped transposed convolution, cropped (or extended) to Keras's length, the smaller half in front;
    confirmed by Keras.  more: output padding."""
    name = "%dx%d stride %d %s" % (kernel, kernel, stride, padding)
    name += " dilation %d" % dilation if dilation > 1 else ""
    name += " output padding %d" % more if more is not None else ""
    x = fill((n, *shape), 0)
    w = fill((kernel, kernel, filters, shape[2]), 100)
    b = fill((filters,), 101)
    y = nhwc(F.conv_transpose2d(nchw(x), torch.from_numpy(w).permute(3, 2, 0, 1), stride=stride, dilation=dilation))
    extent = (kernel - 1) * dilation + 1
    for axis in range(2):
        size = shape[axis]
        if more is not None:
            length = (size - 1) * stride + extent - (2 * (extent // 2) if padding == "same" else 0) + more
        else:
            length = size * stride if padding == "same" else (size - 1) * stride + max(extent, stride)
        front = max(y.shape[axis + 1] - length, 0) // 2
        y = np.pad(y, [(0, max(length - y.shape[axis + 1], 0) if i == axis + 1 else 0) for i in range(4)])
        y = np.take(y, range(front, front + length), axis + 1)
    k = keras.ops.conv_transpose(x, w, stride, padding, output_padding=more, dilation_rate=dilation,
                                 data_format="channels_last")
    assert np.array_equal(keras.ops.convert_to_numpy(k), y), name
    attr = ", .output_padding_set = true, .output_padding = {%d, %d}" % (more, more) if more is not None else ""
    emit("CONV2D_TRANSPOSE", name, n, [shape], [w.shape, b.shape],
         conv_attr((kernel,) * 2, (stride,) * 2, (dilation,) * 2, 1, filters, padding, attr), y + b, "torch, Keras")


def pool(kind, n, shape, size, stride, padding):
    """numpy: the maximum or mean of the real pixels of each window."""
    x = fill((n, *shape), 0)
    pads = [same_pads(shape[i], size[i], stride[i])[0] if padding == "same" else 0 for i in range(2)]
    counts = [-(-shape[i] // stride[i]) if padding == "same" else (shape[i] - size[i]) // stride[i] + 1 for i in range(2)]
    y = np.zeros((n, *counts, shape[2]))
    for p, q in itertools.product(*map(range, counts)):
        top, left = p * stride[0] - pads[0], q * stride[1] - pads[1]
        window = x[:, max(top, 0):top + size[0], max(left, 0):left + size[1]]
        y[:, p, q] = (np.max if kind == "MAX" else np.mean)(window, axis=(1, 2))
    if kind == "MAX":
        k = keras.ops.max_pool(x, size, stride, padding, data_format="channels_last")
        assert np.array_equal(keras.ops.convert_to_numpy(k), y)
    emit(kind + "_POOL2D", "%dx%d stride %dx%d %s" % (*size, *stride, padding), n, [shape], [],
         "pool = {.size = %s, .stride = %s, .padding = PADDING_%s}" % (braces(size), braces(stride), padding.upper()), y,
         "numpy, Keras" if kind == "MAX" else "numpy")


def resize(n, shape, height, width, nearest):
    x = fill((n, *shape), 0)
    y = nhwc(F.interpolate(nchw(x), (height, width), mode="nearest-exact" if nearest else "bilinear"))
    emit("RESIZE2D", "%dx%d to %dx%d %s" % (*shape[:2], height, width, "nearest" if nearest else "bilinear"), n, [shape], [],
         "resize = {%d, %d, INTERPOLATE_%s}" % (height, width, "NEAREST" if nearest else "BILINEAR"), y, "torch")


def others():
    x = fill((2, 3, 4, 2), 0)
    emit("PERMUTE", "2 0 1", 2, [(3, 4, 2)], [], "permute = {{2, 0, 1}}", x.transpose(0, 3, 1, 2), "numpy")
    emit("PAD2D", "1 2 3 0", 2, [(3, 4, 2)], [], "pad = {{{1, 2}, {3, 0}}}", np.pad(x, [(0, 0), (1, 2), (3, 0), (0, 0)]), "numpy")
    emit("CROP2D", "1 0 1 2", 2, [(3, 4, 2)], [], "pad = {{{1, 0}, {1, 2}}}", x[:, 1:, 1:2], "numpy")
    for axis, shape in enumerate([(1, 4, 2), (3, 2, 2), (3, 4, 1)]):
        emit("CONCAT", "axis %d" % axis, 2, [(3, 4, 2), shape], [], "axis = %d" % axis,
             np.concatenate([x, fill((2, *shape), 1)], axis + 1), "numpy")
    emit("GLOBAL_MAX_POOL2D", "to a vector", 2, [(3, 4, 2)], [], "", x.max((1, 2)), "numpy")
    emit("GLOBAL_AVERAGE_POOL2D", "keepdims", 2, [(3, 4, 2)], [], "pool = {.keepdims = true}",
         x.mean((1, 2), keepdims=True), "numpy")
    emit("DENSE", "last axis", 2, [(3, 5)], [(5, 4), (4,)], "", fill((2, 3, 5), 0) @ fill((5, 4), 100) + fill((4,), 101), "numpy")
    emit("RESCALE", "to -1 .. 1", 2, [(3, 4, 2)], [], "rescale = {0.125, -1}", x * 0.125 - 1, "numpy")


def main():
    conv("3x3 valid", 2, (5, 4, 2), (3, 3), 3)
    conv("3x3 same stride 2, even", 1, (6, 8, 2), (3, 3), 2, (2, 2), padding="same")
    conv("3x3 same stride 2, odd", 1, (5, 7, 2), (3, 3), 2, (2, 2), padding="same")
    conv("2x4 same stride 1", 1, (4, 5, 1), (2, 4), 2, padding="same")
    conv("5x4 same stride 3x2", 1, (7, 8, 1), (5, 4), 2, (3, 2), padding="same")
    conv("1x1 same stride 2", 1, (5, 6, 2), (1, 1), 2, (2, 2), padding="same")
    conv("dilation 2 valid", 1, (7, 6, 1), (3, 2), 2, dilation=(2, 2))
    conv("dilation 2x3 same", 1, (6, 7, 1), (3, 2), 2, dilation=(2, 3), padding="same")
    conv("groups 2", 1, (4, 4, 4), (3, 3), 6, groups=2, padding="same")
    conv("groups 3 stride 2", 1, (5, 5, 6), (2, 3), 3, (2, 2), groups=3)
    depthwise("depthwise", 1, (4, 5, 3), (3, 3), 1)
    depthwise("depthwise multiplier 2 stride 2", 1, (6, 5, 3), (3, 3), 2, (2, 2))
    for stride, kernel, padding in itertools.product([1, 2, 3], [2, 3, 4, 5], ["valid", "same"]):
        transpose(1, (2, 3, 2), kernel, 1, stride, padding)
    transpose(1, (2, 3, 2), 2, 3, 2, "same")
    transpose(1, (3, 3, 1), 3, 1, 1, "same", 2)
    transpose(1, (2, 3, 1), 3, 1, 2, "same", more=1)
    transpose(1, (2, 3, 1), 4, 1, 3, "same", more=0)
    transpose(1, (2, 3, 1), 3, 1, 3, "valid", more=2)
    for kind in ["MAX", "AVERAGE"]:
        pool(kind, 1, (5, 6, 2), (2, 2), (2, 2), "valid")
        pool(kind, 1, (5, 6, 2), (3, 3), (2, 2), "same")
        pool(kind, 1, (4, 6, 1), (3, 2), (1, 3), "same")
    for nearest in [False, True]:
        for height, width in [(6, 8), (7, 5), (2, 3), (1, 1), (5, 2)]:
            resize(1, (3, 4, 2), height, width, nearest)
    others()
    print("/* SPDX-License-Identifier: Apache-2.0\n *\n * Made by make_forward.py with torch %s, Keras %s, numpy %s.  Not to be edited. */"
          % (torch.__version__.split("+")[0], keras.__version__, np.__version__))
    print("static const Golden goldens[] = {")
    print("\n".join(lines))
    print("};")


main()
