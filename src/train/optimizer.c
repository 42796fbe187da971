/* SPDX-License-Identifier: Apache-2.0 */
#include "train/optimizer.h"
#include "base/memory.h"
#include <math.h>

/* The update loops are limited by memory (sgd runs at 170 to 195 GB/s from the second-level cache, adam at 98, all at the
 * memory's own speed beyond it), so the compiler's vectorisation is enough; where it can, it also makes a copy for AVX2,
 * chosen when the program starts.  Not for AVX-512: that would bring fused multiply-adds, and then replicas on different
 * CPUs would drift apart; like this all x86 CPUs give the same bits. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
#define FOR_EVERY_CPU __attribute__((target_clones("avx2", "default")))
#else
#define FOR_EVERY_CPU
#endif

enum { BLOCK = 4096, LANES = 8 }; /* BLOCK: elements that stay in the L1 cache */

size_t optimizer_slot_count(const OptimizerOptions *options) {
    switch (options->kind) {
    case OPTIMIZER_SGD:
        return options->momentum != 0 ? 1 : 0;
    case OPTIMIZER_RMSPROP:
        return options->momentum != 0 ? 2 : 1;
    default:
        return 2;
    }
}

Status optimizer_create(const OptimizerOptions *options, const Graph *graph, Optimizer **out) {
    static const char *const names[OPTIMIZER_KINDS][OPTIMIZER_MAX_SLOTS] = {
        [OPTIMIZER_SGD] = {"momentum"},
        [OPTIMIZER_ADAM] = {"m", "v"},
        [OPTIMIZER_ADAMW] = {"m", "v"},
        [OPTIMIZER_RMSPROP] = {"velocity", "momentum"},
    };
    CHECK(graph->finished, "the optimizer needs a finished graph");
    Status status = STATUS_OK;
    TRY(memory_new(out, 1, "optimizer"));
    Optimizer *optimizer = *out;
    optimizer->graph = graph;
    optimizer->options = *options;
    optimizer->slot_count = optimizer_slot_count(options);
    for (size_t s = 0; s < optimizer->slot_count; s++) {
        optimizer->slots[s].name = names[options->kind][s];
        TRY_GOTO(memory_new(&optimizer->slots[s].slab, graph->trained_count, "optimizer slots"), done);
    }
done:
    if (status != STATUS_OK) {
        optimizer_destroy(optimizer);
        *out = NULL;
    }
    return status;
}

void optimizer_destroy(Optimizer *optimizer) {
    if (!optimizer)
        return;
    for (size_t s = 0; s < optimizer->slot_count; s++)
        memory_free(optimizer->slots[s].slab);
    memory_free(optimizer);
}

/* Sum of squares of one block.  The lanes are spelled out, so that the order of additions does not depend on how the
 * compiler vectorises. */
FOR_EVERY_CPU static double block_squares(const Real *x, size_t count) {
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (double)x[i + j] * (double)x[i + j];
    for (size_t j = 0; i < count; i++, j++)
        lane[j] += (double)x[i] * (double)x[i];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* Sum of squares over fixed blocks, block sums added in order. */
static double squares(const Real *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i += BLOCK)
        sum += block_squares(x + i, count - i < BLOCK ? count - i : BLOCK);
    return sum;
}

/* Frozen parameters have no penalty, as in Keras. */
static bool has_penalty(const ParamSpec *spec) {
    return spec->role == PARAM_TRAINED && (spec->l1 != 0 || spec->l2 != 0);
}

/* Of `count` elements. */
static double penalty_of(const ParamSpec *spec, const Real *w, size_t count) {
    double absolute = 0;
    for (size_t i = 0; i < count && spec->l1 != 0; i++)
        absolute += fabs((double)w[i]);
    return spec->l1 * absolute + spec->l2 * squares(w, count);
}

double optimizer_penalty(const Graph *graph, const Real *weights) {
    double penalty = 0;
    for (size_t p = 0; p < graph->param_count; p++) {
        const Param *param = &graph->params[p];
        if (has_penalty(&param->spec))
            penalty += penalty_of(&param->spec, weights + param->offset, param->count);
    }
    return penalty;
}

FOR_EVERY_CPU static void add_l1_l2(size_t n, const Real *restrict w, Real l1, Real l2, Real *restrict g) {
    if (l1 == 0)
        for (size_t i = 0; i < n; i++)
            g[i] += l2 * w[i];
    else
        for (size_t i = 0; i < n; i++)
            g[i] += l1 * (Real)((w[i] > 0) - (w[i] < 0)) + l2 * w[i];
}

