/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of depthwise.h, compiled for each kind of vector (simd.h), for kernels of 3x3, 5x5, 7x7 and strides 1 and
 * 2, forward and backward; `any` does all others, output by output.
 *
 * Several outputs that lie side by side are computed at once, for one vector of channels: their sums and the weights of
 * one kernel row stay in registers, and each pixel is loaded once for all of them.  This takes the numbers of taps and
 * of pixels between outputs as constants, so that loops disappear. */
#include "backend/simd_vector.h"

enum { SIMD(MOST_TAPS) = 7, SIMD(OUTPUTS) = 8 };

/* Whether a part of a vector is as good as a whole one: with the short vectors of other CPUs there rarely is one. */
enum { SIMD(PARTS) = SIMD_BYTES == 64 };

CPU_INLINE SIMD(Vector) SIMD(start)(const Sum *g, size_t c, size_t count) {
    return g->bias ? SIMD(load)(g->bias + c, count) : (SIMD(Vector)){0};
}

CPU_INLINE void SIMD(finish)(const Sum *g, SIMD(Vector) v, float *to, size_t count) {
    if (g->add)
        v += SIMD(load)(to, count);
    if (g->relu)
        v = SIMD(limit)(SIMD(relu)(v), g->relu_max);
    SIMD(store)(to, v, count);
}

/* Output j. */
CPU_INLINE void SIMD(any_of)(const Sum *g, size_t j, Taps taps, size_t c, size_t count) {
    const Line *l = &g->line;
    SIMD(Vector) sum = SIMD(start)(g, c, count);
    for (size_t r = 0; r < l->rows; r++)
        for (size_t s = taps.from, at = taps.pixel; s < taps.to; s++, at += l->reach)
            sum += SIMD(load)(l->from + r * l->from_row + at * l->channels + c, count) *
                   SIMD(load)(g->w + (ptrdiff_t)r * g->w_row + (ptrdiff_t)s * g->w_tap + c, count);
    SIMD(finish)(g, sum, g->to + j * l->output + c, count);
}

/* OUTPUTS outputs from j on, of `count` channels from c on.  taps, step, checked and whether count is a vector are
 * constants where this is inlined.  checked: pixels may lie outside, and outputs from `end` on do not exist. */
CPU_INLINE void SIMD(some)(const Sum *g, size_t taps, size_t step, bool checked, size_t j, size_t end, size_t c,
                           size_t count) {
    const Line *l = &g->line;
    SIMD(Vector) sum[SIMD(OUTPUTS)], w[SIMD(MOST_TAPS)];
    size_t channels = l->channels, distance = l->output, left = end - j;
    ptrdiff_t first = l->first + (ptrdiff_t)(j * step);
    const float *from = l->from + c, *weights = g->w + c;
    float *to = g->to + j * distance + c;
#pragma GCC unroll 8
    for (size_t i = 0; i < SIMD(OUTPUTS); i++)
        sum[i] = SIMD(start)(g, c, count);
    for (size_t r = 0; r < l->rows; r++, from += l->from_row, weights += g->w_row) {
#pragma GCC unroll 8
        for (size_t s = 0; s < taps; s++)
            w[s] = SIMD(load)(weights + (ptrdiff_t)s * g->w_tap, count);
#pragma GCC unroll 24
        for (size_t x = 0; x < (SIMD(OUTPUTS) - 1) * step + taps; x++) {
            size_t at = (size_t)(first + (ptrdiff_t)x); /* before the image: very large */
            if (checked && at >= l->width)
                continue;
            SIMD(Vector) pixel = SIMD(load)(from + at * channels, count);
            SIMD_IN_REGISTER(pixel);
#pragma GCC unroll 8
            for (size_t s = 0; s < taps; s++)
                if (x >= s && (x - s) % step == 0 && (x - s) / step < SIMD(OUTPUTS))
                    sum[(x - s) / step] += pixel * w[s];
        }
    }
    if (checked || g->add || g->relu) {
#pragma GCC unroll 8
        for (size_t i = 0; i < SIMD(OUTPUTS); i++)
            if (i < left)
                SIMD(finish)(g, sum[i], to + i * distance, count);
    } else {
#pragma GCC unroll 8
        for (size_t i = 0; i < SIMD(OUTPUTS); i++)
            SIMD(store)(to + i * distance, sum[i], count);
    }
}

