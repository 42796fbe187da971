/* SPDX-License-Identifier: Apache-2.0
 *
 * The sum under a softmax. */
#ifndef BACKEND_LOG_SUM_EXP_H
#define BACKEND_LOG_SUM_EXP_H
#include "base/real.h"
#include <math.h>
#include <stddef.h>

/* log(sum_c exp(x_c)) without overflow; count at least 1. */
static inline double log_sum_exp(const Real *x, size_t count) {
    double largest = x[0], sum = 0;
    for (size_t c = 1; c < count; c++)
        largest = x[c] > largest ? x[c] : largest;
    for (size_t c = 0; c < count; c++)
        sum += exp(x[c] - largest);
    return largest + log(sum);
}

#endif
