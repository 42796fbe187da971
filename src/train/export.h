/* SPDX-License-Identifier: Apache-2.0
 *
 * A checkpoint as a file for Keras.
 *
 *     .keras        Keras 3: network, weights, compiled with the run's optimizer, loss and metrics, and the optimizer's
 *                   state: fit goes on with the step after the checkpoint's (io/checkpoint.h has the layout)
 *     .weights.h5   Keras 3, load_weights of a model of the same layers: weights, and the optimizer's state, which
 *                   Keras takes only when the model is compiled and its optimizer built
 *     .h5           Keras 2 and 3: network and weights, compiled; no optimizer state, which Keras 3 cannot take from it
 *     .json         Keras 3, keras.models.model_from_json: the network alone
 *
 * A file of another program has no run, so what is made of it is not compiled.  Not collective. */
#ifndef TRAIN_EXPORT_H
#define TRAIN_EXPORT_H
#include "io/checkpoint.h"

typedef enum ExportForm { EXPORT_KERAS, EXPORT_WEIGHTS, EXPORT_HDF5, EXPORT_JSON } ExportForm;

/* The form that the name of a file asks for by its end.  STATUS_USAGE: none of the four. */
Status export_form(const char *path, ExportForm *form);

/* *image (the caller frees it with memory_free) = the `size` bytes of the file.  `origin` names the checkpoint in
 * messages.  without_head: the network ends with its last layer in front of the classifier, and is not compiled.  The
 * classifier is what comes behind the last flattening or global pooling that layers with weights follow, or, where
 * there is none, the last layer with weights and what follows.
 * STATUS_FAILED: the checkpoint holds no network; weights that do not fit it; something that the form's Keras does not
 * know or takes for something else (hard_sigmoid of Keras 2 in Keras 3); without_head: several outputs, no such
 * place. */
Status export_image(const Checkpoint *checkpoint, const char *origin, ExportForm form, bool without_head,
                    unsigned char **image, size_t *size);

#endif
