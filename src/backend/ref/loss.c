/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/loss.h"
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* A row is what one loss term looks at: the classes of one position, or one element. */
typedef struct Rows {
    size_t width;       /* elements of the prediction in a row */
    size_t label_width; /* 1 for class numbers */
    size_t per_example;
} Rows;

static Rows rows_of(const OpDesc *op) {
    const Shape *x = &op->x[0];
    LossKind kind = op->attr.loss.kind;
    size_t width = loss_is_of_axis(kind) ? x->dim[x->rank - 1] : 1;
    return (Rows){width, kind == LOSS_SPARSE_CROSSENTROPY ? 1 : width, shape_count(x) / width};
}

/* Whether predictions are right or wrong. */
static bool is_counted(const LossAttr *attr) {
    return loss_is_crossentropy(attr->kind) || attr->kind == LOSS_HINGE || attr->kind == LOSS_SQUARED_HINGE ||
           attr->kind == LOSS_CATEGORICAL_HINGE;
}

static bool row_is_correct(const LossAttr *attr, const Real *x, const Real *label, size_t width) {
    if (attr->kind == LOSS_HINGE || attr->kind == LOSS_SQUARED_HINGE)
        return !isnan(x[0]) && (x[0] > 0) == (label[0] > 0);
    if (!loss_is_of_axis(attr->kind))
        return !isnan(x[0]) && (x[0] > (attr->from_logits ? 0 : (Real)0.5)) == (label[0] > (Real)0.5);
    size_t best = loss_class(x, width);
    if (attr->kind == LOSS_SPARSE_CROSSENTROPY)
        return best < width && label[0] == (Real)best;
    return best < width && best == loss_class(label, width);
}

/* Of example e. */
static double weight_of(const OpDesc *op, const OpBuffers *b, size_t e) {
    return op->inputs == 3 ? (double)b->x[2][e] : 1;
}

static const Real *weights_of(const OpDesc *op, const OpBuffers *b) {
    return op->inputs == 3 ? b->x[2] : NULL;
}

static void add_sums(const OpDesc *op, const OpBuffers *b, double loss, double correct, bool counted) {
    if (b->first)
        memset(b->y, 0, LOSS_SUMS * sizeof *b->y);
    b->y[LOSS_SUM_LOSS] += (Real)loss;
    b->y[LOSS_SUM_WEIGHT] += (Real)op->n;
    b->y[LOSS_SUM_CORRECT] += (Real)correct;
    b->y[LOSS_SUM_COUNTED] += counted ? (Real)op->n : 0;
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    const LossAttr *attr = &op->attr.loss;
    Rows rows = rows_of(op);
    bool counted = is_counted(attr);
    double loss = 0, correct = 0, ignored;
    if (loss_is_of_pairs(attr->kind)) {
        loss = ref__loss_pairs(attr, op->n, rows.width, b->x[0], b->x[1], weights_of(op, b), b->work, NULL, &correct);
        add_sums(op, b, loss, correct, true);
        return;
    }
    for (size_t e = 0; e < op->n; e++) {
        double example_loss = 0;
        size_t example_correct = 0;
        for (size_t r = e * rows.per_example; r < (e + 1) * rows.per_example; r++) {
            const Real *x = b->x[0] + r * rows.width, *label = b->x[1] + r * rows.label_width;
            example_loss += loss_is_of_axis(attr->kind) ? ref__loss_axis(attr, x, label, rows.width, NULL)
                                                        : ref__loss_element(attr, x[0], label[0], &ignored);
            example_correct += counted && row_is_correct(attr, x, label, rows.width);
        }
        loss += weight_of(op, b, e) * example_loss / (double)rows.per_example;
        correct += (double)example_correct / (double)rows.per_example;
    }
    add_sums(op, b, loss, correct, counted);
}

/* dx = factor * row, or added to it. */
static void give(const OpBuffers *b, size_t first, size_t count, double factor, const double *row) {
    Real *dx = b->dx[0] + first;
    for (size_t c = 0; c < count; c++)
        dx[c] = (Real)((b->dx_add[0] ? dx[c] : 0) + factor * row[c]);
}

/* Scaled by the weight of this loss and of the example; a label has no gradient.  `work` holds a row, or what losses of
 * pairs need and their gradient. */
static void backward(const OpDesc *op, const OpBuffers *b) {
    const LossAttr *attr = &op->attr.loss;
    Rows rows = rows_of(op);
    double factor = attr->weight / (double)rows.per_example, *row = b->work, ignored;
    if (b->dx[0] == NULL)
        return;
    if (loss_is_of_pairs(attr->kind)) {
        double *dx = row + ref__loss_pairs_work(op->n, rows.width);
        ref__loss_pairs(attr, op->n, rows.width, b->x[0], b->x[1], weights_of(op, b), row, dx, &ignored);
        give(b, 0, op->n * rows.width, factor, dx);
        return;
    }
    for (size_t r = 0; r < op->n * rows.per_example; r++) {
        const Real *x = b->x[0] + r * rows.width, *label = b->x[1] + r * rows.label_width;
        if (loss_is_of_axis(attr->kind))
            ref__loss_axis(attr, x, label, rows.width, row);
        else
            ref__loss_element(attr, x[0], label[0], row);
        give(b, r * rows.width, rows.width, factor * weight_of(op, b, r / rows.per_example), row);
    }
}

static void memory(const OpDesc *op, OpMemory *memory) {
    size_t width = rows_of(op).width;
    bool pairs = loss_is_of_pairs(op->attr.loss.kind);
    memory->work_bytes = (pairs ? ref__loss_pairs_work(op->n, width) + op->n * width : width) * sizeof(double);
}

const Kernel ref_loss = {.forward = forward, .backward = backward, .memory = memory};
