# SPDX-License-Identifier: Apache-2.0
"""Makes metrics.h: scikit-learn's metrics of made-up predictions, with ties and a class that nobody predicts; and when
Keras's callbacks EarlyStopping and ReduceLROnPlateau act on made-up series of losses.

    KERAS_BACKEND=torch python make_metrics.py > metrics.h      (made with scikit-learn 1.9.1, Keras 3.15.1)
"""
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np
import sklearn
import sklearn.metrics as sk

ROWS = 60
random = np.random.RandomState(3)


def numbers(values):
    lines, line = [], "   "
    for value in np.asarray(values, dtype=np.float64).ravel():
        word = f" {value:.17g},"
        if len(line) + len(word) > 118:
            lines.append(line)
            line = "   "
        line += word
    return "\n".join(lines + [line])


def case(name, loss, logits, prediction, label, expected):
    print(f"static const Real {name}_x[] = {{\n{numbers(prediction)}\n}};")
    print(f"static const Real {name}_t[] = {{\n{numbers(label)}\n}};")
    text = ", ".join(f"{float(value):.17g}" for value in expected.values())
    cases.append(f'    {{"{",".join(expected)}", {loss}, {logits}, {name}_x, {name}_t, {prediction.shape[1]},\n'
                 f"     {1 if label.ndim == 1 else label.shape[1]}, {{{text}}}}},")


def calibration(confidence, right, bins=15):
    """Expected calibration error (Guo et al., 2017), bins ((m - 1) / M, m / M]."""
    edges, error = np.linspace(0, 1, bins + 1), 0
    for low, high in zip(edges[:-1], edges[1:]):
        chosen = (confidence > low) & (confidence <= high)
        if chosen.any():
            error += chosen.mean() * abs(right[chosen].mean() - confidence[chosen].mean())
    return error


def of_classes(p, label):
    macro = dict(average="macro", zero_division=0)
    chosen = p.argmax(1)
    return {
        "top_2": sk.top_k_accuracy_score(label, p + 1e-9 * np.arange(p.shape[1])[::-1], k=2),  # the first of equal ones
        "precision": sk.precision_score(label, chosen, **macro),
        "recall": sk.recall_score(label, chosen, **macro),
        "f1": sk.f1_score(label, chosen, **macro),
        "auc": sk.roc_auc_score(label, p, multi_class="ovr", average="macro"),
        "ece": calibration(p.max(1), chosen == label),
    }


def of_labels(p, label):
    macro = dict(average="macro" if p.shape[1] > 1 else "binary", zero_division=0)
    chosen = (p > 0.5).astype(int)
    return {
        "binary_accuracy": (chosen == label).mean(),
        "precision": sk.precision_score(label, chosen, **macro),
        "recall": sk.recall_score(label, chosen, **macro),
        "f1": sk.f1_score(label, chosen, **macro),
        "auc": sk.roc_auc_score(label, p, average="macro"),
        "ece": calibration(np.maximum(p, 1 - p).ravel(), (chosen == label).ravel()),
    }


cases = []
print("/* SPDX-License-Identifier: Apache-2.0\n *")
print(f" * Made by make_metrics.py with scikit-learn {sklearn.__version__} and Keras {keras.__version__}; do not edit. */")
print(f"enum {{ GOLDEN_ROWS = {ROWS} }};")

label = np.arange(ROWS) % 5
x = np.round(random.randn(ROWS, 5) * 8 + 12 * np.eye(5)[label]) / 8  # logits, multiples of 1/8
x[:, 4] = np.minimum(x[:, 4], x[:, :4].max(1) - 0.125)  # class 4 is never the largest
p = np.exp(x - x.max(1, keepdims=True))
exact = p / p.sum(1, keepdims=True)
p = exact.astype(np.float32).astype(np.float64)
auc = of_classes(p, label)
auc["ece"] = calibration(exact.max(1), exact.argmax(1) == label)
auc["auc"] = np.mean([sk.roc_auc_score(label == c, p[:, c]) for c in range(5)])  # rows do not sum to 1 in float32
case("logits", "LOSS_SPARSE_CROSSENTROPY", "true", x, label, auc)

q = np.round(p * 32) / 32  # many ties
chosen = q.argmax(1)
macro = dict(average="macro", zero_division=0)
tied = {"top_2": np.mean([(np.argsort(-q[i], kind="stable")[:2] == label[i]).any() for i in range(ROWS)]),
        "precision": sk.precision_score(label, chosen, **macro),
        "recall": sk.recall_score(label, chosen, **macro),
        "f1": sk.f1_score(label, chosen, **macro),
        "auc": np.mean([sk.roc_auc_score(label == c, q[:, c]) for c in range(5)]),
        "ece": calibration(q.max(1), chosen == label)}
