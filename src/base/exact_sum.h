/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of doubles without rounding, so that they do not depend on the order of their terms nor on who adds which.  The
 * sum is a number in fixed point that is wide enough for every finite double (Kulisch, Computer Arithmetic and
 * Validity, 2008, chapter 8), in digits of 26 bits.  Each digit has a 64-bit integer of its own: no carries while terms
 * are added, and sums of several ranks are added digit by digit, as integers.
 *
 *     uint64_t sum[EXACT_DIGITS] = {0};
 *     exact_add(sum, 0.1);
 *     double total = exact_value(sum);
 */
#ifndef BASE_EXACT_SUM_H
#define BASE_EXACT_SUM_H
#include <stdint.h>

enum { EXACT_DIGITS = 84 }; /* the last one counts terms that are not finite */

/* Adds a term.  Up to 2^36 of them. */
void exact_add(uint64_t digits[EXACT_DIGITS], double value);

/* The sum as a double, at most one unit of its last place off.  NAN when a term was not finite. */
double exact_value(const uint64_t digits[EXACT_DIGITS]);

#endif
