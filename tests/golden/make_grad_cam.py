#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Grad-CAM of a small network by PyTorch's autograd: writes grad_cam.inc beside itself.

test_grad_cam.c builds the same network and fills it with the same numbers: number i of array a is sin(0.7 i + a) + 0.2."""
import os

import torch
import torch.nn.functional as F

H, W, C, K1, K2, CLASSES = 6, 7, 2, 4, 3, 3


def numbers(array, *shape):
    count = torch.tensor(shape).prod().item()
    return (torch.sin(0.7 * torch.arange(count, dtype=torch.float64) + array) + 0.2).reshape(shape)


def kernel(array, c, k):
    return numbers(array, 3, 3, c, k).permute(3, 2, 0, 1)  # from [height, width, in, out]


def grad_cam(target, tap):
    """tap: 1 or 2, the convolution whose maps, after the activation, are looked at."""
    x = numbers(1, H, W, C).permute(2, 0, 1)[None]
    a = F.relu(F.conv2d(x, kernel(2, C, K1), numbers(3, K1), padding=1)).detach().requires_grad_()
    b = F.relu(F.conv2d(a, kernel(4, K1, K2), numbers(5, K2)))
    b = b if tap == 1 else b.detach().requires_grad_()
    z = b.mean((2, 3)) @ numbers(6, K2, CLASSES) + numbers(7, CLASSES)
    maps = a if tap == 1 else b
    z[0, target].backward()
    weights = maps.grad.mean((2, 3), keepdim=True)
    return F.relu((weights * maps).sum(1))[0].detach(), z[0, target].item()


with open(os.path.join(os.path.dirname(__file__), "grad_cam.inc"), "w") as out:
    out.write("/* Written by make_grad_cam.py with PyTorch: {tap, class, score, height, width, map}. */\n")
    for tap in (1, 2):
        for target in range(CLASSES):
            cam, score = grad_cam(target, tap)
            values = ", ".join(f"{v:.9g}" for v in cam.flatten().tolist())
            out.write(f"{{{tap}, {target}, {score:.9g}, {cam.shape[0]}, {cam.shape[1]}, {{{values}}}}},\n")
