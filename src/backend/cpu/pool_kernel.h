/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of pool_lines.c, compiled for each kind of vector (simd.h).  Channels are the vector; what is found of a
 * window stays in registers.  The number of taps is a constant where it is a common one, so that loops over them
 * disappear. */
#include "backend/simd_vector.h"

/* A vector's saved indices; compilers do not find these instructions. */
#if SIMD_BYTES == 64 && defined __AVX512F__
CPU_INLINE SIMD(Mask) SIMD(load_index)(const uint8_t *from, size_t count) {
    return (SIMD(Mask))_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8((__mmask16)((1u << count) - 1), from));
}

CPU_INLINE void SIMD(store_index)(uint8_t *to, SIMD(Mask) v, size_t count) {
    _mm512_mask_cvtepi32_storeu_epi8(to, (__mmask16)((1u << count) - 1), (__m512i)v);
}
#else
CPU_INLINE SIMD(Mask) SIMD(load_index)(const uint8_t *from, size_t count) {
    uint8_t bytes[16] = {0};
    SIMD(Mask) v = {0};
    memcpy(bytes, from, at_most(count, SIMD(LANES)));
#if SIMD_BYTES == 32 && defined __AVX2__
    v = (SIMD(Mask))_mm256_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)bytes));
#else
#pragma GCC unroll 16
    for (size_t i = 0; i < SIMD(LANES); i++)
        v[i] = bytes[i];
#endif
    return v;
}

CPU_INLINE void SIMD(store_index)(uint8_t *to, SIMD(Mask) v, size_t count) {
#pragma GCC unroll 16
    for (size_t i = 0; i < SIMD(LANES); i++)
        if (i < count)
            to[i] = (uint8_t)v[i];
}
#endif

/* Where x is the larger one, it wins; with `nan` also where it is the first NaN. */
CPU_INLINE void SIMD(take)(SIMD(Vector) x, int32_t at, bool nan, SIMD(Vector) * best, SIMD(Mask) * place) {
    SIMD(Mask) ats = at + (SIMD(Mask)){0};
#if SIMD_BYTES == 64 && defined __AVX512F__
    __mmask16 wins = _mm512_cmp_ps_mask((__m512)x, (__m512)*best, _CMP_GT_OQ);
    if (nan)
        wins |= _mm512_cmp_ps_mask((__m512)x, (__m512)x, _CMP_UNORD_Q) &
                _mm512_cmp_ps_mask((__m512)*best, (__m512)*best, _CMP_ORD_Q);
    *best = (SIMD(Vector))_mm512_mask_mov_ps((__m512)*best, wins, (__m512)x);
    *place = (SIMD(Mask))_mm512_mask_mov_epi32((__m512i)*place, wins, (__m512i)ats);
#else
    SIMD(Mask) wins = x > *best;
    if (nan)
        wins |= (x != x) & (*best == *best);
    *best = (SIMD(Vector))((wins & (SIMD(Mask))x) | (~wins & (SIMD(Mask)) * best));
    *place = (wins & ats) | (~wins & *place);
#endif
}

/* Whether one of the elements is NaN, if all others are 0. */
CPU_INLINE bool SIMD(has_nan)(SIMD(Vector) v) {
#if SIMD_BYTES == 64 && defined __AVX512F__
    return _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q) != 0;
#elif SIMD_BYTES == 32 && defined __AVX2__
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)v, (__m256)v, _CMP_UNORD_Q)) != 0;
#else
    float sum = 0;
#pragma GCC unroll 16
    for (size_t i = 0; i < SIMD(LANES); i++)
        sum += v[i];
    return sum != sum;
#endif
}

/* Output j, `count` channels from c on.  A NaN wins, so that it is not lost; where none was near, which 0 x tells at
 * once for all, nobody looks for them. */
