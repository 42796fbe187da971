/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the model_*.c files. */
#ifndef MODEL_MODEL_INTERNAL_H
#define MODEL_MODEL_INTERNAL_H
#include "model/model.h"

/* Number of the first call of each layer, when all calls are numbered through: [layer_count + 1], the last is the
 * number of calls.  The caller frees. */
Status model__call_bases(const Model *model, size_t **bases);

/* Sorts layers as Keras's model.layers, and calls so that each comes after those that it reads.  An error for a cycle
 * and for a layer that leads to no output. */
Status model__sort(Model *model);

/* The classes of layers that are networks, while a network is read. */
extern const struct LayerClass model__functional, model__sequential;

/* Arithmetic between layers (Keras 3's Add of two arguments, Keras 2's TFOpLambda): changes the layer's JSON to that of
 * a layer which computes the same, in the Keras 2 dialect.  Anything else stays as it is. */
Status model__operation(json_t *layer);

/* Copies a layer's name as it is used here: with '_' for every '/'. */
Status model__copy_name(const char *given, char **name);

/* A class's name as Keras writes it in the names that it gives: MaxPooling2D: max_pooling2d.  The caller frees. */
Status model__snake_case(const char *class_name, char **snake);

/* Fills group, path and place of the layers of a sorted network, and completes those of the networks in it. */
Status model__locate(Model *model);

/* Puts the layers of networks in the network in their place; all must be located.  The result is sorted. */
Status model__flatten(Model **model);

/* inbound_nodes, input_layers, output_layers of a Functional `config`: fills calls, inputs, outputs.  `layers` is the
 * JSON list from which model->layers was made. */
Status model__connect(Model *model, const json_t *config, const json_t *layers);

#endif
