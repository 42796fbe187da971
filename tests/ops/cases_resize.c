/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

#define RESIZE(how, batch, H, W, C, to_h, to_w)                                                                        \
    {                                                                                                                  \
        .kind = OP_RESIZE2D, .n = (batch), .inputs = 1, .x = {SHAPE(H, W, C)}, .attr.resize = {                        \
            .height = (to_h),                                                                                          \
            .width = (to_w),                                                                                           \
            .interpolation = INTERPOLATE_##how                                                                         \
        }                                                                                                              \
    }

// clang-format off
#define BOTH(how)                                                                 \
    {"twice as large", RESIZE(how, 2, 3, 4, 3, 6, 8)},                            \
    {"3x2 times as large", RESIZE(how, 1, 2, 3, 2, 6, 6)},                        \
    {"larger, odd", RESIZE(how, 2, 4, 3, 2, 7, 5)},                               \
    {"half", RESIZE(how, 2, 6, 8, 3, 3, 4)},                                      \
    {"smaller, odd", RESIZE(how, 2, 7, 9, 2, 4, 2)},                              \
    {"rows larger, columns smaller", RESIZE(how, 1, 3, 8, 1, 5, 3)},              \
    {"the same size", RESIZE(how, 2, 3, 4, 2, 3, 4)},                             \
    {"from one pixel", RESIZE(how, 2, 1, 1, 3, 3, 2)},                            \
    {"to one pixel", RESIZE(how, 2, 4, 3, 3, 1, 1)},                              \
    {"14 to 28, 64 channels", RESIZE(how, 2, 14, 14, 64, 28, 28), .large = true}, \
    {"40x50 to 32x32", RESIZE(how, 4, 40, 50, 3, 32, 32), .large = true}

static const OpCase cases[] = {BOTH(NEAREST), BOTH(BILINEAR)};

static const ShapeCase shapes[] = {
    {"larger", RESIZE(BILINEAR, 0, 4, 3, 2, 7, 5), SHAPE(7, 5, 2)},
    {"to nothing", RESIZE(NEAREST, 0, 4, 3, 2, 0, 5), {0}, "output 0x5x2: every extent must be at least 1"},
    {"too large", RESIZE(NEAREST, 0, 4, 3, 2, (size_t)1 << 40, (size_t)1 << 40), {0}, "too large"},
    {"no image", {.kind = OP_RESIZE2D, .inputs = 1, .x = {SHAPE(3)}, .attr.resize = {.height = 1, .width = 1}}, {0},
     "input 3 is no image"},
};
// clang-format on

const OpCases op_cases_resize = {cases, COUNT(cases), shapes, COUNT(shapes)};
