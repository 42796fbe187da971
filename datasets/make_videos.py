#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_videos.py digits.h5 videos.h5: small videos of the project's digits that move across the picture.

16 frames of 32x32; the class is the direction, not the digit, so that single frames do not tell it.  400 for training, 100
for the test, of different digits.  Needs numpy and h5py."""
import sys

import h5py
import numpy as np

FRAMES, SIDE = 16, 32
MOVES = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}


def video(digit, move, rng):
    digit = np.kron(digit, np.ones((2, 2)))  # 16x16
    frames = np.zeros((FRAMES, SIDE + 32, SIDE + 32, 1))
    at = rng.integers(12, 21, 2) - FRAMES // 2 * np.array(move)  # in the middle frame near the middle
    for frame in frames:
        frame[at[0] : at[0] + 16, at[1] : at[1] + 16, 0] = digit
        at += move
    return np.clip(frames[:, 8:-24, 8:-24], 0, 255)


def main(source, target):
    rng = np.random.default_rng(0)
    with h5py.File(source) as digits, h5py.File(target, "w") as out:
        for split, count in (("train", 400), ("test", 100)):
            pictures = digits[split + "/x"][:].reshape(-1, 8, 8) * (255 / 16)
            labels = np.arange(count) % len(MOVES)
            moves = list(MOVES.values())
            x = [video(pictures[rng.integers(len(pictures))], moves[label], rng) for label in labels]
            out[split + "/x"] = np.array(x, dtype=np.uint8)
            out[split + "/y"] = labels.astype(np.int32)
        out.attrs["class_names"] = list(MOVES)
        out.attrs["origin"] = "digits (UCI, CC BY 4.0) that move: datasets/make_videos.py"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
