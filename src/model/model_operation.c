/* SPDX-License-Identifier: Apache-2.0
 *
 * Arithmetic that stands between layers, "x + 3" or "x * y" in Python, becomes the layer that computes the same:
 *     one tensor and a number   Rescaling
 *     two tensors               Add, Multiply, Subtract
 * Keras 3 writes it as a class Add, Multiply, .. with two arguments, args [T, 3.0] (the merging layers of these names
 * have one: a list); Keras 2 as TFOpLambda with a function's name, where the second argument is a keyword, ["a", 0, 0,
 * {"y": 3}]. */
#include "model/model_internal.h"
#include <stdio.h>
#include <string.h>

typedef enum Operator { ADD, SUBTRACT, MULTIPLY, DIVIDE, OPERATORS } Operator;

/* The operator's names, of which no other is a part, and the layer for two tensors. */
static const struct {
    const char *names, *layer;
} operators[OPERATORS] = {
    [ADD] = {"|Add|__operators__.add|math.add|", "Add"},
    [SUBTRACT] = {"|Subtract|math.subtract|", "Subtract"},
    [MULTIPLY] = {"|Multiply|math.multiply|", "Multiply"},
    [DIVIDE] = {"|Divide|TrueDivide|math.truediv|math.divide|", NULL},
};

static Operator find_operator(const char *name) {
    char word[64];
    Operator op = ADD;
    snprintf(word, sizeof word, "|%s|", name ? name : "");
    while (op < OPERATORS && strstr(operators[op].names, word) == NULL)
        op++;
    return op;
}

/* ["layer", call, output] of an argument in either dialect, or NULL for a number or a list of numbers. */
static const json_t *tensor_of(const json_t *argument) {
    const json_t *history = json_object_get(json_object_get(argument, "config"), "keras_history");
    const json_t *tensor = history ? history : argument;
    return json_is_string(json_array_get(tensor, 0)) && json_array_size(tensor) >= 3 ? tensor : NULL;
}

/* The two arguments of the only call, borrowed; false when it has another form. */
static bool read_arguments(const json_t *layer, const json_t *arguments[2]) {
    const json_t *calls = json_object_get(layer, "inbound_nodes"), *call = json_array_get(calls, 0);
    const json_t *args = json_object_get(call, "args");
    if (json_array_size(calls) != 1)
        return false;
    const char *first = json_string_value(json_array_get(call, 0));
    bool constant = first && strcmp(first, "_CONSTANT_VALUE") == 0; /* ["_CONSTANT_VALUE", -1, 3.0, {"y": T}] */
    arguments[0] = args ? json_array_get(args, 0) : constant ? json_array_get(call, 2) : call;
    arguments[1] = args ? json_array_get(args, 1) : json_object_get(json_array_get(call, 3), "y");
    return (args == NULL || json_array_size(args) == 2) && arguments[0] && arguments[1];
}

/* scale and offset of Rescaling for `op` on a tensor and a constant; `left`: the constant stands on the left. */
static Status rescaling(Operator op, const json_t *constant, bool left, json_t **scale, json_t **offset) {
    double c = json_number_value(constant);
    bool many = json_is_array(constant);
    if (!json_is_number(constant) && !(many && (op == ADD || op == MULTIPLY)))
        return status_fail(STATUS_FAILED, "this operand is not supported, only numbers and the outputs of layers");
    if (op == DIVIDE && (left || c == 0))
        return status_fail(STATUS_FAILED, "only the division by a number other than 0 is supported");
    if (op == ADD || op == SUBTRACT) {
        *scale = json_real(op == SUBTRACT && left ? -1 : 1);
        *offset = many ? json_deep_copy(constant) : json_real(op == SUBTRACT && !left ? -c : c);
    } else {
        *scale = many ? json_deep_copy(constant) : json_real(op == DIVIDE ? 1 / c : c);
        *offset = json_real(0);
    }
    return STATUS_OK;
}

static json_t *input_json(const json_t *tensor) {
    return json_pack("[O,O,O,{}]", json_array_get(tensor, 0), json_array_get(tensor, 1), json_array_get(tensor, 2));
}

/* Replaces class, config and call of `layer`. */
static Status replace(json_t *layer, const char *class_name, json_t *config, json_t *inputs) {
    const json_t *name = json_object_get(json_object_get(layer, "config"), "name");
    if (name)
        json_object_set(config, "name", (json_t *)name);
    int failed = json_object_set_new(layer, "inbound_nodes", json_pack("[o]", inputs));
    failed |= json_object_set_new(layer, "config", config);
    failed |= json_object_set_new(layer, "class_name", json_string(class_name));
    json_object_del(layer, "module");
    return failed ? status_fail(STATUS_FAILED, "out of memory") : STATUS_OK;
}

Status model__operation(json_t *layer) {
    const char *class_name = json_string_value(json_object_get(layer, "class_name"));
    bool lambda = class_name && strcmp(class_name, "TFOpLambda") == 0;
    const char *name =
        lambda ? json_string_value(json_object_get(json_object_get(layer, "config"), "function")) : class_name;
    Operator op = find_operator(name);
    const json_t *arguments[2], *tensors[2];
    if (op == OPERATORS || !read_arguments(layer, arguments))
        return lambda ? status_fail(STATUS_FAILED,
                                    "the operation %.60s outside of a layer is not supported, only + - * / with one "
                                    "result: use a layer",
                                    name ? name : "?")
                      : STATUS_OK;
    for (size_t i = 0; i < 2; i++)
        tensors[i] = tensor_of(arguments[i]);
    if (tensors[0] && tensors[1] && operators[op].layer)
        return replace(layer, operators[op].layer, json_object(),
                       json_pack("[o,o]", input_json(tensors[0]), input_json(tensors[1])));
    bool left = tensors[0] == NULL;
    json_t *scale = NULL, *offset = NULL;
    if (tensors[left] == NULL || tensors[!left])
        return status_fail(STATUS_FAILED, "the operation %s of these operands is not supported", name);
    TRY(rescaling(op, arguments[!left], left, &scale, &offset));
    return replace(layer, "Rescaling", json_pack("{s:o,s:o}", "scale", scale, "offset", offset),
                   json_pack("[o]", input_json(tensors[left])));
}
