#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Networks of keras.applications, made and saved by Keras with random weights, computed by Keras and by keras_forward.

Everything is compared with Keras in float64: outputs in float32 with the default backends, and in float64; one training
step's gradients and batch statistics in float64.
  output     largest difference of the logarithms of probabilities, divided by their standard deviation; ours in float32
  keras      the same of Keras in float32: what rounding makes of a network of random weights
  double     the same of ours in float64
  gradient   per weight: largest difference, divided by the largest (or, where that is more, by a thousandth of the root
             mean square of all weights' largest); statistic the same for batch means and variances

With --named the network of this project that has the same name takes the weights, instead of the one that the file
describes."""
import argparse
import contextlib
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings
from unittest import mock

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py
import numpy as np

warnings.filterwarnings("ignore", category=DeprecationWarning)

# name: class, smallest sensible input, parameters with 1000 classes, range of an input, whether a training step is compared
UNIT, BYTES = (-1, 1), (0, 255)
NETWORKS = {
    "vgg16": ("VGG16", 32, 138357544, UNIT, True),
    "vgg19": ("VGG19", 32, 143667240, UNIT, False),
    "resnet50": ("ResNet50", 64, 25636712, UNIT, True),
    "resnet101": ("ResNet101", 64, 44707176, UNIT, False),
    "resnet152": ("ResNet152", 64, 60419944, UNIT, False),
    "resnet50-v2": ("ResNet50V2", 64, 25613800, UNIT, True),
    "resnet101-v2": ("ResNet101V2", 64, 44675560, UNIT, False),
    "resnet152-v2": ("ResNet152V2", 64, 60380648, UNIT, False),
    "inception-v3": ("InceptionV3", 107, 23851784, UNIT, True),
    "inception-resnet-v2": ("InceptionResNetV2", 107, 55873736, UNIT, True),
    "xception": ("Xception", 96, 22910480, UNIT, True),
    "mobilenet": ("MobileNet", 64, 4253864, UNIT, True),
    "mobilenet-v2": ("MobileNetV2", 64, 3538984, UNIT, True),
    "mobilenet-v3-small": ("MobileNetV3Small", 64, 2554968, BYTES, True),
    "mobilenet-v3-large": ("MobileNetV3Large", 64, 5507432, BYTES, True),
    "densenet121": ("DenseNet121", 64, 8062504, UNIT, True),
    "densenet169": ("DenseNet169", 64, 14307880, UNIT, False),
    "densenet201": ("DenseNet201", 64, 20242984, UNIT, False),
    "efficientnet-b0": ("EfficientNetB0", 64, 5330571, BYTES, True),
    "efficientnet-b1": ("EfficientNetB1", 64, 7856239, BYTES, False),
    "efficientnet-b2": ("EfficientNetB2", 64, 9177569, BYTES, False),
    "efficientnet-b3": ("EfficientNetB3", 64, 12320535, BYTES, False),
    "efficientnet-b4": ("EfficientNetB4", 128, 19466823, BYTES, False),
    "efficientnet-b5": ("EfficientNetB5", 128, 30562527, BYTES, False),
    "efficientnet-b6": ("EfficientNetB6", 128, 43265143, BYTES, False),
    "efficientnet-b7": ("EfficientNetB7", 128, 66658687, BYTES, False),
    "efficientnet-v2-b0": ("EfficientNetV2B0", 64, 7200312, BYTES, True),
    "efficientnet-v2-b1": ("EfficientNetV2B1", 128, 8212124, BYTES, False),
    "efficientnet-v2-b2": ("EfficientNetV2B2", 128, 10178374, BYTES, False),
    "efficientnet-v2-b3": ("EfficientNetV2B3", 128, 14467622, BYTES, False),
    "efficientnet-v2-s": ("EfficientNetV2S", 128, 21612360, BYTES, False),
    "efficientnet-v2-m": ("EfficientNetV2M", 128, 54431388, BYTES, False),
    "efficientnet-v2-l": ("EfficientNetV2L", 128, 119027848, BYTES, False),
    "nasnet-mobile": ("NASNetMobile", 64, 5326716, UNIT, True),
    "nasnet-large": ("NASNetLarge", 64, 88949818, UNIT, False),
    "convnext-tiny": ("ConvNeXtTiny", 32, 28589128, BYTES, True),
    "convnext-small": ("ConvNeXtSmall", 32, 50223688, BYTES, False),
    "convnext-base": ("ConvNeXtBase", 32, 88591464, BYTES, False),
    "convnext-large": ("ConvNeXtLarge", 32, 197767336, BYTES, False),
    "convnext-xlarge": ("ConvNeXtXLarge", 32, 350196968, BYTES, False),
}
EXAMPLES, CLASSES = 4, 10
OUTPUT_LIMIT, GRADIENT_LIMIT, DOUBLE_LIMIT = 1e-4, 1e-6, 1e-8


@contextlib.contextmanager
def quiet():
    """TensorFlow's greetings come from C++, whatever its log level."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(null)
        os.close(kept)


def every_layer(model):
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from every_layer(layer)


def use_statistics(model):
    """Normalization computes with copies of its weights."""
    for layer in every_layer(model):
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()


def images(rng, count, size, low, high):
    """Large patches and noise.  Of noise alone all images look alike to a deep network, and rounding becomes visible."""
    patches = rng.uniform(low, high, (count, 4, 4, 3))
    place = np.arange(size) * 4 // size
    return (0.7 * patches[:, place][:, :, place] + 0.3 * rng.uniform(low, high, (count, size, size, 3))).astype("float32")


def randomize(model, x, rng):
    """Random scales and shifts everywhere; statistics of batch normalizations that are near those of x, or else the signal
    would die out or explode on its way."""
    norms = [layer for layer in every_layer(model) if type(layer).__name__ == "BatchNormalization"]
    for layer in every_layer(model):
        for weight in [] if hasattr(layer, "layers") else layer.weights:
            name, shape = weight.name.split("/")[-1].split(":")[0], tuple(weight.shape)
            if name == "gamma" and type(layer).__name__ != "LayerScale":
                weight.assign(rng.uniform(0.6, 1.4, shape))
            elif name == "gamma":
                weight.assign(rng.uniform(0.2, 0.5, shape))
            elif name in ("beta", "bias"):
                weight.assign(rng.normal(0, 0.1, shape))
            elif name in ("mean", "variance") and type(layer).__name__ == "Normalization":
                weight.assign(rng.uniform(0.5, 1, shape))
    use_statistics(model)
    if norms:
        momenta = [layer.momentum for layer in norms]
        for layer in norms:
            layer.momentum = 0.0
        model(x, training=True)
        for layer, momentum in zip(norms, momenta):
            layer.momentum = momentum
            mean, variance = np.array(layer.moving_mean), np.array(layer.moving_variance)
            variance = np.maximum(variance, variance.mean() / 4)  # a channel of a few equal pixels would magnify rounding
            layer.moving_mean.assign(mean + rng.normal(0, 0.05, mean.shape) * np.sqrt(variance))
            layer.moving_variance.assign(variance * np.exp(rng.normal(0, 0.05, mean.shape)))


def spread_scores(model, x):
    """Scales the last layer, so that probabilities are neither all alike nor all 0 and 1."""
    kernel = next(layer for layer in reversed(model.layers) if layer.weights).weights[0]
    for _ in range(20):
        deviation = np.std(scores(model(x, training=False)))
        if 1 < deviation < 4:
            break
        kernel.assign(np.array(kernel) * 2 / max(deviation, 1e-6))


def same_draws(model):
    """Without random decisions, a step of training is one number for each weight."""
    for layer in every_layer(model):
        if hasattr(layer, "rate"):
            layer.rate = 0.0
        if hasattr(layer, "drop_path_rate"):
            layer.drop_path_rate = 0.0


def training_step(model, x, y):
    """Loss, gradients and batch statistics; as lists in the order of the layers that have weights."""
    import tensorflow as tf

    for layer in every_layer(model):
        if type(layer).__name__ == "BatchNormalization":
            layer.momentum = 0.0
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
    variables = [getattr(v, "value", v) if not callable(getattr(v, "value", None)) else v for v in model.trainable_weights]
    gradients = [np.array(tf.convert_to_tensor(g)) for g in tape.gradient(loss, variables)]
    statistics = [np.array(v) for v in model.non_trainable_weights if "moving" in v.name]
    return float(loss), gradients, statistics


def scores(probabilities):
    logs = np.log(np.maximum(np.asarray(probabilities, "float64"), 1e-30))
    return logs - logs.mean(axis=-1, keepdims=True)


def read_group(file, group):
    """Arrays of the group in the order in which they were written by layer, by their name LAYER/WEIGHT."""
    found = {}
    if group in file:
        file[group].visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def path_of(layer, weight):
    return f"{layer.name}/{weight.name.split('/')[-1].split(':')[0]}"


def weight_paths(model):
    """id of every weight -> LAYER/WEIGHT; the layer's own weights only, so that a nested model's are those of its layers."""
    paths = {}
    for layer in every_layer(model):
        if not hasattr(layer, "layers"):
            for weight in layer.weights:
                paths[id(weight)] = path_of(layer, weight)
    return paths


def find_array(arrays, path):
    """Layers of nested models are called MODEL/LAYER or the like here; names of kernels differ between Keras 2 and 3."""
    layer, weight = path.rsplit("/", 1)
    layer = layer.replace("/", "_")
    names = {weight, "depthwise_kernel" if weight == "kernel" else weight}
    if weight.lower().startswith("variable"):  # LayerScale's has no name of its own
        names = {"gamma"}
    for suffix in (False, True):
        for name, array in arrays.items():
            other, last = name.rsplit("/", 1)
            if last in names and (other == layer or suffix and other.endswith(("/" + layer, "_" + layer))):
                return array
    raise KeyError(path)


def worst(model, weights, expected, arrays):
    paths = weight_paths(model)
    scale = np.sqrt(np.mean([np.max(np.abs(e)) ** 2 for e in expected])) * 1e-3
    differences = []
    for weight, e in zip(weights, expected):
        got = find_array(arrays, paths[id(weight)]).reshape(e.shape)
        differences.append((float(np.max(np.abs(got - e)) / max(np.max(np.abs(e)), scale)), paths[id(weight)]))
    return max(differences)


def normalize_twice():
    """The network efficientnet-... of this project divides by the roots of these deviations behind Normalization, as Keras
    does with pretrained weights only."""
    layers = sys.modules[keras.applications.EfficientNetB0.__module__].layers
    original, scale = layers.Normalization, [d**-0.5 for d in (0.229, 0.224, 0.225)]
    return mock.patch.object(layers, "Normalization", lambda **k: lambda x: layers.Rescaling(scale)(original(**k)(x)))


def load_into_double(make, model):
    """The same network in float64: Keras's own rounding is then out of the comparison."""
    keras.backend.set_floatx("float64")
    if hasattr(keras, "config"):
        keras.config.set_dtype_policy("float64")
    try:
        other = make()
    finally:
        keras.backend.set_floatx("float32")
        if hasattr(keras, "config"):
            keras.config.set_dtype_policy("float32")
    other.set_weights(model.get_weights())
    use_statistics(other)
    for layer in every_layer(other):
        if type(layer).__name__ == "Rescaling":  # Python's numbers would become float32 on their way
            layer.scale, layer.offset = np.asarray(layer.scale, "float64"), np.asarray(layer.offset, "float64")
        if type(layer).__name__ == "Normalization" and layer.input_mean is not None:
            layer.mean, layer.variance = (np.reshape(v, np.shape(layer.mean)) for v in (layer.input_mean, layer.input_variance))
    return other


def run_program(program, options, folder, name, file, data):
    """What keras_forward writes, as nested dictionaries; raises RuntimeError with its message."""
    out = folder / f"{name}.out.h5"
    command = [str(pathlib.Path(options.build) / "tests" / program), str(file), str(data), str(out)]
    done = subprocess.run(command + ([name] if options.named else []), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip() or f"{program} ended with {done.returncode}").splitlines()[-1])
    with h5py.File(out) as f:
        found = {group: read_group(f, group) for group in ("output", "gradient", "statistic")}
        found["parameters"] = int(f["parameters"][()])
        found["loss"] = float(f["loss"][()]) if "loss" in f else None
    out.unlink()
    return found


