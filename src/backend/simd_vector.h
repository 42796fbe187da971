/* SPDX-License-Identifier: Apache-2.0
 *
 * Vectors of floats for the files that simd.h compiles: these include it first.  Like them, it is compiled once for
 * each kind of vector, so it has no include guard. */
#if SIMD_BYTES == 64 && defined __AVX512F__
#include <immintrin.h>
#endif
#include <stdint.h>
#include <string.h>

/* Compilers like to load a value again for each use as an operand; where loads are what takes the time, this keeps
 * it. */
#undef SIMD_IN_REGISTER
#ifdef __x86_64__
#define SIMD_IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define SIMD_IN_REGISTER(v) (void)(v)
#endif

enum { SIMD(LANES) = SIMD_BYTES / sizeof(float) };

typedef float SIMD(Vector) __attribute__((vector_size(SIMD_BYTES), aligned(sizeof(float)), may_alias));
typedef int32_t SIMD(Mask) __attribute__((vector_size(SIMD_BYTES), aligned(sizeof(float)), may_alias));

/* A part of a vector; not inlined where that takes many instructions. */
#if SIMD_BYTES == 64 && defined __AVX512F__
CPU_INLINE SIMD(Vector) SIMD(load_part)(const float *from, size_t count) {
    return (SIMD(Vector))_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
}

CPU_INLINE void SIMD(store_part)(float *to, SIMD(Vector) v, size_t count) {
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)v);
}
#else
static __attribute__((noinline)) SIMD(Vector) SIMD(load_part)(const float *from, size_t count) {
    SIMD(Vector) v = {0};
    float *to = (float *)&v;
#pragma GCC unroll 8
    for (size_t size = SIMD(LANES) / 2; size > 0; size /= 2)
        if (count & size) {
            memcpy(to, from, size * sizeof *to);
            to += size;
            from += size;
        }
    return v;
}

static __attribute__((noinline)) void SIMD(store_part)(float *to, SIMD(Vector) v, size_t count) {
    const float *from = (const float *)&v;
#pragma GCC unroll 8
    for (size_t size = SIMD(LANES) / 2; size > 0; size /= 2)
        if (count & size) {
            memcpy(to, from, size * sizeof *to);
            to += size;
            from += size;
        }
}
#endif

/* The first `count` elements, at most a vector; the rest is 0. */
CPU_INLINE SIMD(Vector) SIMD(load)(const float *from, size_t count) {
    return count >= SIMD(LANES) ? *(const SIMD(Vector) *)from : SIMD(load_part)(from, count);
}

CPU_INLINE void SIMD(store)(float *to, SIMD(Vector) v, size_t count) {
    if (count >= SIMD(LANES))
        *(SIMD(Vector) *)to = v;
    else
        SIMD(store_part)(to, v, count);
}

/* max(v, 0); NaN stays. */
CPU_INLINE SIMD(Vector) SIMD(relu)(SIMD(Vector) v) {
    return (SIMD(Vector))((SIMD(Mask))v & ~(v < 0));
}

/* min(v, max); NaN stays. */
CPU_INLINE SIMD(Vector) SIMD(limit)(SIMD(Vector) v, float max) {
    SIMD(Vector) limit = max - (SIMD(Vector)){0};
    SIMD(Mask) above = v > limit;
    return (SIMD(Vector))(((SIMD(Mask))limit & above) | ((SIMD(Mask))v & ~above));
}
