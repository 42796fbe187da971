#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes digits.h5 from scikit-learn's copy of the UCI digits: python3 make_digits.py (needs scikit-learn and h5py).

The split is fixed: of each class, shuffled with a fixed seed, 20 % test, 10 % val, the rest train."""
import os
import random

import h5py
import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
images = digits.images.astype(np.uint8)[..., np.newaxis]
labels = digits.target.astype(np.uint8)

rows = {"train": [], "val": [], "test": []}
shuffle = random.Random(20250101).shuffle
for digit in range(10):
    of_class = [int(i) for i in np.flatnonzero(labels == digit)]
    shuffle(of_class)
    test, val = round(0.2 * len(of_class)), round(0.1 * len(of_class))
    rows["test"] += of_class[:test]
    rows["val"] += of_class[test : test + val]
    rows["train"] += of_class[test + val :]

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.h5")
with h5py.File(path, "w", track_order=False) as f:
    for split, chosen in rows.items():
        shuffle(chosen)
        f.create_dataset(f"{split}/x", data=images[chosen], track_times=False)
        f.create_dataset(f"{split}/y", data=labels[chosen], track_times=False)
    f.attrs["class_names"] = np.array([str(d).encode() for d in range(10)])
    f.attrs["value_max"] = 16.0
    f.attrs["origin"] = (
        "Optical Recognition of Handwritten Digits, test part, 8x8 pixels of 0 to 16: E. Alpaydin, C. Kaynak, "
        "UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49; by way of scikit-learn's load_digits"
    )
    f.attrs["licence"] = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
