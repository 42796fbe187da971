#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What float64 PyTorch makes of training: the oracle of mpi/test_training.c and unit/test_float_gradient.c.

    KERAS_BACKEND=torch python make_training.py       (made with PyTorch 2.13, Keras 3.15)

Writes into training/
  data.h5               random examples, labels "y" (classes) and "side" (two numbers)
  NETWORK.h5            a network and its initial weights, laid out like Keras's .h5 files
  NETWORK.gradient.h5   gradient of the loss over the training examples at these weights, without penalties, in
                        the same layout
  cases.inc             per case: options, losses of each epoch over training and validation data, moving statistics
  gradients.inc         per gradient tensor: how far float32 PyTorch is from float64 PyTorch
Forward passes are written with torch.nn.functional, gradients are autograd's, and the optimizers' formulas are those of
Keras (they differ from torch.optim's), by hand.  Keras itself only describes the networks."""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import h5py
import keras
import numpy as np
import torch
import torch.nn.functional as F
from keras import layers as L

folder = pathlib.Path(__file__).parent / "training"
TRAIN, VAL, CLASSES, STEPS = 24, 16, 10, 50
rng = np.random.default_rng(11)


# ---- data ----


def make_split(count):
    return {
        "x": rng.normal(size=(count, 8, 8, 2)).round(3).astype("float32"),
        "y": rng.integers(0, CLASSES, count).astype("int32"),
        "side": rng.normal(size=(count, 2)).round(3).astype("float32"),
    }


data = {"train": make_split(TRAIN), "val": make_split(VAL)}
data["train"]["y"][:CLASSES] = range(CLASSES)
with h5py.File(folder / "data.h5", "w") as file:
    for split, arrays in data.items():
        for name, array in arrays.items():
            file.create_dataset(f"{split}/{name}", data=array, track_times=False)


# ---- networks: Keras's description, and the same in torch ----


def plain():
    """Same and asymmetric padding, a stride, maximum pooling."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 2), name="in"),
            L.Conv2D(6, 3, padding="same", activation="relu", name="conv1"),
            L.MaxPooling2D(2, name="pool"),
            L.Conv2D(8, 3, strides=2, padding="same", activation="tanh", name="conv2"),
            L.Flatten(name="flat"),
            L.Dense(CLASSES, activation="softmax", name="fc"),
        ],
        name="plain",
    )


def plain_torch(x, w, training):
    x = F.relu(conv(x, w, "conv1", padding=1))
    x = F.max_pool2d(x, 2)
    x = torch.tanh(conv(F.pad(x, (0, 1, 0, 1)), w, "conv2", stride=2))
    return [dense(flat(x), w, "fc")]


def norm():
    """Batch normalization of a convolution without bias and of vectors, a stride without padding, average pooling."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 2), name="in"),
            L.Conv2D(6, 3, strides=2, use_bias=False, name="conv1"),
            L.BatchNormalization(momentum=0.9, name="bn1"),
            L.ReLU(name="relu1"),
            L.AveragePooling2D(2, strides=1, name="pool"),
            L.Flatten(name="flat"),
            L.Dense(12, use_bias=False, name="fc1"),
            L.BatchNormalization(momentum=0.8, epsilon=1e-2, name="bn2"),
            L.ReLU(name="relu2"),
            L.Dense(CLASSES, activation="softmax", name="fc2"),
        ],
        name="norm",
    )


def norm_torch(x, w, training):
    x = F.relu(batch_norm(conv(x, w, "conv1", stride=2), w, "bn1", 0.9, 1e-3, training))
    x = F.avg_pool2d(x, 2, stride=1)
    x = F.relu(batch_norm(dense(flat(x), w, "fc1"), w, "bn2", 0.8, 1e-2, training))
    return [dense(x, w, "fc2")]


