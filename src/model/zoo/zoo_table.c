/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of networks: name, source (one line), recipe, usual input and classes, parameters at that size, smallest
 * extent, builder and variant.  tests/unit/test_zoo.c checks every row. */
#include "model/zoo/net.h"

/* ---- recipes: optimizer, schedule, and what follows ---- */

/* A penalty is half of the weight decay that the papers name. */
#define SGD(rate)    "sgd", .lr = (rate), .momentum = 0.9
#define DECAY(decay) .l2 = (decay) / 2

static const ZooRecipe digits = {SGD(0.05), .schedule = "cosine", .label_smoothing = 0.1, .batch_size = 32,
                                 .epochs = 60};
static const ZooRecipe mnist = {"adam", "constant", .lr = 0.001, .batch_size = 32, .epochs = 5};
static const ZooRecipe mnist3 = {"adam", "constant", .lr = 0.001, .batch_size = 64, .epochs = 10};
static const ZooRecipe lenet = {SGD(0.01), .schedule = "constant", .batch_size = 32, .epochs = 10};
static const ZooRecipe cifar = {SGD(0.1), .schedule = "cosine", .batch_size = 128, .epochs = 200, DECAY(1e-4)};
static const ZooRecipe kuangliu = {SGD(0.1), .schedule = "cosine", .batch_size = 128, .epochs = 200, DECAY(5e-4)};
static const ZooRecipe imagenet = {SGD(0.1),          .schedule = "step", .decay_epochs = 30,
                                   .batch_size = 256, .epochs = 90,       DECAY(1e-4)};

/* ---- networks ---- */

#define MNIST    {3, {28, 28, 1}}, 10
#define CIFAR    {3, {32, 32, 3}}, 10
#define IMAGENET {3, {224, 224, 3}}, 1000

/* clang-format off */
const ZooEntry zoo_entries[] = {
    {"digits-net", "PyTorch's MNIST example of 2017 without dropout, images made 28x28",
     &digits, {3, {8, 8, 1}}, 10, 21840, 1, zoo_digits_net, 0},
    {"keras-mnist", "Keras's MNIST tutorials: two convolutions, one hidden Dense layer",
     &mnist, MNIST, 225034, 10, zoo_keras_mnist, 0},
    {"keras-mnist3", "the same with three padded convolutions and dropout",
     &mnist3, MNIST, 6526474, 4, zoo_keras_mnist3, 0},
    {"lenet5", "LeCun et al. 1998, as usually taught: plain average pooling, softmax",
     &lenet, MNIST, 61706, 12, zoo_lenet5, 0},

    /* He, Zhang, Ren, Sun 2016 (CVPR; arXiv:1512.03385) */
    {"resnet20", "He et al. 2016, for CIFAR, shortcuts of option A; rate by cosine",
     &cifar, CIFAR, 271098, 1, zoo_resnet20, 0},
    {"resnet18-cifar", "He et al. 2016, stem for CIFAR; recipe of kuangliu/pytorch-cifar",
     &kuangliu, CIFAR, 11183562, 1, zoo_resnet18_cifar, 0},
    {"resnet50-v1.5", "He et al. 2016, but the stride in the 3x3, as in torchvision",
     &imagenet, IMAGENET, 25610152, 1, zoo_resnet50_v15, 0},
};
/* clang-format on */
const size_t zoo_count = sizeof zoo_entries / sizeof *zoo_entries;
