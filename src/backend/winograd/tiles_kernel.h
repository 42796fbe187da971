/* SPDX-License-Identifier: Apache-2.0
 *
 * The transforms of tiles.h, compiled for each kind of vector (simd.h): one vector of channels at a time, of which all
 * rows and columns of a tile are transformed. */
enum { SIMD(LANES) = SIMD_BYTES / sizeof(float) };

typedef float SIMD(Vector) __attribute__((vector_size(SIMD_BYTES)));
typedef int SIMD(Mask) __attribute__((vector_size(SIMD_BYTES)));
typedef float SIMD(Memory) __attribute__((vector_size(SIMD_BYTES), aligned(sizeof(float)), may_alias));

/* `count`: lanes that exist, the others are 0. */
CPU_INLINE SIMD(Vector) SIMD(load)(const float *from, size_t count) {
    if (count >= SIMD(LANES))
        return *(const SIMD(Memory) *)from;
    SIMD(Vector) v = {0};
    memcpy(&v, from, count * sizeof *from);
    return v;
}

CPU_INLINE void SIMD(store)(float *to, SIMD(Vector) v, size_t count) {
    if (count >= SIMD(LANES))
        *(SIMD(Memory) *)to = v;
    else
        memcpy(to, &v, count * sizeof *to);
}

/* One dimension: B^T d. */
CPU_INLINE void SIMD(input)(const SIMD(Vector) d[6], SIMD(Vector) to[6]) {
    SIMD(Vector) even_a = d[4] - B2 * d[2], odd_a = A1 * (d[3] - B2 * d[1]);
    SIMD(Vector) even_b = d[4] - A2 * d[2], odd_b = B1 * (d[3] - A2 * d[1]);
    to[0] = d[4] - (A2 + B2) * d[2] + A2 * B2 * d[0];
    to[1] = even_a + odd_a;
    to[2] = even_a - odd_a;
    to[3] = even_b + odd_b;
    to[4] = even_b - odd_b;
    to[5] = d[5] - (A2 + B2) * d[3] + A2 * B2 * d[1];
}

