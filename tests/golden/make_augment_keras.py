#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes augment_keras.inc for tests/unit/test_augmentation.c: networks that begin with Keras's Random... layers, whose ranges
are one number each, as JSON; by what pixels are multiplied before, and whether channels are reversed; a and b of each channel, the layers being pixel * a + b when
not training; and what they make of the first picture of make_augment.py when training.  Made with Keras 3 on TensorFlow."""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
from keras import layers as L

picture = np.random.default_rng(3).integers(0, 256, (6, 8, 3)).astype("float32")
lines = []


def numbers(values):
    return "{" + ", ".join(f"{v:.6g}" for v in np.asarray(values, dtype=float).ravel()) + "}"


def case(scale, *layers, reversed=False):
    """The picture goes in as picture * scale, its channels reversed if so."""
    model = keras.Sequential([keras.Input((6, 8, 3)), *layers, L.Flatten(), L.Dense(2)])
    y, ends = picture[None, ..., :: -1 if reversed else 1] * scale, np.zeros((2, 6, 8, 3), "float32")
    ends[1] = scale
    for layer in layers:
        y, ends = layer(y, training=True), layer(ends, training=False)
    b, a = ends[0, 0, 0], ends[1, 0, 0] - ends[0, 0, 0]
    text = json.dumps(json.loads(model.to_json()), separators=(",", ":"))
    quoted = json.dumps(text)
    lines.append(f"{{{quoted}, {scale!r}, {str(reversed).lower()}, {numbers(a)}, {numbers(b)}, {numbers(y)}}},\n")


one = lambda f: (f, f)
for mode in ("reflect", "constant", "nearest"):
    case(1, L.RandomRotation(one(0.1), fill_mode=mode, fill_value=60))
    case(1 / 255, L.RandomTranslation(one(0.27), one(-0.4), fill_mode=mode, fill_value=0.5))
    case(1, L.RandomZoom(one(0.3), one(-0.2), fill_mode=mode, fill_value=-10))
case(1, L.RandomRotation(one(-0.05), interpolation="nearest"))
case(1, L.RandomZoom(one(-0.4)))
case(1, L.RandomContrast((-0.6, 0.6)))  # 1 - (-0.6) .. 1 + 0.6, clipped to 0..255
case(1 / 255, L.RandomContrast((-0.3, 0.3), value_range=(0.2, 0.8)))
case(1, L.RandomBrightness(one(0.3)))
case(1 / 127.5, L.RandomBrightness(one(-0.2), value_range=(0, 2)))
# what stands in front changes what the layer sees
case(1, L.Rescaling(1 / 127.5, offset=-1), L.RandomBrightness(one(0.25), value_range=(-1, 1)))
case(1, L.Rescaling([0.1, -0.2, 0.3], offset=[1, 2, 3]), L.RandomContrast((-0.9, 0.9), value_range=(-40, 60)))
case(1, L.Normalization(mean=[100, 120, 140], variance=[900, 1600, 2500]),
     L.RandomRotation(one(0.2), fill_mode="constant", fill_value=1.5), L.RandomBrightness(one(0.4), value_range=(-2, 2)))
case(1 / 255, L.RandomZoom(one(0.2), fill_mode="constant"), L.Rescaling(2), L.Normalization(mean=0.5, variance=4.0),
     L.RandomTranslation(one(0.1), one(0.1), fill_mode="constant", fill_value=0.7))

case(1 / 255, L.Rescaling(2.0, offset=-1), L.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.5, 0.25, 1.5]),
     L.RandomBrightness(one(0.2), value_range=(-1, 1)), reversed=True)

head = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by make_augment_keras.py: do not edit. */\n"
pathlib.Path(__file__).with_name("augment_keras.inc").write_text(head + "".join(lines))
