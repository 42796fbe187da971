/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/op_case.h"

/* x [H,W,C] under K kernels [R,S,C/groups] with a bias; further attributes, with their dots, follow. */
#define CONV(batch, H, W, C, R, S, K, divide, stride_h, stride_w, ...)                                                 \
    {                                                                                                                  \
        .kind = OP_CONV2D, .n = (batch), .inputs = 1, .x = {SHAPE(H, W, C)}, .params = 2, .has_w = {true, true},       \
        .w = {SHAPE(R, S, (C) / (divide), K), SHAPE(K)}, .attr.conv = {                                                \
            .kernel = {R, S},                                                                                          \
            .stride = {stride_h, stride_w},                                                                            \
            .dilation = {1, 1},                                                                                        \
            .groups = (divide),                                                                                        \
            .filters = (K),                                                                                            \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

#define VALID                              .padding = PADDING_VALID
#define SAME                               .padding = PADDING_SAME
#define EXPLICIT(top, bottom, left, right) .padding = PADDING_EXPLICIT, .pad = {{top, bottom}, {left, right}}

/* x [P,Q,C] spread by K kernels [R,S] with a bias. */
#define TRANSPOSE(batch, P, Q, C, R, S, K, stride_h, stride_w, ...)                                                    \
    {                                                                                                                  \
        .kind = OP_CONV2D_TRANSPOSE, .n = (batch), .inputs = 1, .x = {SHAPE(P, Q, C)}, .params = 2,                    \
        .has_w = {true, true}, .w = {SHAPE(R, S, K, C), SHAPE(K)}, .attr.conv = {                                      \
            .kernel = {R, S},                                                                                          \
            .stride = {stride_h, stride_w},                                                                            \
            .dilation = {1, 1},                                                                                        \
            .groups = 1,                                                                                               \
            .filters = (K),                                                                                            \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

#define OUTPUT_PADDING(height, width) .output_padding_set = true, .output_padding = {height, width}

/* A Keras depthwise kernel [R,S,C,mult], without bias. */
#define DEPTHWISE(batch, H, W, C, R, S, mult, stride_h, stride_w, ...)                                                 \
    {                                                                                                                  \
        .kind = OP_CONV2D, .n = (batch), .inputs = 1, .x = {SHAPE(H, W, C)}, .params = 1, .has_w = {true},             \
        .w = {SHAPE(R, S, C, mult)}, .attr.conv = {                                                                    \
            .kernel = {R, S},                                                                                          \
            .stride = {stride_h, stride_w},                                                                            \
            .dilation = {1, 1},                                                                                        \
            .groups = (C),                                                                                             \
            .filters = (C) * (mult),                                                                                   \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

/* x [1,W,C] under K kernels that have no height, [S,C/groups]. */
#define SERIES(batch, W, C, S, K, divide, stride_w, ...)                                                               \
    {                                                                                                                  \
        .kind = OP_CONV2D, .n = (batch), .inputs = 1, .x = {SHAPE(1, W, C)}, .params = 2, .has_w = {true, true},       \
        .w = {SHAPE(S, (C) / (divide), K), SHAPE(K)}, .attr.conv = {                                                   \
            .kernel = {1, S},                                                                                          \
            .stride = {1, stride_w},                                                                                   \
            .dilation = {1, 1},                                                                                        \
            .groups = (divide),                                                                                        \
            .filters = (K),                                                                                            \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }

// clang-format off
static const OpCase cases[] = {
    {"3x3 valid", CONV(2, 7, 6, 3, 3, 3, 4, 1, 1, 1, VALID)},
    {"3x3 same", CONV(2, 7, 6, 3, 3, 3, 4, 1, 1, 1, SAME)},
    {"one example, channel and filter", CONV(1, 5, 5, 1, 3, 3, 1, 1, 1, 1, SAME)},
    {"1x1", CONV(2, 4, 5, 6, 1, 1, 7, 1, 1, 1, VALID)},
    {"1x1 stride 2", CONV(2, 5, 7, 4, 1, 1, 3, 1, 2, 2, SAME)},
    {"stride 2 same, even (asymmetric)", CONV(2, 8, 6, 2, 3, 3, 3, 1, 2, 2, SAME)},
    {"stride 2 same, odd", CONV(2, 7, 9, 2, 3, 3, 3, 1, 2, 2, SAME)},
    {"stride 3x2 valid", CONV(2, 9, 8, 2, 3, 2, 3, 1, 3, 2, VALID)},
    {"stride larger than kernel", CONV(2, 9, 8, 2, 2, 1, 3, 1, 3, 2, VALID)},
    {"stride larger than kernel, same", CONV(2, 9, 8, 2, 2, 1, 3, 1, 4, 3, SAME)},
    {"kernel larger than stride", CONV(1, 9, 10, 2, 5, 4, 3, 1, 2, 3, SAME)},
    {"kernel larger than input, same", CONV(1, 3, 2, 2, 5, 5, 2, 1, 1, 1, SAME)},
    {"kernel of the input's size", CONV(3, 4, 5, 2, 4, 5, 3, 1, 1, 1, VALID)},
    {"dilation 2", CONV(2, 9, 8, 2, 3, 3, 3, 1, 1, 1, VALID, .dilation = {2, 2})},
    {"dilation 3x2 same", CONV(2, 9, 8, 2, 3, 2, 3, 1, 1, 1, SAME, .dilation = {3, 2})},
    {"dilation and stride", CONV(2, 9, 11, 2, 3, 3, 3, 1, 2, 2, SAME, .dilation = {2, 2})},
    {"explicit padding", CONV(2, 6, 5, 2, 3, 3, 3, 1, 2, 2, EXPLICIT(2, 1, 0, 2))},
    {"groups 2", CONV(2, 6, 5, 4, 3, 3, 6, 2, 1, 1, SAME)},
    {"groups 3 stride 2 dilation 2", CONV(2, 9, 9, 6, 3, 3, 3, 3, 2, 2, VALID, .dilation = {2, 2})},
    {"depthwise as groups", CONV(2, 6, 5, 4, 3, 3, 4, 4, 1, 1, SAME)},
    {"depthwise", DEPTHWISE(2, 6, 5, 5, 3, 3, 1, 1, 1, SAME)},
    {"depthwise stride 2", DEPTHWISE(2, 7, 8, 5, 3, 3, 1, 2, 2, SAME)},
    {"depthwise multiplier 2", DEPTHWISE(2, 6, 5, 3, 3, 3, 2, 1, 1, VALID)},
    {"depthwise multiplier 2 stride 2 dilation 2", DEPTHWISE(1, 9, 8, 3, 3, 3, 2, 2, 2, SAME, .dilation = {2, 2})},
    {"depthwise of one channel", DEPTHWISE(2, 6, 5, 1, 3, 3, 3, 1, 1, SAME)},
    {"33 filters of one channel", CONV(2, 5, 17, 1, 3, 3, 33, 1, 1, 1, SAME)},
    {"5x5, 10 filters of one channel", CONV(2, 8, 9, 1, 5, 5, 10, 1, 1, 1, VALID)},
    {"5x5 same, 20 filters of one channel", CONV(1, 7, 6, 1, 5, 5, 20, 1, 1, 1, SAME)},
    {"5x5, 10 to 20", CONV(2, 6, 7, 10, 5, 5, 20, 1, 1, 1, VALID)},
    {"3x3, 16 to 16", CONV(2, 4, 15, 16, 3, 3, 16, 1, 1, 1, SAME), .tolerance = 1e-4}, /* Winograd */
    {"3x3, 5 to 32", CONV(3, 4, 3, 5, 3, 3, 32, 1, 1, 1, SAME)},
    {"3x3 stride 2, 20 to 33", CONV(2, 6, 7, 20, 3, 3, 33, 1, 2, 2, SAME)},
    {"3x3 stride 2 of one channel", CONV(2, 7, 6, 1, 3, 3, 16, 1, 2, 2, SAME)},
    {"4x5 stride 2x3, 3 to 48, explicit padding", CONV(2, 7, 8, 3, 4, 5, 48, 1, 2, 3, EXPLICIT(1, 2, 3, 0))},
    {"7x7 stride 2, 3 to 10", CONV(1, 15, 14, 3, 7, 7, 10, 1, 2, 2, EXPLICIT(3, 2, 2, 3))},
    {"3x5, 33 to 1", CONV(1, 5, 6, 33, 3, 5, 1, 1, 1, 1, SAME)},
    {"1x1 stride 2, 33 to 20", CONV(2, 5, 4, 33, 1, 1, 20, 1, 2, 2, VALID)},
    {"padding before, as large as without", CONV(2, 5, 5, 2, 3, 3, 4, 1, 2, 2, EXPLICIT(1, 0, 1, 0))},
    {"depthwise 5x5, 17 channels", DEPTHWISE(1, 6, 7, 17, 5, 5, 1, 1, 1, SAME)},
    {"depthwise 3x5 stride 1x2", DEPTHWISE(2, 5, 9, 3, 3, 5, 1, 1, 2, SAME)},
    {"depthwise 5x3 stride 2x3, explicit padding", DEPTHWISE(2, 9, 8, 3, 5, 3, 1, 2, 3, EXPLICIT(2, 1, 0, 2))},
    {"depthwise 2x1, stride larger", DEPTHWISE(2, 7, 8, 3, 2, 1, 1, 3, 2, VALID)},
    {"depthwise larger than the input", DEPTHWISE(1, 3, 2, 3, 5, 7, 1, 1, 1, SAME)},
    {"depthwise dilation 3x2", DEPTHWISE(2, 8, 7, 3, 3, 3, 1, 1, 1, SAME, .dilation = {3, 2})},
    {"series, 5 same", SERIES(2, 13, 3, 5, 4, 1, 1, SAME)},
    {"series, causal, dilation 2", SERIES(2, 9, 3, 3, 4, 1, 1, EXPLICIT(0, 0, 4, 0), .dilation = {1, 2})},
    {"series, groups, stride 3", SERIES(2, 14, 4, 4, 6, 2, 3, VALID)},
    {"series, depthwise", SERIES(2, 11, 4, 3, 8, 4, 2, SAME)},
    {"series, 16 to 32", SERIES(3, 21, 16, 8, 32, 1, 1, SAME)},

    {"3x3 valid", TRANSPOSE(2, 4, 5, 3, 3, 3, 2, 1, 1, VALID)},
    {"3x3 same", TRANSPOSE(2, 4, 5, 3, 3, 3, 2, 1, 1, SAME)},
    {"2x2 stride 2 same", TRANSPOSE(2, 4, 3, 3, 2, 2, 2, 2, 2, SAME)},
    {"3x3 stride 2 same", TRANSPOSE(2, 4, 3, 3, 3, 3, 2, 2, 2, SAME)},
    {"4x4 stride 2 valid", TRANSPOSE(2, 4, 3, 3, 4, 4, 2, 2, 2, VALID)},
    {"5x4 stride 3x2 same", TRANSPOSE(1, 3, 4, 2, 5, 4, 3, 3, 2, SAME)},
    {"stride larger than kernel", TRANSPOSE(2, 3, 4, 2, 2, 1, 3, 3, 3, VALID)},
    {"stride larger than kernel, same", TRANSPOSE(2, 3, 4, 2, 2, 1, 3, 3, 3, SAME)},
    {"output padding", TRANSPOSE(2, 3, 4, 2, 3, 4, 3, 2, 2, SAME, OUTPUT_PADDING(1, 0))},
    {"output padding valid", TRANSPOSE(2, 3, 4, 2, 3, 3, 3, 3, 2, VALID, OUTPUT_PADDING(2, 1))},
    {"explicit padding", TRANSPOSE(2, 4, 5, 2, 3, 3, 3, 2, 2, EXPLICIT(1, 0, 2, 1))},
    {"dilation", TRANSPOSE(2, 4, 5, 2, 3, 2, 3, 1, 2, SAME, .dilation = {2, 3})},
    {"one example, channel and filter", TRANSPOSE(1, 3, 3, 1, 3, 3, 1, 2, 2, SAME)},

    /* AlexNet's and ResNet's first layers, VGG, pointwise, MobileNet, ResNeXt, a decoder.  Sums of dw run over up to
     * 25088 positions in float on both sides. */
    {"11x11 stride 4", CONV(2, 227, 227, 3, 11, 11, 96, 1, 4, 4, VALID), .large = true, .tolerance = 1e-4},
    {"7x7 stride 2", CONV(2, 112, 112, 3, 7, 7, 64, 1, 2, 2, EXPLICIT(3, 2, 3, 2)), .large = true, .tolerance = 1e-4},
    {"3x3, 64 to 64", CONV(2, 28, 28, 64, 3, 3, 64, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"1x1, 256 to 64", CONV(2, 28, 28, 256, 1, 1, 64, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"1x1 stride 2, 128 to 256", CONV(2, 28, 28, 128, 1, 1, 256, 1, 2, 2, VALID), .large = true, .tolerance = 1e-4},
    {"5x5 of one channel", CONV(8, 28, 28, 1, 5, 5, 32, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 3x3, 96", DEPTHWISE(2, 56, 56, 96, 3, 3, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 3x3 stride 2, 144", DEPTHWISE(2, 56, 56, 144, 3, 3, 1, 2, 2, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 7x7, 48", DEPTHWISE(2, 28, 28, 48, 7, 7, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"32 groups, 128", CONV(2, 14, 14, 128, 3, 3, 128, 32, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"3x3, 1 to 32 of 28x28", CONV(4, 28, 28, 1, 3, 3, 32, 1, 1, 1, VALID), .large = true, .tolerance = 1e-4},
    {"3x3, 32 to 64 of 13x13", CONV(4, 13, 13, 32, 3, 3, 64, 1, 1, 1, VALID), .large = true, .tolerance = 1e-4},
    {"3x3, 64 to 128 of 14x14", CONV(3, 14, 14, 64, 3, 3, 128, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"3x3, 16 to 16 of 32x32", CONV(3, 32, 32, 16, 3, 3, 16, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"3x3, 256 to 80 of 7x7", CONV(11, 7, 7, 256, 3, 3, 80, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 3x3, 512 of 7x7", DEPTHWISE(2, 7, 7, 512, 3, 3, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 3x3 stride 2, 64 of 112x112", DEPTHWISE(1, 112, 112, 64, 3, 3, 1, 2, 2, SAME),
     .large = true, .tolerance = 1e-4},
    {"series, 128 to 256 of 96", SERIES(4, 96, 128, 5, 256, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"series, 1 to 128 of 96", SERIES(4, 96, 1, 8, 128, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    /* Work enough for a library, channels that fill its vectors or do not. */
    {"3x3, 16 to 32 of 15x14", CONV(3, 15, 14, 16, 3, 3, 32, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"3x3 stride 2, 32 to 16", CONV(3, 17, 18, 32, 3, 3, 16, 1, 2, 2, SAME), .large = true, .tolerance = 1e-4},
    {"3x3 stride 2, 17 to 33", CONV(3, 22, 21, 17, 3, 3, 33, 1, 2, 2, SAME), .large = true, .tolerance = 1e-4},
    {"3x3 dilation 2, 16 to 16", CONV(3, 17, 16, 16, 3, 3, 16, 1, 1, 1, VALID, .dilation = {2, 2}),
     .large = true, .tolerance = 1e-4},
    {"3x3 stride 2, 256 to 128 of 7x7", CONV(5, 7, 7, 256, 3, 3, 128, 1, 2, 2, SAME), .large = true, .tolerance = 1e-4},
    {"5x5, 20 to 40", CONV(2, 9, 8, 20, 5, 5, 40, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"1x1, 32 to 48", CONV(3, 19, 15, 32, 1, 1, 48, 1, 1, 1, VALID), .large = true, .tolerance = 1e-4},
    {"1x1 stride 2, 32 to 64", CONV(3, 27, 26, 32, 1, 1, 64, 1, 2, 2, VALID), .large = true, .tolerance = 1e-4},
    {"groups 2 of 16 stride 2", CONV(3, 18, 17, 32, 3, 3, 32, 2, 2, 2, SAME), .large = true, .tolerance = 1e-4},
    {"groups 4 of 4", CONV(3, 25, 25, 16, 3, 3, 16, 4, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 3x3 dilation 2, 40", DEPTHWISE(3, 33, 33, 40, 3, 3, 1, 1, 1, SAME, .dilation = {2, 2}),
     .large = true, .tolerance = 1e-4},
    {"depthwise 3x3, 24 of 19x33", DEPTHWISE(2, 19, 33, 24, 3, 3, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 3x3 stride 2, 24 of 20x37", DEPTHWISE(2, 20, 37, 24, 3, 3, 1, 2, 2, VALID),
     .large = true, .tolerance = 1e-4},
    {"depthwise 5x5, 35 of 9x26", DEPTHWISE(2, 9, 26, 35, 5, 5, 1, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"depthwise 5x5 stride 2, 40 of 23x40", DEPTHWISE(2, 23, 40, 40, 5, 5, 1, 2, 2, SAME),
     .large = true, .tolerance = 1e-4},
    {"depthwise 7x7 stride 2, 20 of 15x21", DEPTHWISE(2, 15, 21, 20, 7, 7, 1, 2, 2, SAME),
     .large = true, .tolerance = 1e-4},
    {"depthwise 3x3, 33 times 2", DEPTHWISE(3, 28, 28, 33, 3, 3, 2, 1, 1, SAME), .large = true, .tolerance = 1e-4},
    {"2x2 stride 2, 64 to 32", TRANSPOSE(2, 28, 28, 64, 2, 2, 32, 2, 2, SAME), .large = true, .tolerance = 1e-4},
    {"4x4 stride 2, 32 to 16", TRANSPOSE(2, 16, 16, 32, 4, 4, 16, 2, 2, SAME), .large = true, .tolerance = 1e-4},
};

static const ShapeCase shapes[] = {
    {"valid", CONV(0, 28, 28, 1, 5, 5, 6, 1, 1, 1, VALID), SHAPE(24, 24, 6)},
    {"same stride 2", CONV(0, 7, 8, 3, 3, 3, 4, 1, 2, 2, SAME), SHAPE(4, 4, 4)},
    {"valid stride 4", CONV(0, 227, 224, 3, 11, 11, 96, 1, 4, 4, VALID), SHAPE(55, 54, 96)},
    {"dilation", CONV(0, 9, 9, 1, 3, 3, 2, 1, 1, 1, VALID, .dilation = {2, 4}), SHAPE(5, 1, 2)},
    {"explicit", CONV(0, 224, 224, 3, 7, 7, 64, 1, 2, 2, EXPLICIT(3, 3, 3, 3)), SHAPE(112, 112, 64)},
    {"depthwise", DEPTHWISE(0, 6, 6, 3, 3, 3, 2, 1, 1, VALID), SHAPE(4, 4, 6)},
    {"series", SERIES(0, 96, 3, 8, 16, 1, 2, SAME), SHAPE(1, 48, 16)},
    {"kernel without height of two rows", SERIES(0, 96, 3, 8, 16, 1, 1, SAME, .kernel = {2, 8}), {0},
     "it needs 2x8x3x16"},
    {"kernel larger than input", CONV(0, 8, 8, 1, 11, 11, 4, 1, 4, 4, VALID), {0},
     "input 8x8x1 is smaller than the 11x11 kernel with valid padding"},
    {"dilated kernel larger than input", CONV(0, 8, 4, 1, 3, 3, 4, 1, 1, 1, VALID, .dilation = {2, 2}), {0},
     "3x3 kernel of dilation 2x2"},
    {"no image", {.kind = OP_CONV2D, .inputs = 1, .x = {SHAPE(7)}, .params = 1, .has_w = {true},
                  .w = {SHAPE(3, 3, 1, 1)}}, {0},
     "input 7 is no image"},
    {"stride 0", CONV(0, 8, 8, 1, 3, 3, 4, 1, 0, 1, VALID), {0}, "at least 1"},
    {"stride 2^40", CONV(0, 8, 8, 1, 3, 3, 4, 1, (size_t)1 << 40, 1, VALID), {0}, "below 2^31"},
    {"dilation 2^62", CONV(0, 8, 8, 1, 3, 3, 4, 1, 1, 1, SAME, .dilation = {(size_t)1 << 62, 1}), {0}, "below 2^31"},
    {"groups", CONV(0, 8, 8, 4, 3, 3, 4, 3, 1, 1, VALID), {0}, "4 channels and 4 filters do not divide into 3 groups"},
    {"groups of filters", CONV(0, 8, 8, 4, 3, 3, 5, 2, 1, 1, VALID), {0},
     "4 channels and 5 filters do not divide into 2 groups"},
    {"no groups", CONV(0, 8, 8, 4, 3, 3, 4, 1, 1, 1, VALID, .groups = 0), {0}, "0 groups"},
    {"filters", CONV(0, 8, 8, 4, 3, 3, 4, 1, 1, 1, VALID, .filters = 5), {0},
     "kernel 3x3x4x4 does not fit input 8x8x4 with 5 filters"},
    {"kernel size", CONV(0, 8, 8, 4, 3, 3, 4, 1, 1, 1, VALID, .kernel = {3, 2}), {0}, "it needs 3x2x4x4"},
    {"bias", {.kind = OP_CONV2D, .inputs = 1, .x = {SHAPE(8, 8, 4)}, .params = 2, .has_w = {true, true},
              .w = {SHAPE(1, 1, 4, 4), SHAPE(3)},
              .attr.conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1, .filters = 4}}, {0},
     "bias 3 does not fit 4 filters"},
    {"large explicit padding", CONV(0, 8, 8, 1, 3, 3, 4, 1, 1, 1, EXPLICIT(3, 0, 0, 0)), {0},
     "padding 3 is not smaller"},
    {"two inputs", {.kind = OP_CONV2D, .inputs = 2, .x = {SHAPE(1), SHAPE(1)}}, {0}, "2 inputs, but conv2d takes 1"},
    {"empty image", CONV(0, 0, 8, 1, 3, 3, 4, 1, 1, 1, SAME), {0}, "at least 1"},
    {"large output", CONV(0, 65536, 65536, 1, 1, 1, 2147483647, 1, 1, 1, SAME), {0},
     "output 65536x65536x2147483647 is too large"},

    {"valid", TRANSPOSE(0, 4, 5, 3, 3, 4, 2, 2, 2, VALID), SHAPE(9, 12, 2)},
    {"valid, stride larger than kernel", TRANSPOSE(0, 4, 5, 3, 2, 1, 2, 3, 2, VALID), SHAPE(12, 10, 2)},
    {"same", TRANSPOSE(0, 4, 5, 3, 3, 4, 2, 2, 3, SAME), SHAPE(8, 15, 2)},
    {"same, output padding", TRANSPOSE(0, 4, 5, 3, 3, 4, 2, 2, 2, SAME, OUTPUT_PADDING(0, 1)), SHAPE(7, 9, 2)},
    {"output padding", TRANSPOSE(0, 4, 5, 3, 3, 4, 2, 2, 2, SAME, OUTPUT_PADDING(2, 0)), {0}, "output padding 2"},
    {"nothing left", TRANSPOSE(0, 1, 1, 3, 2, 2, 2, 1, 1, SAME, OUTPUT_PADDING(0, 0)), {0}, "leaves nothing"},
    {"groups", TRANSPOSE(0, 4, 4, 2, 3, 3, 2, 1, 1, SAME, .groups = 2), {0}, "not supported"},
    {"kernel's order", {.kind = OP_CONV2D_TRANSPOSE, .inputs = 1, .x = {SHAPE(4, 4, 3)}, .params = 1, .has_w = {true},
                        .w = {SHAPE(2, 2, 3, 5)},
                        .attr.conv = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}, .groups = 1,
                                      .filters = 5}}, {0},
     "it needs 2x2x5x3"},
    {"large output", TRANSPOSE(0, 2147483647, 1, 1, 1, 1, 1, 2147483647, 1, SAME), {0}, "is too large"},
};
// clang-format on

const OpCases op_cases_conv = {cases, COUNT(cases), shapes, COUNT(shapes)};
