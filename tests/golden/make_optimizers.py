# SPDX-License-Identifier: Apache-2.0
"""Makes optimizers.h: weights and slots after some steps of Keras's own optimizers in float64.

    KERAS_BACKEND=torch python make_optimizers.py > optimizers.h      (made with Keras 3.15.1)
"""
import os

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np
import torch

keras.config.set_floatx("float64")
STEPS, WEIGHT = 4, 7.0
SHAPES = [(3, 4), (4,)]  # kernel, bias
COUNT = 16
L1, L2 = 0.02, 0.03  # of the kernel, in the cases with a penalty

# name, C options, Keras optimizer, penalty.  Clipping is done here: Keras's global_clipnorm rounds to float32.
CASES = [
    ("sgd", ".kind = OPTIMIZER_SGD", lambda: keras.optimizers.SGD(0.1), False),
    ("sgd decay", ".kind = OPTIMIZER_SGD, .weight_decay = 0.01", lambda: keras.optimizers.SGD(0.1, weight_decay=0.01), False),
    ("sgd momentum", ".kind = OPTIMIZER_SGD, .momentum = 0.9", lambda: keras.optimizers.SGD(0.1, momentum=0.9), False),
    ("sgd nesterov", ".kind = OPTIMIZER_SGD, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01",
     lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01), False),
    ("sgd clipped", ".kind = OPTIMIZER_SGD, .clip_norm = 0.2", lambda: keras.optimizers.SGD(0.1), False),
    ("sgd not clipped", ".kind = OPTIMIZER_SGD, .clip_norm = 20", lambda: keras.optimizers.SGD(0.1), False),
    ("sgd penalty", ".kind = OPTIMIZER_SGD, .momentum = 0.5", lambda: keras.optimizers.SGD(0.1, momentum=0.5), True),
    ("sgd penalty clipped", ".kind = OPTIMIZER_SGD, .clip_norm = 0.2", lambda: keras.optimizers.SGD(0.1), True),
    ("adam", ".kind = OPTIMIZER_ADAM, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-3",
     lambda: keras.optimizers.Adam(0.1, epsilon=1e-3), False),
    ("adamw", ".kind = OPTIMIZER_ADAMW, .beta_1 = 0.8, .beta_2 = 0.99, .epsilon = 1e-7, .weight_decay = 0.004",
     lambda: keras.optimizers.AdamW(0.1, weight_decay=0.004, beta_1=0.8, beta_2=0.99), False),
    ("rmsprop", ".kind = OPTIMIZER_RMSPROP, .rho = 0.9, .epsilon = 1e-3", lambda: keras.optimizers.RMSprop(0.1, epsilon=1e-3), False),
    ("rmsprop momentum", ".kind = OPTIMIZER_RMSPROP, .rho = 0.8, .epsilon = 1e-7, .momentum = 0.9, .weight_decay = 0.01",
     lambda: keras.optimizers.RMSprop(0.1, rho=0.8, momentum=0.9, weight_decay=0.01), False),
]


def split(flat):
    return [flat[:12].reshape(3, 4), flat[12:].reshape(4)]


def numbers(flat):
    return "{" + ", ".join(repr(float(x)) for x in flat) + "}"


def flatten(variables):
    return np.concatenate([keras.ops.convert_to_numpy(v).ravel() for v in variables])


def run(make, clip, penalty, start, sums):
    weights = [keras.Variable(w.copy(), dtype="float64", name=n) for w, n in zip(split(start), ["kernel", "bias"])]
    regularizer = keras.regularizers.L1L2(L1, L2)
    optimizer = make()
    optimizer.build(weights)
    for step in range(STEPS):
        leaves = [torch.tensor(keras.ops.convert_to_numpy(w), requires_grad=True) for w in weights]
        loss = sum((torch.tensor(s) / WEIGHT * w).sum() for s, w in zip(split(sums[step]), leaves))
        if penalty:
            loss = loss + regularizer(leaves[0])
        loss.backward()
        norm = sum(float((w.grad**2).sum()) for w in leaves) ** 0.5
        optimizer.apply([w.grad * min(1, clip / norm) for w in leaves], weights)
    slots = {}
    for v in optimizer.variables[2:]:  # after iteration and learning rate
        slots.setdefault(v.path.rsplit("_", 1)[1], []).append(v)
    order = ["momentum", "velocity"] if "adam" in optimizer.name else ["velocity", "momentum"]
    return flatten(weights), [flatten(slots[name]) for name in order if name in slots]


rng = np.random.default_rng(7)
start = np.round(rng.normal(size=COUNT), 3)
start[5] = 0  # the sign of 0
sums = np.round(rng.normal(size=(STEPS, COUNT)) * 5, 3)
print("/* SPDX-License-Identifier: Apache-2.0\n *\n * Made by make_optimizers.py with Keras %s; do not edit. */" % keras.__version__)
print("enum { GOLDEN_STEPS = %d, GOLDEN_COUNT = %d, GOLDEN_KERNEL = 12 };" % (STEPS, COUNT))
print("static const double golden_lr = 0.1, golden_weight = %r, golden_l1 = %r, golden_l2 = %r;" % (WEIGHT, L1, L2))
print("static const double golden_start[GOLDEN_COUNT] = %s;" % numbers(start))
print("static const double golden_sums[GOLDEN_STEPS][GOLDEN_COUNT] = {\n    %s};" % ",\n    ".join(map(numbers, sums)))
print("static const struct {\n    const char *name;\n    OptimizerOptions options;\n    bool penalty;\n    size_t slot_count;\n"
      "    double weights[GOLDEN_COUNT], slots[2][GOLDEN_COUNT];\n} golden_cases[] = {")
for name, options, make, penalty in CASES:
    clip = float(options.split("clip_norm = ")[1]) if "clip_norm" in options else float("inf")
    weights, slots = run(make, clip, penalty, start, sums)
    print("    {\"%s\",\n     {%s},\n     %s,\n     %d,\n     %s,\n     {%s}}," % (
        name, options, "true" if penalty else "false", len(slots), numbers(weights), ",\n      ".join(map(numbers, slots))))
print("};")
