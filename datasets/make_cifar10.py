#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a dataset file of CIFAR-10 from its JPEG copy, a tar of cifar10-jpeg/{train,test}/CLASS/NUMBER.jpg:

    python3 make_cifar10.py ../shared/data/cifar10/cifar10-jpeg.tar.xz cifar10.h5        (needs Pillow, numpy and h5py)

50,000 train, 10,000 test, 32x32 pixels, each split in an order drawn with a fixed seed."""
import io
import sys
import tarfile

import h5py
import numpy as np
from PIL import Image

CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()

if len(sys.argv) != 3:
    sys.exit(__doc__)
found = {"train": [], "test": []}
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        if member.isfile() and member.name.endswith(".jpg"):
            split, name, number = member.name.split("/")[-3:]
            with Image.open(io.BytesIO(archive.extractfile(member).read())) as image:
                found[split].append((CLASSES.index(name), number, np.asarray(image.convert("RGB"))))

rng = np.random.default_rng(0)
with h5py.File(sys.argv[2], "w") as f:
    for split, examples in found.items():
        examples.sort(key=lambda example: example[:2])  # whatever the order in the archive
        order = rng.permutation(len(examples))
        f[f"{split}/x"] = np.stack([examples[i][2] for i in order])
        f[f"{split}/y"] = np.array([examples[i][0] for i in order], dtype=np.uint8)
        print(f"{split}: {len(examples)} examples")
    f.attrs["class_names"] = CLASSES
    f.attrs["origin"] = "CIFAR-10 (A. Krizhevsky, 2009), https://www.cs.toronto.edu/~kriz/cifar.html, as JPEG files"
