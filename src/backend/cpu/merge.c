/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* Inputs either have y's shape, or repeat their channels over y's positions: [1,1,C], [C] (squeeze and excitation).
 * Other broadcasts are ref's. */
static bool is_full(const OpDesc *op, size_t input) {
    return shape_equal(&op->x[input], &op->y);
}

static bool fits(const OpDesc *op, size_t input) {
    const Shape *x = &op->x[input];
    return is_full(op, input) ||
           (x->rank > 0 && channels_of(x) == channels_of(&op->y) && shape_count(x) == channels_of(x));
}

static bool supports(const OpDesc *op) {
    bool all = op->kind != OP_MULTIPLY || op->inputs == 2;
    for (size_t i = 0; i < op->inputs; i++)
        all = all && fits(op, i);
    return all;
}

static size_t positions_of(const OpDesc *op) {
    return shape_count(&op->y) / channels_of(&op->y);
}

/* y = factor x, y += factor x or y = y x, for x of `period` elements that repeats: y [count / period, period]. */
typedef enum Step { STEP_SET, STEP_ADD, STEP_MULTIPLY } Step;

CPU_CLONES
static void apply(Step step, float factor, const float *x, size_t period, size_t count, float *y) {
    for (size_t start = 0; start < count; start += period, y += period) {
        if (step == STEP_SET)
#pragma GCC ivdep
            for (size_t i = 0; i < period; i++)
                y[i] = factor * x[i];
        else if (step == STEP_ADD)
#pragma GCC ivdep
            for (size_t i = 0; i < period; i++)
                y[i] += factor * x[i];
        else
#pragma GCC ivdep
            for (size_t i = 0; i < period; i++)
                y[i] *= x[i];
    }
}

static float factor_of(const OpDesc *op, size_t input) {
    if (op->kind == OP_AVERAGE)
        return 1.0f / (float)op->inputs;
    return op->kind == OP_SUBTRACT && input == 1 ? -1.0f : 1.0f;
}

/* A run of y's elements: whole rows of channels, or a part of one row; it is built in L1 and y written last, since y
 * may lie on an input. */
enum { PIECE = 2048 };

static size_t piece_size(size_t at, size_t channels, size_t count) {
    if (channels < PIECE)
        return at_most(count - at, PIECE / channels * channels);
    return at_most(channels - at % channels, PIECE);
}

/* to = from, after the ReLU if there is one. */
CPU_CLONES
static void give(const OpDesc *op, const float *restrict from, size_t size, float *restrict to) {
    float max = (float)op->relu_max;
    if (!op->relu)
        memcpy(to, from, size * sizeof *to);
    for (size_t i = 0; i < size && op->relu; i++) {
        float value = from[i] < 0 ? 0 : from[i];
        to[i] = value > max ? max : value;
    }
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->y), count = shape_count(&op->y);
    float y[PIECE];
    for (size_t example = 0; example < op->n; example++)
        for (size_t at = 0, size; at < count; at += size) {
            size = piece_size(at, channels, count);
            for (size_t i = 0; i < op->inputs; i++) {
                bool full = is_full(op, i);
                const float *x = b->x[i] + (full ? example * count + at : example * channels + at % channels);
                Step step = i == 0 ? STEP_SET : op->kind == OP_MULTIPLY ? STEP_MULTIPLY : STEP_ADD;
                apply(step, factor_of(op, i), x, full ? size : at_most(size, channels), size, y);
            }
            give(op, y, size, b->y + example * count + at);
        }
}

/* dx0 may lie on dy: then it is dy already (an average is never in place). */
static void sum_backward(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->y), positions = positions_of(op), count = positions * channels;
    if (op->relu)
        kernel_relu_mask(b->y, op->n * count, op->relu_max, b->dy);
    for (size_t i = 0; i < op->inputs; i++)
        if (i == 0 && b->dx[0] == b->dy)
            continue;
        else if (b->dx[i] && is_full(op, i))
            scale_values(b->dy, op->n * count, factor_of(op, i), b->dx_add[i], b->dx[i]);
        else if (b->dx[i])
            for (size_t example = 0; example < op->n; example++)
                sum_rows(b->dy + example * count, positions, channels, factor_of(op, i), b->dx_add[i],
                         b->dx[i] + example * channels);
}

/* to = a b, with b of `period` elements repeated. */
CPU_CLONES
static void multiply(const float *a, const float *b, size_t period, size_t count, bool add, float *to) {
    for (size_t start = 0; start < count; start += period)
#pragma GCC ivdep
        for (size_t i = 0; i < period; i++) {
            float value = a[start + i] * b[i];
            to[start + i] = add ? to[start + i] + value : value;
        }
}

/* dx0 = dy x1, dx1 = dy x0; summed over the positions for the input that is repeated (then the other one is not). */
static void multiply_backward(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->y), positions = positions_of(op), count = positions * channels;
    for (size_t example = 0; example < op->n; example++)
        for (size_t i = 0; i < 2; i++) {
            bool other_full = is_full(op, 1 - i);
            const float *dy = b->dy + example * count, *x = b->x[1 - i] + example * (other_full ? count : channels);
            if (b->dx[i] && is_full(op, i))
                multiply(dy, x, other_full ? count : channels, count, b->dx_add[i], b->dx[i] + example * count);
            else if (b->dx[i])
                sum_row_products(dy, x, positions, channels, b->dx_add[i], b->dx[i] + example * channels);
        }
}

const Kernel cpu_add = {.forward = forward, .backward = sum_backward, .supports = supports, .has_relu = true};
const Kernel cpu_subtract = {.forward = forward, .backward = sum_backward, .supports = supports};
const Kernel cpu_average = {.forward = forward, .backward = sum_backward, .supports = supports};
const Kernel cpu_multiply = {.forward = forward, .backward = multiply_backward, .supports = supports};
