/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/initializer.h"
#include <math.h>

/* Deviation of a standard normal cut at +-2; dividing by it restores the deviation that was asked for. */
#define TRUNCATED_DEVIATION 0.87962566103423978

static void fans(const Shape *shape, double *in, double *out) {
    double field = 1;
    *in = *out = shape->rank ? (double)shape->dim[shape->rank - 1] : 1;
    if (shape->rank < 2)
        return;
    for (size_t i = 0; i + 2 < shape->rank; i++)
        field *= (double)shape->dim[i];
    *in = field * (double)shape->dim[shape->rank - 2];
    *out *= field;
}

/* The first of the draws 0, 1, .. of element k that lies within two deviations. */
static double truncated(RngKey key, size_t k) {
    double z = rng_normal(key, k, 0);
    for (uint64_t attempt = 1; fabs(z) > 2; attempt++)
        z = rng_normal(key, k, attempt);
    return z;
}

/* Variance scaling is one of the plain distributions: this one. */
static Initializer resolve(const Initializer *init, const Shape *shape) {
    if (init->kind != INIT_VARIANCE_SCALING)
        return *init;
    double in, out;
    fans(shape, &in, &out);
    double fan = init->mode == FAN_IN ? in : init->mode == FAN_OUT ? out : 0.5 * (in + out);
    double deviation = sqrt(init->scale / fmax(1, fan));
    if (init->spread == SPREAD_UNIFORM)
        return (Initializer){.kind = INIT_UNIFORM, .a = -sqrt(3) * deviation, .b = sqrt(3) * deviation};
    if (init->spread == SPREAD_NORMAL)
        return (Initializer){.kind = INIT_NORMAL, .b = deviation};
    return (Initializer){.kind = INIT_TRUNCATED_NORMAL, .b = deviation / TRUNCATED_DEVIATION};
}

static double dot(const Real *u, const Real *v, size_t length, size_t step) {
    double sum = 0;
    for (size_t i = 0; i < length; i++)
        sum += (double)u[i * step] * v[i * step];
    return sum;
}

/* Orthonormal columns of a normal matrix (its rows when it is wide), by Gram-Schmidt, twice for full precision.  The QR
 * factors so made have a positive diagonal in R, which makes Q uniform among orthogonal matrices (Mezzadri, "How to
 * generate random matrices from the classical compact groups", 2007). */
static void orthogonal(double gain, const Shape *shape, RngKey key, Real *values) {
    size_t columns = shape->rank ? shape->dim[shape->rank - 1] : 1, count = shape_count(shape);
    if (count == 0)
        return;
    size_t rows = count / columns;
    bool wide = rows < columns;
    size_t vectors = wide ? rows : columns, length = wide ? columns : rows;
    size_t step = wide ? 1 : columns, next = wide ? columns : 1;
    for (size_t k = 0; k < count; k++)
        values[k] = (Real)rng_normal(key, k, 0);
    for (size_t j = 0; j < vectors; j++) {
        Real *v = values + j * next;
        for (size_t i = 0; i < 2 * j; i++) {
            const Real *u = values + i % j * next;
            double along = dot(u, v, length, step);
            for (size_t k = 0; k < length; k++)
                v[k * step] = (Real)(v[k * step] - along * u[k * step]);
        }
        double norm = sqrt(dot(v, v, length, step));
        for (size_t k = 0; k < length; k++)
            v[k * step] = (Real)(v[k * step] / norm);
    }
    for (size_t k = 0; k < count; k++)
        values[k] = (Real)(gain * values[k]);
}

void initializer_fill(const Initializer *init, const Shape *shape, RngKey key, Real *values) {
    Initializer plain = resolve(init, shape);
    size_t count = shape_count(shape);
    if (plain.kind == INIT_ORTHOGONAL) {
        orthogonal(plain.a, shape, key, values);
        return;
    }
    for (size_t k = 0; k < count; k++) {
        double value = plain.a;
        if (plain.kind == INIT_UNIFORM)
            value += (plain.b - plain.a) * rng_uniform(key, k, 0);
        else if (plain.kind == INIT_NORMAL)
            value += plain.b * rng_normal(key, k, 0);
        else if (plain.kind == INIT_TRUNCATED_NORMAL)
            value += plain.b * truncated(key, k);
        values[k] = (Real)value;
    }
}
