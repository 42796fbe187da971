/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"
#include <math.h>

/* Uniform in [-8, 8): beyond the bends of every activation. */
static void spread(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    for (size_t i = 0; i < op->n * shape_count(&op->x[0]); i++)
        x[0][i] *= 8;
}

#define ELEMENTWISE(which, ...)                                                                                        \
    {.kind = OP_ACTIVATION,                                                                                            \
     .n = 3,                                                                                                           \
     .inputs = 1,                                                                                                      \
     .x = {SHAPE(5, 3, 3)},                                                                                            \
     .attr.activation = {.kind = ACTIVATION_##which, __VA_ARGS__}},                                                    \
        .fill = spread
#define SOFTMAX(batch, ...)                                                                                            \
    {                                                                                                                  \
        .kind = OP_SOFTMAX, .n = (batch), .inputs = 1, .x = { SHAPE(__VA_ARGS__) }                                     \
    }
#define PRELU(batch, shape, slopes)                                                                                    \
    {                                                                                                                  \
        .kind = OP_PRELU, .n = (batch), .inputs = 1, .x = {shape}, .params = 1, .has_w = {true}, .w = { slopes }       \
    }

static const OpCase cases[] = {
    {"linear", ELEMENTWISE(LINEAR)},
    {"relu", ELEMENTWISE(RELU, .max_value = INFINITY)},
    {"relu6", ELEMENTWISE(RELU, .max_value = 6)},
    {"leaky relu", ELEMENTWISE(RELU, .slope = 0.2, .max_value = INFINITY)},
    {"relu with a threshold", ELEMENTWISE(RELU, .slope = 0.1, .max_value = 5, .threshold = 1)},
    {"relu with a falling slope", ELEMENTWISE(RELU, .slope = -0.5, .max_value = INFINITY)},
    {"elu", ELEMENTWISE(ELU, .alpha = 1)},
    {"elu with a negative alpha", ELEMENTWISE(ELU, .alpha = -0.5)},
    {"celu", ELEMENTWISE(CELU, .alpha = 1)},
    {"celu with another alpha", ELEMENTWISE(CELU, .alpha = 2.5)},
    {"selu", ELEMENTWISE(SELU)},
    {"sigmoid", ELEMENTWISE(SIGMOID)},
    {"hard sigmoid", ELEMENTWISE(HARD_SIGMOID, .alpha = 0.2)},
    {"tanh", ELEMENTWISE(TANH)},
    {"softplus", ELEMENTWISE(SOFTPLUS)},
    {"softsign", ELEMENTWISE(SOFTSIGN)},
    {"silu", ELEMENTWISE(SILU)},
    {"hard silu", ELEMENTWISE(HARD_SILU, .alpha = 1.0 / 6)},
    {"gelu", ELEMENTWISE(GELU)},
    {"mish", ELEMENTWISE(MISH)},
    {"exponential", ELEMENTWISE(EXPONENTIAL)},
    {"classes", SOFTMAX(4, 10)},
    {"one class", SOFTMAX(2, 1)},
    {"positions", SOFTMAX(2, 3, 4, 5), .fill = spread},
    {"one example", SOFTMAX(1, 7), .fill = spread},
    {"1000 classes", SOFTMAX(16, 1000), .large = true},
    {"slope per element", PRELU(3, SHAPE(4, 3, 2), SHAPE(4, 3, 2))},
    {"slope per channel", PRELU(3, SHAPE(4, 3, 2), SHAPE(1, 1, 2))},
    {"one slope", PRELU(1, SHAPE(4, 3, 2), SHAPE(1, 1, 1))},
    {"slope per row", PRELU(2, SHAPE(4, 3), SHAPE(4, 1))},
};

static const ShapeCase shapes[] = {
    {"image", {.kind = OP_ACTIVATION, .inputs = 1, .x = {SHAPE(4, 3, 2)}}, SHAPE(4, 3, 2), NULL},
    {"classes", SOFTMAX(0, 4, 3), SHAPE(4, 3), NULL},
    {"scalar", {.kind = OP_SOFTMAX, .inputs = 1}, {0}, "axis of classes"},
    {"slopes", PRELU(0, SHAPE(4, 3), SHAPE(1, 3)), SHAPE(4, 3), NULL},
    {"rank of the slopes", PRELU(0, SHAPE(4, 3), SHAPE(3)), {0}, "slopes of shape 3 do not fit an input of shape 4x3"},
    {"extent of the slopes", PRELU(0, SHAPE(4, 3), SHAPE(2, 3)), {0}, "slopes of shape 2x3"},
    {"no slopes", {.kind = OP_PRELU, .inputs = 1, .x = {SHAPE(3)}}, {0}, "needs its slopes"},
};

const OpCases op_cases_activation = {cases, COUNT(cases), shapes, COUNT(shapes)};
