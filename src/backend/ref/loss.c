/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* Probabilities are kept this far from 0 and 1 before a logarithm, as Keras does (keras.config.epsilon). */
#define PROBABILITY_EPSILON 1e-7

/* A row is what one loss term looks at: the classes of one position, or one element. */
typedef struct Rows {
    size_t width;       /* elements of the prediction in a row */
    size_t label_width; /* 1 for class numbers */
    size_t per_example;
} Rows;

static bool is_per_class(const OpDesc *op) {
    return op->attr.loss.kind == LOSS_SPARSE_CROSSENTROPY || op->attr.loss.kind == LOSS_CROSSENTROPY;
}

static Rows rows_of(const OpDesc *op) {
    const Shape *x = &op->x[0];
    size_t width = is_per_class(op) ? x->dim[x->rank - 1] : 1;
    return (Rows){width, op->attr.loss.kind == LOSS_CROSSENTROPY ? width : 1, shape_count(x) / width};
}

static double clip(double p) {
    return p < PROBABILITY_EPSILON ? PROBABILITY_EPSILON : p > 1 - PROBABILITY_EPSILON ? 1 - PROBABILITY_EPSILON : p;
}

static bool is_clipped(double p) {
    return p < PROBABILITY_EPSILON || p > 1 - PROBABILITY_EPSILON;
}

/* The smoothed target of class c.  A class number that is none of them makes the loss NaN. */
static double target(const LossAttr *attr, const Real *label, size_t c, size_t classes) {
    double smooth = attr->label_smoothing, t;
    if (attr->kind == LOSS_CROSSENTROPY)
        t = label[c];
    else if (label[0] >= 0 && label[0] < (double)classes && label[0] == floor(label[0]))
        t = (size_t)label[0] == c;
    else
        t = NAN;
    return t * (1 - smooth) + smooth / (double)classes;
}

/* log(sum_c exp(x_c)) without overflow. */
static double log_sum_exp(const Real *x, size_t classes) {
    double largest = x[0], sum = 0;
    for (size_t c = 1; c < classes; c++)
        largest = x[c] > largest ? x[c] : largest;
    for (size_t c = 0; c < classes; c++)
        sum += exp(x[c] - largest);
    return largest + log(sum);
}

static double row_sum(const Real *x, size_t count) {
    double sum = 0;
    for (size_t c = 0; c < count; c++)
        sum += x[c];
    return sum;
}

/* -sum_c t_c log(p_c); p = softmax(x), or x over its sum, clipped.  A target of 0 counts 0 whatever its class says. */
static double crossentropy(const LossAttr *attr, const Real *x, const Real *label, size_t classes) {
    double loss = 0, scale = attr->from_logits ? log_sum_exp(x, classes) : row_sum(x, classes);
    for (size_t c = 0; c < classes; c++) {
        double t = target(attr, label, c, classes);
        if (t != 0)
            loss += t * (attr->from_logits ? scale - x[c] : -log(clip(x[c] / scale)));
    }
    return loss;
}

/* By logits: p_c sum(t) - t_c.  By probabilities q = x / sum(x): (h_c - sum_k h_k q_k) / sum(x), where h_c = -t_c / q_c,
 * 0 where the clipping holds. */
