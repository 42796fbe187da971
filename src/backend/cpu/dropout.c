/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* One decision per element, one per channel of an example (SpatialDropout2D: all other axes are shared), or one per
 * example (stochastic depth: all are); other ways of sharing, and other kinds, are ref's.  Decision k of an example is,
 * as in ref, word k mod 4 of the Philox block of counter (example in the global batch, k / 4): kept when it is at
 * least rate * 2^32.  saved: one byte per decision. */
static size_t decision_count(const OpDesc *op) {
    const bool *shared = op->attr.dropout.shared;
    size_t rank = op->x[0].rank;
    if (rank > 0 && shared[rank - 1])
        return 1;
    return rank > 1 && shared[0] ? channels_of(&op->x[0]) : shape_count(&op->x[0]);
}

static bool supports(const OpDesc *op) {
    const Shape *x = &op->x[0];
    const bool *shared = op->attr.dropout.shared;
    for (size_t i = 0; i + 1 < x->rank; i++)
        if (shared[i] != shared[0])
            return false;
    bool some = x->rank > 0 && shared[x->rank - 1] && !shared[0]; /* the last axis alone */
    return op->attr.dropout.kind == DROPOUT_ZERO && !some;
}

/* BLOCKS consecutive blocks at a time: Philox's ten rounds (base/rng.c) on vectors.  Words of 32 bits in 64: products
 * need no unpacking. */
enum { BLOCKS = 32, DECISIONS = 4 * BLOCKS };

/* keep [DECISIONS] of blocks (a, b), (a, b + 1), ..: whether the word is larger than `limit`. */
CPU_CLONES
static void decide_some(RngKey key, uint64_t a, uint64_t b, uint32_t limit, uint8_t *restrict keep) {
    const uint64_t low = UINT32_MAX;
    uint64_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS];
    uint32_t k0 = key.word[0], k1 = key.word[1], words[DECISIONS];
    for (uint64_t j = 0; j < BLOCKS; j++) {
        c0[j] = a & low, c1[j] = a >> 32;
        c2[j] = (b + j) & low, c3[j] = (b + j) >> 32;
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        for (int j = 0; j < BLOCKS; j++) {
            uint64_t p0 = 0xD2511F53u * c0[j], p1 = 0xCD9E8D57u * c2[j];
            c0[j] = p1 >> 32 ^ c1[j] ^ k0;
            c1[j] = p1 & low;
            c2[j] = p0 >> 32 ^ c3[j] ^ k1;
            c3[j] = p0 & low;
        }
    for (int j = 0; j < BLOCKS; j++) {
        words[4 * j] = (uint32_t)c0[j], words[4 * j + 1] = (uint32_t)c1[j];
        words[4 * j + 2] = (uint32_t)c2[j], words[4 * j + 3] = (uint32_t)c3[j];
    }
    for (int k = 0; k < DECISIONS; k++)
        keep[k] = words[k] > limit;
}

static void decide(const DropoutAttr *attr, const OpContext *context, uint64_t example, size_t count, uint8_t *keep) {
    RngKey key = rng_key(context->seed, RNG_DROPOUT, attr->stream, context->step);
    uint64_t threshold = (uint64_t)(attr->rate * 0x1p32), a = context->first_example + example;
    if (threshold == 0) {
        memset(keep, 1, count);
        return;
    }
    uint32_t limit = (uint32_t)(threshold - 1);
    uint8_t last[DECISIONS];
    size_t first = 0;
    for (; first + DECISIONS <= count; first += DECISIONS)
        decide_some(key, a, first / 4, limit, keep + first);
    if (first < count) {
        decide_some(key, a, first / 4, limit, last);
        memcpy(keep + first, last, count - first);
    }
}

/* The same linear map forward (x to y) and backward (dy to dx), on `rows` rows of one example that share decisions. */
CPU_CLONES
static void mask_rows(const uint8_t *keep, float scale, const float *from, size_t rows, size_t columns, bool add,
                      float *to) {
    for (size_t r = 0; r < rows; r++, from += columns, to += columns)
#pragma GCC ivdep
        for (size_t i = 0; i < columns; i++) {
            float value = keep[i] ? from[i] * scale : 0;
            to[i] = add ? to[i] + value : value;
        }
}

/* The same for an example with one decision. */
CPU_CLONES
static void mask_all(bool keep, float scale, const float *from, size_t count, bool add, float *to) {
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++) {
        float value = keep ? from[i] * scale : 0;
        to[i] = add ? to[i] + value : value;
    }
}

static void apply(const OpDesc *op, const uint8_t *keep, const float *from, bool add, float *to) {
    size_t count = shape_count(&op->x[0]), columns = decision_count(op);
    double rate = op->attr.dropout.rate;
    float scale = rate < 1 ? (float)(1 / (1 - rate)) : 0;
    for (size_t e = 0; e < op->n; e++)
        if (columns == 1)
            mask_all(keep[e], scale, from + e * count, count, add, to + e * count);
        else
            mask_rows(keep + e * columns, scale, from + e * count, count / columns, columns, add, to + e * count);
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    uint8_t *keep = b->saved;
    if (!op->training) {
        memmove(b->y, b->x[0], total_count(op, &op->y) * sizeof(float)); /* y may lie on x */
        return;
    }
    for (size_t e = 0; e < op->n; e++)
        decide(&op->attr.dropout, b->context, e, decision_count(op), keep + e * decision_count(op));
    apply(op, keep, b->x[0], false, b->y);
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    if (b->dx[0])
        apply(op, b->saved, b->dy, b->dx_add[0], b->dx[0]);
}

static void memory(const OpDesc *op, OpMemory *memory) {
    if (op->training)
        memory->saved_bytes = op->n * decision_count(op);
}

const Kernel cpu_dropout = {.forward = forward, .backward = backward, .supports = supports, .memory = memory};
