/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

static size_t count(const OpDesc *op, size_t input) {
    return op->n * shape_count(&op->x[input]);
}

/* Class numbers that come round; a prediction that is not before a softmax is positive. */
static void class_numbers(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    size_t classes = op->x[0].dim[op->x[0].rank - 1];
    for (size_t i = 0; i < count(op, 1); i++)
        x[1][i] = (Real)(5 * i % classes);
    for (size_t i = 0; i < count(op, 0) && !op->attr.loss.from_logits; i++)
        x[0][i] = (x[0][i] + 1) / 2 + (Real)0.0625;
}

/* Labels and, unless they are logits, predictions in (0, 1). */
static void probabilities(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    for (size_t input = op->attr.loss.from_logits; input < 2; input++)
        for (size_t i = 0; i < count(op, input); i++)
            x[input][i] = (x[input][i] + 1) * (Real)0.4375 + (Real)0.0625;
}

/* Labels that are 0 or 1. */
static void yes_or_no(const OpDesc *op, Real **x, Real **w) {
    probabilities(op, x, w);
    for (size_t i = 0; i < count(op, 1); i++)
        x[1][i] = i % 3 == 0;
}

#define LOSS(type, batch, prediction, label, ...)                                                                      \
    {                                                                                                                  \
        .kind = OP_LOSS, .n = (batch), .inputs = 2, .x = {prediction, label}, .attr.loss = {                           \
            .kind = LOSS_##type,                                                                                       \
            .weight = 0.5,                                                                                             \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define SPARSE(...)           LOSS(SPARSE_CROSSENTROPY, __VA_ARGS__), .fill = class_numbers, .fixed_x = 2
#define ONE_HOT(...)          LOSS(CROSSENTROPY, __VA_ARGS__), .fill = probabilities, .fixed_x = 2
#define BINARY(...)           LOSS(BINARY_CROSSENTROPY, __VA_ARGS__), .fill = yes_or_no, .fixed_x = 2
#define REGRESSION(type, ...) LOSS(type, __VA_ARGS__), .fixed_x = 2

static const OpCase cases[] = {
    {"class numbers, logits", SPARSE(4, SHAPE(7), {0}, .from_logits = true)},
    {"class numbers, logits, smoothed", SPARSE(4, SHAPE(7), SHAPE(1), .from_logits = true, .label_smoothing = 0.1)},
    {"class numbers, probabilities", SPARSE(4, SHAPE(7), SHAPE(1))},
    {"class per pixel, logits", SPARSE(2, SHAPE(3, 4, 5), SHAPE(3, 4), .from_logits = true)},
    {"class per pixel, probabilities", SPARSE(2, SHAPE(3, 4, 5), SHAPE(3, 4, 1))},
    {"labels as probabilities, logits", ONE_HOT(3, SHAPE(6), SHAPE(6), .from_logits = true)},
    {"labels as probabilities, smoothed",
     ONE_HOT(3, SHAPE(2, 6), SHAPE(2, 6), .from_logits = true, .label_smoothing = 0.2)},
    {"labels as probabilities", ONE_HOT(3, SHAPE(6), SHAPE(6))},
    {"binary, logits", BINARY(5, SHAPE(1), SHAPE(1), .from_logits = true)},
    {"binary, logits, smoothed", BINARY(3, SHAPE(2, 4), SHAPE(2, 4), .from_logits = true, .label_smoothing = 0.1)},
    {"binary, probabilities", BINARY(5, SHAPE(1), {0})},
    {"binary, probabilities, smoothed", BINARY(2, SHAPE(2, 3), SHAPE(2, 3), .label_smoothing = 0.1)},
    {"squared", REGRESSION(MEAN_SQUARED_ERROR, 3, SHAPE(2, 4), SHAPE(2, 4))},
    {"absolute", REGRESSION(MEAN_ABSOLUTE_ERROR, 3, SHAPE(5), SHAPE(5))},
    {"huber", REGRESSION(HUBER, 6, SHAPE(5), SHAPE(5), .delta = 0.5)},
    {"one example", REGRESSION(HUBER, 1, SHAPE(1), {0}, .delta = 1)},
    {"1000 classes", SPARSE(32, SHAPE(1000), {0}, .from_logits = true), .large = true},
};

static const ShapeCase shapes[] = {
    {"classes", LOSS(SPARSE_CROSSENTROPY, 0, SHAPE(7), {0}), SHAPE(4), NULL},
    {"pixels", LOSS(SPARSE_CROSSENTROPY, 0, SHAPE(3, 4, 7), SHAPE(3, 4, 1)), SHAPE(4), NULL},
    {"squared", LOSS(MEAN_SQUARED_ERROR, 0, {0}, SHAPE(1)), SHAPE(4), NULL},
    {"label", LOSS(SPARSE_CROSSENTROPY, 0, SHAPE(7), SHAPE(7)), {0}, "a label of shape 7 does not fit a prediction"},
    {"one-hot label", LOSS(CROSSENTROPY, 0, SHAPE(7), {0}), {0}, "a label of shape scalar"},
    {"regression label", LOSS(HUBER, 0, SHAPE(7, 2), SHAPE(7), .delta = 1), {0}, "does not fit"},
    {"no classes", LOSS(CROSSENTROPY, 0, {0}, {0}), {0}, "axis of classes"},
    {"smoothing", LOSS(CROSSENTROPY, 0, SHAPE(7), SHAPE(7), .label_smoothing = 2), {0}, "label smoothing of 2"},
    {"delta", LOSS(HUBER, 0, SHAPE(7), SHAPE(7)), {0}, "delta of a Huber loss"},
    {"no label", {.kind = OP_LOSS, .inputs = 1, .x = {SHAPE(7)}}, {0}, "1 inputs, but loss takes 2"},
};

const OpCases op_cases_loss = {cases, COUNT(cases), shapes, COUNT(shapes)};
