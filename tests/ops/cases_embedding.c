/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

/* Numbers below V, some of them several times, some never; every third has a fraction, which is cut off. */
static void fill_numbers(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    for (size_t i = 0; i < op->n * shape_count(&op->x[0]); i++)
        x[0][i] = (Real)(i * i * 7 % op->w[0].dim[0]) + (i % 3 == 1 ? (Real)0.5 : 0);
}

#define EMBEDDING(batch, shape, V, D)                                                                                  \
    {                                                                                                                  \
        .kind = OP_EMBEDDING, .n = (batch), .inputs = 1, .x = {shape}, .params = 1, .has_w = {true}, .w = {            \
            SHAPE(V, D)                                                                                                \
        }                                                                                                              \
    }

/* Numbers have no gradient: the difference quotient would step from one row to the next. */
static const OpCase cases[] = {
    {"words", EMBEDDING(3, SHAPE(7), 11, 5), fill_numbers, .fixed_x = 1},
    {"a number each", EMBEDDING(4, {.rank = 0}, 3, 4), fill_numbers, .fixed_x = 1},
    {"one row", EMBEDDING(2, SHAPE(3), 1, 1), fill_numbers, .fixed_x = 1},
    {"words of letters", EMBEDDING(2, SHAPE(3, 4), 26, 3), fill_numbers, .fixed_x = 1},
    {"20000 words", EMBEDDING(8, SHAPE(64), 20000, 300), fill_numbers, .fixed_x = 1, .large = true},
};

static const ShapeCase shapes[] = {
    {"words", EMBEDDING(0, SHAPE(40), 1000, 128), SHAPE(40, 128)},
    {"one number", EMBEDDING(0, {.rank = 0}, 1000, 128), SHAPE(128)},
    {"no matrix", {.kind = OP_EMBEDDING, .inputs = 1, .x = {SHAPE(4)}}, {0}, "needs a matrix"},
};

const OpCases op_cases_embedding = {cases, COUNT(cases), shapes, COUNT(shapes)};
