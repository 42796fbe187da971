/* SPDX-License-Identifier: Apache-2.0
 *
 * Values in a layer's configuration that stand for something: activations, initializers, regularizers.  Each has many
 * spellings (words, objects of two dialects) and one normalized form; inside model/ only. */
#ifndef MODEL_VALUES_H
#define MODEL_VALUES_H
#include "backend/op.h"
#include "base/status.h"
#include "graph/initializer.h"
#include <jansson.h>

/* null, "relu", {"class_name": "function", "config": "relu"} -> the word; null is "linear". */
Status value_activation(const json_t *given, json_t **out);

/* The operation that the word stands for, or none for linear.  `keras`: 2 or 3, decides hard_sigmoid.
 * Word list: keras.activations; the constants are those of its documentation. */
bool value_activation_op(const char *word, int keras, OpDesc *op);

/* "he_normal", {"class_name": "HeNormal", "config": {...}} -> the object, all numbers filled in, without the seed (the
 * run's seed decides). */
Status value_initializer(const json_t *given, json_t **out);
Initializer value_initializer_read(const json_t *normalized);

/* null, "l2", {"class_name": "L2", "config": {"l2": 0.01}} -> null or {"class_name": "L1L2", "config": {l1, l2}}. */
Status value_regularizer(const json_t *given, json_t **out);
void value_regularizer_read(const json_t *normalized, double *l1, double *l2);

/* A JSON value as short text for messages, at most `size` bytes; returns `text`. */
const char *value_text(const json_t *value, char *text, size_t size);

#endif