case("tied", "LOSS_CROSSENTROPY", "false", q, np.eye(5)[label], tied)

label = (random.rand(ROWS, 3) < [0.5, 0.3, 0.1]).astype(int)
x = np.round(random.randn(ROWS, 3) * 4 + 4 * label) / 4 - 0.625
x[:, 2] = np.minimum(x[:, 2], -0.125)  # label 2 is never said
exact = 1 / (1 + np.exp(-x))
p = exact.astype(np.float32).astype(np.float64)
expected = of_labels(p, label)
expected["ece"] = calibration(np.maximum(exact, 1 - exact).ravel(), ((exact > 0.5) == label).ravel())
case("labels", "LOSS_BINARY_CROSSENTROPY", "true", x, label, expected)
case("binary", "LOSS_BINARY_CROSSENTROPY", "false", np.round(p[:, :1] * 16) / 16, label[:, :1],
     of_labels(np.round(p[:, :1] * 16) / 16, label[:, :1]))

t = np.round(random.randn(ROWS, 2) * 64 + [5, 300]) / 64
x = np.round((t + 0.3 * random.randn(ROWS, 2)) * 64) / 64
case("numbers", "LOSS_HUBER", "false", x, t,
     {"mae": sk.mean_absolute_error(t, x), "mse": sk.mean_squared_error(t, x),
      "rmse": sk.mean_squared_error(t, x) ** 0.5, "r2": sk.r2_score(t, x)})

print("static const struct {\n    const char *list;\n    LossKind loss;\n    bool from_logits;\n    const Real *x, *t;")
print("    size_t columns, label_columns;\n    double expected[6];\n} golden_metrics[] = {")
print("\n".join(cases) + "\n};\n")


# ---- callbacks

class Optimizer:
    """What ReduceLROnPlateau needs of one: its learning rate, in float64."""

    def __init__(self, lr):
        self.learning_rate = np.float64(lr)


class Model:
    def __init__(self, lr):
        self.optimizer, self.stop_training = Optimizer(lr), False


def run(series, mode, min_delta, patience, plateau, cooldown, min_lr):
    model = Model(0.5)
    stop = keras.callbacks.EarlyStopping("m", min_delta=min_delta, patience=patience, mode=mode)
    fall = keras.callbacks.ReduceLROnPlateau("m", factor=0.25, patience=plateau, mode=mode, min_delta=min_delta,
                                             cooldown=cooldown, min_lr=min_lr)
    for callback in (stop, fall):
        callback.set_model(model)
        callback.on_train_begin()
    stopped, rates = 0, []
    for epoch, value in enumerate(series):
        for callback in (stop, fall):
            callback.on_epoch_end(epoch, {"m": float(value)})
        if model.stop_training and not stopped:
            stopped = epoch + 1
        rates.append(float(model.optimizer.learning_rate))
    return stopped, rates


EPOCHS = 30
runs = []
for mode, column in (("min", "val_loss"), ("max", "val_accuracy")):
    for min_delta, patience, plateau, cooldown, min_lr in (
            (0, 5, 3, 0, 0), (0.0405, 4, 2, 2, 0.001), (0.0105, 9, 1, 3, 0.02), (0, 3, 4, 1, 0), (0, 100, 2, 0, 0.3)):
        falling = 2 * np.exp(-np.arange(EPOCHS) / 6) + 0.3 * random.rand(EPOCHS)
        series = np.round(falling if mode == "min" else 2.5 - falling, 2) + 0.001 * (random.rand(EPOCHS) > 0.5)
        stopped, rates = run(series, mode, min_delta, patience, plateau, cooldown, min_lr)
        runs.append(f'    {{"{column}", {min_delta}, {plateau}, {cooldown}, {min_lr}, {patience}, {stopped},\n'
                    f"     {{{numbers(series).strip().rstrip(',')}}},\n     {{{numbers(rates).strip().rstrip(',')}}}}},")
print(f"enum {{ GOLDEN_EPOCHS = {EPOCHS} }};\nstatic const struct {{\n    const char *column;\n    double min_delta;")
print("    size_t plateau, cooldown;\n    double min_lr;\n    size_t patience, stopped; /* 0: never */")
print("    double series[GOLDEN_EPOCHS], rates[GOLDEN_EPOCHS]; /* after each epoch */\n} golden_monitor[] = {")
print("\n".join(runs) + "\n};")
print(f"scikit-learn {sklearn.__version__}, Keras {keras.__version__}", file=sys.stderr)
