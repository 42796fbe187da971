/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* Both operations normalize sets of elements to mean 0 and variance 1, then scale and shift:
 *     xhat = (x - mean) / sqrt(variance + epsilon),   y = gamma xhat + beta,   variance = sum (x - mean)^2 / set size
 * and differ in what a set is (Ba, Kiros and Hinton 2016; Wu and He 2018):
 *     layer_norm  the last axes of one example
 *     group_norm  contiguous channels of one example over all positions
 * Each is `runs` pieces of `run` adjacent elements, `stride` apart, and element j of a run uses parameter `param` +
 * j. */
typedef struct Set {
    size_t start, runs, run, stride, param;
} Set;

typedef struct Statistics {
    double mean, scale; /* scale = 1 / sqrt(variance + epsilon) */
} Statistics;

static size_t channels(const OpDesc *op) {
    return op->x[0].dim[op->x[0].rank - 1];
}

/* Elements of gamma and beta. */
static size_t param_count(const OpDesc *op) {
    size_t count = 1, axes = op->kind == OP_LAYER_NORM ? op->attr.norm.axes : 1;
    for (size_t i = 0; i < axes; i++)
        count *= op->x[0].dim[op->x[0].rank - 1 - i];
    return count;
}

static size_t set_count(const OpDesc *op) {
    if (op->kind == OP_GROUP_NORM)
        return op->n * op->attr.norm.groups;
    return op->n * shape_count(&op->x[0]) / param_count(op);
}

static Set set_at(const OpDesc *op, size_t s) {
    size_t count = shape_count(&op->x[0]), c = channels(op);
    if (op->kind == OP_GROUP_NORM) {
        size_t groups = op->attr.norm.groups, run = c / groups;
        return (Set){s / groups * count + s % groups * run, count / c, run, c, s % groups * run};
    }
    size_t run = param_count(op);
    return (Set){.start = s * run, .runs = 1, .run = run, .stride = run, .param = 0};
}

/* Mean and biased variance.  Two passes: sum(x^2) - mean^2 would cancel. */
static void moments(const Real *x, Set set, double *mean, double *variance) {
    double sum = 0, squares = 0, size = (double)(set.runs * set.run);
    for (size_t r = 0; r < set.runs; r++)
        for (size_t j = 0; j < set.run; j++)
            sum += x[set.start + r * set.stride + j];
    *mean = sum / size;
    for (size_t r = 0; r < set.runs; r++)
        for (size_t j = 0; j < set.run; j++) {
            double d = x[set.start + r * set.stride + j] - *mean;
            squares += d * d;
        }
    *variance = squares / size;
}

static Statistics statistics(const OpDesc *op, const OpBuffers *b, size_t s) {
    double mean, variance;
    moments(b->x[0], set_at(op, s), &mean, &variance);
    return (Statistics){mean, 1 / sqrt(variance + op->attr.norm.epsilon)};
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    const Real *gamma = b->w[0], *beta = b->w[1];
    for (size_t s = 0; s < set_count(op); s++) {
        Set set = set_at(op, s);
        Statistics now = statistics(op, b, s);
        if (op->training)
            ((Statistics *)b->saved)[s] = now;
        for (size_t r = 0; r < set.runs; r++)
            for (size_t j = 0; j < set.run; j++) {
                size_t i = set.start + r * set.stride + j, p = set.param + j;
                double xhat = (b->x[0][i] - now.mean) * now.scale;
                b->y[i] = (Real)((gamma ? gamma[p] : 1) * xhat + (beta ? beta[p] : 0));
            }
    }
}

/* With g = gamma dy and means over the set:  dx = scale (g - mean(g) - xhat mean(g xhat)). */
static void input_gradient(const OpBuffers *b, Set set, Statistics saved, double g_sum, double g_xhat_sum) {
    const Real *gamma = b->w[0];
    double size = (double)(set.runs * set.run);
    double g_mean = g_sum / size, g_xhat_mean = g_xhat_sum / size;
    for (size_t r = 0; r < set.runs; r++)
        for (size_t j = 0; j < set.run; j++) {
            size_t i = set.start + r * set.stride + j;
            double g = (gamma ? gamma[set.param + j] : 1) * b->dy[i], xhat = (b->x[0][i] - saved.mean) * saved.scale;
            double dx = saved.scale * (g - g_mean - xhat * g_xhat_mean);
            b->dx[0][i] = (Real)((b->dx_add[0] ? b->dx[0][i] : 0) + dx);
        }
}

/* dgamma = sum dy xhat, dbeta = sum dy, collected in double in `work`. */
static void backward(const OpDesc *op, const OpBuffers *b) {
    const Real *gamma = b->w[0];
    size_t params = param_count(op);
    double *sums[2] = {b->work, (double *)b->work + params};
    memset(b->work, 0, 2 * params * sizeof(double));
    for (size_t s = 0; s < set_count(op); s++) {
        Set set = set_at(op, s);
        Statistics saved = ((const Statistics *)b->saved)[s];
        double g_sum = 0, g_xhat_sum = 0;
        for (size_t r = 0; r < set.runs; r++)
            for (size_t j = 0; j < set.run; j++) {
                size_t i = set.start + r * set.stride + j, p = set.param + j;
                double dy = b->dy[i], xhat = (b->x[0][i] - saved.mean) * saved.scale, g = (gamma ? gamma[p] : 1) * dy;
                sums[0][p] += dy * xhat;
                sums[1][p] += dy;
                g_sum += g;
                g_xhat_sum += g * xhat;
            }
        if (b->dx[0])
            input_gradient(b, set, saved, g_sum, g_xhat_sum);
    }
    for (size_t slot = 0; slot < 2; slot++)
        for (size_t p = 0; p < params && b->dw[slot]; p++)
            b->dw[slot][p] = (Real)((b->dw_add[slot] ? b->dw[slot][p] : 0) + sums[slot][p]);
}

static void memory(const OpDesc *op, OpMemory *memory) {
    if (!op->training)
        return;
    memory->saved_bytes = set_count(op) * sizeof(Statistics);
    memory->work_bytes = 2 * param_count(op) * sizeof(double);
}

const Kernel ref_layer_norm = {.forward = forward, .backward = backward, .memory = memory};
const Kernel ref_group_norm = {.forward = forward, .backward = backward, .memory = memory};
