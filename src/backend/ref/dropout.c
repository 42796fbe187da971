/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/broadcast.h"
#include "backend/ref/ref.h"
#include <string.h>

/* The tensor of decisions: x with the shared axes collapsed. */
static Shape decisions(const OpDesc *op) {
    Shape shape = op->x[0];
    for (size_t i = 0; i < shape.rank; i++)
        if (op->attr.dropout.shared[i])
            shape.dim[i] = 1;
    return shape;
}

/* keep[k] says whether decision k of an example keeps its elements: word k mod 4 of the Philox block of counter
 * (example in the global batch, k / 4) is at least rate * 2^32.  A function of seed, dropout, step, example and k alone,
 * so that neither the cut into micro-batches nor the number type changes it. */
static void decide(const DropoutAttr *attr, const OpContext *context, uint64_t example, size_t count,
                   unsigned char *keep) {
    RngKey key = rng_key(context->seed, RNG_DROPOUT, attr->stream, context->step);
    uint64_t threshold = (uint64_t)(attr->rate * 0x1p32);
    for (size_t k = 0; k < count; k++) {
        uint32_t words[4];
        if (k % 4 == 0)
            rng_block(key, context->first_example + example, k / 4, words);
        keep[k] = words[k % 4] >= threshold;
    }
}

/* The same linear map forward (x to y) and backward (dy to dx). */
static void apply(const OpDesc *op, const unsigned char *keep, const Real *from, bool add, Real *to) {
    Shape decided = decisions(op);
    size_t count = shape_count(&op->x[0]), decision_count = shape_count(&decided);
    double rate = op->attr.dropout.rate;
    Real scale = rate < 1 ? (Real)(1 / (1 - rate)) : 0;
    for (size_t e = 0; e < op->n; e++)
        for (size_t k = 0; k < count; k++) {
            bool kept = keep[e * decision_count + broadcast_index(&decided, &op->x[0], k)];
            Real value = kept ? from[e * count + k] * scale : 0;
            to[e * count + k] = (add ? to[e * count + k] : 0) + value;
        }
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    Shape decided = decisions(op);
    size_t count = shape_count(&decided);
    if (!op->training) {
        memmove(b->y, b->x[0], op->n * shape_count(&op->x[0]) * sizeof(Real)); /* y may lie on x */
        return;
    }
    unsigned char *keep = b->saved;
    for (size_t e = 0; e < op->n; e++)
        decide(&op->attr.dropout, b->context, e, count, keep + e * count);
    apply(op, keep, b->x[0], false, b->y);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    if (b->dx[0])
        apply(op, b->saved, b->dy, b->dx_add[0], b->dx[0]);
}

static void memory(const OpDesc *op, OpMemory *memory) {
    Shape decided = decisions(op);
    if (op->training)
        memory->saved_bytes = op->n * shape_count(&decided);
}

const Kernel ref_dropout = {.forward = forward, .backward = backward, .memory = memory};
