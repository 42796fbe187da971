/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/zoo.h"
#include "base/memory.h"
#include "model/zoo/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ZooEntry zoo_entries[] = {
    {"digits-net",
     "PyTorch's MNIST example of 2017 without dropout, after enlarging images to 28x28",
     {"sgd", "cosine", .lr = 0.05, .momentum = 0.9, .label_smoothing = 0.1, .batch_size = 32, .epochs = 60},
     {3, {8, 8, 1}},
     10,
     21840,
     zoo_digits_net},
    {"keras-mnist",
     "the network of Keras MNIST tutorials: two convolutions, one hidden Dense layer",
     {"adam", "constant", .lr = 0.001, .batch_size = 32, .epochs = 5},
     {3, {28, 28, 1}},
     10,
     225034,
     zoo_keras_mnist},
    {"keras-mnist3",
     "the same with three padded convolutions and dropout",
     {"adam", "constant", .lr = 0.001, .batch_size = 64, .epochs = 10},
     {3, {28, 28, 1}},
     10,
     6526474,
     zoo_keras_mnist3},
    {"lenet5",
     "LeCun, Bottou, Bengio, Haffner 1998 (Proc. IEEE 86), as usually taught: plain average pooling, softmax",
     {"sgd", "constant", .lr = 0.01, .momentum = 0.9, .batch_size = 32, .epochs = 10},
     {3, {28, 28, 1}},
     10,
     61706,
     zoo_lenet5},
    {"resnet20",
     "ResNet-20 for CIFAR: He, Zhang, Ren, Sun 2016 (CVPR), shortcuts of option A; the rate by cosine, not in two "
     "steps",
     {"sgd", "cosine", .lr = 0.1, .momentum = 0.9, .batch_size = 128, .epochs = 200},
     {3, {32, 32, 3}},
     10,
     271098,
     zoo_resnet20},
    {"resnet18-cifar",
     "ResNet-18 of the same paper with the stem for CIFAR; recipe of github.com/kuangliu/pytorch-cifar",
     {"sgd", "cosine", .lr = 0.1, .momentum = 0.9, .batch_size = 128, .epochs = 200},
     {3, {32, 32, 3}},
     10,
     11183562,
     zoo_resnet18_cifar},
    {"resnet50-v1.5",
     "ResNet-50 of the same paper, but the stride in the 3x3, as in torchvision, whose recipe this is",
     {"sgd", "step", .lr = 0.1, .momentum = 0.9, .decay_epochs = 30, .batch_size = 256, .epochs = 90},
     {3, {224, 224, 3}},
     1000,
     25610152,
     zoo_resnet50_v15},
};
const size_t zoo_count = sizeof zoo_entries / sizeof *zoo_entries;

const ZooEntry *zoo_find(const char *name) {
    for (size_t i = 0; i < zoo_count; i++)
        if (strcmp(zoo_entries[i].name, name) == 0)
            return &zoo_entries[i];
    return NULL;
}

static Status unknown(const char *name) {
    Status status = status_fail(STATUS_USAGE, "unknown network \"%.80s\". Known:", name);
    for (size_t i = 0; i < zoo_count; i++)
        status = status_fail(status, "%s %s", status_message(), zoo_entries[i].name);
    return status_fail(status, "%s. A Keras file, .json or .h5, can be given too.", status_message());
}

/* The network's JSON: the layers of `net`, of which the first is the input and the last the output. */
static char *net_text(const char *name, const ZooNet *net) {
    const json_t *first = json_array_get(net->layers, 0);
    const json_t *last = json_array_get(net->layers, json_array_size(net->layers) - 1);
    json_t *root = json_pack("{s:s,s:{s:s,s:O,s:[[O,i,i]],s:[[O,i,i]]}}", "class_name", "Functional", "config", "name",
                             name, "layers", net->layers, "input_layers", json_object_get(first, "name"), 0, 0,
                             "output_layers", json_object_get(last, "name"), 0, 0);
    char *text = net->failed ? NULL : json_dumps(root, 0);
    json_decref(root);
    return text;
}

Status zoo_create(const char *name, Shape input, size_t classes, Model **out) {
    const ZooEntry *entry = zoo_find(name);
    *out = NULL;
    if (entry == NULL)
        return unknown(name);
    ZooNet net = {.layers = json_array()};
    entry->build(&net, input, classes);
    char *text = net_text(name, &net), source[64];
    json_decref(net.layers);
    if (text == NULL)
        return status_fail(STATUS_FAILED, "out of memory");
    snprintf(source, sizeof source, "network %s", name);
    Status status = model_parse(text, source, out);
    free(text);
    return status;
}