def two():
    """Two outputs, penalties."""
    i = keras.Input((8, 8, 2), name="in")
    x = L.Conv2D(8, 3, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.01), name="conv1")(i)
    x = L.GlobalAveragePooling2D(name="pool")(x)
    penalty = keras.regularizers.L1L2(0.002, 0.03)
    first = L.Dense(CLASSES, activation="softmax", kernel_regularizer=penalty, name="class")(x)
    second = L.Dense(2, bias_regularizer=keras.regularizers.L2(0.05), name="side")(x)
    return keras.Model(i, [first, second], name="two")


def two_torch(x, w, training):
    x = torch.tanh(conv(x, w, "conv1")).mean((2, 3))
    return [dense(x, w, "class"), dense(x, w, "side")]


def two_penalty(w):
    kernel, bias = w["class/kernel"], w["side/bias"]
    squares = 0.01 * (w["conv1/kernel"] ** 2).sum() + 0.03 * (kernel**2).sum() + 0.05 * (bias**2).sum()
    return squares + 0.002 * kernel.abs().sum()


def wide():
    """Sums long enough for float32 to matter."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 2), name="in"),
            L.Conv2D(16, 3, padding="same", activation="relu", name="conv1"),
            L.Conv2D(16, 3, padding="same", activation="relu", name="conv2"),
            L.MaxPooling2D(2, name="pool"),
            L.Flatten(name="flat"),
            L.Dense(CLASSES, activation="softmax", name="fc"),
        ],
        name="wide",
    )


def wide_torch(x, w, training):
    x = F.relu(conv(x, w, "conv1", padding=1))
    x = F.max_pool2d(F.relu(conv(x, w, "conv2", padding=1)), 2)
    return [dense(flat(x), w, "fc")]


def residual():
    """Blocks as in the zoo's residual networks: zero padding before a stride, of a convolution and of a maximum; shortcuts
    without parameters (every second pixel, zeros for new channels) and by projection."""

    def conv_bn(x, filters, kernel, strides, name):
        if strides > 1:
            x = L.ZeroPadding2D(kernel // 2, name=f"pad{name}")(x)
        padding = "valid" if strides > 1 else "same"
        x = L.Conv2D(filters, kernel, strides=strides, padding=padding, use_bias=False, name=f"conv{name}")(x)
        return L.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"bn{name}")(x)

    i = keras.Input((8, 8, 2), name="in")
    x = L.ReLU(name="relu1")(conv_bn(i, 4, 3, 1, "1"))
    x = L.MaxPooling2D(3, strides=2, name="pool")(L.ZeroPadding2D(1, name="pad_pool")(x))
    y = L.ReLU(name="relu2")(conv_bn(x, 8, 3, 2, "2"))
    y = conv_bn(y, 8, 3, 1, "3")
    x = L.Reshape((-1, 4, 1), name="rows")(L.AveragePooling2D(1, strides=2, name="skip")(x))
    x = L.Reshape((2, 2, 8), name="shortcut")(L.ZeroPadding2D(((0, 0), (0, 4)), name="new")(x))
    x = L.ReLU(name="relu3")(L.Add(name="add1")([y, x]))
    y = L.ReLU(name="relu4")(conv_bn(x, 4, 1, 1, "4"))
    y = conv_bn(y, 12, 3, 1, "5")
    x = L.ReLU(name="relu5")(L.Add(name="add2")([y, conv_bn(x, 12, 1, 1, "6")]))
    x = L.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(i, L.Dense(CLASSES, activation="softmax", name="fc")(x), name="residual")


def residual_torch(x, w, training):
    def conv_bn(x, name, **options):
        return batch_norm(conv(x, w, f"conv{name}", **options), w, f"bn{name}", 0.9, 1e-5, training)

    x = F.max_pool2d(F.relu(conv_bn(x, "1", padding=1)), 3, stride=2, padding=1)
    y = conv_bn(F.relu(conv_bn(x, "2", padding=1, stride=2)), "3", padding=1)
    x = F.relu(y + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 4)))
    y = conv_bn(F.relu(conv_bn(x, "4")), "5", padding=1)
    return [dense(F.relu(y + conv_bn(x, "6")).mean((2, 3)), w, "fc")]


def conv(x, w, layer, **options):
    kernel = w[f"{layer}/kernel"].permute(3, 2, 0, 1)  # Keras: R S C K
    if x.is_contiguous(memory_format=torch.channels_last):
        kernel = kernel.contiguous(memory_format=torch.channels_last)
    else:
        kernel = kernel.contiguous()
    return F.conv2d(x, kernel, w.get(f"{layer}/bias"), **options)


def dense(x, w, layer):
    return x @ w[f"{layer}/kernel"] + w.get(f"{layer}/bias", 0)


def flat(x):
    return x.permute(0, 2, 3, 1).reshape(len(x), -1)  # Keras flattens with the channel last


def batch_norm(x, w, layer, momentum, epsilon, training):
    """Keras: the moving variance takes the biased variance of the batch."""
    axes, shape = ((0, 2, 3), (1, -1, 1, 1)) if x.ndim == 4 else ((0,), (1, -1))
    mean, variance = w[f"{layer}/moving_mean"], w[f"{layer}/moving_variance"]
    if training:
        mean, variance = x.mean(axes), x.var(axes, correction=0)
        for name, batch in (("moving_mean", mean), ("moving_variance", variance)):
            w[f"{layer}/{name}"] = momentum * w[f"{layer}/{name}"] + (1 - momentum) * batch.detach()
    x = (x - mean.view(shape)) / torch.sqrt(variance.view(shape) + epsilon)
    return x * w[f"{layer}/gamma"].view(shape) + w[f"{layer}/beta"].view(shape)


def none(w):
    return 0.0


NETWORKS = {
    "plain": (plain, plain_torch, none),
    "norm": (norm, norm_torch, none),
    "two": (two, two_torch, two_penalty),
    "wide": (wide, wide_torch, none),
    "residual": (residual, residual_torch, none),
}


# ---- optimizers, formulas of Keras ----


class Sgd:
    def __init__(self, lr, momentum=0.0, nesterov=False):
        self.lr, self.momentum, self.nesterov = lr, momentum, nesterov

    def update(self, p, g, slot, t):
        slot["m"] = self.momentum * slot.get("m", 0) - self.lr * g
        return p + self.momentum * slot["m"] - self.lr * g if self.nesterov else p + slot["m"]


class Adam:
    def __init__(self, lr, beta_1=0.9, beta_2=0.999, epsilon=1e-7, decay=0.0):
        self.lr, self.b1, self.b2, self.epsilon, self.decay = lr, beta_1, beta_2, epsilon, decay

    def update(self, p, g, slot, t):
        p = p - self.lr * self.decay * p
        slot["m"] = self.b1 * slot.get("m", 0) + (1 - self.b1) * g
        slot["v"] = self.b2 * slot.get("v", 0) + (1 - self.b2) * g**2
        alpha = self.lr * (1 - self.b2**t) ** 0.5 / (1 - self.b1**t)
        return p - alpha * slot["m"] / (slot["v"].sqrt() + self.epsilon)


class Rmsprop:
    def __init__(self, lr, rho=0.9, epsilon=1e-7, momentum=0.0):
        self.lr, self.rho, self.epsilon, self.momentum = lr, rho, epsilon, momentum

    def update(self, p, g, slot, t):
        slot["v"] = self.rho * slot.get("v", 0) + (1 - self.rho) * g**2
        slot["m"] = self.momentum * slot.get("m", 0) + self.lr * g / (slot["v"] + self.epsilon).sqrt()
        return p - slot["m"]


# ---- training ----


def cross_entropy(logits, labels, smoothing=0.0):
    target = F.one_hot(labels.long(), logits.shape[1]).to(logits) * (1 - smoothing) + smoothing / logits.shape[1]
    return -(target * F.log_softmax(logits, 1)).sum(1).mean()


def squared(prediction, target):
    return ((prediction - target) ** 2).mean()


def huber(delta):
    return lambda prediction, target: F.huber_loss(prediction, target, delta=delta)


def tensors(split, first=0, last=None, dtype=torch.float64):
    part = {name: torch.tensor(array[first:last]) for name, array in data[split].items()}
    return part["x"].to(dtype).permute(0, 3, 1, 2).contiguous(), part["y"], part["side"].to(dtype)


def data_loss(network, w, batch, training, smoothing=0.0, side=squared, weights=(1, 1)):
    x, y, numbers = batch
    outputs = NETWORKS[network][1](x, w, training)
    loss = weights[0] * cross_entropy(outputs[0], y, smoothing)
    return loss + weights[1] * side(outputs[1], numbers) if len(outputs) > 1 else loss


def total_loss(network, w, *arguments):
    return data_loss(network, w, *arguments) + NETWORKS[network][2](w)


def trained(name):
    return "moving" not in name


def train(network, start, optimizer, batch_size=TRAIN, epochs=STEPS, clip=0.0, smoothing=0.0, side=squared, weights=(1, 1)):
    """The mean of the steps' losses over the examples of each epoch, and the loss over the validation data after it."""
    w = {name: torch.tensor(value, dtype=torch.float64) for name, value in start.items()}
    slots, step, losses, val_losses = {name: {} for name in w}, 0, [], []
    for _ in range(epochs):
        total = 0.0
        for first in range(0, TRAIN, batch_size):
            batch = tensors("train", first, first + batch_size)
            names = [name for name in w if trained(name)]
            for name in names:
                w[name].requires_grad_()
            loss = total_loss(network, w, batch, True, smoothing, side, weights)
            gradients = torch.autograd.grad(loss, [w[name] for name in names])
            length = sum((g**2).sum() for g in gradients).sqrt()
            factor = min(1.0, clip / length) if clip else 1.0
            step += 1
            with torch.no_grad():
                for name, g in zip(names, gradients):
                    w[name] = optimizer.update(w[name].detach(), g * factor, slots[name], step)
            total += loss.item() * len(batch[0])
        losses.append(total / TRAIN)
        with torch.no_grad():
            val_losses.append(total_loss(network, w, tensors("val"), False, smoothing, side, weights).item())
    return losses, val_losses, {name: value for name, value in w.items() if not trained(name)}


