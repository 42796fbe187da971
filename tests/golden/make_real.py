#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes real.inc: what tf_keras (Keras 2) makes of networks that others trained, for unit/real_files.

    python make_real.py FOLDER        FOLDER: the models, CNN_TEST_DATA/models

Pixel k of two images is floor(127.5 + 127.5 sin(1 + 0.37 k)), 0 to 255; `scale` and `offset` (per channel; channels reversed for
caffe) make it what the network was trained with.  The SqueezeNet file has weights only, without the last convolution, and
names that Keras 3 refuses: the network is written here, the last convolution's numbers are 0.05 sin(1 + 0.7 k).
Made with tf_keras 2.21."""
import pathlib
import sys

import numpy as np
import tf_keras as keras

L = keras.layers
folder = pathlib.Path(sys.argv[1])
CAFFE = [103.939, 116.779, 123.68]  # blue, green, red


def pixels(shape):
    return np.floor(127.5 + 127.5 * np.sin(1 + 0.37 * np.arange(2 * np.prod(shape)))).reshape(2, *shape).astype("float32")


def fire(x, name, squeeze, expand):
    x = L.Conv2D(squeeze, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    a = L.Conv2D(expand, 1, activation="relu", name=f"{name}_expand1x1")(x)
    b = L.Conv2D(expand, 3, padding="same", activation="relu", name=f"{name}_expand3x3")(x)
    return L.Concatenate()([a, b])


def squeezenet(file):
    i = keras.Input((227, 227, 3))
    x = L.MaxPooling2D(3, 2)(L.Conv2D(64, 3, 2, activation="relu", name="conv1")(i))
    x = L.MaxPooling2D(3, 2)(fire(fire(x, "fire2", 16, 64), "fire3", 16, 64))
    x = L.MaxPooling2D(3, 2)(fire(fire(x, "fire4", 32, 128), "fire5", 32, 128))
    for number, squeeze, expand in ((6, 48, 192), (7, 48, 192), (8, 64, 256), (9, 64, 256)):
        x = fire(x, f"fire{number}", squeeze, expand)
    x = L.Conv2D(10, 1, activation="relu", name="conv10")(x)
    model = keras.Model(i, L.Softmax()(L.GlobalAveragePooling2D()(x)))
    layers = [layer for layer in model.layers if layer.weights]
    import h5py

    with h5py.File(file) as f:
        names = [n.decode() for n in f.attrs["layer_names"]]
        stored = {n.replace("/", "_"): [f[n][w][()] for w in f[n].attrs["weight_names"]] for n in names}
    for layer in layers[:-1]:
        layer.set_weights(stored[layer.name])
    shapes = [w.shape for w in layers[-1].weights]
    layers[-1].set_weights([0.05 * np.sin(1 + 0.7 * np.arange(np.prod(s))).reshape(s) for s in shapes])
    return model


lines = []
for file, mode in (
    ("mnist_cnn.h5", "none"),
    ("fer2013_mini_XCEPTION.102-0.66.hdf5", "tf"),
    ("fer2013_big_XCEPTION.54-0.66.hdf5", "tf"),
    ("squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5", "caffe"),
):
    caffe = mode == "caffe"
    model = squeezenet(folder / file) if caffe else keras.models.load_model(folder / file, compile=False)
    x = pixels(model.input_shape[1:])
    x = x[..., ::-1] - CAFFE if caffe else x / 127.5 - 1 if mode == "tf" else x
    y = model.predict(x, verbose=0)
    numbers = ", ".join(f"{number:.8g}" for number in y.ravel())
    lines.append(f'{{"{file}", {f"{chr(34)}squeezenet{chr(34)}" if caffe else "NULL"}, "{mode}", {y.shape[1]}, {{{numbers}}}}},\n')
(pathlib.Path(__file__).parent / "real.inc").write_text(
    "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by make_real.py: do not edit. */\n" + "".join(lines))
