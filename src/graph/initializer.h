/* SPDX-License-Identifier: Apache-2.0
 *
 * Initial values of parameters, as Keras defines them (keras.initializers). */
#ifndef GRAPH_INITIALIZER_H
#define GRAPH_INITIALIZER_H
#include "base/real.h"
#include "base/rng.h"
#include "base/shape.h"

typedef enum InitKind {
    INIT_CONSTANT,         /* a */
    INIT_UNIFORM,          /* [a, b) */
    INIT_NORMAL,           /* mean a, deviation b */
    INIT_TRUNCATED_NORMAL, /* mean a, deviation b, redrawn beyond 2 b */
    INIT_VARIANCE_SCALING, /* covers glorot, he, lecun */
    INIT_ORTHOGONAL        /* gain a; columns by QR of a normal matrix [product of the others, last axis] */
} InitKind;

typedef enum FanMode { FAN_IN, FAN_OUT, FAN_AVERAGE } FanMode;
typedef enum InitShape { SPREAD_UNIFORM, SPREAD_NORMAL, SPREAD_TRUNCATED } InitShape;

typedef struct Initializer {
    InitKind kind;
    double a, b;
    double scale; /* variance scaling: variance = scale / fan */
    FanMode mode;
    InitShape spread;
} Initializer;

/* Writes shape_count(shape) values.  Fans as in Keras: for a shape (..., i, o) with receptive field r = product of the
 * others, fan_in = i r and fan_out = o r; rank 1: both n.  Element k depends on (key, k) only, but for orthogonal. */
void initializer_fill(const Initializer *init, const Shape *shape, RngKey key, Real *values);

#endif
