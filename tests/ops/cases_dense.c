/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"
#include <stdint.h>

/* x of the given shape times w [in, out]; bias: 1 or 0. */
#define DENSE(batch, shape, in, out, bias)                                                                             \
    {                                                                                                                  \
        .kind = OP_DENSE, .n = (batch), .inputs = 1, .x = {shape}, .params = 2, .has_w = {true, (bias)}, .w = {        \
            SHAPE(in, out),                                                                                            \
            SHAPE(out)                                                                                                 \
        }                                                                                                              \
    }

static const OpCase cases[] = {
    {"vector", DENSE(3, SHAPE(7), 7, 5, 1)},
    {"one example", DENSE(1, SHAPE(7), 7, 5, 1)},
    {"one in, one out", DENSE(4, SHAPE(1), 1, 1, 1)},
    {"no bias", DENSE(2, SHAPE(6), 6, 9, 0)},
    {"last axis of three", DENSE(2, SHAPE(3, 2, 5), 5, 4, 1)},
    {"last axis of two, one example", DENSE(1, SHAPE(3, 5), 5, 4, 0)},
    {"50 out, one example", DENSE(1, SHAPE(23), 23, 50, 1)},
    {"16 out, no bias", DENSE(2, SHAPE(33), 33, 16, 0)},
    {"33 out, three examples", DENSE(3, SHAPE(5), 5, 33, 1)},
    {"3 out of many, one example", DENSE(1, SHAPE(41), 41, 3, 1)},
    {"33 to 47", DENSE(5, SHAPE(33), 33, 47, 1)},
    {"64 to 32, last axis of two", DENSE(3, SHAPE(2, 64), 64, 32, 1)},
    {"784 to 128", DENSE(32, SHAPE(784), 784, 128, 1), .large = true},
    {"1001 to 133, 37 rows", DENSE(37, SHAPE(1001), 1001, 133, 1), .large = true},
    {"600 to 320, positions", DENSE(5, SHAPE(7, 600), 600, 320, 0), .large = true},
    {"1024 to 10", DENSE(16, SHAPE(1024), 1024, 10, 1), .large = true},
};

static const ShapeCase shapes[] = {
    {"vector", DENSE(0, SHAPE(7), 7, 5, 1), SHAPE(5), NULL},
    {"last axis", DENSE(0, SHAPE(3, 2, 7), 7, 5, 0), SHAPE(3, 2, 5), NULL},
    {"width", DENSE(0, SHAPE(8), 7, 5, 1), {0}, "kernel 7x5 does not fit input 8"},
    {"scalar input", DENSE(0, {0}, 7, 5, 1), {0}, "at least one dimension"},
    {"empty", DENSE(0, SHAPE(7), 7, 0, 0), {0}, "at least 1"},
    {"overflow", DENSE(0, SHAPE(SIZE_MAX / 2, 7), 7, 5, 0), {0}, "too large"},
};

const OpCases op_cases_dense = {cases, COUNT(cases), shapes, COUNT(shapes)};
