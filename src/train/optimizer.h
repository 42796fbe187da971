/* SPDX-License-Identifier: Apache-2.0
 *
 * Optimizers with Keras's formulas (keras.optimizers; they differ from torch's in where epsilon stands and in what a slot
 * holds).  g gradient, p parameter, t = step + 1, lr of this step:
 *
 *   all       p = p - lr * weight_decay * p first, when weight_decay > 0 (decoupled: Loshchilov, Hutter, ICLR 2019)
 *   sgd       momentum 0: p -= lr g.   Else m = momentum m - lr g;  p += m;  Nesterov: p += momentum m - lr g
 *             (Sutskever et al., ICML 2013)
 *   adam, adamw   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  p -= lr sqrt(1-b2^t)/(1-b1^t) * m / (sqrt(v) + epsilon)
 *             (Kingma, Ba, ICLR 2015, the efficient order of section 2: v is not corrected before epsilon is added)
 *   rmsprop   v = rho v + (1-rho) g^2;  u = lr g / sqrt(v + epsilon);  momentum 0: p -= u.
 *             Else m = momentum m + u;  p -= m
 *
 * All trained parameters lie in one slab, so a step is one loop over flat arrays, whatever the network. */
#ifndef TRAIN_OPTIMIZER_H
#define TRAIN_OPTIMIZER_H
#include "base/real.h"
#include "graph/graph.h"
#include <stdint.h>

typedef enum OptimizerKind {
    OPTIMIZER_SGD,
    OPTIMIZER_ADAM,
    OPTIMIZER_ADAMW,
    OPTIMIZER_RMSPROP,
    OPTIMIZER_KINDS
} OptimizerKind;

enum { OPTIMIZER_MAX_SLOTS = 2 };

typedef struct OptimizerOptions {
    OptimizerKind kind;
    double momentum;       /* sgd, rmsprop */
    bool nesterov;         /* sgd */
    double beta_1, beta_2; /* adam, adamw */
    double epsilon;        /* above 0; adam, adamw, rmsprop */
    double rho;            /* rmsprop */
    double weight_decay;   /* every trained parameter, biases and batch norm's too, as in Keras */
    double clip_norm;      /* 0: none; else the gradient of all parameters together is at most this long (2-norm) */
} OptimizerOptions;

/* A slab of optimizer state with one element per element of the trained part of the weight slab, at the same offsets
 * (Param.offset): what a checkpoint saves beside the step. */
typedef struct OptimizerSlot {
    const char *name; /* sgd "momentum"; adam "m", "v"; rmsprop "velocity", "momentum".  Static */
    Real *slab;       /* [graph->trained_count], owned by the Optimizer; zeros at the start */
} OptimizerSlot;

typedef struct Optimizer {
    const Graph *graph; /* borrowed, finished */
    OptimizerOptions options;
    OptimizerSlot slots[OPTIMIZER_MAX_SLOTS];
    size_t slot_count; /* sgd: 0 or 1; adam: 2; rmsprop: 1 or 2 */
} Optimizer;

typedef struct OptimizerResult {
    double penalty;       /* sum of l1 sum|w| + l2 sum w^2 over trained parameters, before the step: part of the loss */
    double gradient_norm; /* before clipping; NAN without clip_norm */
} OptimizerResult;

/* Slots are zero.  Fails when memory does. */
Status optimizer_create(const OptimizerOptions *options, const Graph *graph, Optimizer **out);
void optimizer_destroy(Optimizer *optimizer); /* accepts NULL */

/* How many slots an optimizer with these options has, for the memory forecast. */
size_t optimizer_slot_count(const OptimizerOptions *options);

/* One step.  Same arguments on all ranks give the same bits: everything is a function of the slabs.
 *   step         steps done before this one, from 0
 *   weights      [graph->weight_count] in and out: trained part and moving statistics change
 *   gradient     [graph->gradient_count] the sums over the batch as the tree made them; padding is 0; overwritten
 *   weight       what the gradient sums are divided by: the batch's total example weight; 0: the gradient counts as 0
 *   examples     in the batch: what the statistics' sums are divided by; 0: statistics stay
 * Gradient of a parameter = sum / weight + l1 sign(w) + 2 l2 w; then clipping by the norm of the whole; then the update.
 * Moving statistic = m * value + (1 - m) * sum / (examples * uses), m = momentum^uses.
 * The norm is summed in double over fixed blocks of the slab.  Not collective, allocates nothing, cannot fail. */
OptimizerResult optimizer_apply(Optimizer *optimizer, double lr, uint64_t step, Real *weights, Real *gradient,
                                double weight, double examples);

/* The penalty alone, for the loss on validation data. */
double optimizer_penalty(const Graph *graph, const Real *weights);

#endif
