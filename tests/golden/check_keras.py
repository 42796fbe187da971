#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does Keras make of a checkpoint what cnn_evaluate makes of it?

    cnn_evaluate RUN --data DATA.h5 --json | KERAS_BACKEND=torch python check_keras.py DATA.h5 [OPTIMIZER]

reads cnn_evaluate's answer, loads the checkpoint that it names with keras.models.load_model, evaluates the same split
through the compiled losses, and trains on for an epoch.  Exit code 1 when a loss differs by more than 1e-5 relative (both
are float32), an accuracy at all, the model comes without its optimizer, or training on does not begin about there.  Where
probabilities below 1e-7 occur, losses differ by Keras's backend: see model_build in src/model/model.h."""
import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import h5py
import keras

report = json.load(sys.stdin)
model = keras.models.load_model(report["checkpoint"])
outputs = getattr(model, "output_names", ["y"])
with h5py.File(report["checkpoint"]) as file:
    preprocess = json.loads(file["training/preprocess"][()])


def read(split):
    with h5py.File(sys.argv[1]) as file:
        x = file[split]["x"][()].astype("float64")
        labels = [file[split][name if name in file[split] else "y"][()] for name in outputs]
    x = x[..., ::-1] if preprocess["reverse_channels"] else x
    return (x * preprocess["scale"] + preprocess["offset"]).astype("float32"), labels if len(labels) > 1 else labels[0]


def evaluate(split):
    return model.evaluate(*read(split), batch_size=64, verbose=0, return_dict=True)


failures = []
ours, keras_says = report["loss"], evaluate(report["split"])
difference = abs(keras_says["loss"] - ours) / ours
print(f"loss {ours:.9g}, in Keras {keras_says['loss']:.9g}: relative difference {difference:.2g}")
if not difference <= 1e-5:
    failures.append("loss")
accuracy = keras_says.get("accuracy", keras_says.get(f"{outputs[0]}_accuracy"))
print(f"accuracy {report['accuracy']}, in Keras {accuracy}")
if report["accuracy"] is not None and (accuracy is None or abs(accuracy - report["accuracy"]) > 1e-6):
    failures.append("accuracy")
print(f"optimizer: {model.optimizer and model.optimizer.get_config()}")
if model.optimizer is None or (len(sys.argv) > 2 and model.optimizer.name.lower() != sys.argv[2]):
    failures.append("optimizer")
if model.optimizer is not None:
    loss = model.fit(*read("train"), epochs=1, batch_size=32, verbose=0).history["loss"][0]
    print(f"training on: loss {loss:.6g}")
    if not loss < 2 * keras_says["loss"]:
        failures.append("training on")
print("differs: " + ", ".join(failures) if failures else "same")
sys.exit(bool(failures))
