/* SPDX-License-Identifier: Apache-2.0
 *
 * The transforms of tiles.h, compiled for each kind of vector (simd.h): one vector of channels at a time, for which a
 * tile is transformed along its columns and then its rows.  What does this for one vector is kept from being inlined
 * (APART), as compilers would else keep the addresses of all points in registers that they do not have. */
#undef APART
#define APART static __attribute__((noinline)) void
enum { SIMD(LANES) = SIMD_BYTES / sizeof(float) };

typedef float SIMD(Vector) __attribute__((vector_size(SIMD_BYTES)));
typedef int SIMD(Mask) __attribute__((vector_size(SIMD_BYTES)));
typedef float SIMD(Memory) __attribute__((vector_size(SIMD_BYTES), aligned(sizeof(float)), may_alias));

CPU_INLINE SIMD(Vector) SIMD(load)(const float *from) {
    return *(const SIMD(Memory) *)from;
}

CPU_INLINE void SIMD(store)(float *to, SIMD(Vector) v) {
    *(SIMD(Memory) *)to = v;
}

/* ---- one dimension ---- */

/* B^T d: the first, the middle four, the last. */
CPU_INLINE SIMD(Vector) SIMD(input_end)(SIMD(Vector) d0, SIMD(Vector) d2, SIMD(Vector) d4) {
    return d4 - (A2 + B2) * d2 + A2 * B2 * d0;
}

CPU_INLINE void SIMD(input_middle)(const SIMD(Vector) d[6], SIMD(Vector) to[4]) {
    SIMD(Vector) even_a = d[4] - B2 * d[2], odd_a = d[3] - B2 * d[1];
    SIMD(Vector) even_b = d[4] - A2 * d[2], odd_b = d[3] - A2 * d[1];
    to[0] = even_a + A1 * odd_a;
    to[1] = even_a - A1 * odd_a;
    to[2] = even_b + B1 * odd_b;
    to[3] = even_b - B1 * odd_b;
}

/* B m: the even three, the odd three. */
CPU_INLINE void SIMD(patch_even)(const SIMD(Vector) m[6], SIMD(Vector) to[3]) {
    SIMD(Vector) sum_a = m[1] + m[2], sum_b = m[3] + m[4];
    to[0] = A2 * B2 * m[0];
    to[1] = -(A2 + B2) * m[0] - B2 * sum_a - A2 * sum_b;
    to[2] = m[0] + sum_a + sum_b;
}

CPU_INLINE void SIMD(patch_odd)(const SIMD(Vector) m[6], SIMD(Vector) to[3]) {
    SIMD(Vector) difference_a = A1 * (m[1] - m[2]), difference_b = B1 * (m[3] - m[4]);
    to[0] = A2 * B2 * m[5] - B2 * difference_a - A2 * difference_b;
    to[1] = difference_a + difference_b - (A2 + B2) * m[5];
    to[2] = m[5];
}

/* A d */
CPU_INLINE void SIMD(gradient)(const SIMD(Vector) d[4], SIMD(Vector) to[6]) {
    SIMD(Vector) even_a = d[0] + A2 * d[2], odd_a = d[1] + A2 * d[3];
    SIMD(Vector) even_b = d[0] + B2 * d[2], odd_b = d[1] + B2 * d[3];
    to[0] = d[0];
    to[1] = even_a + A1 * odd_a;
    to[2] = even_a - A1 * odd_a;
    to[3] = even_b + B1 * odd_b;
    to[4] = even_b - B1 * odd_b;
    to[5] = d[3];
}

/* A^T m */
CPU_INLINE void SIMD(output)(const SIMD(Vector) m[6], SIMD(Vector) to[4]) {
    SIMD(Vector) sum_a = m[1] + m[2], difference_a = A1 * (m[1] - m[2]);
    SIMD(Vector) sum_b = m[3] + m[4], difference_b = B1 * (m[3] - m[4]);
    to[0] = m[0] + sum_a + sum_b;
    to[1] = difference_a + difference_b;
    to[2] = A2 * sum_a + B2 * sum_b;
    to[3] = A2 * difference_a + B2 * difference_b + m[5];
}

