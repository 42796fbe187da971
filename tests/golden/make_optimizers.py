# SPDX-License-Identifier: Apache-2.0
"""Makes optimizers.h: weights and slots after some steps of Keras's own optimizers in float64, and of LARS and LAMB as
written down here from their papers.

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


def kernels_only(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


class Layerwise:
    """What LARS and LAMB share: the norms of one tensor; biases are neither adapted nor, but for `decay_all`, decayed."""

    def __init__(self, lr, decay=0.0, decay_all=False):
        self.name, self.lr, self.decay, self.decay_all, self.t = type(self).__name__.lower(), lr, decay, decay_all, 0

    def build(self, weights):
        self.slots = [[np.zeros(w.shape) for w in weights] for _ in range(self.SLOTS)]

    def apply(self, gradients, weights):
        self.t += 1
        for i, (g, w) in enumerate(zip(gradients, weights)):
            p = keras.ops.convert_to_numpy(w).copy()
            is_kernel = p.ndim > 1
            decay = self.decay if is_kernel or self.decay_all else 0.0
            w.assign(self.update(i, p, g.numpy(), decay, is_kernel))

    def flat_slots(self):
        return [np.concatenate([x.ravel() for x in slot]) for slot in self.slots]


class Lars(Layerwise):
    """You, Gitman, Ginsburg: Large batch training of convolutional networks, 2017, algorithm 1."""

    SLOTS = 1

    def __init__(self, lr, momentum, trust, **options):
        super().__init__(lr, **options)
        self.momentum, self.trust = momentum, trust
        self.SLOTS = 1 if momentum else 0

    def update(self, i, w, g, decay, adapt):
        norm_w, norm_g = np.linalg.norm(w.ravel()), np.linalg.norm(g.ravel())
        local = self.trust * norm_w / (norm_g + decay * norm_w) if adapt and norm_w > 0 and norm_g > 0 else 1.0
        v = self.lr * local * (g + decay * w)
        if self.momentum:
            v -= self.momentum * self.slots[0][i]  # the slot holds -v of the paper, like Keras's SGD
            self.slots[0][i] = -v
        return w - v


class Lamb(Layerwise):
    """You et al.: Large batch optimization for deep learning, ICLR 2020, algorithm 2."""

    SLOTS = 2

    def __init__(self, lr, beta_1, beta_2, epsilon, **options):
        super().__init__(lr, **options)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def update(self, i, w, g, decay, adapt):
        m, v = self.slots[0], self.slots[1]
        m[i] = self.beta_1 * m[i] + (1 - self.beta_1) * g
        v[i] = self.beta_2 * v[i] + (1 - self.beta_2) * g**2
        m_hat, v_hat = m[i] / (1 - self.beta_1**self.t), v[i] / (1 - self.beta_2**self.t)
        u = m_hat / (np.sqrt(v_hat) + self.epsilon) + decay * w
        norm_w, norm_u = np.linalg.norm(w.ravel()), np.linalg.norm(u.ravel())
        return w - self.lr * (norm_w / norm_u if adapt and norm_w > 0 and norm_u > 0 else 1.0) * u


# name, C options, Keras optimizer, penalty.  Clipping is done here: Keras's global_clipnorm rounds to float32.
CASES = [
    ("sgd", ".kind = OPTIMIZER_SGD", lambda: keras.optimizers.SGD(0.1), False),
    ("sgd decay", ".kind = OPTIMIZER_SGD, .weight_decay = 0.01, .decay_all = true", lambda: keras.optimizers.SGD(0.1, weight_decay=0.01), False),
    ("sgd momentum", ".kind = OPTIMIZER_SGD, .momentum = 0.9", lambda: keras.optimizers.SGD(0.1, momentum=0.9), False),
    ("sgd nesterov", ".kind = OPTIMIZER_SGD, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01, .decay_all = true",
     lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01), False),
    ("sgd clipped", ".kind = OPTIMIZER_SGD, .clip_norm = 0.2", lambda: keras.optimizers.SGD(0.1), False),
    ("sgd not clipped", ".kind = OPTIMIZER_SGD, .clip_norm = 20", lambda: keras.optimizers.SGD(0.1), False),
    ("sgd penalty", ".kind = OPTIMIZER_SGD, .momentum = 0.5", lambda: keras.optimizers.SGD(0.1, momentum=0.5), True),
    ("sgd penalty clipped", ".kind = OPTIMIZER_SGD, .clip_norm = 0.2", lambda: keras.optimizers.SGD(0.1), True),
    ("adam", ".kind = OPTIMIZER_ADAM, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-3",
     lambda: keras.optimizers.Adam(0.1, epsilon=1e-3), False),
    ("adamw", ".kind = OPTIMIZER_ADAMW, .beta_1 = 0.8, .beta_2 = 0.99, .epsilon = 1e-7, .weight_decay = 0.004, .decay_all = true",
     lambda: keras.optimizers.AdamW(0.1, weight_decay=0.004, beta_1=0.8, beta_2=0.99), False),
    ("rmsprop", ".kind = OPTIMIZER_RMSPROP, .rho = 0.9, .epsilon = 1e-3", lambda: keras.optimizers.RMSprop(0.1, epsilon=1e-3), False),
    ("rmsprop momentum", ".kind = OPTIMIZER_RMSPROP, .rho = 0.8, .epsilon = 1e-7, .momentum = 0.9, .weight_decay = 0.01, .decay_all = true",
     lambda: keras.optimizers.RMSprop(0.1, rho=0.8, momentum=0.9, weight_decay=0.01), False),
    ("sgd decay of kernels", ".kind = OPTIMIZER_SGD, .weight_decay = 0.01",
     lambda: kernels_only(keras.optimizers.SGD(0.1, weight_decay=0.01)), False),
    ("adamw decay of kernels", ".kind = OPTIMIZER_ADAMW, .beta_1 = 0.8, .beta_2 = 0.99, .epsilon = 1e-7, .weight_decay = 0.004",
     lambda: kernels_only(keras.optimizers.AdamW(0.1, weight_decay=0.004, beta_1=0.8, beta_2=0.99)), False),
    ("lars", ".kind = OPTIMIZER_LARS, .momentum = 0.9, .trust = 0.02, .weight_decay = 0.05",
     lambda: Lars(0.1, 0.9, 0.02, decay=0.05), False),
    ("lars decay of all", ".kind = OPTIMIZER_LARS, .momentum = 0.5, .trust = 0.1, .weight_decay = 0.05, .decay_all = true",
     lambda: Lars(0.1, 0.5, 0.1, decay=0.05, decay_all=True), False),
    ("lars without momentum", ".kind = OPTIMIZER_LARS, .trust = 0.02, .weight_decay = 0.05",
     lambda: Lars(0.1, 0.0, 0.02, decay=0.05), False),
    ("lars penalty", ".kind = OPTIMIZER_LARS, .momentum = 0.9, .trust = 0.02", lambda: Lars(0.1, 0.9, 0.02), True),
    ("lars clipped", ".kind = OPTIMIZER_LARS, .momentum = 0.9, .trust = 0.02, .weight_decay = 0.05, .clip_norm = 0.2",
     lambda: Lars(0.1, 0.9, 0.02, decay=0.05), False),
    ("lamb", ".kind = OPTIMIZER_LAMB, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-6",
     lambda: Lamb(0.1, 0.9, 0.999, 1e-6), False),
    ("lamb decay", ".kind = OPTIMIZER_LAMB, .beta_1 = 0.8, .beta_2 = 0.99, .epsilon = 1e-3, .weight_decay = 0.3",
     lambda: Lamb(0.1, 0.8, 0.99, 1e-3, decay=0.3), False),
    ("lamb decay of all, penalty, clipped",
     ".kind = OPTIMIZER_LAMB, .beta_1 = 0.8, .beta_2 = 0.99, .epsilon = 1e-3, .weight_decay = 0.3, .decay_all = true, "
     ".clip_norm = 0.2",
     lambda: Lamb(0.1, 0.8, 0.99, 1e-3, decay=0.3, decay_all=True), True),
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
    if isinstance(optimizer, Layerwise):
        return flatten(weights), optimizer.flat_slots()
    slots = {}
    for v in optimizer.variables[2:]:  # after iteration and learning rate
        slots.setdefault(v.path.rsplit("_", 1)[1], []).append(v)
    order = ["momentum", "velocity"] if "adam" in optimizer.name else ["velocity", "momentum"]
    return flatten(weights), [flatten(slots[name]) for name in order if name in slots]


rng = np.random.default_rng(7)
start = np.round(rng.normal(size=COUNT), 3)
start[5] = 0  # the sign of 0
sums = np.round(rng.normal(size=(STEPS, COUNT)) * 5, 3)
# Keras's Lamb adapts biases, too, so only the kernel is the same.
ours, _ = run(lambda: Lamb(0.1, 0.9, 0.999, 1e-6), float("inf"), False, start, sums)
theirs, _ = run(lambda: keras.optimizers.Lamb(0.1, epsilon=1e-6), float("inf"), False, start, sums)
assert np.allclose(ours[:12], theirs[:12], rtol=1e-6), (ours, theirs)

print("/* SPDX-License-Identifier: Apache-2.0\n *\n * Made by make_optimizers.py with Keras %s; do not edit. */" % keras.__version__)
print("enum { GOLDEN_STEPS = %d, GOLDEN_COUNT = %d, GOLDEN_KERNEL = 12 };" % (STEPS, COUNT))
print("static const double golden_lr = 0.1, golden_weight = %r, golden_l1 = %r, golden_l2 = %r;" % (WEIGHT, L1, L2))
print("static const double golden_start[GOLDEN_COUNT] = %s;" % numbers(start))
print("static const double golden_sums[GOLDEN_STEPS][GOLDEN_COUNT] = {\n    %s};" % ",\n    ".join(map(numbers, sums)))
print("static const struct {\n    const char *name;\n    OptimizerOptions options;\n    bool penalty;\n    size_t slot_count;\n"
      "    double weights[GOLDEN_COUNT], slots[2][GOLDEN_COUNT];\n} golden_cases[] = {")
for name, options, make, penalty in CASES:
    clip = float(options.split("clip_norm = ")[1].split(",")[0]) if "clip_norm" in options else float("inf")
    weights, slots = run(make, clip, penalty, start, sums)
    print("    {\"%s\",\n     {%s},\n     %s,\n     %d,\n     %s,\n     {%s}}," % (
        name, options, "true" if penalty else "false", len(slots), numbers(weights), ",\n      ".join(map(numbers, slots))))
print("};")
