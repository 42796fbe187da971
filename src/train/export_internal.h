/* SPDX-License-Identifier: Apache-2.0
 *
 * Between export.c and export_json.c. */
#ifndef TRAIN_EXPORT_INTERNAL_H
#define TRAIN_EXPORT_INTERNAL_H
#include "model/model.h"

/* *text (freed with memory_free) = model_to_json without the layers of the classifier (export.h). */
Status export__headless(const Model *model, const Graph *graph, char **text);

/* *text = the network as Keras 3 writes it to config.json and model.to_json().  training_config: as in a checkpoint,
 * becomes compile_config with learning rate `lr`; NULL: not compiled. */
Status export__keras3(const Model *model, const char *training_config, double lr, char **text);

#endif