def write_weights(path, model, weights):
    """The layout of Keras's .h5 files."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(json.loads(model.to_json()), separators=(",", ":"))
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([layer.name.encode() for layer in model.layers])
        for layer in model.layers:
            names = [name for name in weights if name.split("/")[0] == layer.name]
            part = group.create_group(layer.name)
            part.attrs["weight_names"] = np.array([f"{name}:0".encode() for name in names], dtype="S64")
            for name in names:
                part.create_dataset(f"{name}:0", data=weights[name], track_times=False)


def make_weights(model):
    """Random float32 numbers: the same start in float32 and float64."""
    weights = {}
    for layer in model.layers:
        for variable in layer.weights:
            name, shape = variable.path.rsplit("/", 1)[1], tuple(variable.shape)
            scale = 1 / np.sqrt(np.prod(shape[:-1])) if name == "kernel" else 0.1
            one = name in ("gamma", "moving_variance")
            weights[f"{layer.name}/{name}"] = (one + scale * rng.normal(size=shape)).astype("float32")
    return weights


def write_gradient(network, model, start, table):
    """The gradient in float64, and the distance from it of float32 in PyTorch's two memory layouts."""

    def gradient(dtype, layout):
        w = {name: torch.tensor(value, dtype=dtype) for name, value in start.items()}
        names = [name for name in w if trained(name)]
        x, y, side = tensors("train", dtype=dtype)
        for name in names:
            w[name].requires_grad_()
        loss = data_loss(network, w, (x.contiguous(memory_format=layout), y, side), True)
        return dict(zip(names, torch.autograd.grad(loss, [w[name] for name in names])))

    exact = gradient(torch.float64, torch.contiguous_format)
    write_weights(folder / f"{network}.gradient.h5", model, {name: g.numpy() for name, g in exact.items()})
    rows = [gradient(torch.float32, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    for name, g in exact.items():
        errors = [((row[name].double() - g).abs().max() / g.abs().max()).item() for row in rows]
        layer, part = name.split("/")
        table.append(f'{{"{network}", "{layer}", "{part}", {errors[0]:.3g}, {errors[1]:.3g}}},\n')


ONE = "--loss sparse_categorical_crossentropy"
TWO = "--loss class=sparse_categorical_crossentropy,side={} --loss-weights class=1,side={}"
CASES = [
    ("sgd", "plain norm residual", f"--optimizer sgd --lr 0.05 --momentum 0.9 {ONE}", Sgd(0.05, 0.9), {}),
    ("nesterov", "plain", f"--optimizer sgd --lr 0.05 --momentum 0.9 --nesterov {ONE}", Sgd(0.05, 0.9, True), {}),
    ("adam", "plain norm", f"--optimizer adam --lr 0.01 {ONE}", Adam(0.01), {}),
    ("adamw", "plain norm", f"--optimizer adamw --lr 0.01 --weight-decay 0.1 --weight-decay-all --epsilon 1e-3 {ONE}",
     Adam(0.01, epsilon=1e-3, decay=0.1), {}),
    ("rmsprop", "plain norm", f"--optimizer rmsprop --lr 0.002 {ONE}", Rmsprop(0.002), {}),
    ("rmsprop momentum", "plain", f"--optimizer rmsprop --lr 0.001 --rho 0.8 --epsilon 1e-3 --momentum 0.5 {ONE}",
     Rmsprop(0.001, 0.8, 1e-3, 0.5), {}),
    ("clipped", "plain", f"--optimizer sgd --lr 0.2 --momentum 0.5 --clip-norm 0.5 {ONE}", Sgd(0.2, 0.5),
     {"clip": 0.5}),
    ("smoothed", "plain", f"--optimizer adam --lr 0.01 --label-smoothing 0.1 {ONE}", Adam(0.01), {"smoothing": 0.1}),
    ("batches", "plain norm", f"--optimizer adam --lr 0.01 {ONE}", Adam(0.01),
     {"batch_size": 10, "epochs": 17}),
    ("squares", "two", f"--optimizer sgd --lr 0.05 --momentum 0.9 {TWO.format('mse', 0.3)}", Sgd(0.05, 0.9),
     {"side": squared, "weights": (1, 0.3)}),
    ("huber", "two", f"--optimizer adam --lr 0.01 --label-smoothing 0.2 --huber-delta 0.5 {TWO.format('huber', 2)}",
     Adam(0.01), {"side": huber(0.5), "weights": (1, 2), "smoothing": 0.2}),
]


def numbers(values):
    return "{" + ", ".join(repr(float(value)) for value in values) + "}"


starts, table, lines = {}, [], []
for network, (make, _, _) in NETWORKS.items():
    model = make()
    starts[network] = make_weights(model)
    write_weights(folder / f"{network}.h5", model, starts[network])
    write_gradient(network, model, starts[network], table)
for case, networks, options, optimizer, how in CASES:
    for network in networks.split():
        losses, val_losses, statistics = train(network, starts[network], optimizer, **how)
        size = how.get("batch_size", TRAIN)
        moving = torch.cat(list(statistics.values())) if statistics else []
        lines.append(f'{{"{case}", "{network}", "--batch-size {size} {options}", {len(losses)},\n'
                     f" {numbers(losses)},\n {numbers(val_losses)},\n"
                     f" {len(moving)}, {numbers(moving)}}},\n")
        print(f"{network:6} {case:18} {losses[0]:.6f} -> {losses[-1]:.6f}, validation {val_losses[-1]:.6f}")
head = "/* Made by make_training.py; do not edit. */\n"
(folder / "cases.inc").write_text(head + "".join(lines))
(folder / "gradients.inc").write_text(head + "".join(table))
print("".join(table))