def write_data(data, x, classes, y=None):
    with h5py.File(data, "w") as f:
        f["x"] = x
        f.attrs["classes"] = classes
        if y is not None:
            f["y"] = y


def difference(expected, output):
    """Of log-probabilities, over their standard deviation."""
    return float(np.max(np.abs(scores(expected) - scores(output))) / np.std(scores(expected)))


def compare_outputs(double, model, x, program, row):
    """Against Keras in float64: ours in float32 may be as far off as OUTPUT_LIMIT, or, as deep networks of random weights
    magnify rounding, twice as far as Keras in float32; ours in float64 must be the same."""
    expected = np.array(double(x.astype("float64"), training=False))
    got, in_double = program("keras_forward"), program("keras_forward_double")
    output, exact = (next(iter(g["output"].values())) for g in (got, in_double))
    row["parameters"] = got["parameters"]
    row["output"], row["keras"] = difference(expected, output), difference(expected, model(x, training=False))
    row["double"] = difference(expected, exact)
    row["ok"] = row["double"] < DOUBLE_LIMIT and row["output"] < max(OUTPUT_LIMIT, 2 * row["keras"])


def compare_training(model, x, y, program, row):
    """In double, so that what is left is not rounding: in float32 a ReLU of a deep network that a last bit turns off changes
    gradients by some percent, in Keras as here."""
    same_draws(model)
    trained = model.trainable_weights
    moving = [v for v in model.non_trainable_weights if "moving" in v.name]
    loss, gradients, statistics = training_step(model, x.astype("float64"), y)
    got = program()
    row["loss"] = abs(got["loss"] - loss) / loss
    row["gradient"], row["where"] = worst(model, trained, gradients, got["gradient"])
    row["statistic"] = worst(model, moving, statistics, got["statistic"])[0] if moving else 0.0
    row["ok"] &= max(row["gradient"], row["loss"], row["statistic"]) < GRADIENT_LIMIT


