#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""python make_series.py: series.h5, sound.h5, words.h5 in the working folder, 48 random examples of the usual size of fcn-1d,
audio-cnn and text-cnn each, and video.h5, of 4x8x8x2."""
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