/* ---- two dimensions, to points ---- */

CPU_INLINE void SIMD(store_row)(float *to, size_t step, const SIMD(Vector) p[PATCH]) {
#pragma GCC unroll 6
    for (size_t j = 0; j < PATCH; j++, to += step)
        SIMD(store)(to, p[j]);
}

CPU_INLINE void SIMD(store_input_row)(float *to, size_t step, const SIMD(Vector) d[PATCH]) {
    SIMD(Vector) p[PATCH];
    p[0] = SIMD(input_end)(d[0], d[2], d[4]);
    SIMD(input_middle)(d, p + 1);
    p[5] = SIMD(input_end)(d[1], d[3], d[5]);
    SIMD(store_row)(to, step, p);
}

/* to = B^T d B for one vector of channels of the 36 pixels from[] + channel.  In three parts, each of which has room in
 * 32 registers: the middle four rows, the first, the last. */
APART SIMD(input_patch)(const float *const *from, size_t channel, float *to, size_t step) {
    SIMD(Vector) middle[PATCH][4], row[PATCH], d[PATCH];
#pragma GCC unroll 6
    for (size_t j = 0; j < PATCH; j++) {
#pragma GCC unroll 6
        for (size_t i = 1; i < 5; i++)
            d[i] = SIMD(load)(from[i * PATCH + j] + channel);
        SIMD(input_middle)(d, middle[j]);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
#pragma GCC unroll 6
        for (size_t j = 0; j < PATCH; j++)
            row[j] = middle[j][i];
        SIMD(store_input_row)(to + (i + 1) * PATCH * step, step, row);
    }
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; i++) {
#pragma GCC unroll 6
        for (size_t j = 0; j < PATCH; j++)
            row[j] = SIMD(input_end)(SIMD(load)(from[i * PATCH + j] + channel),
                                     SIMD(load)(from[(i + 2) * PATCH + j] + channel),
                                     SIMD(load)(from[(i + 4) * PATCH + j] + channel));
        SIMD(store_input_row)(to + i * 5 * PATCH * step, step, row);
    }
}

/* The same for a square of `size` pixels, of which one dimension makes `line`. */
CPU_INLINE void SIMD(spread)(const float *const *from, size_t size, void (*line)(const SIMD(Vector) *, SIMD(Vector) *),
                             size_t channel, float *to, size_t step) {
    SIMD(Vector) half[PATCH][PATCH], d[PATCH], p[PATCH];
#pragma GCC unroll 6
    for (size_t j = 0; j < size; j++) {
#pragma GCC unroll 6
        for (size_t i = 0; i < size; i++)
            d[i] = SIMD(load)(from[i * size + j] + channel);
        line(d, p);
#pragma GCC unroll 6
        for (size_t i = 0; i < PATCH; i++)
            half[i][j] = p[i];
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < PATCH; i++) {
        line(half[i], p);
        SIMD(store_row)(to + i * PATCH * step, step, p);
    }
}

APART SIMD(gradient_patch)(const float *const *from, size_t channel, float *to, size_t step) {
    SIMD(spread)(from, TILE, SIMD(gradient), channel, to, step);
}

/* `patch` for `channels` channels; those that a vector has more are taken as 0. */
CPU_INLINE void SIMD(all_channels)(void (*patch)(const float *const *, size_t, float *, size_t),
                                   const float *const *from, size_t pixels, size_t channels, float *to, size_t step) {
    SIMD(Vector) copy[POINTS];
    const float *copies[POINTS];
    size_t c = 0, rest = channels % SIMD(LANES);
    for (; c + SIMD(LANES) <= channels; c += SIMD(LANES))
        patch(from, c, to + c, step);
    if (rest == 0)
        return;
    for (size_t i = 0; i < pixels; i++) {
        copy[i] = (SIMD(Vector)){0};
        memcpy(&copy[i], from[i] + c, rest * sizeof(float));
        copies[i] = (const float *)&copy[i];
    }
    patch(copies, 0, to + c, step);
}

