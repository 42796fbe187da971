/* SPDX-License-Identifier: Apache-2.0 */
#include "base/exact_sum.h"
#include <math.h>

/* Digit i stands for 2^(DIGIT_BITS i - POINT); the last bit of the smallest double's 53-bit mantissa is bit 0. */
enum { DIGIT_BITS = 26, POINT = 1126, NOT_FINITE = EXACT_DIGITS - 1 };
static const uint64_t digit_mask = ((uint64_t)1 << DIGIT_BITS) - 1;

void exact_add(uint64_t digits[EXACT_DIGITS], double value) {
    int exponent;
    double fraction = frexp(value, &exponent); /* value = fraction 2^exponent, 1/2 <= |fraction| < 1 */
    if (value == 0)
        return;
    if (!isfinite(value)) {
        digits[NOT_FINITE]++;
        return;
    }
    uint64_t mantissa = (uint64_t)ldexp(fabs(fraction), 53);
    unsigned position = (unsigned)(exponent - 53 + POINT), first = position / DIGIT_BITS, shift = position % DIGIT_BITS;
    uint64_t low = (mantissa & digit_mask) << shift, high = mantissa >> DIGIT_BITS << shift;
    uint64_t part[3] = {low & digit_mask, (low >> DIGIT_BITS) + (high & digit_mask), high >> DIGIT_BITS};
    for (unsigned i = 0; i < 3; i++)
        digits[first + i] += value < 0 ? -part[i] : part[i]; /* a negative digit wraps around, and back */
}

double exact_value(const uint64_t digits[EXACT_DIGITS]) {
    int64_t normal[NOT_FINITE], carry = 0;
    if (digits[NOT_FINITE] != 0)
        return NAN;
    for (int i = 0; i < NOT_FINITE; i++) { /* digits of 0 .. 2^26 - 1, a negative sum's carry is -1 in the end */
        int64_t digit = (int64_t)digits[i] + carry;
        carry = digit >> DIGIT_BITS;
        normal[i] = digit & (int64_t)digit_mask;
    }
    int64_t sign = carry < 0 ? -1 : 1;
    carry = 0;
    for (int i = 0; i < NOT_FINITE && sign < 0; i++) {
        int64_t digit = carry - normal[i];
        carry = digit >> DIGIT_BITS;
        normal[i] = digit & (int64_t)digit_mask;
    }
    int top = NOT_FINITE - 1;
    while (top > 0 && normal[top] == 0)
        top--;
    double sum = 0;
    for (int i = top > 3 ? top - 3 : 0; i <= top; i++) /* smallest first; what is left out is below the last place */
        sum += ldexp((double)normal[i], DIGIT_BITS * i - POINT);
    return (double)sign * sum;
}
