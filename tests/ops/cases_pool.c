/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

#define POOL(op_kind, batch, H, W, C, size_h, size_w, stride_h, stride_w, ...)                                         \
    {                                                                                                                  \
        .kind = OP_##op_kind, .n = (batch), .inputs = 1, .x = {SHAPE(H, W, C)}, .attr.pool = {                         \
            .size = {size_h, size_w},                                                                                  \
            .stride = {stride_h, stride_w},                                                                            \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define GLOBAL(op_kind, batch, H, W, C, keep)                                                                          \
    {                                                                                                                  \
        .kind = OP_##op_kind, .n = (batch), .inputs = 1, .x = {SHAPE(H, W, C)}, .attr.pool = {.keepdims = (keep) }     \
    }

#define VALID                              .padding = PADDING_VALID
#define SAME                               .padding = PADDING_SAME
#define EXPLICIT(top, bottom, left, right) .padding = PADDING_EXPLICIT, .pad = {{top, bottom}, {left, right}}

// clang-format off
/* What both kinds of pooling run. */
#define BOTH(kind)                                                                       \
    {"2x2", POOL(kind, 2, 6, 8, 3, 2, 2, 2, 2, VALID)},                                  \
    {"2x2, odd image", POOL(kind, 2, 7, 5, 3, 2, 2, 2, 2, VALID)},                       \
    {"2x2 same, odd image", POOL(kind, 2, 7, 5, 3, 2, 2, 2, 2, SAME)},                   \
    {"3x3 stride 2", POOL(kind, 2, 9, 7, 4, 3, 3, 2, 2, VALID)},                         \
    {"3x3 stride 2 same (asymmetric)", POOL(kind, 2, 8, 6, 4, 3, 3, 2, 2, SAME)},        \
    {"3x3 stride 1 same", POOL(kind, 1, 5, 6, 2, 3, 3, 1, 1, SAME)},                     \
    {"5x4 stride 2x3 same", POOL(kind, 1, 5, 7, 3, 5, 4, 2, 3, SAME)},                   \
    {"stride larger than window", POOL(kind, 2, 7, 8, 2, 2, 1, 3, 2, VALID)},            \
    {"stride larger than window, same", POOL(kind, 2, 7, 8, 2, 2, 1, 3, 4, SAME)},       \
    {"window larger than image, same", POOL(kind, 2, 3, 2, 2, 5, 5, 1, 1, SAME)},        \
    {"window of the image's size", POOL(kind, 2, 3, 4, 2, 3, 4, 1, 1, VALID)},           \
    {"explicit padding", POOL(kind, 2, 6, 5, 2, 3, 3, 2, 2, EXPLICIT(1, 1, 2, 0))},      \
    {"one channel, 19 wide", POOL(kind, 1, 4, 19, 1, 2, 2, 2, 2, SAME)},                 \
    {"17 channels", POOL(kind, 1, 4, 5, 17, 3, 3, 2, 2, SAME)},                          \
    {"3x3 stride 1, 5 channels", POOL(kind, 2, 7, 9, 5, 3, 3, 1, 1, SAME)},             \
    {"3x3 stride 2, 16 channels", POOL(kind, 2, 9, 11, 16, 3, 3, 2, 2, VALID)},          \
    {"3x3 stride 2 same, 16 channels", POOL(kind, 2, 8, 10, 16, 3, 3, 2, 2, SAME)},      \
    {"3x3 stride 3 explicit, 16 channels", POOL(kind, 1, 8, 11, 16, 3, 3, 3, 3, EXPLICIT(1, 0, 1, 1))}, \
    {"3x3 stride 1 same, 17 channels", POOL(kind, 2, 5, 7, 17, 3, 3, 1, 1, SAME)},       \
    {"5x4 stride 3x1, 20 channels", POOL(kind, 1, 9, 8, 20, 5, 4, 3, 1, SAME)},          \
    {"5x4 stride 2x3 same, 33 channels", POOL(kind, 1, 11, 13, 33, 5, 4, 2, 3, SAME)},   \
    {"2x1 stride 3x4 same, 16 channels", POOL(kind, 2, 7, 8, 16, 2, 1, 3, 4, SAME)},     \
    {"2x2 stride 3, 16 channels", POOL(kind, 1, 10, 9, 16, 2, 2, 3, 3, VALID)},          \
    {"5x5 stride 1, small image, 16 channels", POOL(kind, 1, 3, 2, 16, 5, 5, 1, 1, SAME)}, \
    {"explicit padding, 64 channels", POOL(kind, 1, 8, 7, 64, 3, 3, 2, 2, EXPLICIT(1, 1, 2, 0))}, \
    {"2x2, 64 channels", POOL(kind, 4, 28, 28, 64, 2, 2, 2, 2, VALID), .large = true},   \
    {"3x3 stride 2, 96 channels", POOL(kind, 2, 55, 55, 96, 3, 3, 2, 2, VALID), .large = true}, \
    {"3x3 stride 1 same, 192 channels", POOL(kind, 2, 17, 17, 192, 3, 3, 1, 1, SAME), .large = true}

#define BOTH_GLOBAL(kind)                                                                \
    {"to a vector", GLOBAL(kind, 2, 5, 4, 3, false)},                                    \
    {"keepdims", GLOBAL(kind, 1, 4, 5, 7, true)},                                        \
    {"one pixel, one channel", GLOBAL(kind, 3, 1, 1, 1, false)},                         \
    {"7x7, 512 channels", GLOBAL(kind, 4, 7, 7, 512, false), .large = true}

#define VIDEO(op_kind, batch, F, H, W, C, window, step, ...)                             \
    {.kind = OP_##op_kind, .n = (batch), .inputs = 1, .x = {SHAPE(F, H, W, C)},            \
     .attr.pool = {.size = {window, window}, .stride = {step, step}, __VA_ARGS__}}

static const OpCase cases[] = {
    {"of frames", VIDEO(MAX_POOL2D, 2, 3, 5, 6, 4, 2, 2, SAME)},
    {"of frames", VIDEO(AVERAGE_POOL2D, 2, 3, 5, 6, 4, 3, 2, SAME)},
    {"of frames, 16 channels", VIDEO(MAX_POOL2D, 3, 2, 7, 6, 16, 3, 1, SAME)},
    BOTH(MAX_POOL2D), BOTH(AVERAGE_POOL2D), BOTH_GLOBAL(GLOBAL_MAX_POOL2D), BOTH_GLOBAL(GLOBAL_AVERAGE_POOL2D),
};

static const ShapeCase shapes[] = {
    {"of frames", VIDEO(MAX_POOL2D, 0, 9, 7, 6, 3, 2, 2, VALID), SHAPE(9, 3, 3, 3)},
    {"valid", POOL(MAX_POOL2D, 0, 7, 6, 3, 2, 2, 2, 2, VALID), SHAPE(3, 3, 3)},
    {"same", POOL(AVERAGE_POOL2D, 0, 7, 6, 3, 2, 2, 2, 2, SAME), SHAPE(4, 3, 3)},
    {"3x3 stride 2", POOL(MAX_POOL2D, 0, 55, 55, 96, 3, 3, 2, 2, VALID), SHAPE(27, 27, 96)},
    {"explicit", POOL(MAX_POOL2D, 0, 112, 112, 64, 3, 3, 2, 2, EXPLICIT(1, 1, 1, 1)), SHAPE(56, 56, 64)},
    {"window larger than image", POOL(MAX_POOL2D, 0, 2, 2, 5, 3, 3, 2, 2, VALID), {0},
     "input 2x2x5 is smaller than the 3x3 pooling window with valid padding"},
    {"padding larger than window", POOL(AVERAGE_POOL2D, 0, 8, 8, 5, 2, 2, 2, 2, EXPLICIT(0, 2, 0, 0)), {0},
     "padding 2 is not smaller"},
    {"window 0", POOL(MAX_POOL2D, 0, 8, 8, 5, 0, 2, 2, 2, VALID), {0}, "at least 1"},
    {"no image", {.kind = OP_MAX_POOL2D, .inputs = 1, .x = {SHAPE(8, 8)}}, {0}, "input 8x8 is no image"},
    {"to a vector", GLOBAL(GLOBAL_AVERAGE_POOL2D, 0, 7, 7, 512, false), SHAPE(512)},
    {"keepdims", GLOBAL(GLOBAL_MAX_POOL2D, 0, 7, 7, 512, true), SHAPE(1, 1, 512)},
    {"no image", {.kind = OP_GLOBAL_MAX_POOL2D, .inputs = 1, .x = {SHAPE(8)}}, {0}, "input 8 is no image"},
};
// clang-format on

const OpCases op_cases_pool = {cases, COUNT(cases), shapes, COUNT(shapes)};
