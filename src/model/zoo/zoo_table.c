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
/* 110 layers do not start at the full rate. */
static const ZooRecipe cifar_deep = {SGD(0.1),      .schedule = "cosine", .batch_size = 128,
                                     .epochs = 200, .warmup = 1,          DECAY(1e-4)};
static const ZooRecipe kuangliu = {SGD(0.1), .schedule = "cosine", .batch_size = 128, .epochs = 200, DECAY(5e-4)};
static const ZooRecipe imagenet = {SGD(0.1),          .schedule = "step", .decay_epochs = 30,
                                   .batch_size = 256, .epochs = 90,       DECAY(1e-4)};
static const ZooRecipe vgg = {SGD(0.01),         .schedule = "step", .decay_epochs = 30,
                              .batch_size = 256, .epochs = 90,       DECAY(5e-4)};
static const ZooRecipe googlenet = {SGD(0.01),          .schedule = "step",         .decay_epochs = 8,
                                    .decay_rate = 0.96, .batch_size = 32,           .epochs = 60,
                                    DECAY(2e-4),        .loss_weights = "1,0.3,0.3"};
static const ZooRecipe inception = {SGD(0.045),       .schedule = "step", .decay_epochs = 2,      .decay_rate = 0.94,
                                    .batch_size = 32, .epochs = 100,      .label_smoothing = 0.1, DECAY(4e-5)};
static const ZooRecipe xception = {SGD(0.045),       .schedule = "step", .decay_epochs = 2, .decay_rate = 0.94,
                                   .batch_size = 32, .epochs = 100,      DECAY(1e-5)};
static const ZooRecipe squeezenet = {SGD(0.04), .schedule = "cosine", .batch_size = 512, .epochs = 68, DECAY(2e-4)};
/* github.com/d-li14/mobilenetv2.pytorch: the papers' RMSprop needs an epsilon of 1 for its rate */
static const ZooRecipe mobile = {SGD(0.05), .schedule = "cosine", .batch_size = 256, .epochs = 150, DECAY(4e-5)};
/* The paper's penalty and smoothing; Adam, as its RMSprop is tuned for batches of 4096. */
static const ZooRecipe efficient = {"adam",           "cosine",      .lr = 0.001, .label_smoothing = 0.1,
                                    .batch_size = 64, .epochs = 100, DECAY(1e-5)};

/* The paper's Adam and batch size; its 2000 epochs with plateaus are for 44 data sets alike. */
static const ZooRecipe series = {"adam", "cosine", .lr = 0.001, .batch_size = 16, .epochs = 100};
static const ZooRecipe audio = {"adam", "cosine", .lr = 0.002, .batch_size = 32, .epochs = 20};
/* Adam in place of the paper's Adadelta. */
static const ZooRecipe text = {"adam", "constant", .lr = 0.001, .batch_size = 50, .epochs = 25};
static const ZooRecipe table = {"adam", "constant", .lr = 0.001, .batch_size = 32, .epochs = 50};
static const ZooRecipe video = {SGD(0.003), .schedule = "step", .decay_epochs = 4, .batch_size = 30, .epochs = 16};

/* ---- networks ---- */

#define MNIST        {3, {28, 28, 1}}, 10
#define CIFAR        {3, {32, 32, 3}}, 10
#define IMAGENET     {3, {224, 224, 3}}, 1000
#define IMAGENET_299 {3, {299, 299, 3}}, 1000

