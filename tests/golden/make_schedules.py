# SPDX-License-Identifier: Apache-2.0
"""Makes schedules.inc: learning rates of every step by Keras's and PyTorch's own schedules.

    KERAS_BACKEND=torch python make_schedules.py > schedules.inc      (made with Keras 3.15.1, PyTorch 2.13)

Runs of 4 epochs of 15 steps; a schedule after a warm-up of w steps begins at step w.
"""
import os

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import torch

keras.config.set_floatx("float64")
STEPS_PER_EPOCH, EPOCHS = 15, 4
TOTAL = STEPS_PER_EPOCH * EPOCHS
S = keras.optimizers.schedules


def of_keras(schedule):
    return [float(schedule(step)) for step in range(TOTAL)]


def of_torch(make, lr):
    optimizer = torch.optim.SGD([torch.zeros(1, dtype=torch.float64)], lr=lr)
    scheduler = make(optimizer)
    rates = []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def torch_linear_warmup(optimizer):
    T = torch.optim.lr_scheduler
    w = 15
    warm = T.LambdaLR(optimizer, lambda t: (t + 1) / w)
    return T.SequentialLR(optimizer, [warm, T.CosineAnnealingLR(optimizer, TOTAL - w, eta_min=0.01)], [w])


T = torch.optim.lr_scheduler
CASES = [
    ("keras ExponentialDecay", ".kind = SCHEDULE_EXPONENTIAL, .lr = 0.1, .decay_epochs = 2, .decay_rate = 0.5",
     of_keras(S.ExponentialDecay(0.1, 30, 0.5))),
    ("keras ExponentialDecay, staircase", ".kind = SCHEDULE_STEP, .lr = 0.1, .decay_epochs = 2, .decay_rate = 0.5",
     of_keras(S.ExponentialDecay(0.1, 30, 0.5, staircase=True))),
    ("torch StepLR", ".kind = SCHEDULE_STEP, .lr = 0.1, .decay_epochs = 0.2, .decay_rate = 0.5",
     of_torch(lambda o: T.StepLR(o, 3, 0.5), 0.1)),
    ("keras CosineDecay", ".kind = SCHEDULE_COSINE, .lr = 0.1, .min_lr = 0.02", of_keras(S.CosineDecay(0.1, TOTAL, 0.2))),
    ("torch CosineAnnealingLR after a warm-up", ".kind = SCHEDULE_COSINE, .lr = 0.1, .min_lr = 0.01, .warmup = 1",
     of_torch(torch_linear_warmup, 0.1)),
    ("keras PolynomialDecay", ".kind = SCHEDULE_POLYNOMIAL, .lr = 0.1, .min_lr = 0.02, .power = 1",
     of_keras(S.PolynomialDecay(0.1, TOTAL, 0.02))),
    ("keras PolynomialDecay, power 2.5", ".kind = SCHEDULE_POLYNOMIAL, .lr = 0.1, .min_lr = 0.02, .power = 2.5",
     of_keras(S.PolynomialDecay(0.1, TOTAL, 0.02, 2.5))),
    ("torch PolynomialLR", ".kind = SCHEDULE_POLYNOMIAL, .lr = 0.1, .power = 0.5",
     of_torch(lambda o: T.PolynomialLR(o, TOTAL, 0.5), 0.1)),
    ("keras CosineDecayRestarts",
     ".kind = SCHEDULE_RESTARTS, .lr = 0.1, .min_lr = 0.01, .decay_epochs = 0.5, .cycle_mult = 2, .cycle_decay = 0.75",
     of_keras(S.CosineDecayRestarts(0.1, 7.5, 2.0, 0.75, 0.1))),
    ("keras CosineDecayRestarts, equal periods",
     ".kind = SCHEDULE_RESTARTS, .lr = 0.1, .decay_epochs = 1, .cycle_mult = 1, .cycle_decay = 0.5",
     of_keras(S.CosineDecayRestarts(0.1, 15, 1.0, 0.5))),
    ("torch CosineAnnealingWarmRestarts",
     ".kind = SCHEDULE_RESTARTS, .lr = 0.1, .min_lr = 0.01, .decay_epochs = 0.4, .cycle_mult = 3, .cycle_decay = 1",
     of_torch(lambda o: T.CosineAnnealingWarmRestarts(o, 6, 3, 0.01), 0.1)),
    ("torch OneCycleLR", ".kind = SCHEDULE_ONE_CYCLE, .lr = 0.1", of_torch(lambda o: T.OneCycleLR(o, 0.1, TOTAL), 0.1)),
    ("torch OneCycleLR, a quarter up", ".kind = SCHEDULE_ONE_CYCLE, .lr = 0.1, .warmup = 1",
     of_torch(lambda o: T.OneCycleLR(o, 0.1, TOTAL, pct_start=0.25), 0.1)),
]

print("/* SPDX-License-Identifier: Apache-2.0\n *\n * Made by make_schedules.py with Keras %s and PyTorch %s; do not edit. */"
      % (keras.__version__, torch.__version__.split("+")[0]))
for name, options, rates in CASES:
    rows = [", ".join("%.15g" % r for r in rates[i:i + 6]) for i in range(0, TOTAL, 6)]
    print("{\"%s\",\n {%s},\n {%s}}," % (name, options, ",\n  ".join(rows)))
