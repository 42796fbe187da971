#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a dataset file of the photos of ants and bees, a tar of hymenoptera/{train,val}/{ants,bees}/FILE:

    python3 make_hymenoptera.py ../shared/data/folders/hymenoptera.tar.xz hymenoptera.h5    (needs Pillow, numpy and h5py)

The shorter side becomes 256 pixels, and the 224x224 in the middle are kept.  Files that are no photo are named and left out.
126 train, 76 val, each split in an order drawn with a fixed seed."""
import io
import sys
import tarfile

import h5py
import numpy as np
from PIL import Image

CLASSES = "ants bees".split()
SIDE, CROP = 256, 224

if len(sys.argv) != 3:
    sys.exit(__doc__)


def crop(image):
    """The middle of the image, its shorter side being SIDE."""
    scale = SIDE / min(image.size)
    width, height = (max(SIDE, round(extent * scale)) for extent in image.size)
    left, top = (width - CROP) // 2, (height - CROP) // 2
    small = image.convert("RGB").resize((width, height), Image.BILINEAR)
    return np.asarray(small.crop((left, top, left + CROP, top + CROP)))


found = {"train": [], "val": []}
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        if not member.isfile():
            continue
        split, name, number = member.name.split("/")[-3:]
        with Image.open(io.BytesIO(archive.extractfile(member).read())) as image:
            if image.format == "JPEG":
                found[split].append((CLASSES.index(name), number, crop(image)))
            else:
                print(f"left out: {member.name} is a {image.format}")

rng = np.random.default_rng(0)
with h5py.File(sys.argv[2], "w") as f:
    for split, examples in found.items():
        examples.sort(key=lambda example: example[:2])  # whatever the order in the archive
        order = rng.permutation(len(examples))
        f[f"{split}/x"] = np.stack([examples[i][2] for i in order])
        f[f"{split}/y"] = np.array([examples[i][0] for i in order], dtype=np.uint8)
    f.attrs["class_names"] = CLASSES
    f.attrs["origin"] = "ants and bees of the PyTorch transfer-learning tutorial (photos through ImageNet), for testing only"

with h5py.File(sys.argv[2], "r") as f:
    for split, expected in {"train": [64, 62], "val": [38, 38]}.items():
        x, y = f[f"{split}/x"][:], f[f"{split}/y"][:]
        counts = np.bincount(y, minlength=2).tolist()
        flat = [i for i in range(len(x)) if x[i].std() < 5]
        print(f"{split}: {counts[0]} ants, {counts[1]} bees")
        if counts != expected or x.shape[1:] != (CROP, CROP, 3) or x.dtype != np.uint8 or flat:
            sys.exit(f"{split}: expected {expected} photos of {CROP}x{CROP}, none without contrast ({flat})")
