/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* Each channel is normalized over all examples and positions of the micro-batch (Ioffe and Szegedy 2015), m of them:
 *     xhat = (x - mean) scale,   scale = 1 / sqrt(variance + epsilon),   y = gamma xhat + beta  [+ x1]
 * where variance = sum (x - mean)^2 / m.  Backward:
 *     dgamma = sum dy xhat,   dbeta = sum dy,   dx = gamma scale (dy - dbeta / m - xhat dgamma / m)
 * Out of training, or frozen, mean and variance are the moving ones and dx = gamma scale dy. */
typedef struct Channel {
    double mean, squares; /* of the slices seen so far: sum of (x - mean)^2 */
    double scale;
    double dgamma, dbeta;
} Channel;

static size_t channels(const OpDesc *op) {
    return op->x[0].dim[op->x[0].rank - 1];
}

/* Positions of n examples. */
static size_t positions(const OpDesc *op, size_t n) {
    return n * shape_count(&op->x[0]) / channels(op);
}

/* Two passes over a slice, as sum(x^2) - mean^2 would cancel; slices are merged as in T. Chan, G. Golub, R. LeVeque,
 * "Updating formulae and a pairwise algorithm for computing sample variances", 1979. */
static void add_moments(Channel *now, const Real *x, size_t count, size_t stride, double seen) {
    double sum = 0, squares = 0, n = (double)count;
    for (size_t i = 0; i < count; i++)
        sum += x[i * stride];
    for (size_t i = 0; i < count; i++) {
        double d = x[i * stride] - sum / n;
        squares += d * d;
    }
    double difference = sum / n - now->mean;
    now->mean += difference * n / (seen + n);
    now->squares += squares + difference * difference * seen * n / (seen + n);
}

/* What a trainer's moving averages are made of. */
static void give_statistic(const OpDesc *op, const OpBuffers *b, size_t slot, size_t c, double value) {
    if (b->dw[slot])
        b->dw[slot][c] = (Real)((b->dw_add[slot] ? b->dw[slot][c] : 0) + (double)op->batch * value);
}

/* totals: positions seen so far, then the channels. */
static Channel *channels_of(const OpBuffers *b) {
    return (Channel *)((double *)b->totals + 1);
}

static void collect(const OpDesc *op, const OpBuffers *b) {
    size_t count = positions(op, op->n), C = channels(op);
    double *seen = b->totals;
    Channel *now = channels_of(b);
    if (b->first)
        memset(b->totals, 0, sizeof *seen + C * sizeof *now);
    for (size_t c = 0; c < C; c++)
        add_moments(&now[c], b->x[0] + c, count, C, *seen);
    *seen += (double)count;
    for (size_t c = 0; b->last && c < C; c++) {
        double variance = now[c].squares / *seen;
        now[c].scale = 1 / sqrt(variance + op->attr.norm.epsilon);
        give_statistic(op, b, 2, c, now[c].mean);
        give_statistic(op, b, 3, c, variance);
    }
}

static Channel moving(const OpDesc *op, const OpBuffers *b, size_t c) {
    return (Channel){.mean = b->w[2][c], .scale = 1 / sqrt(b->w[3][c] + op->attr.norm.epsilon)};
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    size_t C = channels(op);
    for (size_t c = 0; c < C; c++) {
        Channel now = op_collects(op) ? channels_of(b)[c] : moving(op, b, c);
        double gamma = b->w[0] ? b->w[0][c] : 1, beta = b->w[1] ? b->w[1][c] : 0;
        for (size_t i = c; i < positions(op, op->n) * C; i += C)
            b->y[i] = (Real)(gamma * (b->x[0][i] - now.mean) * now.scale + beta + (op->inputs > 1 ? b->x[1][i] : 0));
    }
}

static void add_sums(const OpDesc *op, const OpBuffers *b, size_t c, Channel *now) {
    for (size_t i = c; i < positions(op, op->n) * channels(op); i += channels(op)) {
        now->dgamma += (double)b->dy[i] * (b->x[0][i] - now->mean) * now->scale;
        now->dbeta += (double)b->dy[i];
    }
}

static void give_gradients(const OpBuffers *b, size_t c, const Channel *now) {
    if (b->dw[0])
        b->dw[0][c] = (Real)((b->dw_add[0] ? b->dw[0][c] : 0) + now->dgamma);
    if (b->dw[1])
        b->dw[1][c] = (Real)((b->dw_add[1] ? b->dw[1][c] : 0) + now->dbeta);
}

static void collect_backward(const OpDesc *op, const OpBuffers *b) {
    Channel *now = channels_of(b);
    for (size_t c = 0; c < channels(op); c++) {
        if (b->first)
            now[c].dgamma = now[c].dbeta = 0;
        add_sums(op, b, c, &now[c]);
        if (b->last)
            give_gradients(b, c, &now[c]);
    }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    size_t C = channels(op), count = positions(op, op->n) * C;
    for (size_t c = 0; c < C; c++) {
        Channel now = op_collects(op) ? channels_of(b)[c] : moving(op, b, c);
        double gamma = b->w[0] ? b->w[0][c] : 1, m = (double)positions(op, op->batch);
        if (!op_collects(op)) {
            add_sums(op, b, c, &now);
            give_gradients(b, c, &now);
            now.dgamma = now.dbeta = 0; /* the means do not depend on x */
        }
        for (size_t i = c; i < count && b->dx[0]; i += C) {
            double xhat = (b->x[0][i] - now.mean) * now.scale;
            double dx = gamma * now.scale * (b->dy[i] - now.dbeta / m - xhat * now.dgamma / m);
            b->dx[0][i] = (Real)((b->dx_add[0] ? b->dx[0][i] : 0) + dx);
        }
    }
    for (size_t i = 0; i < count && b->dx[1] && b->dx[1] != b->dy; i++)
        b->dx[1][i] = (b->dx_add[1] ? b->dx[1][i] : 0) + b->dy[i];
}

static void memory(const OpDesc *op, OpMemory *memory) {
    if (op_collects(op))
        memory->totals_bytes = sizeof(double) + channels(op) * sizeof(Channel);
}

const Kernel ref_batch_norm = {.forward = forward,
                               .backward = backward,
                               .collect = collect,
                               .collect_backward = collect_backward,
                               .memory = memory};
