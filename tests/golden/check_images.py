# SPDX-License-Identifier: Apache-2.0
"""Compares what cnn_import images made of a folder FOLDER/SPLIT/CLASS/FILE with Pillow: every sample differs by at most 1, most not
at all.

    python check_images.py FILE.h5 FOLDER crop|pad|squash      (needs Pillow, numpy and h5py)"""
import pathlib
import sys

import h5py
import numpy as np
from PIL import Image, ImageOps

file, folder, fit = sys.argv[1:]
RULES = {"crop": lambda image, size: ImageOps.fit(image, size, Image.BILINEAR),
         "pad": lambda image, size: ImageOps.pad(image, size, Image.BILINEAR),
         "squash": lambda image, size: image.resize(size, Image.BILINEAR)}
with h5py.File(file) as data:
    worst = other = seen = 0
    for split in data:
        x, y = data[split]["x"][:], data[split]["y"][:]
        classes = [name.decode() for name in data.attrs["class_names"]]
        photos = [(number, path) for number, name in enumerate(classes)
                  for path in sorted((pathlib.Path(folder) / split / name).iterdir(), key=lambda p: p.name.encode())
                  if path.suffix.lower() in (".jpg", ".jpeg")]
        assert [number for number, _ in photos] == y.tolist(), f"labels of {split}"
        grey = x.shape[3] == 1
        for have, (_, path) in zip(x, photos):
            with Image.open(path) as image:
                if grey:
                    image.draft("L", image.size)
                image = ImageOps.exif_transpose(image).convert("L" if grey else "RGB")
                want = np.asarray(RULES[fit](image, (x.shape[2], x.shape[1]))).reshape(have.shape)
            distance = np.abs(have.astype(int) - want)
            worst, other, seen = max(worst, distance.max()), other + (distance > 0).sum(), seen + distance.size
    print(f"{file}: {seen} samples, {100 * other / seen:.1f} % differ, at most by {worst}")
    if worst > 1 or other > seen / 2 or not seen:
        sys.exit("differs from Pillow")
