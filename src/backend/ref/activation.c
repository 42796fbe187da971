/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/broadcast.h"
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* Klambauer et al., "Self-normalizing neural networks", 2017. */
#define SELU_SCALE 1.0507009873554805
#define SELU_ALPHA 1.6732632423543772

#define SQRT_1_2   0.70710678118654752 /* sqrt(1/2) */
#define SQRT_1_2PI 0.39894228040143268 /* 1/sqrt(2 pi) */

/* Overflows for no x. */
static double sigmoid(double x) {
    double e = exp(-fabs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double softplus(double x) {
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

/* The clipped line of hard_sigmoid and hard_silu.  Passes a NaN on. */
static double hard_sigmoid(double alpha, double x) {
    double line = alpha * x + 0.5;
    return line < 0 ? 0 : line > 1 ? 1 : line;
}

/* The slope 0 is apart since 0 times -infinity is not 0. */
static double relu(const ActivationAttr *a, double x) {
    if (x >= a->max_value)
        return a->max_value;
    if (x >= a->threshold)
        return x;
    return a->slope == 0 && x < a->threshold ? 0 : a->slope * (x - a->threshold);
}

static double value(const ActivationAttr *a, double x) {
    switch (a->kind) {
    case ACTIVATION_RELU:
        return relu(a, x);
    case ACTIVATION_ELU:
        return x > 0 ? x : a->alpha * expm1(x);
    case ACTIVATION_CELU:
        return x > 0 ? x : a->alpha * expm1(x / a->alpha);
    case ACTIVATION_SELU:
        return SELU_SCALE * (x > 0 ? x : SELU_ALPHA * expm1(x));
    case ACTIVATION_SIGMOID:
        return sigmoid(x);
    case ACTIVATION_HARD_SIGMOID:
        return hard_sigmoid(a->alpha, x);
    case ACTIVATION_TANH:
        return tanh(x);
    case ACTIVATION_SOFTPLUS:
        return softplus(x);
    case ACTIVATION_SOFTSIGN:
        return x / (1 + fabs(x));
    case ACTIVATION_SILU:
        return x * sigmoid(x);
    case ACTIVATION_HARD_SILU:
        return x * hard_sigmoid(a->alpha, x);
    case ACTIVATION_GELU: /* x Phi(x); erfc keeps the digits of the left tail */
        return 0.5 * x * erfc(-x * SQRT_1_2);
    case ACTIVATION_MISH: /* D. Misra, "Mish: a self regularized non-monotonic activation function", 2019 */
        return x * tanh(softplus(x));
    case ACTIVATION_EXPONENTIAL:
        return exp(x);
    case ACTIVATION_LINEAR:
    case ACTIVATION_KINDS:
        break;
    }
    return x;
}

/* dy/dx where the shape rule keeps y alone. */
static double slope_from_y(const ActivationAttr *a, double y) {
    switch (a->kind) {
    case ACTIVATION_RELU:
        return y >= a->max_value ? 0 : y > 0 ? 1 : a->slope;
    case ACTIVATION_ELU:
        return y > 0 ? 1 : y + a->alpha;
    case ACTIVATION_CELU:
        return y > 0 ? 1 : y / a->alpha + 1;
    case ACTIVATION_SELU:
        return y > 0 ? SELU_SCALE : y + SELU_SCALE * SELU_ALPHA;
    case ACTIVATION_SIGMOID:
        return y * (1 - y);
    case ACTIVATION_HARD_SIGMOID:
        return y > 0 && y < 1 ? a->alpha : 0;
    case ACTIVATION_TANH:
        return 1 - y * y;
    case ACTIVATION_SOFTPLUS: /* sigmoid(x) = 1 - exp(-y) */
        return -expm1(-y);
    case ACTIVATION_EXPONENTIAL:
        return y;
    default:
        return 1;
    }
}

/* dy/dx where the shape rule keeps x. */
static double slope_from_x(const ActivationAttr *a, double x) {
    double s, t, line;
    switch (a->kind) {
    case ACTIVATION_RELU:
        return x >= a->max_value ? 0 : x >= a->threshold ? 1 : a->slope;
    case ACTIVATION_ELU:
        return x > 0 ? 1 : a->alpha * exp(x);
    case ACTIVATION_SOFTSIGN:
        return 1 / ((1 + fabs(x)) * (1 + fabs(x)));
    case ACTIVATION_SILU:
        s = sigmoid(x);
        return s + x * s * (1 - s);
    case ACTIVATION_HARD_SILU:
        line = hard_sigmoid(a->alpha, x);
        return line + (line > 0 && line < 1 ? a->alpha * x : 0);
    case ACTIVATION_GELU:
        return 0.5 * erfc(-x * SQRT_1_2) + x * SQRT_1_2PI * exp(-0.5 * x * x);
    case ACTIVATION_MISH:
        t = tanh(softplus(x));
        return t + x * sigmoid(x) * (1 - t * t);
    default:
        return 1;
    }
}

static void activation_forward(const OpDesc *op, const OpBuffers *b) {
    size_t count = op->n * shape_count(&op->y);
    for (size_t i = 0; i < count; i++)
        b->y[i] = (Real)value(&op->attr.activation, b->x[0][i]);
}

static void activation_backward(const OpDesc *op, const OpBuffers *b) {
    const ActivationAttr *attr = &op->attr.activation;
    size_t count = b->dx[0] ? op->n * shape_count(&op->y) : 0;
    for (size_t i = 0; i < count; i++) {
        double slope = op->keeps_x ? slope_from_x(attr, b->x[0][i]) : slope_from_y(attr, op->keeps_y ? b->y[i] : 0);
        b->dx[0][i] = (Real)((b->dx_add[0] ? b->dx[0][i] : 0) + slope * b->dy[i]);
    }
}

const Kernel ref_activation = {.forward = activation_forward, .backward = activation_backward};

/* y_c = exp(x_c - max x) / sum over the classes. */
static void softmax_forward(const OpDesc *op, const OpBuffers *b) {
    size_t classes = op->y.dim[op->y.rank - 1], rows = op->n * shape_count(&op->y) / classes;
    for (size_t r = 0; r < rows; r++) {
        const Real *x = b->x[0] + r * classes;
        Real *y = b->y + r * classes, largest = x[0];
        double sum = 0;
        for (size_t c = 1; c < classes; c++)
            largest = x[c] > largest ? x[c] : largest;
        for (size_t c = 0; c < classes; c++) /* y may lie on x: x[c] is read before y[c] is written */
            sum += exp((double)x[c] - largest);
        for (size_t c = 0; c < classes; c++)
            y[c] = (Real)(exp((double)x[c] - largest) / sum);
    }
}

/* dx_c = y_c (dy_c - sum_k y_k dy_k) */
static void softmax_backward(const OpDesc *op, const OpBuffers *b) {
    size_t classes = op->y.dim[op->y.rank - 1], rows = b->dx[0] ? op->n * shape_count(&op->y) / classes : 0;
    for (size_t r = 0; r < rows; r++) {
        const Real *y = b->y + r * classes, *dy = b->dy + r * classes;
        Real *dx = b->dx[0] + r * classes;
        double dot = 0;
        for (size_t c = 0; c < classes; c++)
            dot += (double)y[c] * dy[c];
        for (size_t c = 0; c < classes; c++)
            dx[c] = (Real)((b->dx_add[0] ? dx[c] : 0) + y[c] * (dy[c] - dot));
    }
}

const Kernel ref_softmax = {.forward = softmax_forward, .backward = softmax_backward};

static void prelu_forward(const OpDesc *op, const OpBuffers *b) {
    size_t count = shape_count(&op->y);
    for (size_t i = 0; i < op->n * count; i++) {
        Real x = b->x[0][i], slope = b->w[0][broadcast_index(&op->w[0], &op->y, i % count)];
        b->y[i] = x < 0 ? slope * x : x;
    }
}

static void prelu_backward(const OpDesc *op, const OpBuffers *b) {
    size_t count = shape_count(&op->y);
    if (b->dw[0] && !b->dw_add[0])
        memset(b->dw[0], 0, shape_count(&op->w[0]) * sizeof(Real));
    for (size_t i = 0; i < op->n * count; i++) {
        size_t k = broadcast_index(&op->w[0], &op->y, i % count);
        Real x = b->x[0][i], dy = b->dy[i];
        if (b->dw[0])
            b->dw[0][k] += x < 0 ? dy * x : 0;
        if (b->dx[0])
            b->dx[0][i] = (b->dx_add[0] ? b->dx[0][i] : 0) + (x < 0 ? b->w[0][k] : 1) * dy;
    }
}

const Kernel ref_prelu = {.forward = prelu_forward, .backward = prelu_backward};
