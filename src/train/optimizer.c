/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "train/optimizer_internal.h"
#include <math.h>
#include <stdlib.h>

size_t optimizer_slot_count(const OptimizerOptions *options) {
    switch (options->kind) {
    case OPTIMIZER_SGD:
    case OPTIMIZER_LARS:
        return options->momentum != 0 ? 1 : 0;
    case OPTIMIZER_RMSPROP:
        return options->momentum != 0 ? 2 : 1;
    default:
        return 2;
    }
}

/* Frozen parameters have no penalty, as in Keras. */
static bool has_penalty(const ParamSpec *spec) {
    return spec->role == PARAM_TRAINED && (spec->l1 != 0 || spec->l2 != 0);
}

static bool is_layerwise(const OptimizerOptions *options) {
    return options->kind == OPTIMIZER_LARS || options->kind == OPTIMIZER_LAMB;
}

static OptimizerSpan span_of(const OptimizerOptions *options, const Param *param, double multiplier) {
    bool kernel = param->spec.shape.rank >= 2;
    return (OptimizerSpan){.offset = param->offset,
                           .count = param->count,
                           .multiplier = multiplier,
                           .decays = options->weight_decay > 0 && (kernel || options->decay_all),
                           .adapts = is_layerwise(options) && kernel,
                           .penalty = has_penalty(&param->spec) ? &param->spec : NULL};
}

/* First those with a penalty in the graph's order, which is that in which penalties are added; then by offset. */
static int by_place(const void *a, const void *b) {
    const OptimizerSpan *x = a, *y = b;
    if ((x->penalty == NULL) != (y->penalty == NULL))
        return x->penalty == NULL ? 1 : -1;
    if (x->penalty)
        return x->penalty < y->penalty ? -1 : 1; /* of one array */
    return x->offset < y->offset ? -1 : 1;
}

/* Does y go on where x ends, treated alike? */
static bool continues(const OptimizerSpan *x, const OptimizerSpan *y) {
    size_t end = x->offset + x->count;
    return y->offset >= end && y->offset - end < GRAPH_SPAN_ALIGN && !x->penalty && !y->penalty && !x->adapts &&
           !y->adapts && x->decays == y->decays && x->multiplier == y->multiplier;
}

static Status make_spans(Optimizer *optimizer, const double *multipliers) {
    const Graph *graph = optimizer->graph;
    size_t count = 0;
    TRY(memory_new(&optimizer->spans, graph->param_count, "optimizer"));
    OptimizerSpan *spans = optimizer->spans;
    for (size_t p = 0; p < graph->param_count; p++)
        if (graph->params[p].spec.role == PARAM_TRAINED)
            spans[count++] = span_of(&optimizer->options, &graph->params[p], multipliers ? multipliers[p] : 1);
    qsort(spans, count, sizeof *spans, by_place);
    size_t merged = 0;
    for (size_t i = 0; i < count; i++)
        if (merged > 0 && continues(&spans[merged - 1], &spans[i]))
            spans[merged - 1].count = spans[i].offset + spans[i].count - spans[merged - 1].offset;
        else
            spans[merged++] = spans[i];
    optimizer->span_count = merged;
    return STATUS_OK;
}

Status optimizer_create(const OptimizerOptions *options, const Graph *graph, const double *multipliers,
                        Optimizer **out) {
    static const char *const names[OPTIMIZER_KINDS][OPTIMIZER_MAX_SLOTS] = {
        [OPTIMIZER_SGD] = {"momentum"},  [OPTIMIZER_ADAM] = {"m", "v"},
        [OPTIMIZER_ADAMW] = {"m", "v"},  [OPTIMIZER_RMSPROP] = {"velocity", "momentum"},
        [OPTIMIZER_LARS] = {"momentum"}, [OPTIMIZER_LAMB] = {"m", "v"},
    };
    CHECK(graph->finished, "the optimizer needs a finished graph");
    Status status = STATUS_OK;
    TRY(memory_new(out, 1, "optimizer"));
    Optimizer *optimizer = *out;
    optimizer->graph = graph;
    optimizer->options = *options;
    optimizer->slot_count = optimizer_slot_count(options);
    TRY_GOTO(make_spans(optimizer, multipliers), done);
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
    memory_free(optimizer->spans);
    memory_free(optimizer);
}

/* Of `count` elements. */
static double penalty_of(const ParamSpec *spec, const Real *w, size_t count) {
    double absolute = 0;
    for (size_t i = 0; i < count && spec->l1 != 0; i++)
        absolute += fabs((double)w[i]);
    return spec->l1 * absolute + spec->l2 * optimizer__squares(w, count);
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

/* A layer that is called several times moves its statistics with each call, as in Keras; here by the mean of its
 * calls. */
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

/* Adds the gradient of a span's penalty and, `updates`, updates it: block by block, so that the memory is passed once.
 * The gradient of the penalty is in the unit of the sums: `weight` times that of the mean.  Returns the penalty. */
static double penalize(Optimizer *optimizer, const OptimizerSpan *span, const UpdateNumbers *numbers, Real *weights,
                       Real *gradient, double weight, bool updates) {
    const ParamSpec *spec = span->penalty;
    Real l1 = (Real)(weight * spec->l1), l2 = (Real)(weight * 2 * spec->l2);
    double penalty = 0;
    for (size_t i = 0; i < span->count; i += OPTIMIZER_BLOCK) {
        size_t at = span->offset + i, n = span->count - i < OPTIMIZER_BLOCK ? span->count - i : OPTIMIZER_BLOCK;
        penalty += penalty_of(spec, weights + at, n);
        add_l1_l2(n, weights + at, l1, l2, gradient + at);
        if (updates)
            optimizer__update(optimizer, span, at, n, numbers, weights, gradient);
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
    UpdateNumbers numbers = optimizer__numbers(o, lr, step);
    numbers.scale = 1 / weight;
    bool clips = o->clip_norm > 0, at_once = !clips && !is_layerwise(o); /* else the penalties' gradient comes first */
    for (size_t i = 0; i < optimizer->span_count; i++) {
        const OptimizerSpan *span = &optimizer->spans[i];
        if (span->penalty)
            result.penalty += penalize(optimizer, span, &numbers, weights, gradient, weight, at_once);
        else if (at_once)
            optimizer__update(optimizer, span, span->offset, span->count, &numbers, weights, gradient);
    }
    if (clips) {
        result.gradient_norm = sqrt(optimizer__squares(gradient, graph->trained_count)) * numbers.scale;
        if (result.gradient_norm > o->clip_norm)
            numbers.scale *= o->clip_norm / result.gradient_norm;
    }
    for (size_t i = 0; i < optimizer->span_count && !at_once; i++) {
        const OptimizerSpan *span = &optimizer->spans[i];
        optimizer__update(optimizer, span, span->offset, span->count, &numbers, weights, gradient);
    }
    if (examples > 0)
        update_statistics(graph, weights, gradient, examples);
    return result;
}
