/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

#define MERGE(op, batch, count, ...)                                                                                   \
    {                                                                                                                  \
        .kind = op, .n = (batch), .inputs = (count), .x = { __VA_ARGS__ }                                              \
    }

/* The shapes that every merge has to do: equal, channels weighted (squeeze and excitation), both inputs repeated, ranks
 * that differ, the first input the narrow one. */
#define EACH_SHAPE(op)                                                                                                 \
    {"equal", MERGE(op, 3, 2, SHAPE(4, 3, 5), SHAPE(4, 3, 5))}, {"one example", MERGE(op, 1, 2, SHAPE(7), SHAPE(7))},  \
        {"per channel", MERGE(op, 2, 2, SHAPE(4, 3, 5), SHAPE(1, 1, 5))},                                              \
        {"per position", MERGE(op, 2, 2, SHAPE(4, 3, 5), SHAPE(4, 3, 1))},                                             \
        {"first repeated", MERGE(op, 2, 2, SHAPE(1, 1, 5), SHAPE(4, 3, 5))},                                           \
        {"both repeated", MERGE(op, 2, 2, SHAPE(4, 1, 5), SHAPE(1, 3, 5))},                                            \
        {"ranks", MERGE(op, 2, 2, SHAPE(5), SHAPE(4, 3, 5))}, {"scalar", MERGE(op, 2, 2, SHAPE(4, 3), {0})},           \
        {"14x14x64", MERGE(op, 4, 2, SHAPE(14, 14, 64), SHAPE(14, 14, 64)), .large = true}, {                          \
        "14x14x64 per channel", MERGE(op, 4, 2, SHAPE(14, 14, 64), SHAPE(1, 1, 64)), .large = true                     \
    }
#define THREE(op)                                                                                                      \
    {"three", MERGE(op, 2, 3, SHAPE(3, 4), SHAPE(3, 4), SHAPE(3, 4))}, {                                               \
        "four, some repeated", MERGE(op, 2, 4, SHAPE(3, 4), SHAPE(1, 4), SHAPE(4), SHAPE(3, 1))                        \
    }

static const OpCase cases[] = {
    EACH_SHAPE(OP_ADD),     THREE(OP_ADD),     EACH_SHAPE(OP_SUBTRACT), EACH_SHAPE(OP_MULTIPLY), THREE(OP_MULTIPLY),
    EACH_SHAPE(OP_AVERAGE), THREE(OP_AVERAGE), EACH_SHAPE(OP_MAXIMUM),  THREE(OP_MAXIMUM),
};

static const ShapeCase shapes[] = {
    {"equal", MERGE(OP_ADD, 0, 2, SHAPE(4, 3), SHAPE(4, 3)), SHAPE(4, 3), NULL},
    {"repeated", MERGE(OP_MULTIPLY, 0, 3, SHAPE(4, 1), SHAPE(1, 3), SHAPE(1)), SHAPE(4, 3), NULL},
    {"ranks", MERGE(OP_MAXIMUM, 0, 2, SHAPE(3), SHAPE(4, 5, 3)), SHAPE(4, 5, 3), NULL},
    {"extents", MERGE(OP_ADD, 0, 2, SHAPE(4, 3), SHAPE(4, 2)), {0}, "input 1 of shape 4x2 does not fit the shape 4x3"},
    {"third", MERGE(OP_AVERAGE, 0, 3, SHAPE(4, 1), SHAPE(1, 3), SHAPE(5, 3)), {0}, "input 2 of shape 5x3"},
    {"wider", MERGE(OP_ADD, 0, 2, SHAPE(3), SHAPE(4, 2)), {0}, "does not fit the shape 3"},
    {"alone", MERGE(OP_ADD, 0, 1, SHAPE(4, 3)), {0}, "add needs two inputs or more, it has 1"},
    {"three", MERGE(OP_SUBTRACT, 0, 3, SHAPE(4), SHAPE(4), SHAPE(4)), {0}, "3 inputs, but subtract takes 2"},
};

const OpCases op_cases_merge = {cases, COUNT(cases), shapes, COUNT(shapes)};
