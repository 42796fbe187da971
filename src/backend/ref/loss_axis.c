/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/log_sum_exp.h"
#include "backend/ref/loss.h"
#include <math.h>

static double clip(double p) {
    return p < LOSS_EPSILON ? LOSS_EPSILON : p > 1 - LOSS_EPSILON ? 1 - LOSS_EPSILON : p;
}

static bool is_clipped(double p) {
    return p < LOSS_EPSILON || p > 1 - LOSS_EPSILON;
}

/* The smoothed target of class c.  A class number that is none of them makes the loss NaN. */
static double target(const LossAttr *attr, const Real *label, size_t c, size_t classes) {
    double smooth = attr->label_smoothing, t;
    if (attr->kind != LOSS_SPARSE_CROSSENTROPY)
        t = label[c];
    else if (label[0] >= 0 && label[0] < (double)classes && label[0] == floor(label[0]))
        t = (size_t)label[0] == c;
    else
        t = NAN;
    return t * (1 - smooth) + smooth / (double)classes;
}

static double row_sum(const Real *x, size_t count) {
    double sum = 0;
    for (size_t c = 0; c < count; c++)
        sum += x[c];
    return sum;
}

/* What turns x into probabilities: the logarithm of the sum of exponentials, or the sum. */
static double scale_of(const LossAttr *attr, const Real *x, size_t classes) {
    return attr->from_logits ? log_sum_exp(x, classes) : row_sum(x, classes);
}

/* By logits: p_c sum(t) - t_c.  By probabilities q = x / sum(x): (h_c - sum_k h_k q_k) / sum(x), where h_c = -t_c /
 * q_c, 0 where the clipping holds. */
static void crossentropy_gradient(const LossAttr *attr, const Real *x, const Real *label, size_t classes, double *dx) {
    double scale = scale_of(attr, x, classes), sum = 0;
    for (size_t c = 0; c < classes; c++) {
        double t = target(attr, label, c, classes), q = x[c] / scale;
        if (attr->from_logits) {
            dx[c] = t;
            sum += t;
        } else {
            dx[c] = is_clipped(q) ? 0 : -t / q;
            sum += dx[c] * q;
        }
    }
    for (size_t c = 0; c < classes; c++)
        dx[c] = attr->from_logits ? exp(x[c] - scale) * sum - dx[c] : (dx[c] - sum) / scale;
}

/* -sum_c t_c log(p_c); p = softmax(x), or x over its sum, clipped.  A target of 0 counts 0 whatever its class says. */
static double crossentropy(const LossAttr *attr, const Real *x, const Real *label, size_t classes, double *dx) {
    double loss = 0, scale = scale_of(attr, x, classes);
    for (size_t c = 0; c < classes; c++) {
        double t = target(attr, label, c, classes);
        if (t != 0)
            loss += t * (attr->from_logits ? scale - x[c] : -log(clip(x[c] / scale)));
    }
    if (dx)
        crossentropy_gradient(attr, x, label, classes, dx);
    return loss;
}

/* -alpha sum_c (1 - p_c)^gamma t_c log(p_c).  Its gradient by logits is k_c - p_c sum(k), by probabilities
 * (k_c / p_c - sum(k)) / sum(x), where k_c = p_c d/dp_c = alpha t_c (gamma p_c (1 - p_c)^(gamma - 1) log(p_c) -
 * (1 - p_c)^gamma), 0 where the clipping holds. */
static double categorical_focal(const LossAttr *attr, const Real *x, const Real *label, size_t classes, double *dx) {
    double loss = 0, scale = scale_of(attr, x, classes), sum = 0, gamma = attr->gamma;
    for (size_t c = 0; c < classes; c++) {
        double t = attr->alpha * target(attr, label, c, classes), q = x[c] / scale;
        double p = attr->from_logits ? exp(x[c] - scale) : clip(q),
               logarithm = attr->from_logits ? x[c] - scale : log(p);
        double factor = pow(1 - p, gamma), power = gamma > 0 && p < 1 ? gamma * pow(1 - p, gamma - 1) : 0;
        if (t != 0)
            loss -= factor * t * logarithm;
        if (dx == NULL)
            continue;
        dx[c] = t == 0 || (!attr->from_logits && is_clipped(q)) ? 0 : t * (power * p * logarithm - factor);
        sum += dx[c];
    }
    for (size_t c = 0; dx && c < classes; c++) {
        double q = attr->from_logits ? exp(x[c] - scale) : x[c] / scale;
        dx[c] = attr->from_logits ? dx[c] - q * sum : ((dx[c] != 0 ? dx[c] / q : 0) - sum) / scale;
    }
    return loss;
}

/* sum_c t_c log(t_c / p_c), both kept between LOSS_EPSILON and 1. */
static double kl_divergence(const Real *x, const Real *label, size_t width, double *dx) {
    double loss = 0;
    for (size_t c = 0; c < width; c++) {
        double t = fmin(fmax(label[c], LOSS_EPSILON), 1), p = x[c];
        bool clipped = p < LOSS_EPSILON || p > 1;
        p = p < LOSS_EPSILON ? LOSS_EPSILON : p > 1 ? 1 : p;
        loss += t * log(t / p);
        if (dx)
            dx[c] = clipped ? 0 : -t / p;
    }
    return loss;
}

static double length(const Real *x, size_t width) {
    double sum = 0;
    for (size_t c = 0; c < width; c++)
        sum += (double)x[c] * (double)x[c];
    return sum < LOSS_EPSILON * LOSS_EPSILON ? LOSS_EPSILON : sqrt(sum);
}

/* Minus the cosine of the angle between prediction and label: -1 is best. */
static double cosine_similarity(const Real *x, const Real *label, size_t width, double *dx) {
    double a = length(x, width), b = length(label, width), product = 0;
    for (size_t c = 0; c < width; c++)
        product += (double)x[c] * (double)label[c];
    product /= a * b;
    for (size_t c = 0; dx && c < width; c++)
        dx[c] = (product * x[c] / a - label[c] / b) / a;
    return -product;
}

/* max(max_c (1 - t_c) x_c - sum_c t_c x_c + 1, 0) */
static double categorical_hinge(const Real *x, const Real *label, size_t width, double *dx) {
    size_t worst = 0;
    double right = 0;
    for (size_t c = 0; c < width; c++) {
        right += (double)label[c] * (double)x[c];
        if ((1 - label[c]) * x[c] > (1 - label[worst]) * x[worst])
            worst = c;
    }
    double loss = (1 - (double)label[worst]) * (double)x[worst] - right + 1;
    for (size_t c = 0; dx && c < width; c++)
        dx[c] = loss > 0 ? (c == worst ? 1 - (double)label[c] : 0) - (double)label[c] : 0;
    return loss > 0 ? loss : loss <= 0 ? 0 : NAN;
}

double ref__loss_axis(const LossAttr *attr, const Real *x, const Real *label, size_t width, double *dx) {
    switch (attr->kind) {
    case LOSS_CATEGORICAL_FOCAL:
        return categorical_focal(attr, x, label, width, dx);
    case LOSS_KL_DIVERGENCE:
        return kl_divergence(x, label, width, dx);
    case LOSS_COSINE_SIMILARITY:
        return cosine_similarity(x, label, width, dx);
    case LOSS_CATEGORICAL_HINGE:
        return categorical_hinge(x, label, width, dx);
    default:
        return crossentropy(attr, x, label, width, dx);
    }
}
