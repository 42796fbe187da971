#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""python make_series.py: series.h5, sound.h5, words.h5 in the working folder, 48 random examples of the usual size of fcn-1d,
audio-cnn and text-cnn each; video.h5, of 4x8x8x2; and examples for keras/keras3_series.json, _tokens and _volume, three
classes."""
import h5py
import numpy as np

random = np.random.default_rng(1)


def write(name, x, classes, **attributes):
    with h5py.File(name, "w") as file:
        for split in ("train", "test"):
            file[f"{split}/x"] = x[:24] if split == "train" else x[24:]
            file[f"{split}/y"] = np.arange(24) % classes
        file.attrs.update(attributes)


def normal(*shape):
    return random.normal(size=(48, *shape)).astype("float32")


write("series.h5", normal(96, 1), 2, layout="series")
write("sound.h5", normal(64, 40, 1), 10)
write("words.h5", random.integers(0, 20000, (48, 64)).astype("float32"), 2, value_max=19999.0)
write("video.h5", normal(4, 8, 8, 2), 3)
write("keras3_series.h5", normal(24, 3), 3, layout="series")
write("keras3_volume.h5", normal(6, 9, 8, 2), 3)
write("keras3_tokens.h5", random.integers(0, 9, (48, 12)).astype("float32"), 3)
with h5py.File("keras3_tokens.h5", "r+") as file:
    for split in ("train", "test"):
        file[f"{split}/words"] = file[f"{split}/x"][()]
        file[f"{split}/letters"] = random.integers(0, 7, (24, 4, 3)).astype("float32")
