#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes activations.inc, losses.inc and ops.inc beside this file: values of PyTorch and Keras 3 (both in double) that
tests/ops/test_golden.c compares the backends with.  Run with KERAS_BACKEND=torch; the files are kept in the repository."""
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch
import torch.nn.functional as F

keras.config.set_floatx("float64")
torch.set_default_dtype(torch.float64)
random = np.random.default_rng(1)
HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by make_ops.py: do not edit. */\n"


def number(value):
    value = float(value)
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return repr(value)


def numbers(tensor):
    values = tensor.detach().numpy() if torch.is_tensor(tensor) else np.asarray(tensor, dtype=float)
    return "{" + ", ".join(number(v) for v in values.reshape(-1)) + "}"


def shape(extents):
    return "SHAPE(%s)" % ", ".join(map(str, extents)) if len(extents) else "{0}"


def coarse(*extents):
    """Random multiples of 1/16, which every number type holds."""
    return torch.tensor(np.round(random.uniform(-2, 2, extents) * 16) / 16)


def write(name, lines):
    path = pathlib.Path(__file__).with_name(name)
    path.write_text(HEAD + "".join(lines))


# --- activations: y and dy/dx on a grid that reaches far beyond where exponentials overflow ---
HALF = [1e-3, 0.125, 0.5, 1, 2, 2.875, 5, 6.5, 10, 20, 80, 1000]
GRID = [-v for v in reversed(HALF)] + [0.0] + HALF
INF = float("inf")
# name, constant, slope, maximum, threshold, alpha, function
ACTIVATIONS = [
    ("linear", "LINEAR", 0, 0, 0, 0, lambda x: 1 * x),
    ("relu", "RELU", 0, INF, 0, 0, F.relu),
    ("relu6", "RELU", 0, 6, 0, 0, F.relu6),
    ("leaky relu", "RELU", 0.25, INF, 0, 0, lambda x: F.leaky_relu(x, 0.25)),
    ("relu with a threshold", "RELU", 0.125, 8, 1.5, 0,
     lambda x: torch.where(x >= 8, 8.0, torch.where(x >= 1.5, x, 0.125 * (x - 1.5)))),
    ("elu", "ELU", 0, 0, 0, 1.5, lambda x: F.elu(x, 1.5)),
    ("selu", "SELU", 0, 0, 0, 0, F.selu),
    ("sigmoid", "SIGMOID", 0, 0, 0, 0, torch.sigmoid),
    ("hard sigmoid, Keras 2", "HARD_SIGMOID", 0, 0, 0, 0.2, lambda x: torch.clip(0.2 * x + 0.5, 0, 1)),
    ("hard sigmoid, Keras 3", "HARD_SIGMOID", 0, 0, 0, 1 / 6, F.hardsigmoid),
    ("tanh", "TANH", 0, 0, 0, 0, torch.tanh),
    ("softplus", "SOFTPLUS", 0, 0, 0, 0, lambda x: torch.logaddexp(x, torch.zeros(()))),
    ("softsign", "SOFTSIGN", 0, 0, 0, 0, F.softsign),
    ("silu", "SILU", 0, 0, 0, 0, F.silu),
    ("hard silu", "HARD_SILU", 0, 0, 0, 1 / 6, F.hardswish),
    ("gelu", "GELU", 0, 0, 0, 0, lambda x: 0.5 * x * torch.special.erfc(-x / 2**0.5)),
    ("exponential", "EXPONENTIAL", 0, 0, 0, 0, torch.exp),
]


def activations():
    for name, constant, slope, most, threshold, alpha, function in ACTIVATIONS:
        x = torch.tensor(GRID, requires_grad=True)
        y = function(x)
        (slopes,) = torch.autograd.grad(y.sum(), x)
        attr = ", ".join([f"ACTIVATION_{constant}"] + [number(v) for v in (slope, most, threshold, alpha)])
        yield f'{{"{name}", {{{attr}}},\n {numbers(GRID)},\n {numbers(y)},\n {numbers(slopes)}}},\n'


# --- losses: sum over the examples, share of correct ones, gradient of the sum ---
def loss(name, kind, function, accuracy, x, label, logits=False, smoothing=0.0, delta=0.0, more=(0.0, 0.0, 0.0)):
    x = x.clone().requires_grad_(True)
    value = function(label, x)
    value = value.reshape(value.shape[0], -1).mean(axis=1).sum()
    (gradient,) = torch.autograd.grad(value, x)
    correct = 0.0
    if accuracy is not None:
        matches = torch.as_tensor(accuracy(label, x.detach())).double()
        correct = matches.reshape(x.shape[0], -1).mean(axis=1).sum()
    attr = f"{{LOSS_{kind}, {str(logits).lower()}, {smoothing}, {delta}, 1.0, {', '.join(map(str, more))}}}"
    return (f'{{"{name}", {attr}, {x.shape[0]}, {shape(x.shape[1:])}, {shape(label.shape[1:])},\n {numbers(x)},\n'
            f" {numbers(label)},\n {number(value.detach())}, {number(correct)}, {'true' if accuracy else 'false'},\n"
            f" {numbers(gradient)}}},\n")


def losses():
    L, M = keras.losses, keras.metrics
    logits = coarse(4, 5)
    logits[2] = torch.tensor([1000.0, -1000, 0, 1, 999])
    wide = coarse(2, 3, 4)
    p = torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.125, 0.125, 0.5], [1.0, 0.0, 0.0]])
    classes, one = torch.tensor([0.0, 4, 1, 2]), torch.tensor([[0.0], [2], [2], [0]])
    sparse = lambda **k: lambda t, x: L.sparse_categorical_crossentropy(t, x, **k)
    for name, x, t, from_logits in [("class numbers, logits", logits, classes, True),
                                    ("class numbers, probabilities", p, one, False),
                                    ("class per pixel", wide, torch.tensor([[0.0, 1, 2], [3, 3, 1]]), True)]:
        yield loss(name, "SPARSE_CROSSENTROPY", sparse(from_logits=from_logits), M.sparse_categorical_accuracy, x, t,
                   from_logits)
    soft = torch.tensor([[0.75, 0.25, 0], [0, 1, 0], [0, 0.25, 0.75], [0.125, 0.5, 0.375]])
    for name, x, t, from_logits, a in [("probabilities as labels", p, soft, False, 0.0),
                                       ("probabilities as labels, smoothed", p, soft, False, 0.1),
                                       ("one-hot, logits", logits[:, :3], soft, True, 0.0),
                                       ("one-hot, logits, smoothed", coarse(4, 3), soft, True, 0.25)]:
        yield loss(name, "CROSSENTROPY",
                   lambda t, x: L.categorical_crossentropy(t, x, from_logits=from_logits, label_smoothing=a),
                   M.categorical_accuracy, x, t, from_logits, a)
    q, yes = torch.tensor([[0.0, 1.0], [0.0, 1.0], [0.25, 0.75]]), torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    z = torch.tensor([[1000.0, -1000], [1000, -1000], [0.5, -0.25]])
    for name, x, from_logits, a in [("binary, probabilities", q, False, 0.0), ("binary, smoothed", q, False, 0.125),
                                    ("binary, logits", z, True, 0.0), ("binary, logits, smoothed", z, True, 0.125)]:
        threshold = 0.0 if from_logits else 0.5
        yield loss(name, "BINARY_CROSSENTROPY",
                   lambda t, x: L.binary_crossentropy(t, x, from_logits=from_logits, label_smoothing=a),
                   lambda t, x: M.binary_accuracy(t, x, threshold=threshold), x, yes, from_logits, a)
    x, t = coarse(3, 4), coarse(3, 4)
    yield loss("squared", "MEAN_SQUARED_ERROR", L.mean_squared_error, None, x, t)
    yield loss("absolute", "MEAN_ABSOLUTE_ERROR", L.mean_absolute_error, None, x, t)
    yield loss("huber", "HUBER", lambda t, x: L.huber(t, x, delta=0.75), None, x, t, delta=0.75)
    yield loss("log-cosh", "LOG_COSH", L.log_cosh, None, x * 3, t)
    above = torch.tensor([[0.5, 2.0, -0.25, 0.0], [1.5, 0.125, 3.0, 0.75]])
    truth = torch.tensor([[1.0, 0.5, 0.25, 2.0], [0.0, 4.0, 1.5, -1.0]])
    yield loss("squared logarithmic", "MEAN_SQUARED_LOGARITHMIC_ERROR", L.mean_squared_logarithmic_error, None, above,
               truth)
    yield loss("percentage", "MEAN_ABSOLUTE_PERCENTAGE_ERROR", L.mean_absolute_percentage_error, None, x,
               truth[[0, 1, 0]] + 0.5)
    yield loss("poisson", "POISSON", L.poisson, None, above.abs() + 0.125, truth.abs())
    sign = torch.tensor([[-1.0, 1, 1, -1], [1, 1, -1, -1], [1, -1, 1, -1]])
    right = lambda t, x: ((x > 0) == (t > 0)).double()
    yield loss("hinge", "HINGE", L.hinge, right, x, sign)
    yield loss("squared hinge, labels 0 and 1", "SQUARED_HINGE", L.squared_hinge, right, x, (sign + 1) / 2)
    p4, soft4 = [(1 + torch.round(60 * torch.softmax(z, -1))) / 64 for z in (x, t)]
    yield loss("divergence", "KL_DIVERGENCE", L.kl_divergence, None, p4, soft4)
    yield loss("cosine", "COSINE_SIMILARITY", L.cosine_similarity, None, x, t)
    one_hot = torch.nn.functional.one_hot(torch.tensor([3, 0, 1]), 4).double()
    yield loss("categorical hinge", "CATEGORICAL_HINGE", L.categorical_hinge, M.categorical_accuracy, x, one_hot)
    for name, from_logits, a, gamma, alpha in [("focal", False, 0.0, 2.0, 0.25), ("focal, smoothed", False, 0.125, 1.5, 0.5),
                                               ("focal, logits", True, 0.0, 2.0, 0.25)]:
        yield loss(name, "CATEGORICAL_FOCAL",
                   lambda t, x: L.categorical_focal_crossentropy(t, x, alpha, gamma, from_logits, a),
                   M.categorical_accuracy, x if from_logits else p4, soft4, from_logits, a, more=(gamma, alpha, 0.0))
    for name, from_logits, a, gamma, alpha in [("binary focal", False, 0.0, 2.0, 0.0),
                                               ("binary focal, balanced", False, 0.125, 1.5, 0.375),
                                               ("binary focal, logits", True, 0.0, 2.0, 0.0)]:
        threshold = 0.0 if from_logits else 0.5
        yield loss(name, "BINARY_FOCAL",
                   lambda t, x: L.binary_focal_crossentropy(t, x, alpha > 0, alpha, gamma, from_logits, a),
                   lambda t, x: M.binary_accuracy(t, x, threshold=threshold), x if from_logits else p4,
                   (sign + 1) / 2, from_logits, a, more=(gamma, alpha, 0.0))
    e, y = torch.round(16 * torch.sin(torch.arange(30.0))).reshape(10, 3) / 16, torch.tensor([0.0, 1, 0, 2, 1, 1, 0, 2, 5, 0])
    for name, kind, function, margin in [("contrastive", "CONTRASTIVE", contrastive, 1.25),
                                         ("triplet", "TRIPLET", triplet, 0.5),
                                         ("triplet, hard", "TRIPLET_HARD", triplet_hard, 0.5)]:
        yield loss(name, kind, lambda t, x: function(t, x, margin), nearest, e, y, more=(0.0, 0.0, margin))


# Losses of pairs by their papers' formulas (see loss_pairs.c), one example after the other.
def squared_distances(x):
    e = torch.nn.functional.normalize(x, dim=1)
    return ((e[:, None] - e[None]) ** 2).sum(-1)


def contrastive(t, x, margin):
    d2, n = squared_distances(x), len(t)
    terms = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        terms.append(sum(d2[i, j] / 2 if t[i] == t[j] else torch.relu(margin - d2[i, j].sqrt()) ** 2 / 2
                         for j in others) / len(others))
    return torch.stack(terms)


def triplet(t, x, margin):
    d2, n = squared_distances(x), len(t)
    terms = []
    for i in range(n):
        positives = [j for j in range(n) if j != i and t[i] == t[j]]
        negatives = [k for k in range(n) if t[i] != t[k]]
        term = 0 * d2[i, i]
        for j in positives:
            beyond = [k for k in negatives if d2[i, k] > d2[i, j]]
            negative = min((d2[i, k] for k in beyond), default=max(d2[i, k] for k in negatives))
            term = term + torch.relu(d2[i, j] - negative + margin) / len(positives)
        terms.append(term)
    return torch.stack(terms)


def triplet_hard(t, x, margin):
    d2, n = squared_distances(x), len(t)
    terms = []
    for i in range(n):
        positives = [d2[i, j].sqrt() for j in range(n) if j != i and t[i] == t[j]]
        negatives = [d2[i, k].sqrt() for k in range(n) if t[i] != t[k]]
        terms.append(torch.relu(max(positives) - min(negatives) + margin) if positives else 0 * d2[i, i])
    return torch.stack(terms)


def nearest(t, x):
    d2 = squared_distances(x) + torch.diag(torch.full((len(t),), torch.inf))
    return (t[d2.argmin(dim=1)] == t).double()


# --- other operations: y of given x and w ---
def op(name, kind, training, inputs, params, y, attr=""):
    fields = [f".kind = OP_{kind}", f".n = {len(inputs[0])}", f".inputs = {len(inputs)}",
              ".x = {" + ", ".join(shape(x.shape[1:]) for x in inputs) + "}"]
    if params:
        fields += [f".params = {len(params)}", ".has_w = {" + ", ".join("true" for _ in params) + "}",
                   ".w = {" + ", ".join(shape(w.shape) for w in params) + "}"]
    fields += [attr] if attr else []
    return (f'{{"{name}", {{{", ".join(fields)}}}, {str(training).lower()},\n'
            f" {{{', '.join(numbers(x) for x in inputs)}}},\n {{{', '.join(numbers(w) for w in params) or '{0}'}}},\n"
            f" {numbers(y)}}},\n")


def first(x):
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def ops():
    x, gamma, beta, mean, variance = coarse(2, 2, 2, 4), coarse(4), coarse(4), coarse(4), coarse(4).abs() + 0.25
    eps = ".attr.norm = {.epsilon = 1e-3"
    for training in (False, True):
        y = last(F.batch_norm(first(x), mean.clone(), variance.clone(), gamma, beta, training, 0.1, 1e-3))
        yield op("batch", "BATCH_NORM", training, [x], [gamma, beta, mean, variance], y, eps + "}")
    y = last(F.batch_norm(first(x), mean.clone(), variance.clone(), gamma, beta, False, 0.1, 1e-3))
    yield op("frozen", "BATCH_NORM", True, [x], [gamma, beta, mean, variance], y, eps + ", .frozen = true}")
    yield op("last axis", "LAYER_NORM", True, [x], [gamma, beta], F.layer_norm(x, [4], gamma, beta, 1e-3),
             eps + ", .axes = 1}")
    wide, shift = coarse(2, 4), coarse(2, 4)
    yield op("two axes", "LAYER_NORM", True, [x], [wide, shift], F.layer_norm(x, [2, 4], wide, shift, 1e-3),
             eps + ", .axes = 2}")
    yield op("groups", "GROUP_NORM", True, [x], [gamma, beta], last(F.group_norm(first(x), 2, gamma, beta, 1e-3)),
             eps + ", .groups = 2}")
    z = torch.tensor([[1000.0, 0, -1000, 999], [-1000, -1000, -1001, -1002], [0.5, -0.5, 0.25, 0]])
    yield op("softmax", "SOFTMAX", True, [z], [], F.softmax(z, -1))
    slopes = coarse(1, 1, 4)
    yield op("prelu", "PRELU", True, [x], [slopes], torch.where(x < 0, slopes * x, x))
    for a, b in (((2, 3), (2, 3)), ((2, 3), (1, 3)), ((1, 3), (2, 1)), ((3,), (2, 3))):
        x, y = coarse(2, *a), coarse(2, *b)
        wide = x if len(a) == 2 else x[:, None, :]
        for kind, result in (("ADD", wide + y), ("SUBTRACT", wide - y), ("MULTIPLY", wide * y), ("AVERAGE", (wide + y) / 2),
                             ("MAXIMUM", torch.maximum(wide, y))):
            yield op(f"{a} and {b}", kind, True, [x, y], [], result)


write("activations.inc", activations())
write("losses.inc", losses())
write("ops.inc", ops())
