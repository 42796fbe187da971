/* SPDX-License-Identifier: Apache-2.0
 *
 * What the build functions of all layer classes share. */
#include "base/memory.h"
#include "model/layers.h"
#include "model/values.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* No tensor of one example, and no parameter, has more elements: 4 TB of floats. */
static const size_t max_elements = (size_t)1 << 40;

static const json_t *value_of(const LayerBuild *b, const char *key) {
    const json_t *value = json_object_get(b->layer->config, key);
    CHECK(value != NULL, "class %s has no key %s", b->layer->class->name, key);
    return value;
}

double layer_number(const LayerBuild *b, const char *key) {
    return json_number_value(value_of(b, key));
}

size_t layer_count(const LayerBuild *b, const char *key) {
    return (size_t)json_integer_value(value_of(b, key));
}

bool layer_flag(const LayerBuild *b, const char *key) {
    return json_is_true(value_of(b, key));
}

bool layer_is_null(const LayerBuild *b, const char *key) {
    return json_is_null(value_of(b, key));
}

void layer_pair(const LayerBuild *b, const char *key, size_t pair[2]) {
    const json_t *value = value_of(b, key);
    for (size_t i = 0; i < 2; i++)
        pair[i] = (size_t)json_integer_value(json_array_get(value, i));
    if (json_is_integer(value)) {
        pair[0] = 1;
        pair[1] = (size_t)json_integer_value(value);
    }
}

void layer_triple(const LayerBuild *b, const char *key, size_t triple[3]) {
    for (size_t i = 0; i < 3; i++)
        triple[i] = (size_t)json_integer_value(json_array_get(value_of(b, key), i));
}

bool layer_choice(const LayerBuild *b, const char *key, const char *word) {
    return strcmp(json_string_value(value_of(b, key)), word) == 0;
}

Initializer layer_initializer(const LayerBuild *b, const char *key) {
    return value_initializer_read(value_of(b, key));
}

const json_t *layer_list(const LayerBuild *b, const char *key) {
    return value_of(b, key);
}

Status layer_fail(const LayerBuild *b, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return status_fail(STATUS_FAILED, "layer %s (%s): %s", b->layer->name, b->layer->class->name, text);
}

Shape layer_shape(const LayerBuild *b, size_t input) {
    return graph_shape(b->graph, b->inputs[input]);
}

Status layer_needs_rank(const LayerBuild *b, size_t rank) {
    Shape x = layer_shape(b, 0);
    char text[SHAPE_TEXT];
    if (x.rank != rank)
        return layer_fail(b, "needs an input of %zu dimensions, got %s", rank, shape_format(&x, text));
    return STATUS_OK;
}

Status layer_last_axis(const LayerBuild *b, const char *key) {
    json_int_t axis = json_integer_value(value_of(b, key));
    size_t rank = layer_shape(b, 0).rank;
    if (rank == 0 || (axis != -1 && axis != (json_int_t)rank))
        return layer_fail(b, "%s %d is not supported, only the last one (-1 or %zu)", key, (int)axis, rank);
    return STATUS_OK;
}

static Status check_size(const LayerBuild *b, const char *what, const Shape *shape) {
    size_t count = 1;
    for (size_t i = 0; i < shape->rank; i++)
        if (!memory_multiply(count, shape->dim[i], &count) || count > max_elements)
            return layer_fail(b, "%s is too large: more than %zu elements", what, max_elements);
    return STATUS_OK;
}

Status layer_state(const LayerBuild *b, ParamSpec spec, int *param) {
    spec.layer = b->layer->name;
    TRY(check_size(b, spec.name, &spec.shape));
    for (size_t i = 0; b->layer->call_count > 1 && i < b->graph->param_count; i++) {
        const ParamSpec *made = &b->graph->params[i].spec;
        if (strcmp(made->layer, spec.layer) != 0 || strcmp(made->name, spec.name) != 0)
            continue;
        char was[SHAPE_TEXT], now[SHAPE_TEXT];
        if (!shape_equal(&made->shape, &spec.shape))
            return layer_fail(b, "is shared, but %s is %s in one call and %s in another", spec.name,
                              shape_format(&made->shape, was), shape_format(&spec.shape, now));
        *param = (int)i;
        return STATUS_OK;
    }
    return graph_param(b->graph, &spec, param);
}

Status layer_weight(const LayerBuild *b, const char *name, const char *prefix, Shape shape, int *param) {
    char key[64];
    ParamSpec spec = {.name = name, .shape = shape, .role = b->layer->trainable ? PARAM_TRAINED : PARAM_FROZEN};
    snprintf(key, sizeof key, "%s_initializer", prefix);
    spec.init = layer_initializer(b, key);
    snprintf(key, sizeof key, "%s_regularizer", prefix);
    if (b->layer->trainable) /* a penalty on what cannot change says nothing; Keras leaves it out too */
        value_regularizer_read(value_of(b, key), &spec.l1, &spec.l2);
    return layer_state(b, spec, param);
}

Status layer_op(const LayerBuild *b, const OpDesc *op, size_t input_count, const int *inputs, size_t param_count,
                const int *params, int *node) {
    int made; /* `node` may lie among the inputs */
    TRY(graph_op(b->graph, b->layer->name, op, input_count, inputs, param_count, params, &made));
    *node = made;
    Shape y = graph_shape(b->graph, made);
    return check_size(b, "its output", &y);
}

int layer_padded_input(const LayerBuild *b, const size_t extent[2], Padding *padding, size_t pad[2][2]) {
    const Node *before = &b->graph->nodes[b->inputs[0]];
    if (*padding != PADDING_VALID || before->op.kind != OP_PAD2D)
        return b->inputs[0];
    for (size_t axis = 0; axis < 2; axis++)
        for (size_t side = 0; side < 2; side++)
            if (before->op.attr.pad.amount[axis][side] >= extent[axis])
                return b->inputs[0];
    *padding = PADDING_EXPLICIT;
    memcpy(pad, before->op.attr.pad.amount, sizeof before->op.attr.pad.amount);
    return before->inputs[0];
}

Status layer_op1(const LayerBuild *b, const OpDesc *op, int input, int *node) {
    return layer_op(b, op, 1, &input, 0, NULL, node);
}

Status layer_activate(LayerBuild *b, const char *key, int node) {
    OpDesc op;
    b->output = node;
    if (value_activation_op(json_string_value(value_of(b, key)), b->keras, &op))
        TRY(layer_op1(b, &op, node, &b->output));
    return STATUS_OK;
}
