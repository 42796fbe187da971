# SPDX-License-Identifier: Apache-2.0
# Compares a dataset that cnn_import made with the same files read by NumPy and SciPy: exits with 1 and a line where it differs.
#   python check_import.py KIND FILE.h5 SOURCE...
# Needs numpy, scipy (signal, io.wavfile) and h5py.
import fnmatch
import gzip
import os
import sys

import h5py
import numpy as np
import scipy.io.wavfile
import scipy.signal


def idx(file, images, labels, *more):
    def array(path):
        data = gzip.open(path).read()
        rank = data[3]
        shape = np.frombuffer(data, ">u4", rank, 4)
        return np.frombuffer(data, "u1", offset=4 + 4 * rank).reshape(shape)

    for split, (x, y) in {"train": (images, labels), "test": more}.items():
        same(file[split]["x"][..., 0], array(x), split)
        same(file[split]["y"][:], array(y), split)


def cifar10(file, path):
    data = np.fromfile(path, "u1").reshape(-1, 3073)
    same(file["train/x"][:], data[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), "pixels")
    same(file["train/y"][:], data[:, 0], "labels")


def csv(file, path):
    data = np.loadtxt(path, delimiter=",")
    same(file["train/x"][:], data[:, :64].reshape(-1, 8, 8, 1), "pixels")
    same(file["train/y"][:], data[:, 64], "labels")


def series(file, train, test):
    for split, path in (("train", train), ("test", test)):
        data = np.loadtxt(path)
        same(file[split]["x"][..., 0], data[:, 1:].astype("f4"), split)
        same(file[split]["y"][:], (data[:, 0] > 0).astype(int), split)


def log_mel(x, rate, window, hop, bands):
    size = 1 << (window - 1).bit_length()
    frames = np.stack([x[i:i + window] for i in range(0, len(x) - window + 1, hop)]) * scipy.signal.get_window("hann", window)
    power = np.abs(np.fft.rfft(frames, size)) ** 2
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + rate / 2 / 700), bands + 2) / 2595) - 1)
    bins = np.arange(size // 2 + 1) * rate / size
    weights = np.stack([np.interp(bins, edges[b:b + 3], [0, 1, 0], left=0, right=0) for b in range(bands)])
    return np.log(power @ weights.T + 1e-6)


def wav(file, folder):
    names = sorted(os.listdir(folder))
    for split in "train", "test":
        chosen = [n for n in names if fnmatch.fnmatch(n, "*_[0-4].wav") == (split == "test")]
        same(file[split]["y"][:], [int(n[0]) for n in chosen], split)
        for i, name in enumerate(chosen):
            rate, samples = scipy.io.wavfile.read(os.path.join(folder, name))
            x = np.zeros(rate)
            x[:min(rate, len(samples))] = samples[:rate] / 32768
            near(file[split]["x"][i, ..., 0], log_mel(x, rate, rate // 40, rate // 100, 40), 1e-5, name)


def npy(file, path):
    data = np.load(path)
    for split in "train", "test":
        same(file[split]["x"][...].reshape(data[f"x_{split}"].shape), data[f"x_{split}"], split)
        same(file[split]["y"][:], data[f"y_{split}"], split)


def same(found, wanted, what):
    if not np.array_equal(found, wanted):
        sys.exit(f"{what}: differs in {np.sum(np.asarray(found) != np.asarray(wanted))} numbers")


def near(found, wanted, tolerance, what):
    if found.shape != wanted.shape or not np.abs(found - wanted).max() < tolerance:
        sys.exit(f"{what}: differs by {np.abs(found - wanted).max()}")


with h5py.File(sys.argv[2]) as opened:
    globals()[sys.argv[1]](opened, *sys.argv[3:])
