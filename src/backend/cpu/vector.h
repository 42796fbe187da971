/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions of one number without branches or calls, so that loops over them are vectorised.  NaN stays NaN. */
#ifndef BACKEND_CPU_VECTOR_H
#define BACKEND_CPU_VECTOR_H
#include "backend/clones.h"
#include <stdint.h>
#include <string.h>

/* 2^n for -126 <= n <= 127. */
CPU_INLINE float power_of_two(int32_t n) {
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* e^x, error at most 2 units in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, polynomial for e^r.  Constants of expf
 * in S. Moshier's Cephes library (1989).  Overflows to infinity and underflows through subnormals to 0, as expf
 * does. */
CPU_INLINE float vector_exp(float x) {
    x = x > 89.0f ? 89.0f : x;
    x = x < -104.0f ? -104.0f : x;
    /* 1.5 * 2^23: adding it rounds to an integer, which then stands in the low bits. */
    float shifted = x * 1.44269504088896341f + 12582912.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    float whole = shifted - 12582912.0f;
    float r = x - whole * 0.693359375f - whole * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    /* In two factors: 2^n itself may lie outside the normal numbers.  A NaN's bits are masked, they do not matter. */
    int32_t n = (int32_t)(bits & 0x1ff) - (int32_t)(bits & 0x100) * 2, half = n >> 1;
    return p * power_of_two(half) * power_of_two(n - half);
}

CPU_INLINE float vector_sigmoid(float x) {
    return 1.0f / (1.0f + vector_exp(-x));
}

/* tanh; near 0, where 1 - 2 / (e^2x + 1) would cancel, a polynomial (Cephes's tanhf). */
CPU_INLINE float vector_tanh(float x) {
    float far = 1.0f - 2.0f / (vector_exp(2.0f * x) + 1.0f);
    float z = x * x, p = -5.70498872745e-3f;
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    return z < 0.390625f ? p * z * x + x : far;
}

/* The normal distribution's Phi(x) = erfc(-x / sqrt 2) / 2 to 8e-8: M. Abramowitz, I. Stegun, "Handbook of mathematical
 * functions", 1964, 7.1.26. */
CPU_INLINE float vector_phi(float x) {
    float a = (x < 0 ? -x : x) * 0.70710678118654752f, t = 1.0f / (1.0f + 0.3275911f * a);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float tail = 0.5f * p * t * vector_exp(-a * a);
    return x < 0 ? tail : 1.0f - tail;
}

#endif
