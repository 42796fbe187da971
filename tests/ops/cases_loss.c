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

/* Labels and predictions above 0, far enough from where a loss has a corner. */
static void positive(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    for (size_t input = 0; input < 2; input++)
        for (size_t i = 0; i < count(op, input); i++)
            x[input][i] = x[input][i] * (Real)0.4375 + (Real)(input ? 1.5 : 0.5625);
}

/* Labels -1 and 1. */
static void signs(const OpDesc *op, Real **x, Real **w) {
    (void)x, (void)w;
    for (size_t i = 0; i < count(op, 1); i++)
        x[1][i] = i % 3 == 0 ? -1 : 1;
}

/* Three classes; one example is the only one of its class. */
static void pairs(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    for (size_t i = 0; i < op->n; i++)
        x[1][i] = i == 1 ? 7 : (Real)(i % 3);
}

/* Class numbers, and a weight for each example. */
static void weighted_numbers(const OpDesc *op, Real **x, Real **w) {
    class_numbers(op, x, w);
    for (size_t i = 0; i < op->n; i++)
        x[2][i] = (Real)(i % 4) * (Real)0.75;
}

static void weighted_numbers_or_pairs(const OpDesc *op, Real **x, Real **w) {
    pairs(op, x, w);
    for (size_t i = 0; i < op->n; i++)
        x[2][i] = (Real)(i % 4) * (Real)0.75;
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
/* The third input: a weight for each example. */
#define WEIGHTED(type, batch, prediction, label, ...)                                                                  \
    {.kind = OP_LOSS,                                                                                                  \
     .n = (batch),                                                                                                     \
     .inputs = 3,                                                                                                      \
     .x = {prediction, label, {0}},                                                                                    \
     .attr.loss = {.kind = LOSS_##type, .weight = 0.5, __VA_ARGS__}},                                                  \
        .fixed_x = 6

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
    {"log-cosh", REGRESSION(LOG_COSH, 3, SHAPE(5), SHAPE(5))},
    {"squared logarithmic", REGRESSION(MEAN_SQUARED_LOGARITHMIC_ERROR, 3, SHAPE(5), SHAPE(5)), .fill = positive},
    {"percentage", REGRESSION(MEAN_ABSOLUTE_PERCENTAGE_ERROR, 3, SHAPE(5), SHAPE(5)), .fill = positive},
    {"poisson", REGRESSION(POISSON, 3, SHAPE(5), SHAPE(5)), .fill = positive},
    {"hinge", REGRESSION(HINGE, 4, SHAPE(5), SHAPE(5)), .fill = signs},
    {"squared hinge, labels 0 and 1", REGRESSION(SQUARED_HINGE, 4, SHAPE(5), SHAPE(5), .from_logits = true),
     .fill = yes_or_no},
    {"binary focal, logits", REGRESSION(BINARY_FOCAL, 3, SHAPE(4), SHAPE(4), .from_logits = true, .gamma = 2),
     .fill = yes_or_no},
    {"binary focal",
     REGRESSION(BINARY_FOCAL, 3, SHAPE(4), SHAPE(4), .gamma = 1.5, .alpha = 0.25, .label_smoothing = 0.1),
     .fill = yes_or_no},
    {"focal, logits",
     REGRESSION(CATEGORICAL_FOCAL, 3, SHAPE(4), SHAPE(4), .from_logits = true, .gamma = 2, .alpha = 0.25),
     .fill = probabilities},
    {"focal", REGRESSION(CATEGORICAL_FOCAL, 3, SHAPE(2, 4), SHAPE(2, 4), .gamma = 0, .alpha = 1),
     .fill = probabilities},
    {"focal, smoothed",
     REGRESSION(CATEGORICAL_FOCAL, 3, SHAPE(4), SHAPE(4), .gamma = 3, .alpha = 0.5, .label_smoothing = 0.1),
     .fill = probabilities},
    {"divergence", REGRESSION(KL_DIVERGENCE, 3, SHAPE(5), SHAPE(5)), .fill = probabilities},
    {"cosine", REGRESSION(COSINE_SIMILARITY, 3, SHAPE(5), SHAPE(5))},
    {"cosine per pixel", REGRESSION(COSINE_SIMILARITY, 2, SHAPE(2, 3), SHAPE(2, 3))},
    {"categorical hinge", REGRESSION(CATEGORICAL_HINGE, 5, SHAPE(4), SHAPE(4)), .fill = probabilities},
    {"contrastive", REGRESSION(CONTRASTIVE, 9, SHAPE(4), {0}, .margin = 1.25), .fill = pairs},
    {"triplet", REGRESSION(TRIPLET, 9, SHAPE(4), SHAPE(1), .margin = 0.5), .fill = pairs},
    {"triplet hard", REGRESSION(TRIPLET_HARD, 9, SHAPE(4), {0}, .margin = 0.5), .fill = pairs},
    {"triplet of one example", REGRESSION(TRIPLET, 1, SHAPE(4), {0}, .margin = 0.5), .fill = pairs},
    {"class numbers, weights", WEIGHTED(SPARSE_CROSSENTROPY, 5, SHAPE(7), {0}, .from_logits = true),
     .fill = weighted_numbers},
    {"class per pixel, weights", WEIGHTED(SPARSE_CROSSENTROPY, 5, SHAPE(2, 3, 4), SHAPE(2, 3)),
     .fill = weighted_numbers},
    {"triplet hard, weights", WEIGHTED(TRIPLET_HARD, 9, SHAPE(4), {0}, .margin = 0.5),
     .fill = weighted_numbers_or_pairs},
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
    {"embedding", LOSS(TRIPLET, 0, SHAPE(7), {0}, .margin = 1), SHAPE(4), NULL},
    {"embedding's label", LOSS(TRIPLET, 0, SHAPE(7), SHAPE(7), .margin = 1), {0}, "a label of shape 7"},
    {"embedding per pixel", LOSS(CONTRASTIVE, 0, SHAPE(3, 7), SHAPE(3), .margin = 1), {0}, "a vector for each"},
    {"margin", LOSS(TRIPLET_HARD, 0, SHAPE(7), {0}), {0}, "the margin of"},
    {"focal", LOSS(BINARY_FOCAL, 0, SHAPE(7), SHAPE(7), .gamma = -1), {0}, "gamma of at least 0"},
    {"weights", {.kind = OP_LOSS, .inputs = 3, .x = {SHAPE(7), {0}, SHAPE(7)}}, {0}, "weights of shape 7"},
    {"no label", {.kind = OP_LOSS, .inputs = 1, .x = {SHAPE(7)}}, {0}, "1 inputs, but loss takes"},
};

const OpCases op_cases_loss = {cases, COUNT(cases), shapes, COUNT(shapes)};
