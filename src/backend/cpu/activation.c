/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/vector.h"

/* The activations that have a vector form here; softplus (a logarithm) and celu are ref's. */
// clang-format off
#define ACTIVATIONS(X)                                                                                                 \
    X(ACTIVATION_LINEAR) X(ACTIVATION_RELU) X(ACTIVATION_ELU) X(ACTIVATION_SELU) X(ACTIVATION_SIGMOID)                 \
    X(ACTIVATION_HARD_SIGMOID) X(ACTIVATION_TANH) X(ACTIVATION_SOFTSIGN) X(ACTIVATION_SILU) X(ACTIVATION_HARD_SILU)    \
    X(ACTIVATION_GELU) X(ACTIVATION_MISH) X(ACTIVATION_EXPONENTIAL)
// clang-format on

typedef struct Numbers {
    float slope, max_value, alpha;
} Numbers;

static Numbers numbers_of(const ActivationAttr *a) {
    return (Numbers){(float)a->slope, (float)a->max_value, (float)a->alpha};
}

/* selu (G. Klambauer et al., "Self-normalizing neural networks", 2017). */
#define SELU_ALPHA 1.6732632423543772f
#define SELU_SCALE 1.0507009873554805f

CPU_INLINE float clip_unit(float x) {
    x = x < 0 ? 0 : x;
    return x > 1 ? 1 : x;
}

/* tanh(softplus(x)) = u / (u + 2), u = e^x (e^x + 2); from 20 on it is 1. */
CPU_INLINE float mish_gate(float x) {
    float e = vector_exp(x > 20 ? 20 : x), u = e * (e + 2);
    return u / (u + 2);
}

/* `kind` is a constant wherever this is inlined. */
CPU_INLINE float activate(Activation kind, Numbers k, float x) {
    switch (kind) {
    case ACTIVATION_RELU:
        return x >= k.max_value ? k.max_value : x >= 0 ? x : k.slope == 0 && x < 0 ? 0 : k.slope * x;
    case ACTIVATION_ELU:
        return x > 0 ? x : k.alpha * (vector_exp(x) - 1);
    case ACTIVATION_SELU:
        return SELU_SCALE * (x > 0 ? x : SELU_ALPHA * (vector_exp(x) - 1));
    case ACTIVATION_SIGMOID:
        return vector_sigmoid(x);
    case ACTIVATION_HARD_SIGMOID:
        return clip_unit(k.alpha * x + 0.5f);
    case ACTIVATION_TANH:
        return vector_tanh(x);
    case ACTIVATION_SOFTSIGN:
        return x / (1 + (x < 0 ? -x : x));
    case ACTIVATION_SILU:
        return x * vector_sigmoid(x);
    case ACTIVATION_HARD_SILU:
        return x * clip_unit(k.alpha * x + 0.5f);
    case ACTIVATION_GELU:
        return x * vector_phi(x);
    case ACTIVATION_MISH:
        return x * mish_gate(x);
    case ACTIVATION_EXPONENTIAL:
        return vector_exp(x);
    default:
        return x;
    }
}

/* The derivative, from v: y where the shape rule keeps y, else x. */
CPU_INLINE float derivative(Activation kind, Numbers k, float v) {
    switch (kind) {
    case ACTIVATION_RELU:
        return v >= k.max_value ? 0 : v > 0 ? 1 : k.slope;
    case ACTIVATION_ELU:
        return v > 0 ? 1 : v + k.alpha;
    case ACTIVATION_SELU:
        return v > 0 ? SELU_SCALE : v + SELU_SCALE * SELU_ALPHA;
    case ACTIVATION_SIGMOID:
        return v * (1 - v);
    case ACTIVATION_HARD_SIGMOID:
        return v > 0 && v < 1 ? k.alpha : 0;
    case ACTIVATION_TANH:
        return 1 - v * v;
    case ACTIVATION_SOFTSIGN: {
        float d = 1 + (v < 0 ? -v : v);
        return 1 / (d * d);
    }
    case ACTIVATION_SILU: {
        float s = vector_sigmoid(v);
        return s * (1 + v * (1 - s));
    }
    case ACTIVATION_HARD_SILU: {
        float s = k.alpha * v + 0.5f;
        return s <= 0 ? 0 : s >= 1 ? 1 : s + k.alpha * v;
    }
    case ACTIVATION_GELU: /* the density of the normal distribution is 1 / sqrt(2 pi) e^(-x^2 / 2) */
        return vector_phi(v) + v * 0.3989422804014327f * vector_exp(-0.5f * v * v);
    case ACTIVATION_MISH: {
        float t = mish_gate(v);
        return t + v * vector_sigmoid(v) * (1 - t * t);
    }
    case ACTIVATION_EXPONENTIAL:
        return v;
    default:
        return 1;
    }
}

CPU_CLONES
static void activate_values(Activation kind, Numbers k, const float *x, size_t count, float *y) {
    switch (kind) {
#define CASE(constant)                                                                                                 \
    case constant:                                                                                                     \
        _Pragma("GCC ivdep") for (size_t i = 0; i < count; i++) y[i] = activate(constant, k, x[i]);                    \
        break;
        ACTIVATIONS(CASE)
#undef CASE
    default:
        break;
    }
}

/* kind and add are constants: a condition inside a loop of so many steps would keep it from being vectorised. */
CPU_INLINE void chain(Activation kind, Numbers k, const float *v, const float *dy, size_t count, bool add, float *dx) {
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++) {
        float value = dy[i] * derivative(kind, k, v[i]);
        dx[i] = add ? dx[i] + value : value;
    }
}

CPU_CLONES
static void chain_values(Activation kind, Numbers k, const float *v, const float *dy, size_t count, bool add,
                         float *dx) {
    switch (kind) {
#define CASE(constant)                                                                                                 \
    case constant:                                                                                                     \
        if (add)                                                                                                       \
            chain(constant, k, v, dy, count, true, dx);                                                                \
        else                                                                                                           \
            chain(constant, k, v, dy, count, false, dx);                                                               \
        break;
        ACTIVATIONS(CASE)
#undef CASE
    default:
        break;
    }
}

/* relu and elu with parameters for which y does not decide the derivative (the shape rule then keeps x) are ref's. */
static bool supports(const OpDesc *op) {
    switch (op->attr.activation.kind) {
    case ACTIVATION_SOFTPLUS:
    case ACTIVATION_CELU:
        return false;
    case ACTIVATION_RELU:
    case ACTIVATION_ELU:
        return !op->keeps_x;
    default:
        return true;
    }
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    const ActivationAttr *a = &op->attr.activation;
    activate_values(a->kind, numbers_of(a), b->x[0], total_count(op, &op->y), b->y);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    const ActivationAttr *a = &op->attr.activation;
    /* linear keeps neither: its derivative reads nothing, dy stands in. */
    const float *v = op->keeps_x ? b->x[0] : op->keeps_y ? b->y : b->dy;
    if (b->dx[0])
        chain_values(a->kind, numbers_of(a), v, b->dy, total_count(op, &op->y), b->dx_add[0], b->dx[0]);
}

const Kernel cpu_activation = {.forward = forward, .backward = backward, .supports = supports};