CPU_INLINE void SIMD(tile)(const Sum *g, size_t taps, size_t step, bool checked, size_t j) {
    size_t channels = g->line.channels, end = g->line.count, c = 0;
    for (; c + SIMD(LANES) <= channels; c += SIMD(LANES))
        SIMD(some)(g, taps, step, checked, j, end, c, SIMD(LANES));
    if (c < channels && SIMD(PARTS))
        SIMD(some)(g, taps, step, checked, j, end, c, channels - c);
    for (size_t i = j; c < channels && !SIMD(PARTS) && i < end && i < j + SIMD(OUTPUTS); i++)
        SIMD(any_of)(g, i, taps_inside(&g->line, i), c, channels - c);
}

CPU_INLINE void SIMD(tiles)(const Sum *g, size_t taps, size_t step) {
    Inside inside = outputs_inside(&g->line);
    for (size_t j = 0; j < g->line.count; j += SIMD(OUTPUTS))
        if (j >= inside.from && j + SIMD(OUTPUTS) <= inside.to)
            SIMD(tile)(g, taps, step, false, j);
        else
            SIMD(tile)(g, taps, step, true, j);
}

static void SIMD(any)(const Sum *g) {
    size_t channels = g->line.channels;
    for (size_t j = 0; j < g->line.count; j++) {
        Taps taps = taps_inside(&g->line, j);
        size_t c = 0;
        for (; c + SIMD(LANES) <= channels; c += SIMD(LANES))
            SIMD(any_of)(g, j, taps, c, SIMD(LANES));
        if (c < channels)
            SIMD(any_of)(g, j, taps, c, channels - c);
    }
}

static void SIMD(sum)(const Sum *g) {
    switch (g->line.reach == 1 ? 10 * g->line.step + g->line.taps : 0) {
    case 11:
        SIMD(tiles)(g, 1, 1);
        break; /* the classes of a data gradient of stride 2 */
    case 12:
        SIMD(tiles)(g, 2, 1);
        break;
    case 13:
        SIMD(tiles)(g, 3, 1);
        break;
    case 15:
        SIMD(tiles)(g, 5, 1);
        break;
    case 17:
        SIMD(tiles)(g, 7, 1);
        break;
    case 23:
        SIMD(tiles)(g, 3, 2);
        break;
    case 25:
        SIMD(tiles)(g, 5, 2);
        break;
    default:
        SIMD(any)(g);
    }
}

/* ---- weights ---- */

/* sum += of the two outputs from j on, or with `checked` one, whose pixels may lie outside.  rows (of the kernel):
 * constant. */
CPU_INLINE void SIMD(weights_step)(const Line *l, size_t rows, size_t taps, size_t step, bool checked, size_t j,
                                   size_t count, const float *from, const float *dy, SIMD(Vector) * sum) {
    size_t outputs = checked ? 1 : 2;
    ptrdiff_t first = l->first + (ptrdiff_t)(j * step);
    SIMD(Vector) d[2];
#pragma GCC unroll 2
    for (size_t i = 0; i < outputs; i++)
        d[i] = SIMD(load)(dy + (j + i) * l->output, count);
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (size_t x = 0; x < (outputs - 1) * step + taps; x++) {
            size_t at = (size_t)(first + (ptrdiff_t)x); /* before the image: very large */
            if (checked && at >= l->width)
                continue;
            SIMD(Vector) pixel = SIMD(load)(from + r * l->from_row + at * l->channels, count);
            SIMD_IN_REGISTER(pixel);
#pragma GCC unroll 2
            for (size_t i = 0; i < outputs; i++)
                if (x >= i * step && x - i * step < taps)
                    sum[r * taps + x - i * step] += pixel * d[i];
        }
}

