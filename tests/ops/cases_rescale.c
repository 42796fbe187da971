/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"
#include <math.h>

#define RESCALE(batch, shape, factor, plus)                                                                            \
    {                                                                                                                  \
        .kind = OP_RESCALE, .n = (batch), .inputs = 1, .x = {shape}, .attr.rescale = {                                 \
            .scale = (factor),                                                                                         \
            .offset = (plus)                                                                                           \
        }                                                                                                              \
    }
#define NORMALIZE(batch, shape, C)                                                                                     \
    {                                                                                                                  \
        .kind = OP_NORMALIZE, .n = (batch), .inputs = 1, .x = {shape}, .params = 2, .has_w = {true, true}, .w = {      \
            SHAPE(C),                                                                                                  \
            SHAPE(C)                                                                                                   \
        }                                                                                                              \
    }

#define SCALE(batch, shape, C, offset)                                                                                 \
    {                                                                                                                  \
        .kind = OP_SCALE, .n = (batch), .inputs = 1, .x = {shape}, .params = 2, .has_w = {true, offset}, .w = {        \
            SHAPE(C),                                                                                                  \
            SHAPE(C)                                                                                                   \
        }                                                                                                              \
    }

enum { MEAN_AND_VARIANCE = 3 };

static void positive_variance(const OpDesc *op, Real **x, Real **w) {
    (void)x;
    for (size_t i = 0; i < op->w[1].dim[0]; i++)
        w[1][i] = (Real)((float)fabs((double)w[1][i]) + 0.125f);
}

// clang-format off
static const OpCase cases[] = {
    {"image", RESCALE(2, SHAPE(4, 3, 3), 0.5, -1)},
    {"scalar", RESCALE(3, {0}, 3, 0)},
    {"vector of 17", RESCALE(1, SHAPE(17), -0.25, 2)},
    {"32x32x3", RESCALE(32, SHAPE(32, 32, 3), 1 / 127.5, -1), .large = true},
    {"image", NORMALIZE(2, SHAPE(4, 3, 3), 3), positive_variance, .fixed_w = MEAN_AND_VARIANCE},
    {"one channel", NORMALIZE(1, SHAPE(4, 3, 1), 1), positive_variance, .fixed_w = MEAN_AND_VARIANCE},
    {"vector", NORMALIZE(3, SHAPE(17), 17), positive_variance, .fixed_w = MEAN_AND_VARIANCE},
    {"32x32x3", NORMALIZE(32, SHAPE(32, 32, 3), 3), positive_variance, .fixed_w = MEAN_AND_VARIANCE, .large = true},
    {"image", SCALE(3, SHAPE(4, 3, 5), 5, false)},
    {"image with an offset", SCALE(3, SHAPE(4, 3, 5), 5, true)},
    {"one channel", SCALE(2, SHAPE(4, 3, 1), 1, true)},
    {"vector", SCALE(3, SHAPE(17), 17, true)},
    {"fixed", SCALE(2, SHAPE(4, 3, 3), 3, true), .fixed_w = 3},
    {"14x14x384", SCALE(4, SHAPE(14, 14, 384), 384, false), .large = true},
};

static const ShapeCase shapes[] = {
    {"image", RESCALE(0, SHAPE(4, 3, 3), 0.5, -1), SHAPE(4, 3, 3)},
    {"image", NORMALIZE(0, SHAPE(4, 3, 3), 3), SHAPE(4, 3, 3)},
    {"channels", NORMALIZE(0, SHAPE(4, 3, 3), 4), {0},
     "mean 4 does not fit input 4x3x3: it needs one number per channel"},
    {"no variance", {.kind = OP_NORMALIZE, .inputs = 1, .x = {SHAPE(3)}, .params = 1, .has_w = {true}, .w = {SHAPE(3)}},
     {0},
     "has no variance"},
    {"image", SCALE(0, SHAPE(4, 3, 3), 3, true), SHAPE(4, 3, 3)},
    {"channels", SCALE(0, SHAPE(4, 3, 3), 4, false), {0}, "scale 4 does not fit input 4x3x3"},
    {"no scale", {.kind = OP_SCALE, .inputs = 1, .x = {SHAPE(3)}}, {0}, "has no scale"},
    {"scalar", NORMALIZE(0, {0}, 1), {0}, "at least one dimension"},
};
// clang-format on

const OpCases op_cases_rescale = {cases, COUNT(cases), shapes, COUNT(shapes)};
