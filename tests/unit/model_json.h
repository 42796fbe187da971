/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks in Keras's JSON, put together from texts. */
#ifndef TESTS_UNIT_MODEL_JSON_H
#define TESTS_UNIT_MODEL_JSON_H

#define IN "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"in\",\"batch_input_shape\":[null,8,8,2]}}"

#define SEQUENTIAL(layers) "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"n\",\"layers\":[" layers "]}}"
#define LAYER(class, keys) SEQUENTIAL(IN ",{\"class_name\":\"" class "\",\"config\":{\"name\":\"a\"" keys "}}")
#define F_IN                                                                                                           \
    "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"in\",\"batch_input_shape\":[null,4]},\"inbound_nodes\":[]}"
#define F_RELU(name, nodes) "{\"class_name\":\"ReLU\",\"config\":{\"name\":\"" name "\"},\"inbound_nodes\":" nodes "}"
#define F_DROPOUT(name, nodes)                                                                                         \
    "{\"class_name\":\"Dropout\",\"config\":{\"rate\":0.5,\"name\":\"" name "\"},\"inbound_nodes\":" nodes "}"
#define FUNCTIONAL(layers, inputs, outputs)                                                                            \
    "{\"class_name\":\"Functional\",\"config\":{\"layers\":[" layers "],\"input_layers\":" inputs                      \
    ",\"output_layers\":" outputs "}}"

/* A Sequential network of layers behind an input of that shape; one layer. */
#define NET(shape, layers)                                                                                             \
    "{\"class_name\":\"Sequential\",\"config\":[{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"in\","           \
    "\"batch_input_shape\":[null," shape "]}}," layers "]}"
#define ONE(class, keys) "{\"class_name\":\"" class "\",\"config\":{\"name\":\"a\"" keys "}}"

/* Arithmetic between layers: a tensor and an operation in the words of Keras 3 (T3, OP3) and of Keras 2 (LAMBDA). */
#define T3(name) "{\"class_name\":\"__keras_tensor__\",\"config\":{\"keras_history\":[\"" name "\",0,0]}}"
#define LAMBDA(function, call)                                                                                         \
    "\"class_name\":\"TFOpLambda\",\"config\":{\"name\":\"op\",\"trainable\":true,\"function\":\"" function            \
    "\"},\"inbound_nodes\":[" call "]"
// clang-format off
#define OP3(class, a, b)                                                                                               \
    "\"class_name\":\"" class "\",\"module\":\"keras.src.ops.numpy\",\"registered_name\":\"" class "\","               \
    "\"config\":{\"name\":\"op\"},\"inbound_nodes\":[{\"args\":[" a "," b "],\"kwargs\":{}}]"
// clang-format on

#endif
