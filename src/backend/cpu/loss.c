/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/lanes.h"
#include "backend/cpu/vector.h"
#include <math.h>
#include <string.h>

/* The loss of classification and of segmentation: cross-entropy of class numbers from logits, per position
 *     loss = log(sum_c e^x_c) - sum_c t_c x_c,   t_c = (1 - a) [c = label] + a / classes,   a = label smoothing
 *     dx_c = weight / positions (softmax(x)_c - t_c),   times the example's weight, as is the loss
 * The other losses are ref's.  work: a row of classes. */
static bool supports(const OpDesc *op) {
    return op->attr.loss.kind == LOSS_SPARSE_CROSSENTROPY && op->attr.loss.from_logits;
}

static bool is_class(float label, size_t classes) {
    return label >= 0 && label < (float)classes && label == floorf(label);
}

/* e[c] = e^(x[c] - largest), *sum their sum; returns the largest. */
CPU_CLONES
static float exponentials(const float *x, size_t classes, float *restrict e, float *sum) {
    float shift = largest(x, classes);
    for (size_t c = 0; c < classes; c++)
        e[c] = vector_exp(x[c] - shift);
    *sum = sum_of(e, classes);
    return shift;
}

/* The largest is the label's, and the first of its value. */
static bool is_correct(const float *x, size_t label, float best, float sum) {
    size_t first = 0;
    while (first < label && x[first] != best)
        first++;
    return first == label && x[label] == best && !isnan(sum);
}

static double row_loss(const LossAttr *attr, const float *x, float label, size_t classes, float *e, size_t *correct) {
    float sum, best = exponentials(x, classes, e, &sum);
    double smooth = attr->label_smoothing, logarithm = best + log((double)sum), mean = 0;
    if (!is_class(label, classes))
        return NAN;
    *correct += is_correct(x, (size_t)label, best, sum);
    for (size_t c = 0; c < classes && smooth > 0; c++)
        mean += x[c] / (double)classes;
    return logarithm - (1 - smooth) * x[(size_t)label] - smooth * mean;
}

/* Of example e. */
static float weight_of(const OpDesc *op, const OpBuffers *b, size_t e) {
    return op->inputs == 3 ? b->x[2][e] : 1;
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    size_t classes = channels_of(&op->x[0]), positions = shape_count(&op->x[0]) / classes;
    double loss = 0, correct = 0;
    for (size_t e = 0; e < op->n; e++) {
        double example_loss = 0;
        size_t example_correct = 0;
        for (size_t r = e * positions; r < (e + 1) * positions; r++)
            example_loss +=
                row_loss(&op->attr.loss, b->x[0] + r * classes, b->x[1][r], classes, b->work, &example_correct);
        loss += weight_of(op, b, e) * example_loss / (double)positions;
        correct += (double)example_correct / (double)positions;
    }
    if (b->first)
        memset(b->y, 0, LOSS_SUMS * sizeof *b->y);
    b->y[LOSS_SUM_LOSS] += (float)loss;
    b->y[LOSS_SUM_WEIGHT] += (float)op->n;
    b->y[LOSS_SUM_CORRECT] += (float)correct;
    b->y[LOSS_SUM_COUNTED] += (float)op->n;
}

/* to = scale * from - shift, or to += when `add`. */
CPU_CLONES
static void scale_row(const float *restrict from, size_t count, float scale, float shift, bool add,
                      float *restrict to) {
    for (size_t c = 0; c < count; c++)
        to[c] = (add ? to[c] : 0) + scale * from[c] - shift;
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    const LossAttr *attr = &op->attr.loss;
    size_t classes = channels_of(&op->x[0]), positions = shape_count(&op->x[0]) / classes;
    float whole = (float)(attr->weight / (double)positions), smooth = (float)attr->label_smoothing, sum;
    for (size_t r = 0; r < op->n * positions && b->dx[0]; r++) {
        float factor = whole * weight_of(op, b, r / positions);
        float *dx = b->dx[0] + r * classes, label = b->x[1][r];
        float other =
            is_class(label, classes) ? factor * smooth / (float)classes : NAN; /* no class: NaN, as the loss */
        exponentials(b->x[0] + r * classes, classes, b->work, &sum);
        scale_row(b->work, classes, factor / sum, other, b->dx_add[0], dx);
        if (is_class(label, classes))
            dx[(size_t)label] -= factor * (1 - smooth);
    }
}

static void memory(const OpDesc *op, OpMemory *memory) {
    memory->work_bytes = channels_of(&op->x[0]) * sizeof(float);
}

const Kernel cpu_loss = {.forward = forward, .backward = backward, .supports = supports, .memory = memory};
