/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/broadcast.h"
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* The tensor of decisions: x with the shared axes collapsed. */
static Shape decisions(const OpDesc *op) {
    Shape shape = op->x[0];
    for (size_t i = 0; i < shape.rank; i++)
        if (op->attr.dropout.shared[i])
            shape.dim[i] = 1;
    return shape;
}

static bool decides(const OpDesc *op) {
    return op->attr.dropout.kind <= DROPOUT_ALPHA;
}

static RngKey key_of(const OpDesc *op, const OpContext *context) {
    return rng_key(context->seed, RNG_DROPOUT, op->attr.dropout.stream, context->step);
}

/* keep[k] says whether decision k of an example keeps its elements: word k mod 4 of the Philox block of counter
 * (example in the global batch, k / 4) is at least rate * 2^32.  A function of seed, dropout, step, example and k
 * alone, so that neither the cut into micro-batches nor the number type changes it. */
static void decide(const OpDesc *op, const OpContext *context, uint64_t example, size_t count, unsigned char *keep) {
    RngKey key = key_of(op, context);
    uint64_t threshold = (uint64_t)(op->attr.dropout.rate * 0x1p32);
    for (size_t k = 0; k < count; k++) {
        uint32_t words[4];
        if (k % 4 == 0)
            rng_block(key, context->first_example + example, k / 4, words);
        keep[k] = words[k % 4] >= threshold;
    }
}

/* z of element k of an example is a function of the same kind. */
static void add_noise(const OpDesc *op, const OpBuffers *b) {
    size_t count = shape_count(&op->x[0]);
    RngKey key = key_of(op, b->context);
    double rate = op->attr.dropout.rate;
    bool factor = op->attr.dropout.kind == DROPOUT_GAUSSIAN;
    Real *saved = b->saved;
    for (size_t i = 0; i < op->n * count; i++) {
        double z = rng_normal(key, b->context->first_example + i / count, i % count);
        if (factor)
            saved[i] = (Real)(1 + sqrt(rate / (1 - rate)) * z);
        b->y[i] = factor ? b->x[0][i] * saved[i] : b->x[0][i] + (Real)(rate * z);
    }
}

/* What is kept becomes scale * from + offset, the rest `dropped`. */
static void apply(const OpDesc *op, const unsigned char *keep, double scale, double offset, double dropped,
                  const Real *from, bool add, Real *to) {
    Shape decided = decisions(op);
    size_t count = shape_count(&op->x[0]), decision_count = shape_count(&decided);
    for (size_t e = 0; e < op->n; e++)
        for (size_t k = 0; k < count; k++) {
            bool kept = keep[e * decision_count + broadcast_index(&decided, &op->x[0], k)];
            Real value = kept ? from[e * count + k] * (Real)scale + (Real)offset : (Real)dropped;
            to[e * count + k] = (add ? to[e * count + k] : 0) + value;
        }
}

static const double alpha = -1.7580993408473766;

static double scale_of(const DropoutAttr *attr) {
    if (attr->kind == DROPOUT_ALPHA)
        return 1 / sqrt((1 - attr->rate) * (1 + attr->rate * alpha * alpha));
    return attr->rate < 1 ? 1 / (1 - attr->rate) : 0;
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    Shape decided = decisions(op);
    size_t count = shape_count(&decided);
    if (!op->training) {
        memmove(b->y, b->x[0], op->n * shape_count(&op->x[0]) * sizeof(Real)); /* y may lie on x */
        return;
    }
    if (!decides(op)) {
        add_noise(op, b);
        return;
    }
    unsigned char *keep = b->saved;
    double scale = scale_of(&op->attr.dropout), offset = -scale * alpha * op->attr.dropout.rate;
    bool zero = op->attr.dropout.kind == DROPOUT_ZERO;
    for (size_t e = 0; e < op->n; e++)
        decide(op, b->context, e, count, keep + e * count);
    apply(op, keep, scale, zero ? 0 : offset, zero ? 0 : scale * alpha + offset, b->x[0], false, b->y);
}

/* dx = dy, times the noise if that is a factor. */
static void noise_backward(const OpDesc *op, const OpBuffers *b) {
    const Real *saved = b->saved;
    bool factor = op->attr.dropout.kind == DROPOUT_GAUSSIAN;
    for (size_t i = 0; i < op->n * shape_count(&op->x[0]); i++)
        b->dx[0][i] = (b->dx_add[0] ? b->dx[0][i] : 0) + (factor ? b->dy[i] * saved[i] : b->dy[i]);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    if (b->dx[0] == NULL)
        return;
    if (decides(op))
        apply(op, b->saved, scale_of(&op->attr.dropout), 0, 0, b->dy, b->dx_add[0], b->dx[0]);
    else
        noise_backward(op, b);
}

static void memory(const OpDesc *op, OpMemory *memory) {
    Shape decided = decisions(op);
    if (op->training && decides(op))
        memory->saved_bytes = op->n * shape_count(&decided);
    else if (op->training && op->attr.dropout.kind == DROPOUT_GAUSSIAN)
        memory->saved_bytes = op->n * shape_count(&op->x[0]) * sizeof(Real);
}

const Kernel ref_dropout = {.forward = forward, .backward = backward, .memory = memory};
