/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the model_*.c files. */
#ifndef MODEL_MODEL_INTERNAL_H
#define MODEL_MODEL_INTERNAL_H
#include "model/model.h"

/* Number of the first call of each layer, when all calls are numbered through: [layer_count + 1], the last is the number
 * of calls.  The caller frees. */
Status model__call_bases(const Model *model, size_t **bases);

/* Sorts layers as Keras's model.layers, and calls so that each comes after those that it reads.  An error for a cycle and
 * for a layer that leads to no output. */
Status model__sort(Model *model);

/* inbound_nodes, input_layers, output_layers of a Functional `config`: fills calls, inputs, outputs.  `layers` is the
 * JSON list from which model->layers was made. */
Status model__connect(Model *model, const json_t *config, const json_t *layers);

#endif
