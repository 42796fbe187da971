/* SPDX-License-Identifier: Apache-2.0
 *
 * The formulas of optimizer.h on flat arrays. */
#include "train/optimizer_internal.h"
#include <math.h>

enum { LANES = 8 };

/* Sum of squares of one block.  The lanes are spelled out, so that the order of additions does not depend on how the
 * compiler vectorises. */
FOR_EVERY_CPU static double block_squares(const Real *x, size_t count) {
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t j = 0; i < count; i++, j++)
        lane[j] += (double)x[i] * (double)x[i];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

double optimizer__squares(const Real *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i += OPTIMIZER_BLOCK)
        sum += block_squares(x + i, count - i < OPTIMIZER_BLOCK ? count - i : OPTIMIZER_BLOCK);
    return sum;
}

/* The formulas of the header on n elements.  p parameters, g gradient sums, `scale` makes them the clipped gradient,
 * keep = 1 - lr * weight_decay. */
FOR_EVERY_CPU static void sgd(size_t n, Real *restrict p, const Real *restrict g, Real scale, Real keep, Real lr) {
    for (size_t i = 0; i < n; i++)
        p[i] = p[i] * keep - lr * (g[i] * scale);
}

FOR_EVERY_CPU static void sgd_momentum(size_t n, Real *restrict p, const Real *restrict g, Real *restrict m, Real scale,
                                       Real keep, Real lr, Real momentum) {
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] - lr * (g[i] * scale);
        p[i] = p[i] * keep + m[i];
    }
}

FOR_EVERY_CPU static void sgd_nesterov(size_t n, Real *restrict p, const Real *restrict g, Real *restrict m, Real scale,
                                       Real keep, Real lr, Real momentum) {
    for (size_t i = 0; i < n; i++) {
        Real step = lr * (g[i] * scale);
        m[i] = momentum * m[i] - step;
        p[i] = p[i] * keep + momentum * m[i] - step;
    }
}

typedef struct AdamNumbers {
    Real scale, keep, alpha, beta_1, beta_2, one_less_beta_1, one_less_beta_2, epsilon;
} AdamNumbers;

#if REAL_IS_DOUBLE
#define REAL_SQRT sqrt
#else
#define REAL_SQRT sqrtf
#endif

FOR_EVERY_CPU static void adam(size_t n, Real *restrict p, const Real *restrict g, Real *restrict m, Real *restrict v,
                               AdamNumbers a) {
    for (size_t i = 0; i < n; i++) {
        Real d = g[i] * a.scale;
        m[i] = a.beta_1 * m[i] + a.one_less_beta_1 * d;
        v[i] = a.beta_2 * v[i] + a.one_less_beta_2 * (d * d);
        p[i] = p[i] * a.keep - a.alpha * m[i] / (REAL_SQRT(v[i]) + a.epsilon);
    }
}

FOR_EVERY_CPU static void rmsprop(size_t n, Real *restrict p, const Real *restrict g, Real *restrict v, Real scale,
                                  Real keep, Real lr, Real rho, Real one_less_rho, Real epsilon) {
    for (size_t i = 0; i < n; i++) {
        Real d = g[i] * scale;
        v[i] = rho * v[i] + one_less_rho * (d * d);
        p[i] = p[i] * keep - lr * d / REAL_SQRT(v[i] + epsilon);
    }
}

FOR_EVERY_CPU static void rmsprop_momentum(size_t n, Real *restrict p, const Real *restrict g, Real *restrict v,
                                           Real *restrict m, Real scale, Real keep, Real lr, Real rho,
                                           Real one_less_rho, Real epsilon, Real momentum) {
    for (size_t i = 0; i < n; i++) {
        Real d = g[i] * scale;
        v[i] = rho * v[i] + one_less_rho * (d * d);
        m[i] = momentum * m[i] + lr * d / REAL_SQRT(v[i] + epsilon);
        p[i] = p[i] * keep - m[i];
    }
}

/* m = momentum m - rate (g + decay p);  p += m */
FOR_EVERY_CPU static void lars(size_t n, Real *restrict p, const Real *restrict g, Real *restrict m, Real scale,
                               Real decay, Real rate, Real momentum) {
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] - rate * (g[i] * scale + decay * p[i]);
        p[i] += m[i];
    }
}

/* The direction u of the step, in the gradient's place.  a.alpha: 1 / (1 - beta_1^t); unbias: 1 / (1 - beta_2^t). */
FOR_EVERY_CPU static void lamb_direction(size_t n, const Real *restrict p, Real *restrict g, Real *restrict m,
                                         Real *restrict v, AdamNumbers a, Real unbias, Real decay) {
    for (size_t i = 0; i < n; i++) {
        Real d = g[i] * a.scale;
        m[i] = a.beta_1 * m[i] + a.one_less_beta_1 * d;
        v[i] = a.beta_2 * v[i] + a.one_less_beta_2 * (d * d);
        g[i] = a.alpha * m[i] / (REAL_SQRT(unbias * v[i]) + a.epsilon) + decay * p[i];
    }
}

