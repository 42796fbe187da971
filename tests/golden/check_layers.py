#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do Keras and cnn_predict make the same of a network's files?

    python check_layers.py keras3|tf_keras DATA OURS      loads what cnn_export wrote of the network, model.h5, model.keras
                                                          (keras3), model.json with model.weights.h5 (keras3), and compares its
                                                          predictions of DATA's training examples with OURS, what cnn_predict
                                                          wrote; saves it as back.h5 and (keras3) back.keras
    python check_layers.py compare OURS THEIRS            two files of cnn_predict

Inputs of the network are arrays of DATA: x if there is one.  Exit code 1 when a number differs by more than 1e-5."""
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import h5py
import numpy as np

which, data, ours = sys.argv[1:]
failed = False


def compare(what, expected, found):
    global failed
    difference = float(np.abs(expected - found).max()) if expected.shape == found.shape else np.inf
    failed |= not difference <= 1e-5
    print(f"    {what}: {found.shape}, differ by {difference:.2g}, largest {np.abs(expected).max():.3g}")


def predicted(name):
    with h5py.File(name) as file:
        return file["train/x"][()].reshape(file["train/x"].shape[0], -1)


if which == "compare":
    compare("read back", predicted(data), predicted(ours))
    sys.exit(failed)
if which == "tf_keras":
    import tf_keras as keras
else:
    import keras
with h5py.File(data) as file:
    x = {name: array[()].astype("float32") for name, array in file["train"].items()}


def check(what, model):
    names = [layer.name for layer in model.layers if layer.__class__.__name__ == "InputLayer"]
    inputs = [x[name] for name in names] if len(model.inputs) > 1 else x["x"].reshape(-1, *model.inputs[0].shape[1:])
    compare(what, predicted(ours), np.asarray(model.predict(inputs, verbose=0) if which == "keras3" else model(inputs)))


model = keras.models.load_model("model.h5")
check(".h5", model)
if which == "keras3":
    model = keras.models.model_from_json(open("model.json").read())
    model.load_weights("model.weights.h5")
    check(".json with .weights.h5", model)
    check(".keras", keras.models.load_model("model.keras"))
    model.save("back.keras")
model.save("back.h5")
sys.exit(failed)
