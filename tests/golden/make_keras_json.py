#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes keras/keras3_*.json (model.to_json()) and beside each
  .weights  one line per weight, "layer extents...", in the order of Keras's model.layers
  .output   what the network makes of two examples, one line per number, when element k of weight number j (counted from 0
            in that order) is 0.3 sin(1 + 1.3 j + 0.7 k), 1 more for gamma and variances, and element k of input number i
            is sin(1 + 0.7 k + i)
Made with Keras 3.15, KERAS_BACKEND=torch."""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
from keras import layers as L

folder = pathlib.Path(__file__).parent / "keras"


def save(name, model):
    (folder / f"{name}.json").write_text(json.dumps(json.loads(model.to_json()), separators=(",", ":")) + "\n")
    lines = [" ".join([layer.name, *map(str, weight.shape)]) for layer in model.layers for weight in layer.weights]
    (folder / f"{name}.weights").write_text("".join(f"{line}\n" for line in lines))
    weights = [weight for layer in model.layers for weight in layer.weights]
    for j, weight in enumerate(weights):
        one = any(word in weight.path.rsplit("/", 1)[1] for word in ("gamma", "variance"))
        value = 0.3 * np.sin(1 + 1.3 * j + 0.7 * np.arange(np.prod(weight.shape, dtype=int))) + one
        weight.assign(value.reshape(weight.shape))
    inputs = []
    for i, tensor in enumerate(model.inputs):
        shape = (2, *tensor.shape[1:])
        inputs.append(np.sin(1 + 0.7 * np.arange(np.prod(shape)) + i).reshape(shape).astype("float32"))
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    numbers = np.concatenate([keras.ops.convert_to_numpy(output).ravel() for output in outputs])
    (folder / f"{name}.output").write_text("\n".join(f"{number:.8g}" for number in numbers) + "\n")


def sequential():
    return keras.Sequential(
        [
            keras.Input((12, 12, 3), name="in"),
            L.Conv2D(8, 3, activation="relu", kernel_regularizer="l2", name="conv"),
            L.BatchNormalization(name="bn"),
            L.SeparableConv2D(4, (3, 1), padding="same", depth_multiplier=2, name="separable"),
            L.DepthwiseConv2D(3, strides=2, use_bias=False, depthwise_initializer="he_normal", name="depthwise"),
            L.Dropout(0.25, noise_shape=(None, 1, 1, None), name="dropout"),
            L.Flatten(name="flat"),
            L.Dense(3, activation="softmax", trainable=False, name="fc"),
        ],
        name="sequential",
    )


def branches():
    """Two inputs, a shared layer, a residual sum whose branches differ in depth, two outputs."""
    a, b = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    shared = L.Conv2D(4, 3, padding="same", name="shared")
    x, y = shared(a), shared(b)
    short = L.Conv2D(6, 1, strides=2, name="shortcut")(x)
    long = L.Conv2D(6, 3, strides=2, padding="same", activation="relu", name="long1")(x)
    long = L.Conv2D(6, 3, padding="same", name="long2")(long)
    x = L.Add(name="sum")([long, short])
    x = L.GlobalAveragePooling2D(name="pool_x")(x)
    y = L.GlobalMaxPooling2D(name="pool_y")(y)
    z = L.Concatenate(name="both")([x, y])
    first = L.Dense(5, activation="softmax", name="class")(z)
    second = L.Dense(1, activation="sigmoid", name="flag")(y)
    return keras.Model([a, b], [first, second], name="branches")


def every_layer():
    x = i = keras.Input((16, 16, 3), name="in")
    x = L.Rescaling(2.0, offset=-0.5, name="rescaling")(x)
    x = L.Normalization(name="normalization")(x)
    x = L.Normalization(mean=[0.5, 0.1, -0.2], variance=[2.0, 0.5, 1.0], name="normalization_fixed")(x)
    x = L.Resizing(20, 24, name="resizing")(x)
    x = L.Resizing(20, 20, interpolation="nearest", crop_to_aspect_ratio=True, name="resizing_crop")(x)
    x = L.ZeroPadding2D(((1, 2), (3, 0)), name="padding")(x)
    x = L.Cropping2D((1, 1), name="cropping")(x)
    x = L.Conv2D(8, 3, strides=(2, 1), padding="same", groups=1, activation="relu6", name="conv")(x)
    x = L.BatchNormalization(scale=False, name="bn")(x)
    x = L.ReLU(6, negative_slope=0.1, name="relu")(x)
    x = L.Conv2D(8, 3, groups=2, dilation_rate=2, padding="same", activation="gelu", name="conv_groups")(x)
    x = L.GroupNormalization(4, name="group_norm")(x)
    x = L.LeakyReLU(0.1, name="leaky")(x)
    x = L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="hard_sigmoid", name="depthwise")(x)
    x = L.LayerNormalization(name="layer_norm")(x)
    x = L.ELU(0.5, name="elu")(x)
    x = L.SeparableConv2D(8, 3, padding="same", name="separable")(x)
    x = L.PReLU(shared_axes=[1, 2], name="prelu")(x)
    x = L.MaxPooling2D(3, strides=2, padding="same", name="max_pool")(x)
    x = L.AveragePooling2D((2, 2), name="average_pool")(x)
    x = L.Conv2DTranspose(4, 3, strides=2, padding="same", name="transpose")(x)
    x = L.UpSampling2D(2, interpolation="bilinear", name="up")(x)
    x = L.SpatialDropout2D(0.1, name="spatial")(x)
    x = L.Dropout(0.1, name="dropout")(x)
    y = L.Activation("silu", name="activation")(x)
    z = L.Conv2D(4, 1, kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "uniform"), name="one")(x)
    x = L.Add(name="add")([x, y])
    x = L.Subtract(name="subtract")([x, z])
    x = L.Multiply(name="multiply")([x, y])
    x = L.Average(name="average")([x, z])
    x = L.Maximum(name="maximum")([x, y])
    x = L.Concatenate(name="concatenate")([x, z])
    gate = L.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    x = L.Multiply(name="excite")([x, gate])
    x = L.Reshape((-1, 8), name="reshape")(x)
    x = L.Permute((2, 1), name="permute")(x)
    x = L.Flatten(name="flatten")(x)
    x = L.Dense(4, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02), name="dense")(x)
    x = L.Softmax(name="softmax")(x)
    return keras.Model(i, x, name="every_layer")


def activations():
    words = "linear relu relu6 leaky_relu elu selu sigmoid hard_sigmoid tanh softplus softsign silu swish hard_silu"
    words += " hard_swish gelu exponential softmax"
    i = keras.Input((8,), name="in")
    x = L.Rescaling(5.0, name="wide")(i)
    x = L.Concatenate(name="all")([L.Activation(word, name=f"a_{word}")(x) for word in words.split()])
    return keras.Model(i, x, name="activations")


folder.mkdir(exist_ok=True)
save("keras3_sequential", sequential())
save("keras3_branches", branches())
save("keras3_activations", activations())
save("keras3_every_layer", every_layer())
