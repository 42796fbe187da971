#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does Keras make of what cnn_export wrote what the checkpoint says?

    KERAS_BACKEND=torch python check_export.py keras3 CHECKPOINT NEXT DATA     (Keras 3)
    python check_export.py tf_keras CHECKPOINT NEXT DATA                       (tf_keras 2)

In the working folder lie model.keras, model.h5, model.weights.h5 and model.json, all of CHECKPOINT, and model.head.keras,
without its head.  NEXT is the checkpoint
one step later, of a run whose batch is all of DATA's training examples.  Keras's predictions must be equal for all files
(keras3 leaves them in predictions.npy for tf_keras), and a step of Keras from model.keras must lead to the weights and
slots of NEXT, within 2e-5 of the largest change or number of each.  Exit code 1 when something differs."""
import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import h5py
import numpy as np

which, checkpoint, following, data = sys.argv[1:]
if which == "tf_keras":
    import tf_keras as keras
else:
    import keras
failures = []


def check(what, good, text=""):
    print("    " + ("same  " if good else "DIFFERS ") + what, text)
    if not good:
        failures.append(what)


def near(what, ours, theirs, scale):
    difference = max(float(np.abs(a - b).max(initial=0)) for a, b in zip(ours, theirs))
    check(what, len(ours) == len(theirs) and difference <= 2e-5 * scale, f"(differ by {difference:.2g} of {scale:.2g})")


def weights_of(file):
    with h5py.File(file) as f:
        group = f["model_weights"]
        return [
            group[layer][name][()]
            for layer in group.attrs["layer_names"]
            for name in group[layer].attrs["weight_names"]
        ]


def slots_of(file):
    """name -> list in model order"""
    with h5py.File(file) as f:
        training = f["training"]
        return {
            slot: [
                training["optimizer"][slot][layer][name][()]
                for layer in training["optimizer"][slot].attrs["layer_names"]
                for name in training["optimizer"][slot][layer].attrs["weight_names"]
            ]
            for slot in [name.decode() if isinstance(name, bytes) else name for name in training.attrs["slot_names"]]
        }


with h5py.File(checkpoint) as file:
    preprocess = json.loads(file["training/preprocess"][()])
with h5py.File(data) as file:
    x, y = file["train/x"][()].astype("float64"), file["train/y"][()]
x = (x * preprocess["scale"] + preprocess["offset"]).astype("float32")

original = keras.models.load_model(checkpoint)
expected = original.predict(x, batch_size=64, verbose=0)
if which == "tf_keras":
    near("predictions of both Keras versions", [np.load("predictions.npy")], [expected], 0.5)
else:
    np.save("predictions.npy", expected)


def compiled_as(model):
    optimizer = model.optimizer.get_config()
    keep = ("name", "momentum", "nesterov", "beta_1", "beta_2", "epsilon", "rho", "weight_decay", "global_clipnorm")
    return {key: optimizer[key] for key in keep if optimizer.get(key)}, getattr(model.loss, "__name__", model.loss)


model = keras.models.load_model("model.h5")
check("predictions of .h5", np.array_equal(model.predict(x, batch_size=64, verbose=0), expected))
check("compiled", compiled_as(model) == compiled_as(original), str(compiled_as(model)))
if which == "tf_keras":
    model = keras.models.load_model("model.h5", compile=False)
    model.set_weights([0 * weight for weight in model.get_weights()])
    model.load_weights("model.weights.h5")
    check("predictions of .weights.h5", np.array_equal(model.predict(x, batch_size=64, verbose=0), expected))
else:
    model = keras.models.model_from_json(open("model.json").read())
    model.load_weights("model.weights.h5")
    check("predictions of .json with .weights.h5", np.array_equal(model.predict(x, batch_size=64, verbose=0), expected))
    model = keras.models.load_model("model.keras")
    check("predictions of .keras", np.array_equal(model.predict(x, batch_size=64, verbose=0), expected))
    check("compiled", compiled_as(model) == compiled_as(original), str(compiled_as(model)))
    head = keras.models.load_model("model.head.keras")
    inside = keras.Model(original.inputs, original.get_layer(head.layers[-1].name).output)
    check(f"features of {head.layers[-1].name}, without the head",
          np.array_equal(head.predict(x, batch_size=64, verbose=0), inside.predict(x, batch_size=64, verbose=0)))  # fmt: skip
    before, slots, after = weights_of(checkpoint), slots_of(checkpoint), slots_of(following)
    names = {"m": "_momentum", "v": "_velocity", "velocity": "_velocity", "momentum": "_momentum"}

    def theirs(slot):
        return [v.numpy() for v in (variable.value.detach().cpu() for variable in model.optimizer.variables
                                    if variable.path.endswith(names[slot]))]  # fmt: skip

    for slot in slots:
        check(f"slot {slot}", all(map(np.array_equal, slots[slot], theirs(slot))))
    loss = model.train_on_batch(x, y)
    moved = [np.asarray(weight) for layer in model.layers for weight in layer.get_weights()]
    change = max(float(np.abs(a - b).max()) for a, b in zip(before, weights_of(following)))
    near("weights after a step in Keras", weights_of(following), moved, change)
    for slot in slots:
        near(f"slot {slot} after it", after[slot], theirs(slot), max(float(np.abs(a).max()) for a in after[slot]))
    check("steps", int(model.optimizer.iterations) == json.loads(h5py.File(following)["training/state"][()])["step"])
sys.exit(bool(failures))