static void crossentropy_gradient(const LossAttr *attr, const Real *x, const Real *label, size_t classes, double *dx) {
    double scale = attr->from_logits ? log_sum_exp(x, classes) : row_sum(x, classes), sum = 0;
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

/* Loss of one element and its derivative, with d = x - t:
 *     binary cross-entropy   -t log(p) - (1 - t) log(1 - p);  by logits max(x, 0) - x t + log(1 + exp(-|x|))
 *     squared, absolute      d^2, |d|
 *     Huber                  d^2 / 2 up to delta, from there the tangent: delta (|d| - delta / 2) */
static double element_loss(const LossAttr *attr, double x, double t, double *dx) {
    double d = x - t, e, p;
    switch (attr->kind) {
    case LOSS_BINARY_CROSSENTROPY:
        t = t * (1 - attr->label_smoothing) + 0.5 * attr->label_smoothing;
        if (attr->from_logits) {
            e = exp(-fabs(x));
            *dx = (x >= 0 ? 1 / (1 + e) : e / (1 + e)) - t;
            return (x > 0 ? x : 0) - x * t + log1p(e);
        }
        p = clip(x);
        *dx = is_clipped(x) ? 0 : (p - t) / (p * (1 - p));
        return -t * log(p) - (1 - t) * log1p(-p);
    case LOSS_MEAN_ABSOLUTE_ERROR:
        *dx = d > 0 ? 1 : d < 0 ? -1 : 0;
        return fabs(d);
    case LOSS_HUBER:
        if (fabs(d) > attr->delta) {
            *dx = d > 0 ? attr->delta : -attr->delta;
            return attr->delta * (fabs(d) - 0.5 * attr->delta);
        }
        *dx = d;
        return 0.5 * d * d;
    default:
        *dx = 2 * d;
        return d * d;
    }
}

/* The first of the largest; `count` where one is not a number, which is no class. */
static size_t argmax(const Real *x, size_t count) {
    size_t best = 0;
    for (size_t c = 0; c < count; c++) {
        if (isnan(x[c]))
            return count;
        if (x[c] > x[best])
            best = c;
    }
    return best;
}

static bool row_is_correct(const LossAttr *attr, const Real *x, const Real *label, size_t width) {
    if (attr->kind == LOSS_BINARY_CROSSENTROPY)
        return !isnan(x[0]) && (x[0] > (attr->from_logits ? 0 : (Real)0.5)) == (label[0] > (Real)0.5);
    size_t best = argmax(x, width);
    if (attr->kind == LOSS_SPARSE_CROSSENTROPY)
        return best < width && label[0] == (Real)best;
    return best < width && best == argmax(label, width);
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    const LossAttr *attr = &op->attr.loss;
    Rows rows = rows_of(op);
    bool counted = is_per_class(op) || attr->kind == LOSS_BINARY_CROSSENTROPY;
    double loss = 0, correct = 0, ignored;
    for (size_t e = 0; e < op->n; e++) {
        double example_loss = 0;
        size_t example_correct = 0;
        for (size_t r = e * rows.per_example; r < (e + 1) * rows.per_example; r++) {
            const Real *x = b->x[0] + r * rows.width, *label = b->x[1] + r * rows.label_width;
            example_loss += is_per_class(op) ? crossentropy(attr, x, label, rows.width)
                                             : element_loss(attr, x[0], label[0], &ignored);
            example_correct += counted && row_is_correct(attr, x, label, rows.width);
        }
        loss += example_loss / (double)rows.per_example;
        correct += (double)example_correct / (double)rows.per_example;
    }
    if (b->first)
        memset(b->y, 0, LOSS_SUMS * sizeof *b->y);
    b->y[LOSS_SUM_LOSS] += (Real)loss;
    b->y[LOSS_SUM_WEIGHT] += (Real)op->n;
    b->y[LOSS_SUM_CORRECT] += (Real)correct;
    b->y[LOSS_SUM_COUNTED] += counted ? (Real)op->n : 0;
}

/* Scaled by the weight of this loss; a label has no gradient.  `work` holds a row. */
static void backward(const OpDesc *op, const OpBuffers *b) {
    const LossAttr *attr = &op->attr.loss;
    Rows rows = rows_of(op);
    double factor = attr->weight / (double)rows.per_example, *row = b->work;
    if (b->dx[0] == NULL)
        return;
    for (size_t r = 0; r < op->n * rows.per_example; r++) {
        const Real *x = b->x[0] + r * rows.width, *label = b->x[1] + r * rows.label_width;
        Real *dx = b->dx[0] + r * rows.width;
        if (is_per_class(op))
            crossentropy_gradient(attr, x, label, rows.width, row);
        else
            element_loss(attr, x[0], label[0], row);
        for (size_t c = 0; c < rows.width; c++)
            dx[c] = (Real)((b->dx_add[0] ? dx[c] : 0) + factor * row[c]);
    }
}

static void memory(const OpDesc *op, OpMemory *memory) {
    memory->work_bytes = rows_of(op).width * sizeof(double);
}

const Kernel ref_loss = {.forward = forward, .backward = backward, .memory = memory};
