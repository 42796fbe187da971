/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

/* A moving variance is positive. */
static void fill(const OpDesc *op, Real **x, Real **w) {
    (void)x;
    for (size_t i = 0; i < shape_count(&op->w[3]) && op->params == 4; i++)
        w[3][i] = (w[3][i] < 0 ? -w[3][i] : w[3][i]) + (Real)0.125;
}

/* gamma, beta: 1 or 0. */
#define BATCH_NORM(batch, shape, channels, gamma, beta, ...)                                                           \
    {                                                                                                                  \
        .kind = OP_BATCH_NORM, .n = (batch), .inputs = 1, .x = {shape}, .params = 4,                                   \
        .has_w = {(gamma), (beta), true, true},                                                                        \
        .w = {SHAPE(channels), SHAPE(channels), SHAPE(channels), SHAPE(channels)}, .attr.norm = {                      \
            .epsilon = 1e-3,                                                                                           \
            .momentum = 0.99,                                                                                          \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define BATCH_CASE(...)  BATCH_NORM(__VA_ARGS__), .fill = fill, .fixed_w = 12, .forward_w = 12
#define FROZEN_CASE(...) BATCH_NORM(__VA_ARGS__, .frozen = true), .fill = fill, .fixed_w = 12
/* The end of a residual block: x1 is added. */
#define RESIDUAL(batch, shape, channels, gamma, beta, ...)                                                             \
    {                                                                                                                  \
        .kind = OP_BATCH_NORM, .n = (batch), .inputs = 2, .x = {shape, shape}, .params = 4,                            \
        .has_w = {(gamma), (beta), true, true},                                                                        \
        .w = {SHAPE(channels), SHAPE(channels), SHAPE(channels), SHAPE(channels)}, .attr.norm = {                      \
            .epsilon = 1e-3,                                                                                           \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define RESIDUAL_CASE(...) RESIDUAL(__VA_ARGS__), .fill = fill, .fixed_w = 12, .forward_w = 12
#define OTHER_NORM(op, batch, shape, params_shape, gamma, beta, ...)                                                   \
    {                                                                                                                  \
        .kind = op, .n = (batch), .inputs = 1, .x = {shape}, .params = 2, .has_w = {(gamma), (beta)},                  \
        .w = {params_shape, params_shape}, .attr.norm = {                                                              \
            .epsilon = 1e-3,                                                                                           \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define LAYER_NORM(...) OTHER_NORM(OP_LAYER_NORM, __VA_ARGS__)
#define GROUP_NORM(...) OTHER_NORM(OP_GROUP_NORM, __VA_ARGS__)

static const OpCase cases[] = {
    {"image", BATCH_CASE(3, SHAPE(4, 3, 5), 5, 1, 1)},
    {"one example, one channel", BATCH_CASE(1, SHAPE(3, 3, 1), 1, 1, 1)},
    {"vector", BATCH_CASE(6, SHAPE(7), 7, 1, 1)},
    {"no gamma", BATCH_CASE(2, SHAPE(3, 2, 4), 4, 0, 1)},
    {"no beta", BATCH_CASE(2, SHAPE(3, 2, 4), 4, 1, 0)},
    {"neither", BATCH_CASE(4, SHAPE(2, 2, 3), 3, 0, 0)},
    {"frozen", FROZEN_CASE(3, SHAPE(4, 3, 5), 5, 1, 1)},
    {"frozen, neither", FROZEN_CASE(3, SHAPE(4, 3, 5), 5, 0, 0)},
    {"17 channels", BATCH_CASE(2, SHAPE(9, 9, 17), 17, 1, 1)},
    {"16 channels", BATCH_CASE(5, SHAPE(7, 5, 16), 16, 1, 1)},
    {"80 channels", BATCH_CASE(5, SHAPE(3, 1, 80), 80, 1, 1)},
    {"residual", RESIDUAL_CASE(3, SHAPE(4, 3, 5), 5, 1, 1)},
    {"residual, neither", RESIDUAL_CASE(4, SHAPE(3, 3, 7), 7, 0, 0)},
    {"residual, 33 channels", RESIDUAL_CASE(4, SHAPE(3, 3, 33), 33, 1, 1)},
    {"residual, frozen", RESIDUAL(3, SHAPE(4, 3, 5), 5, 1, 1, .frozen = true), .fill = fill, .fixed_w = 12},
    {"residual, 14x14x256", RESIDUAL_CASE(5, SHAPE(14, 14, 256), 256, 1, 1), .large = true},
    {"32x32x16", BATCH_CASE(9, SHAPE(32, 32, 16), 16, 1, 1), .large = true},
    {"28x28x64", BATCH_CASE(8, SHAPE(28, 28, 64), 64, 1, 1), .large = true},
    {"last axis", LAYER_NORM(3, SHAPE(2, 3, 5), SHAPE(5), 1, 1, .axes = 1)},
    {"all axes, one example", LAYER_NORM(1, SHAPE(2, 3, 5), SHAPE(2, 3, 5), 1, 1, .axes = 3)},
    {"two axes, no gamma", LAYER_NORM(2, SHAPE(4, 3, 5), SHAPE(3, 5), 0, 1, .axes = 2)},
    {"no beta", LAYER_NORM(2, SHAPE(9), SHAPE(9), 1, 0, .axes = 1)},
    {"neither", LAYER_NORM(2, SHAPE(9), SHAPE(9), 0, 0, .axes = 1)},
    {"14x14x96", LAYER_NORM(4, SHAPE(14, 14, 96), SHAPE(96), 1, 1, .axes = 1), .large = true},
    {"two of three channels", GROUP_NORM(2, SHAPE(3, 4, 6), SHAPE(6), 1, 1, .groups = 2)},
    {"one group", GROUP_NORM(2, SHAPE(3, 2, 4), SHAPE(4), 1, 1, .groups = 1)},
    {"a group per channel, one example", GROUP_NORM(1, SHAPE(3, 3, 4), SHAPE(4), 1, 0, .groups = 4)},
    {"vector, no gamma", GROUP_NORM(3, SHAPE(12), SHAPE(12), 0, 1, .groups = 3)},
    {"14x14x64", GROUP_NORM(4, SHAPE(14, 14, 64), SHAPE(64), 1, 1, .groups = 32), .large = true},
};

static const ShapeCase shapes[] = {
    {"image", BATCH_NORM(0, SHAPE(4, 3, 5), 5, 1, 1), SHAPE(4, 3, 5), NULL},
    {"channels", BATCH_NORM(0, SHAPE(4, 3, 5), 3, 1, 1), {0}, "gamma has shape 3, but the normalized axes have 5"},
    {"channels without gamma", BATCH_NORM(0, SHAPE(4, 3, 5), 3, 0, 0), {0}, "the moving mean has shape 3"},
    {"scalar", BATCH_NORM(0, {0}, 1, 1, 1), {0}, "scalar"},
    {"epsilon", {.kind = OP_GROUP_NORM, .inputs = 1, .x = {SHAPE(5)}, .attr.norm.epsilon = -1}, {0}, "epsilon -1"},
    {"two axes", LAYER_NORM(0, SHAPE(4, 3, 5), SHAPE(3, 5), 1, 1, .axes = 2), SHAPE(4, 3, 5), NULL},
    {"no axes", LAYER_NORM(0, SHAPE(4, 3, 5), SHAPE(5), 1, 1, .axes = 0), {0}, "last 0 axes of 4x3x5"},
    {"too many axes", LAYER_NORM(0, SHAPE(4, 3, 5), SHAPE(5), 1, 1, .axes = 4), {0}, "last 4 axes of 4x3x5"},
    {"beta", LAYER_NORM(0, SHAPE(4, 3, 5), SHAPE(3), 0, 1, .axes = 1), {0}, "beta has shape 3"},
    {"groups", GROUP_NORM(0, SHAPE(4, 3, 6), SHAPE(6), 1, 1, .groups = 3), SHAPE(4, 3, 6), NULL},
    {"channels in groups", GROUP_NORM(0, SHAPE(4, 3, 6), SHAPE(6), 1, 1, .groups = 4), {0}, "6 channels do not divide"},
    {"no groups", GROUP_NORM(0, SHAPE(4, 3, 6), SHAPE(6), 1, 1, .groups = 0), {0}, "into 0 groups"},
};

const OpCases op_cases_norm = {cases, COUNT(cases), shapes, COUNT(shapes)};
