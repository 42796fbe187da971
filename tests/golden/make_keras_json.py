#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes keras/keras3_*.json (model.to_json()) and beside each
  .weights  one line per weight, "layer extents...", in the order of Keras's model.layers
  .output   what the network makes of two examples, one line per number, when element k of weight number j (counted from 0
            in that order) is 0.3 sin(1 + 1.3 j + 0.7 k), 1 more for gamma and variances, and element k of input number i
            is v = sin(1 + 0.7 k + i), or floor(3 + 3 v) where it is a whole number; extents that are left open are 10
Made with Keras 3.15 on TensorFlow 2.21: on PyTorch its average pooling pads otherwise."""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
from keras import layers as L
from keras.src.applications.convnext import LayerScale, StochasticDepth
from keras.src.applications.inception_resnet_v2 import CustomScaleLayer

folder = pathlib.Path(__file__).parent / "keras"


def save(name, model):
    (folder / f"{name}.json").write_text(json.dumps(json.loads(model.to_json()), separators=(",", ":")) + "\n")
    lines = [" ".join([layer.name, *map(str, weight.shape)]) for layer in model.layers for weight in layer.weights]
    (folder / f"{name}.weights").write_text("".join(f"{line}\n" for line in lines))
    weights = [weight for layer in model.layers for weight in layer.weights]
    for j, weight in enumerate(weights):
        one = any(word in weight.path.rsplit("/", 1)[1] for word in ("gamma", "variance", "variable"))  # of LayerScale
        value = 0.3 * np.sin(1 + 1.3 * j + 0.7 * np.arange(np.prod(weight.shape, dtype=int))) + one
        weight.assign(value.reshape(weight.shape))
    for layer in model.layers:
        if isinstance(layer, L.Normalization):
            layer.finalize_state()  # it computes with copies of its weights
    inputs = []
    for i, tensor in enumerate(model.inputs):
        shape = (2, *(extent or 10 for extent in tensor.shape[1:]))
        values = np.sin(1 + 0.7 * np.arange(np.prod(shape)) + i)
        if "int" in tensor.dtype:
            values = np.floor(3 + 3 * values)
        inputs.append(values.reshape(shape).astype(tensor.dtype))
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
    x = L.Rescaling([0.5, 1.0, 2.0], offset=[0.1, 0.2, 0.3], name="rescaling_channels")(x)
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
    x = L.AlphaDropout(0.1, name="alpha_dropout")(x)
    x = L.GaussianDropout(0.1, name="gaussian_dropout")(x)
    x = L.GaussianNoise(0.1, name="gaussian_noise")(x)
    y = L.Activation("silu", name="activation")(x)
    z = L.Conv2D(4, 1, kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "uniform"), name="one")(x)
    x = L.Add(name="add")([x, y])
    y = StochasticDepth(0.2, name="stochastic_depth")(LayerScale(0.5, 4, name="layer_scale")(y))
    x = CustomScaleLayer(0.3, name="custom_scale")([x, y])
    x = L.Subtract(name="subtract")([x, z])
    x = L.Multiply(name="multiply")([x, y])
    x = L.Average(name="average")([x, z])
    x = L.Maximum(name="maximum")([x, y])
    x = L.Concatenate(name="concatenate")([x, z])
    gate = L.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    x = L.Multiply(name="excite")([x, gate])
    x = L.Reshape((-1, 8), name="reshape")(x)
    x = L.SpatialDropout1D(0.1, name="spatial1d")(x)
    x = L.Permute((2, 1), name="permute")(x)
    x = L.Flatten(name="flatten")(x)
    x = L.Identity(name="identity")(x)
    x = L.Dense(4, kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02), name="dense")(x)
    x = L.Softmax(name="softmax")(x)
    return keras.Model(i, x, name="every_layer")


def activations():
    words = "linear relu relu6 leaky_relu elu selu sigmoid hard_sigmoid tanh softplus softsign silu swish hard_silu"
    words += " hard_swish gelu mish celu exponential softmax"
    i = keras.Input((8,), name="in")
    x = L.Rescaling(5.0, name="wide")(i)
    x = L.Concatenate(name="all")([L.Activation(word, name=f"a_{word}")(x) for word in words.split()])
    return keras.Model(i, x, name="activations")


def norm(x, name, activation=None):
    x = L.BatchNormalization(epsilon=1.001e-5, name=f"{name}_bn")(x)
    return L.Activation(activation, name=f"{name}_{activation}")(x) if activation else x


def inverted_residual():
    """MobileNetV3, EfficientNet: input of open size, scaling, inverted residual with squeeze and excitation."""
    i = keras.Input((None, None, 3), name="in")
    x = short = L.Rescaling(1 / 2, offset=-0.5, name="rescaling")(i)
    x = norm(L.Conv2D(6, 1, padding="same", use_bias=False, name="expand")(x), "expand", "hard_silu")
    x = L.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(x)
    x = norm(L.DepthwiseConv2D(3, strides=2, padding="valid", use_bias=False, name="depthwise")(x), "depthwise", "silu")
    gate = L.GlobalAveragePooling2D(keepdims=True, name="squeeze")(x)
    gate = L.ReLU(name="reduce_relu")(L.Conv2D(2, 1, name="reduce")(gate))
    gate = L.ReLU(6.0, name="gate")(L.Conv2D(6, 1, name="excite")(gate) + 3.0) * (1.0 / 6.0)
    x = L.Multiply(name="excited")([x, gate])
    x = norm(L.Conv2D(3, 1, use_bias=False, name="project")(x), "project")
    x = L.Dropout(0.2, noise_shape=(None, 1, 1, 1), name="drop")(x)
    x = L.Add(name="sum")([L.AveragePooling2D(2, name="short")(short), x])
    x = L.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(i, L.Dense(3, name="fc")(x), name="inverted_residual")


def dense_block():
    """DenseNet: concatenations that grow, a transition."""
    x = i = keras.Input((7, 6, 3), name="in")
    for block in range(2):
        y = norm(x, f"a{block}", "relu")
        y = norm(L.Conv2D(4, 1, use_bias=False, name=f"wide{block}")(y), f"b{block}", "relu")
        y = L.Conv2D(2, 3, padding="same", use_bias=False, name=f"narrow{block}")(y)
        x = L.Concatenate(name=f"concat{block}")([x, y])
    x = L.AveragePooling2D(2, strides=2, name="transition")(x)
    x = L.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(i, L.Dense(3, name="fc")(x), name="dense_block")


def inception():
    """InceptionV3, InceptionResNetV2: branches, factorized convolutions, average pooling that pads, a scaled sum."""
    i = keras.Input((7, 6, 3), name="in")
    a = norm(L.Conv2D(2, (1, 3), padding="same", use_bias=False, name="a1")(i), "a1", "relu")
    a = norm(L.Conv2D(3, (3, 1), padding="same", use_bias=False, name="a2")(a), "a2", "relu")
    b = L.AveragePooling2D(3, strides=1, padding="same", name="average")(i)
    b = norm(L.Conv2D(2, 1, use_bias=False, name="b1")(b), "b1", "relu")
    x = L.Concatenate(axis=3, name="mixed")([a, b])
    x = CustomScaleLayer(0.17, name="scaled")([i, L.Conv2D(3, 1, name="up")(x)])
    x = L.MaxPooling2D(3, strides=2, name="reduce")(L.Activation("relu", name="relu")(x))
    x = L.GlobalMaxPooling2D(name="pool")(x)
    return keras.Model(i, L.Dense(3, name="fc")(x), name="inception")


def convnext():
    i = keras.Input((8, 8, 3), name="in")
    x = L.LayerNormalization(epsilon=1e-6, name="stem_norm")(L.Conv2D(4, 4, strides=4, name="stem")(i))
    y = L.Conv2D(4, 7, padding="same", groups=4, name="depthwise")(x)
    y = L.Dense(8, name="wide")(L.LayerNormalization(epsilon=1e-6, name="norm")(y))
    y = L.Dense(4, name="narrow")(L.Activation("gelu", name="gelu")(y))
    y = StochasticDepth(0.1, name="depth")(LayerScale(1e-6, 4, name="layer_scale")(y))
    x = L.GlobalAveragePooling2D(name="pool")(L.Add(name="add")([x, y]))
    x = L.LayerNormalization(epsilon=1e-6, name="head_norm")(x)
    return keras.Model(i, L.Dense(3, name="fc")(x), name="convnext")


def nasnet_cell():
    """A reduction cell: a path shifted by one pixel, separable convolutions, pools, sums, a concatenation."""
    i = keras.Input((7, 7, 3), name="in")
    x = L.Activation("relu", name="relu")(i)
    a = L.AveragePooling2D(1, strides=2, name="pool_a")(x)
    b = L.Cropping2D(((1, 0), (1, 0)), name="crop")(L.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(x))
    b = L.AveragePooling2D(1, strides=2, name="pool_b")(b)
    p = [L.Conv2D(2, 1, use_bias=False, name=f"conv_{name}")(path) for name, path in (("a", a), ("b", b))]
    p = norm(L.Concatenate(name="adjust")(p), "adjust")
    s = L.ZeroPadding2D(((2, 3), (2, 3)), name="separable_pad")(x)
    s = L.SeparableConv2D(4, 5, strides=2, use_bias=False, name="separable")(s)
    s = norm(s, "separable")
    m = L.MaxPooling2D(3, strides=2, padding="same", name="max")(x)
    v = L.AveragePooling2D(3, strides=2, padding="same", name="average")(x)
    x = L.Concatenate(name="concat")([L.Add(name="add_1")([p, s]), L.Add(name="add_2")([m, v])])
    x = L.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(i, L.Dense(3, name="fc")(x), name="nasnet_cell")


def augmentation():
    """Layers that change images in training only."""
    x = i = keras.Input((8, 8, 3), name="in")
    x = L.RandomFlip("horizontal", name="flip")(x)
    x = L.RandomCrop(8, 8, seed=1, name="crop")(x)
    x = L.RandomRotation(0.1, fill_mode="constant", fill_value=3.0, name="rotation")(x)
    x = L.RandomTranslation(0.1, (-0.2, 0.3), interpolation="nearest", name="translation")(x)
    x = L.RandomZoom(0.2, name="zoom")(x)
    x = L.RandomZoom((-0.1, 0.2), 0.3, fill_mode="nearest", name="zoom_both")(x)
    x = L.Rescaling(0.5, name="rescaling")(x)
    x = L.RandomContrast(0.2, value_range=(-1, 1), name="contrast")(x)
    x = L.RandomBrightness((-0.1, 0.2), value_range=(-1, 1), name="brightness")(x)
    x = L.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(i, L.Dense(3, name="fc")(x), name="augmentation")


def series():
    """Every layer of series: two branches that meet again, paddings, strides, dilation, groups."""
    x = i = keras.Input((24, 3), name="in")
    x = L.ZeroPadding1D((2, 1), name="padding")(x)
    x = L.Conv1D(8, 5, strides=2, name="conv")(x)
    x = L.BatchNormalization(name="bn")(x)
    x = L.ReLU(name="relu")(x)
    x = L.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="elu", name="causal")(x)
    x = L.Conv1D(8, 4, padding="same", groups=2, use_bias=False, name="groups")(x)
    x = L.Activation("relu", name="late_relu")(x)
    x = L.DepthwiseConv1D(3, depth_multiplier=2, padding="same", activation="tanh", name="depthwise")(x)
    x = L.SeparableConv1D(6, 3, padding="same", dilation_rate=2, name="separable")(x)
    x = L.UpSampling1D(3, name="up")(x)
    x = L.Cropping1D((2, 0), name="cropping")(x)
    y = L.MaxPooling1D(3, strides=2, padding="same", name="max_pool")(x)
    z = L.AveragePooling1D(3, strides=2, padding="same", name="average_pool")(x)
    x = L.Add(name="add")([y, L.Dense(6, name="dense")(z)])
    x = L.Conv1DTranspose(5, 4, strides=3, padding="same", name="transpose")(x)
    x = L.Conv1DTranspose(5, 3, strides=2, padding="valid", output_padding=1, name="transpose_more")(x)
    x = L.LayerNormalization(name="layer_norm")(x)
    x = L.SpatialDropout1D(0.1, name="spatial")(x)
    x = L.Concatenate(name="concatenate")([x, L.Conv1D(2, 1, name="one")(x)])
    x = L.MaxPooling1D(4, name="pool")(x)
    keep = L.Flatten(name="flat")(L.GlobalMaxPooling1D(keepdims=True, name="keep")(x))
    x = [L.GlobalAveragePooling1D(name="average")(x), L.GlobalMaxPooling1D(name="max")(x), keep]
    return keras.Model(i, L.Dense(3, name="fc")(L.Concatenate(name="all")(x)), name="series")


def tokens():
    """Words (Kim's network) and letters of words, read by Embedding."""
    words, letters = keras.Input((12,), dtype="int32", name="words"), keras.Input((4, 3), dtype="int32", name="letters")
    x = L.Embedding(9, 6, name="embedding")(words)
    pools = [
        L.GlobalMaxPooling1D(name=f"max{width}")(L.Conv1D(4, width, activation="relu", name=f"conv{width}")(x))
        for width in (3, 4, 5)
    ]
    y = L.Embedding(7, 2, embeddings_initializer="glorot_normal", name="characters")(letters)
    y = L.Flatten(name="flat")(y)
    x = L.Dropout(0.5, name="dropout")(L.Concatenate(name="all")([*pools, y]))
    return keras.Model([words, letters], L.Dense(3, activation="softmax", name="fc")(x), name="tokens")


def volume():
    """Every layer of volumes."""
    x = i = keras.Input((6, 9, 8, 2), name="in")
    x = L.ZeroPadding3D(((1, 0), (0, 1), (2, 1)), name="padding")(x)
    x = L.Conv3D(4, (3, 2, 3), strides=(1, 2, 1), padding="same", activation="relu", name="conv")(x)
    x = L.Cropping3D(((0, 1), (1, 0), (0, 2)), name="cropping")(x)
    x = L.BatchNormalization(name="bn")(x)
    x = L.Conv3D(4, 2, groups=2, dilation_rate=(2, 1, 2), use_bias=False, name="groups")(x)
    x = L.ReLU(name="relu")(x)
    x = L.UpSampling3D((2, 1, 3), name="up")(x)
    y = L.MaxPooling3D((3, 2, 2), strides=2, padding="same", name="max_pool")(x)
    z = L.AveragePooling3D(3, strides=2, padding="same", name="average_pool")(x)
    x = L.SpatialDropout3D(0.1, name="spatial")(L.Add(name="add")([y, z]))
    x = L.Conv3D(5, 1, strides=(2, 1, 1), name="one")(x)
    x = L.MaxPooling3D((1, 2, 1), name="pool")(x)
    keep = L.Flatten(name="flat")(L.GlobalMaxPooling3D(keepdims=True, name="keep")(x))
    x = [L.GlobalAveragePooling3D(name="average")(x), L.GlobalMaxPooling3D(name="max")(x), keep]
    return keras.Model(i, L.Dense(3, name="fc")(L.Concatenate(name="all")(x)), name="volume")


folder.mkdir(exist_ok=True)
save("keras3_sequential", sequential())
save("keras3_branches", branches())
save("keras3_activations", activations())
save("keras3_every_layer", every_layer())
for make in (inverted_residual, dense_block, inception, convnext, nasnet_cell, augmentation, series, tokens, volume):
    save(f"keras3_{make.__name__}", make())