/* clang-format off */
const ZooEntry zoo_entries[] = {
    {"digits-net", "PyTorch's MNIST example of 2017 without dropout, images made 28x28",
     &digits, {3, {8, 8, 1}}, 10, 21840, 1, zoo_digits_net, 0},
    {"keras-mnist", "Keras's MNIST tutorials: two convolutions, one hidden Dense layer",
     &mnist, MNIST, 225034, 10, zoo_keras_mnist, 0},
    {"keras-mnist3", "the like with three padded convolutions and dropout",
     &mnist3, MNIST, 6526474, 4, zoo_keras_mnist3, 0},
    {"lenet5", "LeCun et al. 1998, as usually taught: plain average pooling, softmax",
     &lenet, MNIST, 61706, 12, zoo_lenet5, 0},

    {"alexnet", "Krizhevsky 2014 (arXiv:1404.5997), one device, as in torchvision",
     &vgg, IMAGENET, 61100840, 63, zoo_alexnet, 0},
    {"vgg11", "Simonyan, Zisserman 2015 (arXiv:1409.1556), configuration A",
     &vgg, IMAGENET, 132863336, 32, zoo_vgg, 11},
    {"vgg13", "Simonyan, Zisserman 2015, configuration B",
     &vgg, IMAGENET, 133047848, 32, zoo_vgg, 13},
    {"vgg16", "Simonyan, Zisserman 2015, configuration D; Keras's VGG16",
     &vgg, IMAGENET, 138357544, 32, zoo_vgg, 16},
    {"vgg19", "Simonyan, Zisserman 2015, configuration E; Keras's VGG19",
     &vgg, IMAGENET, 143667240, 32, zoo_vgg, 19},
    {"googlenet", "Szegedy et al. 2015 (arXiv:1409.4842), two auxiliary outputs, no LRN",
     &googlenet, IMAGENET, 13378280, 65, zoo_googlenet, 0},
    {"inception-v3", "Szegedy et al. 2016 (arXiv:1512.00567); Keras's InceptionV3",
     &inception, IMAGENET_299, 23851784, 75, zoo_inception_v3, 0},
    {"xception", "Chollet 2017 (arXiv:1610.02357); Keras's Xception",
     &xception, IMAGENET_299, 22910480, 7, zoo_xception, 0},
    {"squeezenet", "Iandola et al. 2016 (arXiv:1602.07360), version 1.1",
     &squeezenet, IMAGENET, 1235496, 31, zoo_squeezenet, 0},

    /* He, Zhang, Ren, Sun 2016 (CVPR; arXiv:1512.03385) */
    {"resnet20", "He et al. 2016, for CIFAR, shortcuts of option A; rate by cosine",
     &cifar, CIFAR, 271098, 1, zoo_resnet_cifar, 20},
    {"resnet32", "the same with 32 layers",
     &cifar, CIFAR, 466426, 1, zoo_resnet_cifar, 32},
    {"resnet44", "the same with 44 layers",
     &cifar, CIFAR, 661754, 1, zoo_resnet_cifar, 44},
    {"resnet56", "the same with 56 layers",
     &cifar, CIFAR, 857082, 1, zoo_resnet_cifar, 56},
    {"resnet110", "the same with 110 layers",
     &cifar_deep, CIFAR, 1736058, 1, zoo_resnet_cifar, 110},
    {"resnet18-cifar", "He et al. 2016, stem for CIFAR; recipe of kuangliu/pytorch-cifar",
     &kuangliu, CIFAR, 11183562, 1, zoo_resnet18_cifar, 0},
    {"resnet50-v1.5", "He et al. 2016, but the stride in the 3x3, as in torchvision",
     &imagenet, IMAGENET, 25610152, 1, zoo_resnet50_v15, 0},
    {"resnet18", "He et al. 2016, shortcuts of option B, as in torchvision",
     &imagenet, IMAGENET, 11699112, 1, zoo_resnet, 18},
    {"resnet34", "He et al. 2016, shortcuts of option B, as in torchvision",
     &imagenet, IMAGENET, 21814696, 1, zoo_resnet, 34},
    {"resnet50", "He et al. 2016, as in Keras: the stride in the first 1x1",
     &imagenet, IMAGENET, 25636712, 1, zoo_resnet_keras, 50},
    {"resnet101", "He et al. 2016, as in Keras: the stride in the first 1x1",
     &imagenet, IMAGENET, 44707176, 1, zoo_resnet_keras, 101},
    {"resnet152", "He et al. 2016, as in Keras: the stride in the first 1x1",
     &imagenet, IMAGENET, 60419944, 1, zoo_resnet_keras, 152},
    {"resnet50-v2", "He et al. 2016 (ECCV; arXiv:1603.05027), as in Keras",
     &imagenet, IMAGENET, 25613800, 1, zoo_resnet_keras_v2, 50},

    {"densenet121", "Huang et al. 2017 (arXiv:1608.06993), as in Keras",
     &imagenet, IMAGENET, 8062504, 29, zoo_densenet, 121},
    {"densenet169", "Huang et al. 2017 (arXiv:1608.06993), as in Keras",
     &imagenet, IMAGENET, 14307880, 29, zoo_densenet, 169},
    {"densenet201", "Huang et al. 2017 (arXiv:1608.06993), as in Keras",
     &imagenet, IMAGENET, 20242984, 29, zoo_densenet, 201},

    {"mobilenet", "Howard et al. 2017, as in Keras; recipe of d-li14/mobilenetv2.pytorch",
     &mobile, IMAGENET, 4253864, 31, zoo_mobilenet, 0},
    {"mobilenet-v2", "Sandler et al. 2018, as in Keras; recipe of d-li14/mobilenetv2.pytorch",
     &mobile, IMAGENET, 3538984, 1, zoo_mobilenet_v2, 0},
    {"mobilenet-v3-small", "Howard et al. 2019, as in Keras; recipe of d-li14/mobilenetv2.pytorch",
     &mobile, IMAGENET, 2554968, 1, zoo_mobilenet_v3, 0},
    {"mobilenet-v3-large", "Howard et al. 2019, as in Keras; recipe of d-li14/mobilenetv2.pytorch",
     &mobile, IMAGENET, 5507432, 1, zoo_mobilenet_v3, 1},

    {"efficientnet-b0", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {224, 224, 3}}, 1000, 5330571, 1, zoo_efficientnet, 0},
    {"efficientnet-b1", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {240, 240, 3}}, 1000, 7856239, 1, zoo_efficientnet, 1},
    {"efficientnet-b2", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {260, 260, 3}}, 1000, 9177569, 1, zoo_efficientnet, 2},
    {"efficientnet-b3", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {300, 300, 3}}, 1000, 12320535, 1, zoo_efficientnet, 3},
    {"efficientnet-b4", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {380, 380, 3}}, 1000, 19466823, 1, zoo_efficientnet, 4},
    {"efficientnet-b5", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {456, 456, 3}}, 1000, 30562527, 1, zoo_efficientnet, 5},
    {"efficientnet-b6", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {528, 528, 3}}, 1000, 43265143, 1, zoo_efficientnet, 6},
    {"efficientnet-b7", "Tan, Le 2019 (arXiv:1905.11946), as in Keras; Adam in place of RMSprop",
     &efficient, {3, {600, 600, 3}}, 1000, 66658687, 1, zoo_efficientnet, 7},

    {"fcn-1d", "Wang, Yan, Oates 2017 (arXiv:1611.06455)", &series, {2, {96, 1}}, 2, 265986, 1, zoo_fcn_1d, 0},
    {"resnet-1d", "Wang, Yan, Oates 2017 (arXiv:1611.06455)", &series, {2, {96, 1}}, 2, 506818, 1, zoo_resnet_1d, 0},
    {"audio-cnn", "Kong et al. 2020 (PANNs, arXiv:1912.10211), CNN6 made small; log-mel spectrograms",
     &audio, {3, {64, 40, 1}}, 10, 99322, 1, zoo_audio_cnn, 0},
    {"mlp", "tables: columns normalized, two Dense layers, as in Keras's tutorials of tables",
     &table, {1, {64}}, 10, 9226, 1, zoo_mlp, 0},
    {"text-cnn", "Kim 2014 (arXiv:1408.5882), CNN-rand: words as numbers, vectors trained from random ones",
     &text, {1, {64}}, 2, 6360902, 5, zoo_text_cnn, 0},
    {"c3d", "Tran et al. 2015 (arXiv:1412.0767); videos of 16 frames",
     &video, {4, {16, 112, 112, 3}}, 487, 79991015, 1, zoo_c3d, 0},
};
/* clang-format on */
const size_t zoo_count = sizeof zoo_entries / sizeof *zoo_entries;
