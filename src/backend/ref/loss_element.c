/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/loss.h"
#include <math.h>

static double clip(double p) {
    return p < LOSS_EPSILON ? LOSS_EPSILON : p > 1 - LOSS_EPSILON ? 1 - LOSS_EPSILON : p;
}

static bool is_clipped(double p) {
    return p < LOSS_EPSILON || p > 1 - LOSS_EPSILON;
}

static double binary_crossentropy(const LossAttr *attr, double x, double t, double *dx) {
    double e, p;
    if (attr->from_logits) {
        e = exp(-fabs(x));
        *dx = (x >= 0 ? 1 / (1 + e) : e / (1 + e)) - t;
        return (x > 0 ? x : 0) - x * t + log1p(e);
    }
    p = clip(x);
    *dx = is_clipped(x) ? 0 : (p - t) / (p * (1 - p));
    return -t * log(p) - (1 - t) * log1p(-p);
}

/* The cross-entropy times (1 - q)^gamma, q = t p + (1 - t) (1 - p), and t alpha + (1 - t) (1 - alpha) if there is an
 * alpha.  T.-Y. Lin et al., "Focal loss for dense object detection", 2017. */
static double binary_focal(const LossAttr *attr, double x, double t, double *dx) {
    double loss = binary_crossentropy(attr, x, t, dx);
    double p = attr->from_logits ? 1 / (1 + exp(-x)) : x, slope = attr->from_logits ? p * (1 - p) : 1;
    double rest = 1 - (t * p + (1 - t) * (1 - p)), factor = pow(rest, attr->gamma);
    double weight = attr->alpha > 0 ? t * attr->alpha + (1 - t) * (1 - attr->alpha) : 1;
    double power = attr->gamma > 0 ? attr->gamma * pow(rest, attr->gamma - 1) : 0;
    *dx = weight * (factor * *dx - power * (2 * t - 1) * slope * loss);
    return weight * factor * loss;
}

static double huber(const LossAttr *attr, double d, double *dx) {
    if (fabs(d) > attr->delta) {
        *dx = d > 0 ? attr->delta : -attr->delta;
        return attr->delta * (fabs(d) - 0.5 * attr->delta);
    }
    *dx = d;
    return 0.5 * d * d;
}

/* max(1 - t x, 0); a label of 0 stands for -1. */
static double hinge(double x, double t, double *dx) {
    double sign = t == 0 ? -1 : t, loss = 1 - sign * x;
    *dx = loss > 0 ? -sign : 0;
    return loss > 0 ? loss : loss <= 0 ? 0 : NAN;
}

static double sign_of(double d) {
    return d > 0 ? 1 : d < 0 ? -1 : 0;
}

/* With d = x - t and e = LOSS_EPSILON, formulas of keras/src/losses/losses.py:
 *     binary cross-entropy   -t log(p) - (1 - t) log(1 - p);  by logits max(x, 0) - x t + log(1 + exp(-|x|))
 *     squared, absolute      d^2, |d|
 *     Huber                  d^2 / 2 up to delta, from there the tangent: delta (|d| - delta / 2)
 *     log-cosh               log(cosh(d)) = |d| + log(1 + exp(-2 |d|)) - log(2)
 *     squared logarithmic    (log(1 + max(x, e)) - log(1 + max(t, e)))^2
 *     absolute percentage    100 |d| / max(|t|, e)
 *     Poisson                x - t log(x + e)
 *     hinge, squared hinge   h = max(1 - t x, 0), h^2 */
double ref__loss_element(const LossAttr *attr, double x, double t, double *dx) {
    double d = x - t, loss;
    switch (attr->kind) {
    case LOSS_BINARY_CROSSENTROPY:
        return binary_crossentropy(attr, x, t * (1 - attr->label_smoothing) + 0.5 * attr->label_smoothing, dx);
    case LOSS_BINARY_FOCAL:
        return binary_focal(attr, x, t * (1 - attr->label_smoothing) + 0.5 * attr->label_smoothing, dx);
    case LOSS_MEAN_ABSOLUTE_ERROR:
        *dx = sign_of(d);
        return fabs(d);
    case LOSS_HUBER:
        return huber(attr, d, dx);
    case LOSS_LOG_COSH:
        *dx = tanh(d);
        return fabs(d) + log1p(exp(-2 * fabs(d))) - log(2);
    case LOSS_MEAN_SQUARED_LOGARITHMIC_ERROR:
        d = log(1 + (x < LOSS_EPSILON ? LOSS_EPSILON : x)) - log(1 + fmax(t, LOSS_EPSILON));
        *dx = x < LOSS_EPSILON ? 0 : 2 * d / (1 + x);
        return d * d;
    case LOSS_MEAN_ABSOLUTE_PERCENTAGE_ERROR:
        *dx = 100 * sign_of(d) / fmax(fabs(t), LOSS_EPSILON);
        return 100 * fabs(d) / fmax(fabs(t), LOSS_EPSILON);
    case LOSS_POISSON:
        *dx = 1 - t / (x + LOSS_EPSILON);
        return x - t * log(x + LOSS_EPSILON);
    case LOSS_HINGE:
        return hinge(x, t, dx);
    case LOSS_SQUARED_HINGE:
        loss = hinge(x, t, dx);
        *dx *= 2 * loss;
        return loss * loss;
    default:
        *dx = 2 * d;
        return d * d;
    }
}
