#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training speed of some of the named networks in PyTorch: the layers of Keras Applications, channels_last.

usage: peer_models.py NETWORK:BATCH ...      (one thread unless THREADS says otherwise; SECS: seconds a case, 4)
Prints the number of trainable parameters, images/s at the median and the best step, and the largest resident size."""
import os
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

Seq = nn.Sequential


def cb(i, o, k=1, s=1, p=None, g=1, act=None, eps=1e-3, scale=True):
    """Convolution, batch norm, activation."""
    k = (k, k) if isinstance(k, int) else k
    p = tuple(n // 2 for n in k) if p is None else p
    norm = nn.BatchNorm2d(o, eps=eps)
    norm.weight.requires_grad_(scale)
    return Seq(nn.Conv2d(i, o, k, s, p, groups=g, bias=False), norm, *([act(inplace=True)] if act else []))


class Branches(nn.Module):
    """Their outputs one behind the other."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Residual(nn.Module):
    def __init__(self, body, drop=0.0):
        super().__init__()
        self.body, self.drop = body, drop

    def forward(self, x):
        y = self.body(x)
        if self.drop and self.training:
            keep = torch.rand(len(y), 1, 1, 1) >= self.drop
            y = y * (keep / (1 - self.drop))
        return x + y


def head(features, dropout=0.0):
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(features, 1000)


def vgg16():
    layers, i = [], 3
    for o, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(i, o, 3, padding=1), nn.ReLU(inplace=True)]
            i = o
        layers.append(nn.MaxPool2d(2))
    dense = [nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(inplace=True), nn.Linear(4096, 4096),
             nn.ReLU(inplace=True), nn.Linear(4096, 1000)]
    return Seq(*layers, *dense), 224


def inception_v3():
    def c(i, o, k=1, s=1, p=None):
        return cb(i, o, k, s, p, act=nn.ReLU, scale=False)

    def average(i, o):
        return Seq(nn.AvgPool2d(3, 1, 1, count_include_pad=False), c(i, o))

    layers = [c(3, 32, 3, 2, 0), c(32, 32, 3, 1, 0), c(32, 64, 3), nn.MaxPool2d(3, 2), c(64, 80), c(80, 192, 3, 1, 0),
              nn.MaxPool2d(3, 2)]
    for i, pool in ((192, 32), (256, 64), (288, 64)):
        layers.append(Branches(c(i, 64), Seq(c(i, 48), c(48, 64, 5)), Seq(c(i, 64), c(64, 96, 3), c(96, 96, 3)),
                               average(i, pool)))
    layers.append(Branches(c(288, 384, 3, 2, 0), Seq(c(288, 64), c(64, 96, 3), c(96, 96, 3, 2, 0)),
                           nn.MaxPool2d(3, 2)))
    a, b = (1, 7), (7, 1)
    for m in (128, 160, 160, 192):
        layers.append(Branches(c(768, 192), Seq(c(768, m), c(m, m, a), c(m, 192, b)),
                               Seq(c(768, m), c(m, m, b), c(m, m, a), c(m, m, b), c(m, 192, a)), average(768, 192)))
    layers.append(Branches(Seq(c(768, 192), c(192, 320, 3, 2, 0)),
                           Seq(c(768, 192), c(192, 192, a), c(192, 192, b), c(192, 192, 3, 2, 0)), nn.MaxPool2d(3, 2)))
    for i in (1280, 2048):
        layers.append(Branches(c(i, 320), Seq(c(i, 384), Branches(c(384, 384, (1, 3)), c(384, 384, (3, 1)))),
                               Seq(c(i, 448), c(448, 384, 3), Branches(c(384, 384, (1, 3)), c(384, 384, (3, 1)))),
                               average(i, 192)))
    return Seq(*layers, *head(2048)), 299


def mobilenet_v2():
    layers, i = [cb(3, 32, 3, 2, act=nn.ReLU6)], 32
    for t, o, count, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                           (6, 320, 1, 1)):
        for j in range(count):
            stride, e = s if j == 0 else 1, t * i
            body = Seq(*([cb(i, e, act=nn.ReLU6)] if t > 1 else []), cb(e, e, 3, stride, g=e, act=nn.ReLU6), cb(e, o))
            layers.append(Residual(body) if stride == 1 and i == o else body)
            i = o
    return Seq(*layers, cb(320, 1280, act=nn.ReLU6), *head(1280)), 224


def densenet121():
    def bn_conv(i, o, k=1):
        return nn.BatchNorm2d(i, eps=1.001e-5), nn.ReLU(inplace=True), nn.Conv2d(i, o, k, padding=k // 2, bias=False)

    layers, i = [cb(3, 64, 7, 2, act=nn.ReLU), nn.MaxPool2d(3, 2, 1)], 64
    for b, count in enumerate((6, 12, 24, 16)):
        for _ in range(count):
            layers.append(Branches(nn.Identity(), Seq(*bn_conv(i, 128), *bn_conv(128, 32, 3))))
            i += 32
        if b < 3:
            layers += [*bn_conv(i, i // 2), nn.AvgPool2d(2)]
            i //= 2
    return Seq(*layers, nn.BatchNorm2d(i, eps=1.001e-5), nn.ReLU(inplace=True), *head(i)), 224


class Excite(nn.Module):
    def __init__(self, channels, middle):
        super().__init__()
        self.gate = Seq(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, middle, 1), nn.SiLU(inplace=True),
                        nn.Conv2d(middle, channels, 1), nn.Sigmoid())

    def forward(self, x):
        return x * self.gate(x)


def efficientnet_b0():
    layers, i, block = [cb(3, 32, 3, 2, act=nn.SiLU)], 32, 0
    for t, o, count, s, k in ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
                              (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for j in range(count):
            stride, e = s if j == 0 else 1, t * i
            body = Seq(*([cb(i, e, act=nn.SiLU)] if t > 1 else []), cb(e, e, k, stride, g=e, act=nn.SiLU),
                       Excite(e, i // 4), cb(e, o))
            layers.append(Residual(body, 0.2 * block / 16) if stride == 1 and i == o else body)
            i, block = o, block + 1
    return Seq(*layers, cb(320, 1280, act=nn.SiLU), *head(1280, 0.2)), 224


NETS = {"vgg16": vgg16, "inception-v3": inception_v3, "mobilenet-v2": mobilenet_v2, "densenet121": densenet121,
        "efficientnet-b0": efficientnet_b0}


def measure(name, batch, seconds):
    torch.manual_seed(0)
    model, size = NETS[name]()
    model = model.to(memory_format=torch.channels_last)
    x = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    y = torch.randint(0, 1000, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    times = sorted(times[1:])
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name} batch={batch} parameters={count} images_per_s={batch / times[len(times) // 2]:.4g} "
          f"best={batch / times[0]:.4g} memory={memory:.0f}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("THREADS", "1")))
    for case in sys.argv[1:]:
        network, size = case.split(":")
        measure(network, int(size), float(os.environ.get("SECS", "4")))
