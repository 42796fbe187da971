/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of tiles_kernel.h that is about weights. */

/* G g */
CPU_INLINE void SIMD(weights)(const SIMD(Vector) g[3], SIMD(Vector) to[6]) {
    SIMD(Vector) even_a = SCALE_A * g[0] + SCALE_A * A2 * g[2];
    SIMD(Vector) even_b = SCALE_B * g[0] + SCALE_B * B2 * g[2];
    to[0] = SCALE_0 * g[0];
    to[1] = even_a + SCALE_A * A1 * g[1];
    to[2] = even_a - SCALE_A * A1 * g[1];
    to[3] = even_b + SCALE_B * B1 * g[1];
    to[4] = even_b - SCALE_B * B1 * g[1];
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

APART SIMD(weights_patch)(const float *const *from, size_t channel, float *to, size_t step) {
    SIMD(spread)(from, 3, SIMD(weights), channel, to, step);
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
                row[i] = SIMD_SHUFFLE(a, b, upper);
                row[i + size] = SIMD_SHUFFLE(a, b, lower);
            }
    }
}

/* square[tap][k][c] = w[tap][c][k] for a square of inputs c and outputs k from w on, of which some exist. */
APART SIMD(transpose_taps)(const float *w, size_t inputs, size_t outputs, size_t c_count, size_t k_count,
                           SIMD(Vector) square[TAPS][SIMD(LANES)]) {
    for (size_t tap = 0; tap < TAPS; tap++) {
        SIMD(Vector) row[SIMD(LANES)];
        const float *from = w + tap * inputs * outputs;
        if (c_count == SIMD(LANES) && k_count == SIMD(LANES)) {
#pragma GCC unroll 16
            for (size_t c = 0; c < SIMD(LANES); c++)
                row[c] = SIMD(load)(from + c * outputs);
        } else {
            memset(row, 0, sizeof row);
            for (size_t c = 0; c < c_count; c++)
                memcpy(&row[c], from + c * outputs, k_count * sizeof(float));
        }
        SIMD(transpose)(row);
#pragma GCC unroll 16
        for (size_t k = 0; k < SIMD(LANES); k++)
            square[tap][k] = row[k];
    }
}

CPU_INLINE void SIMD(from_transposed)(const WeightBlock *b, const float *w, const Points *to) {
    SIMD(Vector) square[TAPS][SIMD(LANES)];
    const float *from[TAPS];
    for (size_t tap = 0; tap < TAPS; tap++)
        from[tap] = (const float *)square[tap];
    for (size_t c = 0; c < b->columns; c += SIMD(LANES))
        for (size_t k = 0; k < b->rows; k += SIMD(LANES)) {
            size_t k_count = at_most(b->rows - k, SIMD(LANES)), c_count = at_most(b->columns - c, SIMD(LANES));
            SIMD(transpose_taps)
            (w + (b->column + c) * b->outputs + b->row + k, b->inputs, b->outputs, c_count, k_count, square);
            for (size_t i = 0; i < k_count; i++)
                SIMD(weights_patch)(from, i * SIMD(LANES), to->data + (k + i) * to->width + c, to->step);
        }
}

static void SIMD(from_weights)(const WeightBlock *b, const float *w, const Points *to) {
    const float *from[TAPS];
    if (b->transposed) {
        SIMD(from_transposed)(b, w, to);
        return;
    }
    for (size_t r = 0; r < b->rows; r++) {
        for (size_t tap = 0; tap < TAPS; tap++) {
            from[tap] = w + (tap * b->inputs + b->row + r) * b->outputs + b->column;
            for (size_t k = 0; k < b->columns; k += CACHE_LINE)
                __builtin_prefetch(from[tap] + 2 * b->outputs +
                                   k); /* nine short pieces: too many for the CPU to guess */
        }
        SIMD(all_channels)(SIMD(weights_patch), from, TAPS, b->columns, to->data + r * to->width, to->step);
    }
}

APART SIMD(weights_gradient_patch)(const float *m, size_t step, bool add, float *dw, size_t tap_distance) {
    SIMD(Vector) out[TILE][TILE];
    SIMD(collect)(m, step, 3, SIMD(weight_gradient), out);
#pragma GCC unroll 3
    for (size_t i = 0; i < 3; i++)
#pragma GCC unroll 3
        for (size_t j = 0; j < 3; j++, dw += tap_distance)
            SIMD(store)(dw, add ? out[i][j] + SIMD(load)(dw) : out[i][j]);
}

CPU_INLINE void SIMD(last_weights)(const float *m, size_t step, bool add, float *dw, size_t tap_distance,
                                   size_t count) {
    SIMD(Vector) copy[TAPS] = {0};
    for (size_t tap = 0; add && tap < TAPS; tap++)
        memcpy(&copy[tap], dw + tap * tap_distance, count * sizeof *dw);
    SIMD(weights_gradient_patch)(m, step, add, (float *)copy, SIMD(LANES));
    for (size_t tap = 0; tap < TAPS; tap++)
        memcpy(dw + tap * tap_distance, &copy[tap], count * sizeof *dw);
}

static void SIMD(to_weights)(const WeightBlock *b, const Points *m, bool add, float *dw) {
    size_t tap_distance = b->inputs * b->outputs, k;
    for (size_t r = 0; r < b->rows; r++) {
        float *to = dw + (b->row + r) * b->outputs + b->column;
        const float *from = m->data + r * m->width;
        for (k = 0; k + SIMD(LANES) <= b->columns; k += SIMD(LANES))
            SIMD(weights_gradient_patch)(from + k, m->step, add, to + k, tap_distance);
        if (k < b->columns)
            SIMD(last_weights)(from + k, m->step, add, to + k, tap_distance, b->columns - k);
    }
}
