#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes optimizer_files/: a small network trained for three steps by each optimizer and saved by Keras, and keras3.inc or,
with the argument 2, keras2.inc: all its weights after one more step in Keras, for unit/keras_optimizer.

Element k of the 8 examples of 4 numbers is sin(1 + 0.7 k), the class of example i is i % 3.

KERAS_BACKEND=torch python make_optimizer_files.py;  python make_optimizer_files.py 2.  Made with Keras 3.15, tf_keras 2.21."""
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
keras2 = sys.argv[1:] == ["2"]
if keras2:
    import tf_keras as keras

    legacy = keras.optimizers.legacy
else:
    import keras
import numpy as np

L = keras.layers
folder = pathlib.Path(__file__).parent / "optimizer_files"
x = np.sin(1 + 0.7 * np.arange(32)).reshape(8, 4).astype("float32")
y = np.arange(8) % 3
lines = []


def case(file, optimizer, frozen=False):
    keras.utils.set_random_seed(1)
    i = keras.Input((4,), name="in")
    z = L.Dense(5, activation="tanh", name="zeta")(i)  # names that do not sort as the layers stand
    z = L.BatchNormalization(name="alpha", momentum=0.5)(z)
    z = L.Dense(5, activation="tanh", name="frozen", trainable=not frozen)(z)
    model = keras.Model(i, L.Dense(3, activation="softmax", name="fc")(z), name="net")
    model.compile(optimizer, "sparse_categorical_crossentropy")
    for _ in range(3):
        model.train_on_batch(x, y)
    model.save(folder / file)
    model.train_on_batch(x, y)
    numbers = ", ".join(f"{n:.9g}" for layer in model.layers for w in layer.get_weights() for n in np.ravel(w))
    lines.append(f'{{"{file}", {{{numbers}}}}},\n')


O = keras.optimizers
if keras2:
    case("keras2_sgd.h5", O.SGD(0.1, momentum=0.9))
    case("keras2_sgd_plain.h5", O.SGD(0.1))
    case("keras2_adam.h5", O.Adam(0.01))
    case("keras2_adamw.h5", O.AdamW(0.01, weight_decay=0.1))
    case("keras2_rmsprop.h5", O.RMSprop(0.01, momentum=0.5))
    case("keras2_old_sgd.h5", legacy.SGD(0.1, momentum=0.9, nesterov=True))
    case("keras2_old_adam.h5", legacy.Adam(0.01), frozen=True)
    case("keras2_old_rmsprop.h5", legacy.RMSprop(0.01, momentum=0.5))
    case("keras2_adam.keras", O.Adam(0.01))
else:
    case("keras3_sgd.keras", O.SGD(0.1, momentum=0.9, nesterov=True))
    case("keras3_sgd_plain.keras", O.SGD(0.1))
    case("keras3_adam.keras", O.Adam(0.01), frozen=True)
    case("keras3_adamw.keras", O.AdamW(0.01, weight_decay=0.1))
    case("keras3_rmsprop.keras", O.RMSprop(0.01, momentum=0.5))
    case("keras3_adam.h5", O.Adam(0.01))
(folder / ("keras2.inc" if keras2 else "keras3.inc")).write_text("".join(lines))