CPU_INLINE void SIMD(patches)(const Image *image, const float *x, size_t size,
                              void (*patch)(const float *const *, size_t, float *, size_t), size_t first, size_t count,
                              const Points *to) {
    const float *block[POINTS];
    float *pixels[POINTS];
    for (size_t t = 0; t < count; t++) {
        find_pixels(image, (float *)x, first + t, size, pixels); /* they are only read */
        float *data = to->data + t * to->width;
        for (size_t c = 0; c < image->channels; c += to->width, data += to->block) {
            for (size_t i = 0; i < size * size; i++)
                block[i] = pixels[i] + c;
            SIMD(all_channels)(patch, block, size * size, at_most(image->channels - c, to->width), data, to->step);
        }
    }
}

static void SIMD(from_input)(const Image *image, const float *x, size_t first, size_t count, const Points *to) {
    SIMD(patches)(image, x, PATCH, SIMD(input_patch), first, count, to);
}

static void SIMD(from_gradient)(const Image *image, const float *dy, size_t first, size_t count, const Points *to) {
    SIMD(patches)(image, dy, TILE, SIMD(gradient_patch), first, count, to);
}

/* ---- from points ---- */

/* to[i][j], 4x4 or 3x3 as `line` says, of the points m. */
CPU_INLINE void SIMD(collect)(const float *m, size_t step, size_t size,
                              void (*line)(const SIMD(Vector) *, SIMD(Vector) *), SIMD(Vector) to[TILE][TILE]) {
    SIMD(Vector) half[TILE][PATCH], d[PATCH], p[TILE];
#pragma GCC unroll 6
    for (size_t j = 0; j < PATCH; j++, m += step) {
#pragma GCC unroll 6
        for (size_t i = 0; i < PATCH; i++)
            d[i] = SIMD(load)(m + i * PATCH * step);
        line(d, p);
#pragma GCC unroll 4
        for (size_t i = 0; i < size; i++)
            half[i][j] = p[i];
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < size; i++)
        line(half[i], to[i]);
}

CPU_INLINE SIMD(Vector) SIMD(limit)(SIMD(Vector) v, float max) { /* NaN stays NaN */
    SIMD(Vector) limit = max + (SIMD(Vector)){0};
    v = (SIMD(Vector))((SIMD(Mask))v & ~(v < 0));
    SIMD(Mask) above = v > limit;
    return (SIMD(Vector))(((SIMD(Mask))v & ~above) | ((SIMD(Mask))limit & above));
}

/* One vector of channels of a tile's outputs, of which height x width exist. */
APART SIMD(output_patch)(const float *m, size_t step, const Finish *finish, const float *bias, float *y,
                         size_t row_distance, size_t distance, size_t height, size_t width) {
    SIMD(Vector) out[TILE][TILE], shift = {0};
    SIMD(collect)(m, step, TILE, SIMD(output), out);
    if (bias)
        shift = SIMD(load)(bias);
#pragma GCC unroll 4
    for (size_t i = 0; i < TILE; i++, y += row_distance)
#pragma GCC unroll 4
        for (size_t j = 0; j < TILE; j++) {
            if (i >= height || j >= width)
                continue;
            SIMD(Vector) v = out[i][j] + shift;
            if (finish->relu)
                v = SIMD(limit)(v, finish->relu_max);
            if (finish->add)
                v += SIMD(load)(y + j * distance);
            SIMD(store)(y + j * distance, v);
        }
}

/* The same for fewer channels than a vector has, by way of a copy. */
CPU_INLINE void SIMD(last_outputs)(const float *m, size_t step, const Finish *finish, const float *bias, float *y,
                                   size_t row_distance, size_t distance, size_t height, size_t width, size_t count) {
    SIMD(Vector) copy[TILE][TILE] = {0}, shift = {0};
    size_t bytes = count * sizeof(float);
    for (size_t i = 0; finish->add && i < height; i++)
        for (size_t j = 0; j < width; j++)
            memcpy(&copy[i][j], y + i * row_distance + j * distance, bytes);
    if (bias)
        memcpy(&shift, bias, bytes);
    SIMD(output_patch)
    (m, step, finish, (const float *)&shift, (float *)copy, TILE * SIMD(LANES), SIMD(LANES), height, width);
    for (size_t i = 0; i < height; i++)
        for (size_t j = 0; j < width; j++)
            memcpy(y + i * row_distance + j * distance, &copy[i][j], bytes);
}

