/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

/* x [D,H,W,C] under K kernels [T,R,S,C/groups] with a bias. */
#define CONV3D(batch, D, H, W, C, T, R, S, K, divide, ...)                                                             \
    {                                                                                                                  \
        .kind = OP_CONV3D, .n = (batch), .inputs = 1, .x = {SHAPE(D, H, W, C)}, .params = 2, .has_w = {true, true},    \
        .w = {SHAPE(T, R, S, (C) / (divide), K), SHAPE(K)}, .attr.conv3d = {                                           \
            .kernel = {T, R, S},                                                                                       \
            .stride = {1, 1, 1},                                                                                       \
            .dilation = {1, 1, 1},                                                                                     \
            .groups = (divide),                                                                                        \
            .filters = (K),                                                                                            \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

#define VALID .padding = PADDING_VALID
#define SAME  .padding = PADDING_SAME

// clang-format off
static const OpCase cases[] = {
    {"3x3x3 valid", CONV3D(2, 4, 5, 6, 2, 3, 3, 3, 3, 1, VALID)},
    {"3x3x3 same", CONV3D(2, 4, 5, 4, 2, 3, 3, 3, 3, 1, SAME)},
    {"one example, channel and filter", CONV3D(1, 3, 4, 4, 1, 2, 3, 2, 1, 1, SAME)},
    {"one frame deep", CONV3D(3, 3, 5, 4, 3, 1, 3, 3, 4, 1, SAME)},
    {"one frame deep, stride", CONV3D(2, 5, 4, 4, 3, 1, 2, 2, 4, 1, VALID, .stride = {2, 1, 1})},
    {"1x1x1", CONV3D(2, 3, 3, 2, 5, 1, 1, 1, 4, 1, VALID)},
    {"strides 2x3x2 same", CONV3D(2, 7, 8, 7, 2, 3, 4, 3, 3, 1, SAME, .stride = {2, 3, 2})},
    {"dilation 2x1x3", CONV3D(1, 6, 5, 8, 2, 3, 2, 2, 3, 1, VALID, .dilation = {2, 1, 3})},
    {"dilation, same", CONV3D(1, 5, 4, 6, 2, 2, 2, 3, 3, 1, SAME, .dilation = {3, 1, 2})},
    {"groups 2", CONV3D(2, 4, 4, 5, 4, 3, 3, 3, 6, 2, SAME)},
    {"depthwise", CONV3D(2, 3, 4, 4, 3, 2, 3, 3, 6, 3, SAME)},
    {"deeper than the input, same", CONV3D(2, 2, 3, 3, 2, 5, 3, 3, 2, 1, SAME)},
    {"16 to 32 of 6x14x14", CONV3D(2, 6, 14, 14, 16, 3, 3, 3, 32, 1, SAME), .large = true, .tolerance = 1e-4},
    {"64 to 64 of 4x14x15", CONV3D(2, 4, 14, 15, 64, 3, 3, 3, 64, 1, SAME), .large = true, .tolerance = 1e-4},
    {"3 to 64 of 8x28x28", CONV3D(1, 8, 28, 28, 3, 3, 3, 3, 64, 1, SAME), .large = true, .tolerance = 1e-4},
    {"stride 2, 32 to 48", CONV3D(3, 7, 13, 12, 32, 3, 3, 3, 48, 1, SAME, .stride = {2, 2, 2}), .large = true,
     .tolerance = 1e-4},
};

static const ShapeCase shapes[] = {
    {"valid", CONV3D(0, 16, 112, 112, 3, 3, 5, 7, 64, 1, VALID), SHAPE(14, 108, 106, 64)},
    {"same, strides", CONV3D(0, 15, 112, 111, 3, 3, 3, 3, 64, 1, SAME, .stride = {2, 2, 2}), SHAPE(8, 56, 56, 64)},
    {"kernel deeper than the input", CONV3D(0, 2, 8, 8, 1, 3, 3, 3, 4, 1, VALID), {0},
     "is smaller than the 3x1 kernel"},
    {"kernel wider than the input", CONV3D(0, 3, 8, 2, 1, 3, 3, 3, 4, 1, VALID), {0}, "is smaller than the 3x3 kernel"},
    {"groups", CONV3D(0, 4, 8, 8, 4, 3, 3, 3, 4, 1, SAME, .groups = 3), {0}, "do not divide into 3 groups"},
    {"stride 0", CONV3D(0, 4, 8, 8, 4, 3, 3, 3, 4, 1, SAME, .stride = {0, 1, 1}), {0}, "at least 1"},
    {"kernel", CONV3D(0, 4, 8, 8, 4, 3, 3, 3, 4, 1, SAME, .kernel = {3, 3, 2}), {0}, "it needs 3x3x2x4x4"},
    {"no volume", {.kind = OP_CONV3D, .inputs = 1, .x = {SHAPE(8, 8, 1)}}, {0}, "input 8x8x1 is no volume"},
};
// clang-format on

const OpCases op_cases_conv3d = {cases, COUNT(cases), shapes, COUNT(shapes)};