CPU_INLINE void SIMD(weights_some)(const Line *l, size_t rows, size_t taps, size_t step, size_t count,
                                   const float *from, const float *dy, float *dw) {
    SIMD(Vector) sum[SIMD(MOST_TAPS) * SIMD(MOST_TAPS)];
    Inside inside = outputs_inside(l);
    size_t j = 0;
#pragma GCC unroll 64
    for (size_t i = 0; i < rows * taps; i++)
        sum[i] = SIMD(load)(dw + i * l->channels, count);
    for (; j < l->count;)
        if (j >= inside.from && j + 2 <= inside.to) {
            SIMD(weights_step)(l, rows, taps, step, false, j, count, from, dy, sum);
            j += 2;
        } else {
            SIMD(weights_step)(l, rows, taps, step, true, j, count, from, dy, sum);
            j++;
        }
#pragma GCC unroll 64
    for (size_t i = 0; i < rows * taps; i++)
        SIMD(store)(dw + i * l->channels, sum[i], count);
}

/* All kernel rows at once where the registers suffice. */
CPU_INLINE void SIMD(weights_run)(const Line *l, size_t taps, size_t step, size_t count, const float *from,
                                  const float *dy, float *dw) {
    if (taps * taps + 4 <= SIMD_REGISTERS && l->rows == taps)
        SIMD(weights_some)(l, taps * taps + 4 <= SIMD_REGISTERS ? taps : 1, taps, step, count, from, dy, dw);
    else
        for (size_t r = 0; r < l->rows; r++)
            SIMD(weights_some)
    (l, 1, taps, step, count, from + r * l->from_row, dy, dw + r * taps * l->channels);
}

/* `count` channels from c on, output by output. */
static void SIMD(weights_any)(const Line *l, size_t c, size_t count, const float *dy, float *dw) {
    for (size_t j = 0; j < l->count; j++, dy += l->output)
        for (size_t r = 0; r < l->rows; r++) {
            Taps taps = taps_inside(l, j);
            const float *from = l->from + r * l->from_row + taps.pixel * l->channels + c;
            float *to = dw + (r * l->taps + taps.from) * l->channels + c;
            SIMD(Vector) d = SIMD(load)(dy + c, count);
            for (size_t s = taps.from; s < taps.to; s++, to += l->channels, from += l->reach * l->channels)
                SIMD(store)(to, SIMD(load)(to, count) + d * SIMD(load)(from, count), count);
        }
}

CPU_INLINE void SIMD(weights_runs)(const Line *l, size_t taps, size_t step, const float *dy, float *dw) {
    size_t c = 0;
    for (; c + SIMD(LANES) <= l->channels; c += SIMD(LANES))
        SIMD(weights_run)(l, taps, step, SIMD(LANES), l->from + c, dy + c, dw + c);
    if (c < l->channels && SIMD(PARTS))
        SIMD(weights_run)(l, taps, step, l->channels - c, l->from + c, dy + c, dw + c);
    else if (c < l->channels)
        SIMD(weights_any)(l, c, l->channels - c, dy, dw);
}

static void SIMD(weights)(const Line *l, const float *dy, float *dw) {
    switch (l->reach == 1 ? 10 * l->step + l->taps : 0) {
    case 13:
        SIMD(weights_runs)(l, 3, 1, dy, dw);
        break;
    case 15:
        SIMD(weights_runs)(l, 5, 1, dy, dw);
        break;
    case 17:
        SIMD(weights_runs)(l, 7, 1, dy, dw);
        break;
    case 23:
        SIMD(weights_runs)(l, 3, 2, dy, dw);
        break;
    case 25:
        SIMD(weights_runs)(l, 5, 2, dy, dw);
        break;
    default:
        for (size_t c = 0; c < l->channels; c += SIMD(LANES))
            SIMD(weights_any)(l, c, at_most(l->channels - c, SIMD(LANES)), dy, dw);
    }
}
