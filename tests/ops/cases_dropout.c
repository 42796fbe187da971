/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

#define DROPOUT(batch, shape, ...)                                                                                     \
    {                                                                                                                  \
        .kind = OP_DROPOUT, .n = (batch), .inputs = 1, .x = {shape}, .attr.dropout = { __VA_ARGS__ }                   \
    }

/* The decisions are the same in every call with the same context, so differences see a linear map. */
static const OpCase cases[] = {
    {"vector", DROPOUT(4, SHAPE(11), .rate = 0.5)},
    {"image, rate 0.25", DROPOUT(2, SHAPE(3, 4, 5), .rate = 0.25, .stream = 2)},
    {"rate 0", DROPOUT(2, SHAPE(6), .rate = 0)},
    {"whole maps", DROPOUT(3, SHAPE(3, 4, 5), .rate = 0.4, .shared = {true, true})},
    {"whole examples", DROPOUT(8, SHAPE(2, 2, 3), .rate = 0.4, .shared = {true, true, true})},
    {"steps of a sequence", DROPOUT(3, SHAPE(5, 4), .rate = 0.4, .shared = {false, true})},
    {"alpha", DROPOUT(4, SHAPE(11), .kind = DROPOUT_ALPHA, .rate = 0.3)},
    {"alpha, whole maps", DROPOUT(4, SHAPE(3, 2, 5), .kind = DROPOUT_ALPHA, .rate = 0.3, .shared = {true, true})},
    {"gaussian", DROPOUT(4, SHAPE(3, 2, 5), .kind = DROPOUT_GAUSSIAN, .rate = 0.3)},
    {"noise", DROPOUT(4, SHAPE(11), .kind = DROPOUT_NOISE, .rate = 2)},
    {"whole examples of 28x28x24", DROPOUT(16, SHAPE(28, 28, 24), .rate = 0.2, .shared = {true, true, true}),
     .large = true},
    {"14x14x64", DROPOUT(8, SHAPE(14, 14, 64), .rate = 0.5), .large = true},
};

static const ShapeCase shapes[] = {
    {"image", DROPOUT(0, SHAPE(4, 3, 2), .rate = 0.5), SHAPE(4, 3, 2), NULL},
    {"all", DROPOUT(0, SHAPE(4), .rate = 1), SHAPE(4), NULL},
    {"negative", DROPOUT(0, SHAPE(4), .rate = -0.1), {0}, "rate of -0.1 is not between 0 and 1"},
    {"noise", DROPOUT(0, SHAPE(4), .kind = DROPOUT_NOISE, .rate = 3), SHAPE(4), NULL},
    {"no noise", DROPOUT(0, SHAPE(4), .kind = DROPOUT_NOISE, .rate = -1), {0}, "noise with a deviation of -1"},
    {"all of alpha", DROPOUT(0, SHAPE(4), .kind = DROPOUT_ALPHA, .rate = 1), {0}, "a rate of 1 has no meaning"},
    {"above 1", DROPOUT(0, SHAPE(4), .rate = 1.5), {0}, "rate of 1.5"},
};

const OpCases op_cases_dropout = {cases, COUNT(cases), shapes, COUNT(shapes)};