/* A d */
CPU_INLINE void SIMD(gradient)(const SIMD(Vector) d[4], SIMD(Vector) to[6]) {
    SIMD(Vector) even_a = d[0] + A2 * d[2], odd_a = A1 * (d[1] + A2 * d[3]);
    SIMD(Vector) even_b = d[0] + B2 * d[2], odd_b = B1 * (d[1] + B2 * d[3]);
    to[0] = d[0];
    to[1] = even_a + odd_a;
    to[2] = even_a - odd_a;
    to[3] = even_b + odd_b;
    to[4] = even_b - odd_b;
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

/* G g */
CPU_INLINE void SIMD(weights)(const SIMD(Vector) g[3], SIMD(Vector) to[6]) {
    SIMD(Vector) even_a = SCALE_A * g[0] + SCALE_A * A2 * g[2], odd_a = SCALE_A * A1 * g[1];
    SIMD(Vector) even_b = SCALE_B * g[0] + SCALE_B * B2 * g[2], odd_b = SCALE_B * B1 * g[1];
    to[0] = SCALE_0 * g[0];
    to[1] = even_a + odd_a;
    to[2] = even_a - odd_a;
    to[3] = even_b + odd_b;
    to[4] = even_b - odd_b;
    to[5] = g[2];
}

/* G^T m */
CPU_INLINE void SIMD(weight_gradient)(const SIMD(Vector) m[6], SIMD(Vector) to[3]) {
    SIMD(Vector) sum_a = SCALE_A * (m[1] + m[2]), difference_a = SCALE_A * A1 * (m[1] - m[2]);
    SIMD(Vector) sum_b = SCALE_B * (m[3] + m[4]), difference_b = SCALE_B * B1 * (m[3] - m[4]);
    to[0] = SCALE_0 * m[0] + sum_a + sum_b;
    to[1] = difference_a + difference_b;
    to[2] = A2 * sum_a + B2 * sum_b + m[5];
}

typedef void SIMD(Line)(const SIMD(Vector) *, SIMD(Vector) *);

/* Both dimensions, first columns, then rows.  from: size x size addresses of vectors. */
CPU_INLINE void SIMD(patch)(const float *const *from, size_t size, SIMD(Line) * line, size_t channel, size_t count,
                            float *to, size_t step) {
    SIMD(Vector) half[PATCH][PATCH], d[PATCH], p[PATCH];
#pragma GCC unroll 6
    for (size_t j = 0; j < size; j++) {
#pragma GCC unroll 6
        for (size_t i = 0; i < size; i++)
            d[i] = SIMD(load)(from[i * size + j] + channel, count);
        line(d, p);
#pragma GCC unroll 6
        for (size_t i = 0; i < PATCH; i++)
            half[i][j] = p[i];
    }
#pragma GCC unroll 6
    for (size_t i = 0; i < PATCH; i++) {
        line(half[i], p);
#pragma GCC unroll 6
        for (size_t j = 0; j < PATCH; j++)
            SIMD(store)(to + (i * PATCH + j) * step, p[j], SIMD(LANES));
    }
}

CPU_INLINE void SIMD(patches)(const Image *image, const float *x, size_t size, SIMD(Line) * line, size_t first,
                              size_t count, const Points *to) {
    const float *pixels[POINTS];
    for (size_t t = 0; t < count; t++) {
        find_pixels(image, x, first + t, size, pixels);
        for (size_t c = 0; c < image->channels; c += SIMD(LANES)) {
            float *data = to->data + c / to->width * to->block + t * to->width + c % to->width;
            if (c + SIMD(LANES) <= image->channels)
                SIMD(patch)(pixels, size, line, c, SIMD(LANES), data, to->step);
            else
                SIMD(patch)(pixels, size, line, c, image->channels - c, data, to->step);
        }
    }
}

static void SIMD(from_input)(const Image *image, const float *x, size_t first, size_t count, const Points *to) {
    SIMD(patches)(image, x, PATCH, SIMD(input), first, count, to);
}

static void SIMD(from_gradient)(const Image *image, const float *dy, size_t first, size_t count, const Points *to) {
    SIMD(patches)(image, dy, TILE, SIMD(gradient), first, count, to);
}

/* to[i][j], 4x4 or 3x3 as `line` says, of the points m. */
CPU_INLINE void SIMD(collect)(const float *m, size_t step, size_t size, SIMD(Line) * line,
                              SIMD(Vector) to[TILE][TILE]) {
    SIMD(Vector) half[TILE][PATCH], d[PATCH], p[TILE];
#pragma GCC unroll 6
    for (size_t j = 0; j < PATCH; j++) {
#pragma GCC unroll 6
        for (size_t i = 0; i < PATCH; i++)
            d[i] = SIMD(load)(m + (i * PATCH + j) * step, SIMD(LANES));
        line(d, p);
#pragma GCC unroll 4
        for (size_t i = 0; i < size; i++)
            half[i][j] = p[i];
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < size; i++)
        line(half[i], to[i]);
}

CPU_INLINE SIMD(Vector) SIMD(finish)(SIMD(Vector) v, const Finish *finish, SIMD(Vector) bias) {
    v += bias;
    if (finish->relu) { /* NaN stays NaN */
        v = (SIMD(Vector))((SIMD(Mask))v & ~(v < 0));
        SIMD(Mask) above = v > finish->relu_max;
        SIMD(Vector) limit = finish->relu_max + (SIMD(Vector)){0};
        v = (SIMD(Vector))(((SIMD(Mask))v & ~above) | ((SIMD(Mask))limit & above));
    }
    return v;
}

/* One tile's outputs for `count` channels; `height` x `width` of them exist. */
CPU_INLINE void SIMD(put_tile)(const float *m, size_t step, const Finish *finish, const float *bias, float *y,
                               size_t row_distance, size_t distance, size_t height, size_t width, size_t count) {
    SIMD(Vector) out[TILE][TILE], shift = {0};
    SIMD(collect)(m, step, TILE, SIMD(output), out);
    if (bias)
        shift = SIMD(load)(bias, count);
#pragma GCC unroll 4
    for (size_t i = 0; i < TILE; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < TILE; j++)
            if (i < height && j < width) {
                float *to = y + i * row_distance + j * distance;
                SIMD(Vector) v = SIMD(finish)(out[i][j], finish, shift);
                if (finish->add)
                    v += SIMD(load)(to, count);
                SIMD(store)(to, v, count);
            }
}

static void SIMD(to_output)(const Image *image, const Points *m, size_t first, size_t count, size_t channel,
                            size_t channels, const Finish *finish, float *y) {
    size_t distance = image->channels, row_distance = image->width * distance;
    for (size_t t = 0; t < count; t++) {
        TileAt at = find_tile(image, first + t);
        size_t height = at_most(image->height - at.row, TILE), width = at_most(image->width - at.column, TILE);
        float *to = y + ((at.example * image->height + at.row) * image->width + at.column) * distance + channel;
        for (size_t c = 0; c < channels; c += SIMD(LANES)) {
            const float *from = m->data + t * m->width + c, *bias = finish->bias ? finish->bias + channel + c : NULL;
            if (c + SIMD(LANES) <= channels)
                SIMD(put_tile)(from, m->step, finish, bias, to + c, row_distance, distance, height, width, SIMD(LANES));
            else
                SIMD(put_tile)
            (from, m->step, finish, bias, to + c, row_distance, distance, height, width, channels - c);
        }
    }
}

/* Rows become columns, by exchanging ever larger squares (J. Eklundh, "A fast computer method for matrix transposing",
 * 1972). */
CPU_INLINE void SIMD(transpose)(SIMD(Vector) row[SIMD(LANES)]) {
#pragma GCC unroll 4
    for (int size = 1; size < SIMD(LANES); size *= 2) {
        SIMD(Mask) upper, lower;
#pragma GCC unroll 16
        for (int i = 0; i < SIMD(LANES); i++) {
            upper[i] = i & size ? i - size + SIMD(LANES) : i;
            lower[i] = i & size ? i + SIMD(LANES) : i + size;
        }
#pragma GCC unroll 16
        for (int i = 0; i < SIMD(LANES); i++)
            if (!(i & size)) {
                SIMD(Vector) a = row[i], b = row[i + size];
                row[i] = __builtin_shuffle(a, b, upper);
                row[i + size] = __builtin_shuffle(a, b, lower);
            }
    }
}

/* square[8 - tap][k][c] = w[tap][c][k] for a square of inputs c and outputs k from w on, of which some exist. */
CPU_INLINE void SIMD(turn)(const float *w, size_t inputs, size_t outputs, size_t c_count, size_t k_count,
                           SIMD(Vector) square[TAPS][SIMD(LANES)]) {
    for (size_t tap = 0; tap < TAPS; tap++) {
        SIMD(Vector) row[SIMD(LANES)];
        for (size_t c = 0; c < SIMD(LANES); c++)
            row[c] = SIMD(load)(w + (tap * inputs + c) * outputs, c < c_count ? k_count : 0);
        SIMD(transpose)(row);
        for (size_t k = 0; k < SIMD(LANES); k++)
            square[TAPS - 1 - tap][k] = row[k];
    }
}

CPU_INLINE void SIMD(from_turned)(const WeightBlock *b, const float *w, const Points *to) {
    SIMD(Vector) square[TAPS][SIMD(LANES)];
    const float *from[TAPS];
    for (size_t c = 0; c < b->columns; c += SIMD(LANES))
        for (size_t k = 0; k < b->rows; k += SIMD(LANES)) {
            size_t k_count = at_most(b->rows - k, SIMD(LANES));
            SIMD(turn)
            (w + (b->column + c) * b->outputs + b->row + k, b->inputs, b->outputs, at_most(b->columns - c, SIMD(LANES)),
             k_count, square);
            for (size_t i = 0; i < k_count; i++) {
                for (size_t tap = 0; tap < TAPS; tap++)
                    from[tap] = (const float *)&square[tap][i];
                SIMD(patch)(from, 3, SIMD(weights), 0, SIMD(LANES), to->data + (k + i) * to->width + c, to->step);
            }
        }
}

static void SIMD(from_weights)(const WeightBlock *b, const float *w, const Points *to) {
    const float *from[TAPS];
    if (b->turned) {
        SIMD(from_turned)(b, w, to);
        return;
    }
    for (size_t r = 0; r < b->rows; r++) {
        for (size_t tap = 0; tap < TAPS; tap++)
            from[tap] = w + (tap * b->inputs + b->row + r) * b->outputs + b->column;
        for (size_t k = 0; k < b->columns; k += SIMD(LANES)) {
            float *data = to->data + r * to->width + k;
            if (k + SIMD(LANES) <= b->columns)
                SIMD(patch)(from, 3, SIMD(weights), k, SIMD(LANES), data, to->step);
            else
                SIMD(patch)(from, 3, SIMD(weights), k, b->columns - k, data, to->step);
        }
    }
}

CPU_INLINE void SIMD(put_weights)(const float *m, size_t step, bool add, float *dw, size_t tap_distance, size_t count) {
    SIMD(Vector) out[TILE][TILE];
    SIMD(collect)(m, step, 3, SIMD(weight_gradient), out);
#pragma GCC unroll 3
    for (size_t i = 0; i < 3; i++)
#pragma GCC unroll 3
        for (size_t j = 0; j < 3; j++) {
            float *to = dw + (i * 3 + j) * tap_distance;
            SIMD(store)(to, add ? out[i][j] + SIMD(load)(to, count) : out[i][j], count);
        }
}

static void SIMD(to_weights)(const WeightBlock *b, const Points *m, bool add, float *dw) {
    size_t tap_distance = b->inputs * b->outputs;
    for (size_t r = 0; r < b->rows; r++) {
        float *to = dw + (b->row + r) * b->outputs + b->column;
        for (size_t k = 0; k < b->columns; k += SIMD(LANES)) {
            const float *from = m->data + r * m->width + k;
            if (k + SIMD(LANES) <= b->columns)
                SIMD(put_weights)(from, m->step, add, to + k, tap_distance, SIMD(LANES));
            else
                SIMD(put_weights)(from, m->step, add, to + k, tap_distance, b->columns - k);
        }
    }
}
