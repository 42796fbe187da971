/* SPDX-License-Identifier: Apache-2.0
 *
 * Optimizers with Keras's formulas (keras.optimizers; they differ from torch's in where epsilon stands and in what a
 * slot holds).  g gradient, p parameter, t = step + 1, lr of this step times the parameter's multiplier:
 *
 *   all but lars, lamb   p = p - lr * weight_decay * p first (decoupled: Loshchilov, Hutter, ICLR 2019)
 *   sgd       momentum 0: p -= lr g.   Else m = momentum m - lr g;  p += m;  Nesterov: p += momentum m - lr g
 *             (Sutskever et al., ICML 2013)
 *   adam, adamw   m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2;  p -= lr sqrt(1-b2^t)/(1-b1^t) * m / (sqrt(v) + epsilon)
 *             (Kingma, Ba, ICLR 2015, the efficient order of section 2: v is not corrected before epsilon is added)
 *   rmsprop   v = rho v + (1-rho) g^2;  u = lr g / sqrt(v + epsilon);  momentum 0: p -= u.
 *             Else m = momentum m + u;  p -= m
 *   lars      r = trust |p| / (|g| + weight_decay |p|);  m = momentum m - lr r (g + weight_decay p);  p += m
 *             (You, Gitman, Ginsburg 2017, algorithm 1)
 *   lamb      m, v as adam's;  u = m/(1-b1^t) / (sqrt(v/(1-b2^t)) + epsilon) + weight_decay p;  p -= lr |p|/|u| u
 *             (You et al., ICLR 2020, algorithm 2, phi(x) = x)
 *   lars, lamb   |.| is the 2-norm of one weight tensor.  The factor r or |p|/|u| is 1 where a norm is 0, and for
 *             parameters of one dimension (biases, batch norm's), as in their authors' code.
 *
 * weight_decay counts for parameters of two dimensions and more (kernels) alone, unless `decay_all`.
 *
 * All trained parameters lie in one slab.  A step runs over spans of it, in which all elements are treated alike: one
 * span where nothing tells parameters apart, whatever the network. */
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
    OPTIMIZER_LARS,
    OPTIMIZER_LAMB,
    OPTIMIZER_KINDS
} OptimizerKind;

enum { OPTIMIZER_MAX_SLOTS = 2 };

typedef struct OptimizerOptions {
    OptimizerKind kind;
    double momentum;       /* sgd, rmsprop, lars */
    bool nesterov;         /* sgd */
    double beta_1, beta_2; /* adam, adamw, lamb */
    double epsilon;        /* above 0; adam, adamw, rmsprop, lamb */
    double rho;            /* rmsprop */
    double trust;          /* lars */
    double weight_decay;   /* 0: none */
    bool decay_all;        /* also biases and batch norm's parameters, as Keras and PyTorch do */
    double clip_norm;      /* 0: none; else the gradient of all parameters together is at most this long (2-norm) */
} OptimizerOptions;

/* A slab of optimizer state with one element per element of the trained part of the weight slab, at the same offsets
 * (Param.offset): what a checkpoint saves beside the step. */
typedef struct OptimizerSlot {
    const char *name; /* sgd, lars "momentum"; adam, lamb "m", "v"; rmsprop "velocity", "momentum".  Static */
    Real *slab;       /* [graph->trained_count], owned by the Optimizer; zeros at the start */
} OptimizerSlot;

/* Elements [offset, offset + count) of the slabs, with the padding between parameters. */
typedef struct OptimizerSpan {
    size_t offset, count;
    double multiplier;        /* of the learning rate */
    bool decays, adapts;      /* weight decay; the norms of lars, lamb: then it is one parameter */
    const ParamSpec *penalty; /* of the parameter that it is, borrowed from the graph; NULL: no L1 or L2 */
} OptimizerSpan;

typedef struct Optimizer {
    const Graph *graph; /* borrowed, finished */
    OptimizerOptions options;
    OptimizerSlot slots[OPTIMIZER_MAX_SLOTS];
    size_t slot_count;    /* sgd, lars: 0 or 1; adam, lamb: 2; rmsprop: 1 or 2 */
    OptimizerSpan *spans; /* owned; all trained parameters */
    size_t span_count;
} Optimizer;

typedef struct OptimizerResult {
    double penalty;       /* sum of l1 sum|w| + l2 sum w^2 over trained parameters, before the step: part of the loss */
    double gradient_norm; /* before clipping; NAN without clip_norm */
} OptimizerResult;

/* Slots are zero.  multipliers: of the learning rate, for each of the graph's parameters; NULL: 1.  Fails when memory
 * does. */
Status optimizer_create(const OptimizerOptions *options, const Graph *graph, const double *multipliers,
                        Optimizer **out);
void optimizer_destroy(Optimizer *optimizer); /* accepts NULL */

/* How many slots an optimizer with these options has, for the memory forecast. */
size_t optimizer_slot_count(const OptimizerOptions *options);

/* One step.  Same arguments on all ranks give the same bits: everything is a function of the slabs.
 *   step         steps done before this one, from 0
 *   weights      [graph->weight_count] in and out: trained part and moving statistics change
 *   gradient     [graph->gradient_count] the sums over the batch as the tree made them; padding is 0; overwritten
 *   weight       what the gradient sums are divided by: the batch's total example weight; 0: the gradient counts as 0
 *   examples     in the batch: what the statistics' sums are divided by; 0: statistics stay
 * Gradient of a parameter = sum / weight + l1 sign(w) + 2 l2 w; then clipping by the norm of the whole; then the
 * update.  Moving statistic = m * value + (1 - m) * sum / (examples * uses), m = momentum^uses.
 * Norms are summed in double over fixed blocks of the slab, or of the parameter.  Not collective, allocates nothing,
 * cannot fail. */
OptimizerResult optimizer_apply(Optimizer *optimizer, double lr, uint64_t step, Real *weights, Real *gradient,
                                double weight, double examples);

/* The penalty alone, for the loss on validation data. */
double optimizer_penalty(const Graph *graph, const Real *weights);

#endif