static void SIMD(to_output)(const Image *image, const Points *m, size_t first, size_t count, size_t channel,
                            size_t channels, const Finish *finish, float *y) {
    size_t distance = image->channels, row_distance = image->width * distance;
    for (size_t t = 0; t < count; t++) {
        TileAt at = find_tile(image, first + t);
        size_t height = at_most(image->height - at.row, TILE), width = at_most(image->width - at.column, TILE), c;
        const float *from = m->data + t * m->width, *bias = finish->bias ? finish->bias + channel : NULL;
        float *to = y + ((at.example * image->height + at.row) * image->width + at.column) * distance + channel;
        for (c = 0; c + SIMD(LANES) <= channels; c += SIMD(LANES))
            SIMD(output_patch)
        (from + c, m->step, finish, bias ? bias + c : NULL, to + c, row_distance, distance, height, width);
        if (c < channels)
            SIMD(last_outputs)
        (from + c, m->step, finish, bias ? bias + c : NULL, to + c, row_distance, distance, height, width,
         channels - c);
    }
}

CPU_INLINE void SIMD(add_row)(float *const *to, size_t channel, const SIMD(Vector) m[PATCH]) {
    SIMD(Vector) even[3], odd[3];
    SIMD(patch_even)(m, even);
    SIMD(patch_odd)(m, odd);
#pragma GCC unroll 3
    for (size_t j = 0; j < 3; j++) {
        SIMD(store)(to[2 * j] + channel, SIMD(load)(to[2 * j] + channel) + even[j]);
        SIMD(store)(to[2 * j + 1] + channel, SIMD(load)(to[2 * j + 1] + channel) + odd[j]);
    }
}

/* One vector of channels of the 36 pixels to[] + channel += B m B^T; the even rows, then the odd ones. */
APART SIMD(add_patch)(const float *m, size_t step, float *const *to, size_t channel) {
    SIMD(Vector) half[3][PATCH], d[PATCH], p[3];
#pragma GCC unroll 2
    for (size_t odd = 0; odd < 2; odd++) {
#pragma GCC unroll 6
        for (size_t j = 0; j < PATCH; j++) {
#pragma GCC unroll 6
            for (size_t i = odd; i < PATCH - 1 + odd; i++)
                d[i] = SIMD(load)(m + (i * PATCH + j) * step);
            if (odd)
                SIMD(patch_odd)(d, p);
            else
                SIMD(patch_even)(d, p);
#pragma GCC unroll 3
            for (size_t i = 0; i < 3; i++)
                half[i][j] = p[i];
        }
#pragma GCC unroll 3
        for (size_t i = 0; i < 3; i++)
            SIMD(add_row)(to + (2 * i + odd) * PATCH, channel, half[i]);
    }
}

static void SIMD(to_input)(const Image *image, const Points *m, size_t first, size_t count, size_t channel,
                           size_t channels, float *dx) {
    float *pixels[POINTS], *copies[POINTS];
    SIMD(Vector) copy[POINTS];
    for (size_t t = 0; t < count; t++) {
        const float *from = m->data + t * m->width;
        size_t c = 0, rest = channels % SIMD(LANES) * sizeof *dx;
        find_pixels(image, dx, first + t, PATCH, pixels);
        for (; c + SIMD(LANES) <= channels; c += SIMD(LANES))
            SIMD(add_patch)(from + c, m->step, pixels, channel + c);
        if (rest == 0)
            continue;
        for (size_t i = 0; i < POINTS; i++) {
            copies[i] = memset(&copy[i], 0, sizeof copy[i]);
            memcpy(copies[i], pixels[i] + channel + c, rest);
        }
        SIMD(add_patch)(from + c, m->step, copies, 0);
        for (size_t i = 0; i < POINTS; i++)
            memcpy(pixels[i] + channel + c, copies[i], rest);
    }
}

#include "backend/winograd/weights_kernel.h"