UpdateNumbers optimizer__numbers(const OptimizerOptions *o, double lr, uint64_t step) {
    double t = (double)step + 1;
    return (UpdateNumbers){.lr = lr, .scale = 1, .unbias_1 = 1 - pow(o->beta_1, t), .unbias_2 = 1 - pow(o->beta_2, t)};
}

/* rate: of the span. */
static void update_lars(Optimizer *optimizer, const OptimizerSpan *span, size_t n, double rate, double scale, Real *p,
                        const Real *g, Real *m) {
    const OptimizerOptions *o = &optimizer->options;
    double decay = span->decays ? o->weight_decay : 0;
    if (span->adapts) {
        double weight = sqrt(optimizer__squares(p, n)), gradient = sqrt(optimizer__squares(g, n)) * scale;
        if (weight > 0 && gradient > 0)
            rate *= o->trust * weight / (gradient + decay * weight);
    }
    if (m)
        lars(n, p, g, m, (Real)scale, (Real)decay, (Real)rate, (Real)o->momentum);
    else /* p - rate (g + decay p) */
        sgd(n, p, g, (Real)scale, (Real)(1 - rate * decay), (Real)rate);
}

static AdamNumbers adam_numbers(const OptimizerOptions *o, double scale, double keep, double alpha) {
    return (AdamNumbers){.scale = (Real)scale,
                         .keep = (Real)keep,
                         .alpha = (Real)alpha,
                         .beta_1 = (Real)o->beta_1,
                         .beta_2 = (Real)o->beta_2,
                         .one_less_beta_1 = (Real)(1 - o->beta_1),
                         .one_less_beta_2 = (Real)(1 - o->beta_2),
                         .epsilon = (Real)o->epsilon};
}

static void update_lamb(Optimizer *optimizer, const OptimizerSpan *span, size_t n, double rate,
                        const UpdateNumbers *numbers, Real *p, Real *g, Real *m, Real *v) {
    const OptimizerOptions *o = &optimizer->options;
    lamb_direction(n, p, g, m, v, adam_numbers(o, numbers->scale, 1, 1 / numbers->unbias_1),
                   (Real)(1 / numbers->unbias_2), (Real)(span->decays ? o->weight_decay : 0));
    if (span->adapts) {
        double weight = sqrt(optimizer__squares(p, n)), direction = sqrt(optimizer__squares(g, n));
        if (weight > 0 && direction > 0)
            rate *= weight / direction;
    }
    sgd(n, p, g, 1, 1, (Real)rate);
}

void optimizer__update(Optimizer *optimizer, const OptimizerSpan *span, size_t at, size_t n,
                       const UpdateNumbers *numbers, Real *weights, Real *gradient) {
    const OptimizerOptions *o = &optimizer->options;
    Real *first = optimizer->slots[0].slab, *second = optimizer->slots[1].slab, *p = weights + at, *g = gradient + at;
    first = first ? first + at : NULL;
    second = second ? second + at : NULL;
    double lr = numbers->lr * span->multiplier;
    Real rate = (Real)lr, momentum = (Real)o->momentum, scale = (Real)numbers->scale;
    Real keep = span->decays ? (Real)(1 - lr * o->weight_decay) : 1;
    switch (o->kind) {
    case OPTIMIZER_SGD:
        if (o->momentum == 0)
            sgd(n, p, g, scale, keep, rate);
        else
            (o->nesterov ? sgd_nesterov : sgd_momentum)(n, p, g, first, scale, keep, rate, momentum);
        break;
    case OPTIMIZER_RMSPROP:
        if (o->momentum == 0)
            rmsprop(n, p, g, first, scale, keep, rate, (Real)o->rho, (Real)(1 - o->rho), (Real)o->epsilon);
        else
            rmsprop_momentum(n, p, g, first, second, scale, keep, rate, (Real)o->rho, (Real)(1 - o->rho),
                             (Real)o->epsilon, momentum);
        break;
    case OPTIMIZER_LARS:
        update_lars(optimizer, span, n, lr, numbers->scale, p, g, first);
        break;
    case OPTIMIZER_LAMB:
        update_lamb(optimizer, span, n, lr, numbers, p, g, first, second);
        break;
    default: /* adam, adamw */
        adam(n, p, g, first, second,
             adam_numbers(o, numbers->scale, keep, lr * sqrt(numbers->unbias_2) / numbers->unbias_1));
    }
}