def compare(name, options, folder, size, classes, train):
    class_name, _, parameters, (low, high), _ = NETWORKS[name]
    rng = np.random.default_rng(1)
    keras.utils.set_random_seed(1)
    shape = (size, size, 3) if size else None

    def make():
        keras.backend.clear_session()
        pretrained = options.named and name.startswith("efficientnet-b")
        with normalize_twice() if pretrained else contextlib.nullcontext():
            return getattr(keras.applications, class_name)(weights=None, input_shape=shape, classes=classes)

    model = make()
    size = size or model.input_shape[1] or 224
    x = images(rng, EXAMPLES if size <= 128 else 2, size, low, high)
    y = rng.integers(0, classes, len(x))
    randomize(model, x, rng)
    spread_scores(model, x)
    file, data = folder / f"{name}.{options.format}", folder / f"{name}.data.h5"
    model.save(file)
    write_data(data, x, classes)
    count = model.count_params()
    row = {"name": name, "size": size, "ok": False}
    begin = time.time()
    try:
        double = load_into_double(make, model)
        compare_outputs(double, model, x, lambda p: run_program(p, options, folder, name, file, data), row)
        row["ok"] &= row["parameters"] == count
        if classes == 1000 and count != parameters:
            row["ok"], row["error"] = False, f"Keras has {count} parameters, listed are {parameters}"
        if train:
            same_draws(model)
            model.save(file)
            write_data(data, x, classes, y)
            program = lambda: run_program("keras_forward_double", options, folder, name, file, data)
            compare_training(double, x, y, program, row)
        row["seconds"] = time.time() - begin
    except (RuntimeError, KeyError) as error:
        row["ok"], row["error"] = False, str(error)
    if not options.keep:
        file.unlink()
        data.unlink()
    return row