/* The formulas of the header on n elements.  p parameters, g gradient sums, `scale` makes them the clipped gradient,
 * keep = 1 - lr * weight_decay. */
FOR_EVERY_CPU static void sgd(size_t n, Real *restrict p, const Real *restrict g, Real scale, Real keep, Real lr) {
    for (size_t i = 0; i < n; i++)
        p[i] = p[i] * keep - lr * (g[i] * scale);
}

FOR_EVERY_CPU static void sgd_momentum(size_t n, Real *restrict p, const Real *restrict g, Real *restrict m, Real scale,
                                       Real keep, Real lr, Real momentum) {
    for (size_t i = 0; i < n; i++) {
        m[i] = momentum * m[i] - lr * (g[i] * scale);
        p[i] = p[i] * keep + m[i];
    }
}

FOR_EVERY_CPU static void sgd_nesterov(size_t n, Real *restrict p, const Real *restrict g, Real *restrict m, Real scale,
                                       Real keep, Real lr, Real momentum) {
    for (size_t i = 0; i < n; i++) {
        Real step = lr * (g[i] * scale);
        m[i] = momentum * m[i] - step;
        p[i] = p[i] * keep + momentum * m[i] - step;
    }
}

typedef struct AdamNumbers {
    Real scale, keep, alpha, beta_1, beta_2, one_less_beta_1, one_less_beta_2, epsilon;
} AdamNumbers;

#if REAL_IS_DOUBLE
#define REAL_SQRT sqrt
#else
#define REAL_SQRT sqrtf
#endif

FOR_EVERY_CPU static void adam(size_t n, Real *restrict p, const Real *restrict g, Real *restrict m, Real *restrict v,
                               AdamNumbers a) {
    for (size_t i = 0; i < n; i++) {
        Real d = g[i] * a.scale;
        m[i] = a.beta_1 * m[i] + a.one_less_beta_1 * d;
        v[i] = a.beta_2 * v[i] + a.one_less_beta_2 * (d * d);
        p[i] = p[i] * a.keep - a.alpha * m[i] / (REAL_SQRT(v[i]) + a.epsilon);
    }
}

FOR_EVERY_CPU static void rmsprop(size_t n, Real *restrict p, const Real *restrict g, Real *restrict v, Real scale,
                                  Real keep, Real lr, Real rho, Real one_less_rho, Real epsilon) {
    for (size_t i = 0; i < n; i++) {
        Real d = g[i] * scale;
        v[i] = rho * v[i] + one_less_rho * (d * d);
        p[i] = p[i] * keep - lr * d / REAL_SQRT(v[i] + epsilon);
    }
}

FOR_EVERY_CPU static void rmsprop_momentum(size_t n, Real *restrict p, const Real *restrict g, Real *restrict v,
                                           Real *restrict m, Real scale, Real keep, Real lr, Real rho,
                                           Real one_less_rho, Real epsilon, Real momentum) {
    for (size_t i = 0; i < n; i++) {
        Real d = g[i] * scale;
        v[i] = rho * v[i] + one_less_rho * (d * d);
        m[i] = momentum * m[i] + lr * d / REAL_SQRT(v[i] + epsilon);
        p[i] = p[i] * keep - m[i];
    }
}

/* Adam's rate of a step: lr * sqrt(1 - beta_2^t) / (1 - beta_1^t). */
static double adam_alpha(const OptimizerOptions *o, double lr, uint64_t step) {
    double t = (double)step + 1;
    return lr * sqrt(1 - pow(o->beta_2, t)) / (1 - pow(o->beta_1, t));
}

