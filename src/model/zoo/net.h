/* SPDX-License-Identifier: Apache-2.0
 *
 * How a network of the zoo is written down: layer by layer, as calls of Keras layers.
 *
 *     const char *x = zoo_input(net, input);
 *     x = zoo_layer(net, x, "Conv2D", "conv1", "{s:i, s:i, s:s}", "filters", 32, "kernel_size", 3, "activation", "relu");
 *
 * The last layer is the output.  Names are copied; those that are returned live as long as the ZooNet.  After a failure
 * they are NULL, and zoo_create reports it. */
#ifndef MODEL_ZOO_NET_H
#define MODEL_ZOO_NET_H
#include "model/zoo/zoo.h"

struct ZooNet {
    json_t *layers; /* owned */
    bool failed;
};

/* The input, an image of that shape; returns its name. */
const char *zoo_input(ZooNet *net, Shape shape);

/* A layer called `name` that reads `input` and whose configuration is the json_pack format with its values.  Returns
 * its name. */
const char *zoo_layer(ZooNet *net, const char *input, const char *class_name, const char *name, const char *format,
                      ...);

/* The sum of two layers' outputs. */
const char *zoo_add(ZooNet *net, const char *first, const char *second, const char *name);

/* The families' builders. */
void zoo_digits_net(ZooNet *net, Shape input, size_t classes);
void zoo_keras_mnist(ZooNet *net, Shape input, size_t classes);
void zoo_keras_mnist3(ZooNet *net, Shape input, size_t classes);
void zoo_lenet5(ZooNet *net, Shape input, size_t classes);
void zoo_resnet20(ZooNet *net, Shape input, size_t classes);
void zoo_resnet18_cifar(ZooNet *net, Shape input, size_t classes);
void zoo_resnet50_v15(ZooNet *net, Shape input, size_t classes);

#endif