def show(row):
    def number(key):
        return f"{row[key]:9.1e}" if key in row else f"{'':9}"

    print(f"{row['name']:20} {row['size']:4} {row.get('parameters', 0):10}  {number('output')} {number('keras')} {number('double')}  "
          f"{number('loss')} {number('gradient')} {number('statistic')}  {row.get('seconds', 0):6.1f}  "
          f"{'ok' if row['ok'] else 'DIFFERS'} {row.get('error', '')}"
          f"{' ' + row['where'] if not row['ok'] and 'where' in row else ''}", flush=True)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {' '.join(NETWORKS)}")
parser.add_argument("--build", default="build", metavar="DIR", help="where the programs were built; default: build")
parser.add_argument("--dialect", default="keras", choices=["keras", "tf_keras"], help="Keras 3 or Keras 2")
parser.add_argument("--format", default="h5", choices=["h5", "keras"])
parser.add_argument("--size", type=int, metavar="N", help="N x N inputs instead of each network's smallest sensible ones")
parser.add_argument("--standard", action="store_true", help="at the network's own size with 1000 classes; no training step")
parser.add_argument("--train", action="store_true", help="a training step of every network, not of one per family")
parser.add_argument("--named", action="store_true", help="the project's networks of these names; default: those that there are")
parser.add_argument("--keep", metavar="DIR", help="leaves the files there")
options = parser.parse_args()
with quiet():
    if options.dialect == "tf_keras":
        import tf_keras as keras
    else:
        import keras
for logger in "absl", "tensorflow":
    logging.getLogger(logger).setLevel("ERROR")

wrong = [name for name in options.names if name not in NETWORKS]
if wrong:
    parser.error(f"unknown: {' '.join(wrong)}; known: {' '.join(NETWORKS)}")
print(f"{'network':20} {'size':>4} {'parameters':>10}  {'output':>9} {'keras':>9} {'double':>9}  {'loss':>9} {'gradient':>9} "
      f"{'statistic':>9}  {'s':>6}")
failed = 0
for name in options.names or NETWORKS:
    with tempfile.TemporaryDirectory(dir=options.keep) as folder:
        folder = pathlib.Path(options.keep or folder)
        if options.standard:
            row = compare(name, options, folder, None, 1000, False)
        else:
            row = compare(name, options, folder, options.size or NETWORKS[name][1], CLASSES, options.train or NETWORKS[name][4])
        if options.named and not options.names and row.get("error", "").startswith("unknown network"):
            continue
        show(row)
        failed += not row["ok"]
sys.exit(failed > 0)
