# SPDX-License-Identifier: Apache-2.0
# Makes the seeds of corpus/: small whole files of each kind, from which the fuzzers start.  (model_json starts from
# golden/keras; keras_variable
# has texts of variable length, on which HDF5's own faults lie so densely that little else is found.)  Needs h5py and numpy only.
#   python tests/fuzz/make_corpus.py
import gzip
import io
import json
import pathlib
import struct
import zipfile

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent
CORPUS = HERE / "corpus"
NET = {"class_name": "Sequential", "config": {"name": "net", "layers": [
    {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [None, 4, 4, 1]}},
    {"class_name": "Conv2D", "config": {"name": "conv", "filters": 2, "kernel_size": [3, 3]}},
    {"class_name": "Flatten", "config": {"name": "flat"}},
    {"class_name": "Dense", "config": {"name": "fc", "units": 2, "activation": "softmax"}}]}}
WEIGHTS = {"conv": {"kernel": (3, 3, 1, 2), "bias": (2,)}, "flat": {}, "fc": {"kernel": (8, 2), "bias": (2,)}}


def write(target, name, data):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(data)


def hdf5(fill, **options):
    memory = io.BytesIO()
    with h5py.File(memory, "w", track_order=False, **options) as file:
        fill(file)
    return memory.getvalue()


def text(value):  # of fixed length
    return np.bytes_(json.dumps(value))


def legacy(strings, pieces=False):
    def names(group, key, values):
        data = np.array([v.encode() for v in values], dtype="S24") if strings == "fixed" else \
            np.array(values, dtype=h5py.string_dtype("ascii"))
        if pieces:
            for i, value in enumerate(data):
                group.attrs[f"{key}{i}"] = data[i:i + 1]
        else:
            group.attrs[key] = data

    def fill(file):
        file.attrs["model_config"] = text(NET) if strings == "fixed" else json.dumps(NET)
        file.attrs["keras_version"] = np.bytes_("2.15.0")
        root = file.create_group("model_weights")
        names(root, "layer_names", list(WEIGHTS))
        for layer, weights in WEIGHTS.items():
            group = root.create_group(layer)
            names(group, "weight_names", [f"{layer}/{w}:0" for w in weights])
            for weight, shape in weights.items():
                group[f"{layer}/{weight}:0"] = np.ones(shape, "f4")
    return hdf5(fill)


def weights_h5():
    def fill(file):
        for group, layer in (("conv2d", "conv"), ("dense", "fc")):
            for i, shape in enumerate(WEIGHTS[layer].values()):
                file[f"layers/{group}/vars/{i}"] = np.ones(shape, "f4")
        file["optimizer/vars/0"] = np.int64(3)
        file["optimizer/vars/1"] = np.float32(0.1)
    return hdf5(fill)


def keras_zip(method):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as file:
        file.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
        file.writestr("config.json", json.dumps(NET))
        file.writestr("model.weights.h5", weights_h5())
    return memory.getvalue()


def dataset(file):
    file.attrs["class_names"] = np.array([b"a", b"b"])
    for split in "train", "test":
        file[f"{split}/x"] = np.arange(24, dtype="u1").reshape(6, 2, 2)
        file[f"{split}/y"] = np.array([0, 1, 0, 1, 1, 0], "u1")
    file["train/z"] = np.zeros((6, 3), "f4")
    file["test/z"] = np.zeros((6, 3), "f4")


def checkpoint(file):
    file.attrs["model_config"] = text(NET)
    file.attrs["training_config"] = text({})
    file.create_group("training").attrs["format"] = np.int64(1)
    file["training"].attrs["writer"] = np.bytes_("cnn")
    file["training"].attrs["slot_names"] = np.array([b"momentum"], "S24")
    file["training/state"] = text({"step": 1, "epoch": 0})
    for place in "model_weights", "training/optimizer/momentum":
        group = file.create_group(place)
        group.attrs["layer_names"] = np.array([b"fc"], "S24")
        group.create_group("fc").attrs["weight_names"] = np.array([b"fc/kernel:0"], "S24")
        group["fc/fc/kernel:0"] = np.ones((8, 2), "f4")


write("keras_file", "fixed.h5", legacy("fixed"))
write("keras_variable", "variable.h5", legacy("variable"))
write("keras_file", "pieces.h5", legacy("fixed", True))
write("keras_file", "layers.weights.h5", weights_h5())
write("keras_zip", "stored.keras", keras_zip(zipfile.ZIP_STORED))
write("keras_zip", "deflated.keras", keras_zip(zipfile.ZIP_DEFLATED))
write("checkpoint", "small.h5", hdf5(checkpoint))
write("dataset", "small.h5", hdf5(dataset))
write("dataset", "chunked.h5", hdf5(lambda f: f.create_dataset("train/x", (4, 3, 3, 1), "f4", chunks=(2, 3, 3, 1), fletcher32=True)))
images = struct.pack(">IIII", 0x803, 2, 2, 2) + bytes(8)
write("idx", "images", images)
write("idx", "labels", struct.pack(">II", 0x801, 3) + bytes(3))
write("idx", "images.gz", gzip.compress(images, mtime=0))
write("config", "file.json", b'{"lr": 0.1, "batch-size": 32, "model": "lenet5", "no-shuffle": true}')
write("config", "lines", b"--lr\n0.1\n-b\n32\n--loss=a=mse,b=mae\n--loss-weights\n1,2\n--schedule=cosine\n--epochs\n3\n")


def npy(array):
    memory = io.BytesIO()
    np.save(memory, array)
    return memory.getvalue()


write("npy", "bytes.npy", npy(np.arange(24, dtype="u1").reshape(2, 3, 2, 2)))
write("npy", "fortran.npy", npy(np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3))))
write("npy", "half.npy", npy(np.array([1, -2.5, np.inf], dtype="<f2")))
write("table", "header.csv", b'id,"a, b",label\n1,2.5,cat\n2,-3e2,dog\n')
write("table", "blanks.txt", b" -1.0e+00  1 2\t3\n 1.0e+00 4 5 6")
write("table", "packed.csv.gz", gzip.compress(b"1;2\n3;4\n", mtime=0))
wave = struct.pack("<HHIIHH", 1, 2, 8000, 32000, 4, 16)
samples = struct.pack("<8h", *range(-4000, 4000, 1000))
write("wav", "stereo.wav", b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + struct.pack("<I", 16) + wave
      + b"data" + struct.pack("<I", len(samples)) + samples)
write("cifar", "record.bin", bytes([3]) + bytes(3072))
write("cifar", "fine.bin", bytes([3, 77]) + bytes(3072))