/* Elements [at, at + n) of the slabs.  alpha: Adam's. */
static void update(Optimizer *optimizer, size_t at, size_t n, double lr, double alpha, Real *weights,
                   const Real *gradient, Real scale) {
    const OptimizerOptions *o = &optimizer->options;
    Real *first = optimizer->slots[0].slab, *second = optimizer->slots[1].slab, *p = weights + at;
    const Real *g = gradient + at;
    first = first ? first + at : NULL;
    second = second ? second + at : NULL;
    Real rate = (Real)lr, keep = (Real)(1 - lr * o->weight_decay), momentum = (Real)o->momentum;
    switch (o->kind) {
    case OPTIMIZER_SGD:
        if (o->momentum == 0)
            sgd(n, p, g, scale, keep, rate);
        else
            (o->nesterov ? sgd_nesterov : sgd_momentum)(n, p, g, first, scale, keep, rate, momentum);
        break;
    case OPTIMIZER_RMSPROP:
        if (o->momentum == 0)
            rmsprop(n, p, g, first, scale, keep, rate, (Real)o->rho, (Real)(1 - o->rho), (Real)o->epsilon);
        else
            rmsprop_momentum(n, p, g, first, second, scale, keep, rate, (Real)o->rho, (Real)(1 - o->rho),
                             (Real)o->epsilon, momentum);
        break;
    default: /* adam, adamw */
        adam(n, p, g, first, second,
             (AdamNumbers){.scale = scale,
                           .keep = keep,
                           .alpha = (Real)alpha,
                           .beta_1 = (Real)o->beta_1,
                           .beta_2 = (Real)o->beta_2,
                           .one_less_beta_1 = (Real)(1 - o->beta_1),
                           .one_less_beta_2 = (Real)(1 - o->beta_2),
                           .epsilon = (Real)o->epsilon});
    }
}

/* A layer that is called several times moves its statistics with each call, as in Keras; here by the mean of its calls. */
static void update_statistics(const Graph *graph, Real *weights, const Real *sums, double examples) {
    for (size_t p = 0; p < graph->param_count; p++) {
        const Param *param = &graph->params[p];
        if (param->spec.role != PARAM_STATISTIC)
            continue;
        double uses = (double)param->uses, momentum = pow(param->spec.momentum, uses), total = examples * uses;
        for (size_t i = param->offset; i < param->offset + param->count; i++)
            weights[i] = (Real)(momentum * (double)weights[i] + (1 - momentum) * ((double)sums[i] / total));
    }
}

/* Adds the gradient of a parameter's penalty and, `updates`, updates it: block by block, so that the memory is passed once.
 * The gradient of the penalty is in the unit of the sums: `weight` times that of the mean.  Returns the penalty. */
static double penalize(Optimizer *optimizer, const Param *param, double lr, double alpha, Real *weights, Real *gradient,
                       double weight, bool updates) {
    const ParamSpec *spec = &param->spec;
    Real l1 = (Real)(weight * spec->l1), l2 = (Real)(weight * 2 * spec->l2), scale = (Real)(1 / weight);
    double penalty = 0;
    for (size_t i = 0; i < param->count; i += BLOCK) {
        size_t at = param->offset + i, n = param->count - i < BLOCK ? param->count - i : BLOCK;
        penalty += penalty_of(spec, weights + at, n);
        add_l1_l2(n, weights + at, l1, l2, gradient + at);
        if (updates)
            update(optimizer, at, n, lr, alpha, weights, gradient, scale);
    }
    return penalty;
}

OptimizerResult optimizer_apply(Optimizer *optimizer, double lr, uint64_t step, Real *weights, Real *gradient,
                                double weight, double examples) {
    const Graph *graph = optimizer->graph;
    const OptimizerOptions *o = &optimizer->options;
    OptimizerResult result = {0, NAN};
    /* A batch without weight has no gradient; the sums are 0 then, and any finite unit does for the penalties. */
    if (!(weight > 0))
        weight = 1;
    bool is_adam = o->kind == OPTIMIZER_ADAM || o->kind == OPTIMIZER_ADAMW;
    double scale = 1 / weight, alpha = is_adam ? adam_alpha(o, lr, step) : 0;
    bool clips = o->clip_norm > 0; /* then the whole gradient comes first */
    for (size_t p = 0; p < graph->param_count; p++) {
        const Param *param = &graph->params[p];
        if (has_penalty(&param->spec))
            result.penalty += penalize(optimizer, param, lr, alpha, weights, gradient, weight, !clips);
        else if (!clips && param->spec.role == PARAM_TRAINED)
            update(optimizer, param->offset, param->count, lr, alpha, weights, gradient, (Real)scale);
    }
    if (clips) {
        result.gradient_norm = sqrt(squares(gradient, graph->trained_count)) * scale;
        if (result.gradient_norm > o->clip_norm)
            scale *= o->clip_norm / result.gradient_norm;
        update(optimizer, 0, graph->trained_count, lr, alpha, weights, gradient, (Real)scale);
    }
    if (examples > 0)
        update_statistics(graph, weights, gradient, examples);
    return result;
}
