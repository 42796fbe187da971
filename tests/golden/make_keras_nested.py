#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks inside networks, as Keras writes them.  Writes for keras3 or, with the argument 2, for tf_keras (Keras 2)

    keras/kerasN_nested.json     model.to_json(), and beside it .weights and .output as make_keras_json.py describes them;
                                 layers are listed where they stand, depth first
    keras/kerasN_nested.h5, kerasN_nested_weights.h5, keras3_nested.keras, keras3_nested.weights.h5
                                 the same network with those weights

KERAS_BACKEND=torch python make_keras_nested.py;  python make_keras_nested.py 2.  Made with Keras 3.15, tf_keras 2.21."""
import json
import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
keras2 = sys.argv[1:] == ["2"]
if keras2:
    import tf_keras as keras
else:
    import keras
import numpy as np

L = keras.layers
folder = pathlib.Path(__file__).parent / "keras"


def block(name):
    """A functional block with a batch norm between two layers with trained weights, and a block of its own inside."""
    i = keras.Input((8, 8, 4), name=f"{name}_in")
    x = L.Conv2D(4, 3, padding="same", name="conv")(i)
    x = L.BatchNormalization(name="bn")(x)
    inner = [keras.Input((8, 8, 4)), L.Conv2D(4, 1, name="one"), L.BatchNormalization(name="bn2")]
    inner = keras.Sequential(inner, name="inner")
    x = inner(x)
    x = L.Conv2D(4, 3, padding="same", name="last")(x)
    return keras.Model(i, L.Add(name="sum")([i, x]), name=name)


def two_ends():
    """Two inputs, two outputs, the second of which is an input as it is."""
    a, b = keras.Input((8, 8, 4), name="a"), keras.Input((8, 8, 4), name="b")
    x = L.Concatenate(name="both")([a, b])
    return keras.Model([a, b], [L.Conv2D(4, 1, name="mix")(x), b], name="two_ends")


def network():
    i = keras.Input((8, 8, 3), name="in")
    x = L.Conv2D(4, 3, padding="same", name="conv")(i)
    shared, other = block("shared"), block("other")
    x = shared(shared(x))
    y = other(x)
    other.get_layer("last").trainable = False
    mixed, same = two_ends()([x, y])
    x = L.Add(name="add")([mixed, same])
    head = keras.Sequential([keras.Input((8, 8, 4)), L.Flatten(name="flat"), L.Dense(3, name="fc")], name="head")
    return keras.Model(i, L.Softmax(name="softmax")(head(x)), name="nested")




model = network()
names, lines, weights = {layer.name for layer in model.layers if not isinstance(layer, keras.Model)}, [], []


def visit(container, taken):
    """Lists the weights of all layers; returns the layers' names as they are when the container is flat."""
    flat = [(layer, layer.name) for layer in container.layers if not isinstance(layer, keras.Model)]
    used = {name for _, name in flat}
    order = []
    for layer in container.layers:
        if not isinstance(layer, keras.Model):
            order.append((layer, layer.name))
            continue
        for inner, name in visit(layer, used):
            if isinstance(inner, L.InputLayer):
                continue
            name = name if name not in used else f"{layer.name}_{name}"
            used.add(name)
            order.append((inner, name))
    return order


for layer, name in visit(model, set()):
    for weight in layer.weights:
        lines.append(" ".join([name, *map(str, weight.shape)]))
        weights.append((weight, getattr(weight, "path", weight.name)))
for j, (weight, path) in enumerate(weights):
    one = any(word in path.rsplit("/", 1)[-1] for word in ("gamma", "variance"))
    value = 0.3 * np.sin(1 + 1.3 * j + 0.7 * np.arange(np.prod(weight.shape, dtype=int))) + one
    weight.assign(value.reshape(weight.shape))
x = np.sin(1 + 0.7 * np.arange(2 * 8 * 8 * 3)).reshape(2, 8, 8, 3).astype("float32")
output = np.asarray(model.predict(x, verbose=0)).ravel()
stem = "keras2_nested" if keras2 else "keras3_nested"
(folder / f"{stem}.json").write_text(json.dumps(json.loads(model.to_json()), separators=(",", ":")) + "\n")
(folder / f"{stem}.weights").write_text("".join(f"{line}\n" for line in lines))
(folder / f"{stem}.output").write_text("\n".join(f"{number:.8g}" for number in output) + "\n")
model.save(folder / f"{stem}.h5")
model.save_weights(folder / f"{stem}_weights.h5") if keras2 else model.save(folder / f"{stem}.keras")
if not keras2:
    model.save_weights(folder / f"{stem}.weights.h5")