CPU_INLINE void SIMD(max_of)(const Run *r, size_t taps, size_t j, size_t c, size_t count) {
    size_t from = j * r->from_step + c, to = j * r->to_step + c;
    SIMD(Vector) best = SIMD(load)(r->from[0] + from, count), zero = best * 0;
    SIMD(Mask) place = r->place[0] + (SIMD(Mask)){0};
#pragma GCC unroll 9
    for (size_t k = 1; k < taps; k++) {
        SIMD(Vector) x = SIMD(load)(r->from[k] + from, count);
        SIMD_IN_REGISTER(x);
        zero += x * 0;
        SIMD(take)(x, r->place[k], false, &best, &place);
    }
    if (__builtin_expect(SIMD(has_nan)(zero), 0)) /* or an infinity */
        for (size_t k = 1; k < r->taps; k++)
            SIMD(take)(SIMD(load)(r->from[k] + from, count), r->place[k], true, &best, &place);
    SIMD(store)(r->to + to, best, count);
    if (r->to_index)
        SIMD(store_index)(r->to_index + to, place, count);
}

/* The gradients that came from this place of their windows. */
CPU_INLINE void SIMD(max_gradient_of)(const Run *r, size_t taps, size_t j, size_t c, size_t count) {
    size_t from = j * r->from_step + c;
    float *to = r->to + j * r->to_step + c;
    SIMD(Vector) sum = {0};
#pragma GCC unroll 9
    for (size_t k = 0; k < taps; k++) {
        SIMD(Mask) here = SIMD(load_index)(r->index[k] + from, count) == r->place[k];
        sum += (SIMD(Vector))(here & (SIMD(Mask))SIMD(load)(r->from[k] + from, count));
    }
    if (r->add)
        sum += SIMD(load)(to, count);
    SIMD(store)(to, sum, count);
}

/* The sum of what the taps have, times their shares. */
CPU_INLINE void SIMD(sum_of)(const Run *r, size_t taps, size_t j, size_t c, size_t count) {
    size_t from = j * r->from_step + c;
    float *to = r->to + j * r->to_step + c;
    SIMD(Vector) sum = {0};
#pragma GCC unroll 9
    for (size_t k = 0; k < taps; k++)
        sum += r->share[k] * SIMD(load)(r->from[k] + from, count);
    if (r->add)
        sum += SIMD(load)(to, count);
    SIMD(store)(to, sum, count);
}

#define POOL_OUTPUTS(of, taps)                                                                                         \
    for (size_t j = 0; j < r->outputs; j++) {                                                                          \
        size_t c = 0;                                                                                                  \
        for (; c + SIMD(LANES) <= r->channels; c += SIMD(LANES))                                                       \
            SIMD(of)(r, taps, j, c, SIMD(LANES));                                                                      \
        if (c < r->channels)                                                                                           \
            SIMD(of)(r, taps, j, c, r->channels - c);                                                                  \
    }
/* The function `name` for a run: `of` for all its outputs. */
#define POOL_RUN(name, of)                                                                                             \
    static void SIMD(name)(const Run *run) {                                                                           \
        const Run here = *run, *r = &here; /* no store changes it */                                                   \
        switch (r->taps) {                                                                                             \
        case 1:                                                                                                        \
            POOL_OUTPUTS(of, 1) break;                                                                                 \
        case 2:                                                                                                        \
            POOL_OUTPUTS(of, 2) break;                                                                                 \
        case 4:                                                                                                        \
            POOL_OUTPUTS(of, 4) break;                                                                                 \
        case 9:                                                                                                        \
            POOL_OUTPUTS(of, 9) break;                                                                                 \
        default:                                                                                                       \
            POOL_OUTPUTS(of, r->taps)                                                                                  \
        }                                                                                                              \
    }

POOL_RUN(max, max_of)
POOL_RUN(max_gradient, max_gradient_of)
POOL_RUN(sum, sum_of)
#undef POOL_RUN
#undef POOL_OUTPUTS
