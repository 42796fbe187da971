/* SPDX-License-Identifier: Apache-2.0
 *
 * Noise on gradients (--gradient-noise ETA): N(0, ETA / (1 + t)^0.55) on every element of the gradient of step t, from
 * 0 (Neelakantan et al. 2015, arXiv:1511.06807).  A function of (seed, layer and parameter's name, step, element), so
 * that all ranks add the same. */
#ifndef TRAIN_GRADIENT_NOISE_H
#define TRAIN_GRADIENT_NOISE_H
#include "base/real.h"
#include "graph/graph.h"

/* Adds it to the gradient's sums, `weight` times the gradient; before penalties, clipping and weight decay.  eta 0:
 * none. */
void gradient_noise_add(const Graph *graph, double eta, uint64_t seed, uint64_t step, double weight, Real *gradient);

#endif
