#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a dataset file of CIFAR-10 from its JPEG copy, a tar of cifar10-jpeg/{train,test}/CLASS/NUMBER.jpg:

    python3 make_cifar10.py ../shared/data/cifar10/cifar10-jpeg.tar.xz cifar10.h5        (needs Pillow, numpy and h5py)

50,000 train, 10,000 test, 32x32 pixels, each split in an order drawn with a fixed seed.  For short runs --train N and
--test N take the first N of that order; --size S enlarges to SxS pixels, for networks that need larger images."""
import argparse
import io
import tarfile

import h5py
import numpy as np
from PIL import Image

CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("archive", help="cifar10-jpeg.tar.xz")
parser.add_argument("dataset", help="file to write")
parser.add_argument("--train", type=int, default=50000, metavar="N", help="so many training examples")
parser.add_argument("--test", type=int, default=10000, metavar="N", help="so many test examples")
parser.add_argument("--size", type=int, default=32, metavar="S", help="pixels of a side")
options = parser.parse_args()

found = {"train": [], "test": []}
with tarfile.open(options.archive) as archive:
    for member in archive:
        if member.isfile() and member.name.endswith(".jpg"):
            split, name, number = member.name.split("/")[-3:]
            with Image.open(io.BytesIO(archive.extractfile(member).read())) as image:
                found[split].append((CLASSES.index(name), number, np.asarray(image.convert("RGB"))))


def enlarge(image):
    """The image with options.size pixels a side."""
    return image if options.size == 32 else np.asarray(Image.fromarray(image).resize((options.size,) * 2, Image.BILINEAR))


rng = np.random.default_rng(0)
with h5py.File(options.dataset, "w") as f:
    for split, examples in found.items():
        examples.sort(key=lambda example: example[:2])  # whatever the order in the archive
        order = rng.permutation(len(examples))[:getattr(options, split)]
        f[f"{split}/x"] = np.stack([enlarge(examples[i][2]) for i in order])
        f[f"{split}/y"] = np.array([examples[i][0] for i in order], dtype=np.uint8)
        print(f"{split}: {len(order)} examples")
    f.attrs["class_names"] = CLASSES
    f.attrs["origin"] = "CIFAR-10 (A. Krizhevsky, 2009), https://www.cs.toronto.edu/~kriz/cifar.html, as JPEG files"
