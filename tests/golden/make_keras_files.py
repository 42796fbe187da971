#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes keras_files/: one small network in the containers of Keras, for unit/checkpoint_keras.

  model.keras      by Keras 3, but deflated: a network with a model inside, compiled with Adam and trained for two steps
  old.weights.h5   its weights under the names of tf.keras 2.12
  pieces.h5        by Keras 3, the HDF5 file of the whole model, but its lists of names are in pieces and of fixed length, one
                   weight is float16, one float64, big endian; and a group without weight_names
Element k of weight number j, in the order of the lists below, is 0.3 sin(1 + 1.3 j + 0.7 k), 1 more for gamma and variances.
Made with Keras 3.15, KERAS_BACKEND=torch."""
import os
import pathlib
import tempfile
import zipfile

os.environ["KERAS_BACKEND"] = "torch"
import h5py
import keras
import numpy as np
from keras import layers as L

folder = pathlib.Path(__file__).parent / "keras_files"
folder.mkdir(exist_ok=True)
inner = keras.Sequential([keras.Input((4, 4, 2)), L.Conv2D(3, 1, name="inside"), L.Flatten()], name="inner")
model = keras.Sequential(
    [
        keras.Input((6, 6, 1), name="in"),
        L.Conv2D(2, 3, name="first"),
        L.BatchNormalization(name="norm"),
        inner,
        L.Dense(3, name="middle"),
        L.Dense(2, activation="softmax", name="last"),
    ],
    name="net",
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(np.zeros((4, 6, 6, 1), "float32"), np.zeros(4, int), batch_size=2, verbose=0)
for j, weight in enumerate(model.weights):
    one = any(word in weight.path.rsplit("/", 1)[1] for word in ("gamma", "variance"))
    value = 0.3 * np.sin(1 + 1.3 * j + 0.7 * np.arange(np.prod(weight.shape, dtype=int))) + one
    weight.assign(value.reshape(weight.shape))
    print(j, weight.path, tuple(weight.shape))
temporary = pathlib.Path(tempfile.mkdtemp())
model.save(temporary / "model.keras")
model.save_weights(temporary / "model.weights.h5")
model.save(temporary / "model.h5")

with zipfile.ZipFile(temporary / "model.keras") as source:
    with zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))


def small(name):
    return h5py.File(folder / name, "w", libver="latest")


def copy(source, target, rename=lambda name: name):
    def visit(name, item):
        if hasattr(item, "shape"):
            target.create_dataset(rename(name), data=item)

    source.visititems(visit)


def fixed(texts):
    texts = [text if isinstance(text, bytes) else text.encode() for text in texts]
    return np.array(texts, "S")


with h5py.File(temporary / "model.weights.h5") as source, small("old.weights.h5") as target:
    copy(source, target, lambda name: name.replace("layers", "_layer_checkpoint_dependencies"))

with h5py.File(temporary / "model.h5") as source, small("pieces.h5") as target:
    copy(source, target)
    for key in ("model_config", "training_config", "keras_version"):
        target.attrs[key] = np.bytes_(source.attrs[key])
    names = source["model_weights"].attrs["layer_names"]
    target["model_weights"].attrs["keras_version"] = np.bytes_(source.attrs["keras_version"])
    for piece in range(0, len(names), 2):
        target["model_weights"].attrs[f"layer_names{piece // 2}"] = fixed(names[piece : piece + 2])
    for name in names:
        listed = fixed(source["model_weights"][name].attrs["weight_names"])
        group = target["model_weights"].require_group(name)
        if name == "norm":
            group.attrs["weight_names0"], group.attrs["weight_names1"] = listed[:3], listed[3:]
        elif len(listed):
            group.attrs["weight_names"] = listed
    target["optimizer_weights"].attrs["weight_names"] = fixed(source["optimizer_weights"].attrs["weight_names"])
    first = target["model_weights/first"]
    for name, kind in (("net/first/kernel", ">f8"), ("net/first/bias", "<f2")):
        numbers = first[name][()]
        del first[name]
        first.create_dataset(name, data=numbers.astype(kind))
