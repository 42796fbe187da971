/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

#define PERMUTE(batch, shape, ...)                                                                                     \
    {                                                                                                                  \
        .kind = OP_PERMUTE, .n = (batch), .inputs = 1, .x = {shape}, .attr.permute = {.axis = {__VA_ARGS__} }          \
    }
#define MARGINS(op_kind, batch, H, W, C, top, bottom, left, right)                                                     \
    {                                                                                                                  \
        .kind = OP_##op_kind, .n = (batch), .inputs = 1, .x = {SHAPE(H, W, C)}, .attr.pad = {                          \
            .amount = {{top, bottom}, {left, right}}                                                                   \
        }                                                                                                              \
    }
#define CONCAT(batch, count, along, ...)                                                                               \
    { .kind = OP_CONCAT, .n = (batch), .inputs = (count), .x = {__VA_ARGS__}, .attr.axis = (along) }
#define RESHAPE(from, to)                                                                                              \
    {                                                                                                                  \
        .kind = OP_RESHAPE, .inputs = 1, .x = {from}, .attr.reshape = {.shape = to }                                   \
    }

// clang-format off
static const OpCase cases[] = {
    {"swap", PERMUTE(2, SHAPE(3, 4), 1, 0)},
    {"channel first", PERMUTE(2, SHAPE(3, 4, 5), 2, 0, 1)},
    {"channel last", PERMUTE(1, SHAPE(3, 4, 5), 1, 2, 0)},
    {"identity", PERMUTE(2, SHAPE(3, 4), 0, 1)},
    {"of four", PERMUTE(2, SHAPE(2, 3, 4, 5), 3, 1, 0, 2)},
    {"28x28x64", PERMUTE(4, SHAPE(28, 28, 64), 2, 0, 1), .large = true},

    {"all sides", MARGINS(PAD2D, 2, 3, 4, 3, 1, 2, 3, 0)},
    {"no sides", MARGINS(PAD2D, 2, 3, 4, 3, 0, 0, 0, 0)},
    {"one pixel", MARGINS(PAD2D, 1, 1, 1, 1, 2, 1, 1, 2)},
    {"3 on 224", MARGINS(PAD2D, 2, 224, 224, 3, 3, 3, 3, 3), .large = true},
    {"all sides", MARGINS(CROP2D, 2, 5, 6, 3, 1, 2, 3, 1)},
    {"no sides", MARGINS(CROP2D, 2, 3, 4, 3, 0, 0, 0, 0)},
    {"to one pixel", MARGINS(CROP2D, 1, 4, 3, 1, 2, 1, 1, 1)},
    {"1 of 56", MARGINS(CROP2D, 2, 56, 56, 64, 1, 0, 1, 0), .large = true},

    {"channels", CONCAT(2, 3, 2, SHAPE(3, 4, 2), SHAPE(3, 4, 1), SHAPE(3, 4, 5))},
    {"rows", CONCAT(2, 2, 0, SHAPE(3, 4, 2), SHAPE(1, 4, 2))},
    {"columns", CONCAT(1, 2, 1, SHAPE(3, 4, 2), SHAPE(3, 2, 2))},
    {"vectors", CONCAT(3, 2, 0, SHAPE(4), SHAPE(1))},
    {"one alone", CONCAT(3, 1, 0, SHAPE(4))},
    {"64 and 32 channels", CONCAT(4, 2, 2, SHAPE(28, 28, 64), SHAPE(28, 28, 32)), .large = true},
};

static const ShapeCase shapes[] = {
    {"image", {.kind = OP_INPUT, .y = SHAPE(28, 28, 1)}, SHAPE(28, 28, 1)},
    {"scalar label", {.kind = OP_INPUT}, {0}},
    {"empty", {.kind = OP_INPUT, .y = SHAPE(28, 0, 1)}, {0}, "output 28x0x1: every extent must be at least 1"},
    {"flatten", RESHAPE(SHAPE(3, 4, 5), SHAPE(60)), SHAPE(60)},
    {"unflatten", RESHAPE(SHAPE(60), SHAPE(1, 1, 60)), SHAPE(1, 1, 60)},
    {"another count", RESHAPE(SHAPE(60), SHAPE(6, 11)), {0}, "input 60 has another number of elements than 6x11"},
    {"count that wraps", RESHAPE(SHAPE(1), SHAPE(((size_t)1 << 32) + 1, 4294967295u, 1)), {0}, "another number"},
    {"permuted", PERMUTE(0, SHAPE(3, 4, 5), 2, 0, 1), SHAPE(5, 3, 4)},
    {"axis twice", PERMUTE(0, SHAPE(3, 4), 1, 1), {0}, "no permutation of the 2 axes of input 3x4"},
    {"axis outside", PERMUTE(0, SHAPE(3, 4), 0, 2), {0}, "no permutation"},
    {"padded", MARGINS(PAD2D, 0, 3, 4, 5, 1, 2, 3, 4), SHAPE(6, 11, 5)},
    {"no image", {.kind = OP_PAD2D, .inputs = 1, .x = {SHAPE(3)}}, {0}, "input 3 is no image"},
    {"amount that wraps", MARGINS(PAD2D, 0, 3, 4, 5, 1, (size_t)-1, 0, 0), {0}, "too large"},
    {"large amount", MARGINS(PAD2D, 0, 3, 4, 5, 2147483647, 0, 0, 0), {0}, "output 2147483650x4x5 is too large"},
    {"cropped", MARGINS(CROP2D, 0, 6, 11, 5, 1, 2, 3, 4), SHAPE(3, 4, 5)},
    {"nothing left", MARGINS(CROP2D, 0, 6, 7, 5, 1, 2, 3, 4), {0}, "cropping 7 columns leaves nothing of input 6x7x5"},
    {"channels", CONCAT(0, 2, 2, SHAPE(3, 4, 2), SHAPE(3, 4, 1)), SHAPE(3, 4, 3)},
    {"rows", CONCAT(0, 2, 0, SHAPE(3, 4), SHAPE(2, 4)), SHAPE(5, 4)},
    {"another width", CONCAT(0, 2, 2, SHAPE(3, 4, 2), SHAPE(3, 5, 2)), {0},
     "inputs 3x4x2 and 3x5x2 differ beside axis 2"},
    {"another rank", CONCAT(0, 2, 0, SHAPE(3, 4), SHAPE(3)), {0}, "differ"},
    {"no such axis", CONCAT(0, 2, 2, SHAPE(3, 4), SHAPE(3, 4)), {0}, "input 3x4 has no axis 2"},
};
// clang-format on

const OpCases op_cases_reshape = {cases, COUNT(cases), shapes, COUNT(shapes)};
