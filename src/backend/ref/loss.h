/* SPDX-License-Identifier: Apache-2.0
 *
 * The terms of losses: loss.c takes their means and sums. */
#ifndef BACKEND_REF_LOSS_H
#define BACKEND_REF_LOSS_H
#include "backend/op.h"

/* Probabilities are kept this far from 0 and 1 before a logarithm, as Keras does (keras.config.epsilon). */
#define LOSS_EPSILON 1e-7

/* The loss of element x with label t, and *dx = its derivative by x. */
double ref__loss_element(const LossAttr *attr, double x, double t, double *dx);

/* The loss of a row x[width]; label: a class number, or [width].  dx[width]: its gradient; NULL: not wanted. */
double ref__loss_axis(const LossAttr *attr, const Real *x, const Real *label, size_t width, double *dx);

/* Losses of all pairs: the sum over n examples x[n][width] with class numbers label[n] of weights[i] (NULL: 1) times
 * the loss of example i.  dx[n][width]: its gradient; NULL: not wanted.  *correct: how many have one of their class as
 * nearest neighbour.  work: ref__loss_pairs_work(n, width) doubles. */
double ref__loss_pairs(const LossAttr *attr, size_t n, size_t width, const Real *x, const Real *label,
                       const Real *weights, double *work, double *dx, double *correct);
size_t ref__loss_pairs_work(size_t n, size_t width);

#endif
