#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes augment.inc: what other libraries make of three images, for tests/unit/test_augment.c.  Made with torchvision 0.29
(floating-point images), SciPy 1.17 and Pillow 13.  Each case is the list of --augment that has to give the same, all of whose
ranges are one number; or a rectangle for a resized crop; or an operation of a policy: number, magnitude, sign."""
import pathlib

import numpy as np
import torch
import torchvision.transforms as T
import torchvision.transforms.functional as F
from PIL import Image, ImageOps
from scipy.ndimage import affine_transform, gaussian_filter
from torchvision.transforms.autoaugment import _apply_op

BILINEAR, NEAREST = T.InterpolationMode.BILINEAR, T.InterpolationMode.NEAREST
random = np.random.default_rng(3)
images = [random.integers(0, 256, (6, 8, 3)), random.integers(0, 256, (6, 8, 1)), random.integers(0, 200, (30, 40, 1))]
images[2] = images[2] // 3 + 40  # a narrow histogram
lines = []


def numbers(values):
    return "{" + ", ".join(f"{v:.6g}" for v in np.asarray(values, dtype=float).ravel()) + "}"


def case(text, image, values, box=None, policy=None):
    extra = f", .box = {numbers(box)}" if box else ""
    extra += f", .policy = {{true, {', '.join(map(str, policy))}}}" if policy else ""
    lines.append(f'{{"{text}", {image}{extra}, .y = {numbers(values)}}},\n')


def tensor(image):
    return torch.tensor(images[image], dtype=torch.float64).permute(2, 0, 1)[None] / 255


def back(y):
    return y[0].permute(1, 2, 0).numpy() * 255


def torchvision(text, function, image=0):
    case(text, image, back(function(tensor(image))))


# --- moves, by torchvision ---
torchvision("flip=1", F.hflip)
torchvision("vflip=1", F.vflip)
torchvision("flip=1,vflip=1", lambda x: F.vflip(F.hflip(x)), 1)
for angle in (30, -135, 90):
    torchvision(f"rotate={angle}:{angle}", lambda x: F.rotate(x, angle, BILINEAR))
torchvision("rotate=20:20:nearest", lambda x: F.rotate(x, 20, NEAREST), 1)
affine = lambda x, **given: F.affine(x, **{"angle": 0, "translate": [0, 0], "scale": 1, "shear": [0, 0], "interpolation": BILINEAR, **given})
torchvision("shear-x=15:15", lambda x: affine(x, shear=[15, 0]))
torchvision("shear-y=-10:-10", lambda x: affine(x, shear=[0, -10]))
torchvision("shear=20:20", lambda x: affine(x, shear=[20, 20]))
torchvision("zoom=1.3:1.3", lambda x: affine(x, scale=1.3))
torchvision("zoom=0.6:0.6", lambda x: affine(x, scale=0.6))
torchvision("translate-x=0.25:0.25,translate-y=-0.5:-0.5", lambda x: affine(x, translate=[2, -3]))
torchvision("shear-x=20:20,rotate=-40:-40,zoom=1.2:1.2", lambda x: affine(x, angle=40, scale=1.2, shear=[20, 0]))
for box in ((1, 2, 4, 3), (0, 0, 6, 8), (5, 3, 1, 1), (1, 1, 4, 7)):
    case("resized-crop", 0, back(F.resized_crop(tensor(0), *box, [6, 8], BILINEAR, antialias=False)), box=box)
case("flip=1,resized-crop", 0, back(F.resized_crop(F.hflip(tensor(0)), 1, 2, 4, 3, [6, 8], BILINEAR, antialias=False)),
     box=(1, 2, 4, 3))


# --- moves and their borders, by SciPy: matrices in (x, y) from the output to the source ---
def about(a, size=(6, 8)):
    cx, cy = (size[1] - 1) / 2, (size[0] - 1) / 2
    move = np.array([[1, 0, cx], [0, 1, cy], [0, 0, 1]])
    return move @ np.block([[np.array(a), np.zeros((2, 1))], [np.zeros((1, 2)), np.ones((1, 1))]]) @ np.linalg.inv(move)


def turn(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return about([[c, -s], [s, c]])


def shift(dx, dy):
    return np.array([[1, 0, -dx], [0, 1, -dy], [0, 0, 1]])


def scipy(text, map, mode, image=0, order=1, fill=0):
    swap = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    matrix = swap @ map @ swap
    x = images[image].astype(float)
    planes = [affine_transform(x[..., c], matrix, order=order, mode=mode, cval=255 * fill) for c in range(x.shape[2])]
    case(text, image, np.stack(planes, -1))


MODES = {"reflect": "reflect", "mirror": "mirror", "nearest": "nearest", "wrap": "grid-wrap", "0": "grid-constant"}
for ours, theirs in MODES.items():
    scipy(f"rotate=50:50:fill={ours}", turn(50), theirs)
    scipy(f"translate-x=-0.37:-0.37:fill={ours}", shift(-2.96, 0), theirs)
    scipy(f"translate=0.6:0.6:fill={ours}", shift(4.8, 3.6), theirs, 1)
    scipy(f"zoom=0.2:0.2:fill={ours}", about(np.eye(2) / 0.2), theirs, 1)
    scipy(f"translate-x=0.5:0.5:fill={ours},translate-y=-0.5:-0.5:fill={ours}", shift(4, -3), theirs)
scipy("rotate=-20:-20:fill=0.4", turn(-20), "grid-constant", fill=0.4)
flip = about([[-1, 0], [0, 1]])
scipy("rotate=25:25,translate-x=0.13:0.13,flip=1,zoom=0.9:0.9", turn(25) @ shift(1.04, 0) @ flip @ about(np.eye(2) / 0.9),
      "grid-constant")
scipy("flip=1,rotate=25:25:fill=reflect", flip @ turn(25), "reflect")
scipy("rotate=25:25:fill=mirror:nearest", turn(25), "mirror", order=0)
for deviation in (0.4, 1.3, 3):
    y = gaussian_filter(images[0].astype(float), (deviation, deviation, 0), mode="mirror")
    case(f"blur={deviation}", 0, y)

# --- colours, by torchvision ---
for factor in (0.4, 1.7):
    torchvision(f"brightness={factor}:{factor}", lambda x: F.adjust_brightness(x, factor))
    torchvision(f"contrast={factor}:{factor}", lambda x: F.adjust_contrast(x, factor))
    torchvision(f"contrast={factor}:{factor}", lambda x: F.adjust_contrast(x, factor), 1)
    torchvision(f"saturation={factor}:{factor}", lambda x: F.adjust_saturation(x, factor))
    torchvision(f"sharpness={factor}:{factor}", lambda x: F.adjust_sharpness(x, factor))
for turned in (0.1, 0.45, -0.3):
    torchvision(f"hue={turned}:{turned}", lambda x: F.adjust_hue(x, turned))
torchvision("grayscale=1", lambda x: F.rgb_to_grayscale(x, 3))
torchvision("invert=1", F.invert)
torchvision("autocontrast=1", F.autocontrast)
torchvision("autocontrast=1", F.autocontrast, 2)
torchvision("flip=1,brightness=0.5:0.5,rotate=10:10,contrast=1.5:1.5",
            lambda x: F.adjust_contrast(F.rotate(F.adjust_brightness(F.hflip(x), 0.5), 10, BILINEAR), 1.5))

# --- levels, by Pillow ---
for bits in (1, 3, 8):
    case(f"posterize={bits}:p=1", 0, ImageOps.posterize(Image.fromarray(images[0].astype("uint8")), bits))
for level in (0, 100, 256):
    case(f"solarize={level}:p=1", 0, ImageOps.solarize(Image.fromarray(images[0].astype("uint8")), level))
case("equalize=1", 2, ImageOps.equalize(Image.fromarray(images[2][..., 0].astype("uint8"))))
case("equalize=1", 0, ImageOps.equalize(Image.fromarray(images[0].astype("uint8"))))  # too few pixels: unchanged

# --- policies: every operation at some magnitudes, as torchvision's own tables have it ---
for rand in (0, 1):
    space = T.RandAugment()._augmentation_space(31, (6, 8)) if rand else T.TrivialAugmentWide()._augmentation_space(31)
    for which, (name, (magnitudes, signed)) in enumerate(space.items()):
        for at, bin in enumerate((4, 30) if which % 2 else (17, 1)):
            negative = signed and at == 1
            magnitude = float(magnitudes[bin]) if magnitudes.ndim > 0 else 0.0
            if name in ("Posterize", "Equalize", "Solarize"):
                x = torch.tensor(images[0].astype("uint8")).permute(2, 0, 1)
                y = _apply_op(x, name, magnitude, BILINEAR, None).permute(1, 2, 0).numpy()
            else:
                y = back(_apply_op(tensor(0), name, -magnitude if negative else magnitude, BILINEAR, None))
            case(name, 0, y, policy=("true" if rand else "false", which, bin, "true" if negative else "false"))

head = "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by make_augment.py: do not edit. */\n"
pathlib.Path(__file__).with_name("augment_images.inc").write_text(
    head + "".join(f"{{{', '.join(map(str, x.shape))}, {numbers(x)}}},\n" for x in images))
pathlib.Path(__file__).with_name("augment.inc").write_text(head + "".join(lines))
