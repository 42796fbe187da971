/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* One decision per element, or one per channel of an example (SpatialDropout2D: all other axes are shared); other ways of
 * sharing are ref's.  Decision k of an example is, as in ref, word k mod 4 of the Philox block of counter
 * (example in the global batch, k / 4): kept when it is at least rate * 2^32.  saved: one byte per decision. */
static size_t decision_count(const OpDesc *op) {
    bool shared = op->x[0].rank > 1 && op->attr.dropout.shared[0];
    return shared ? channels_of(&op->x[0]) : shape_count(&op->x[0]);
}

static bool supports(const OpDesc *op) {
    const Shape *x = &op->x[0];
    const bool *shared = op->attr.dropout.shared;
    for (size_t i = 0; i < x->rank; i++)
        if (shared[i] != (shared[0] && i + 1 < x->rank))
            return false;
    return true;
}

/* BLOCKS consecutive blocks at a time: Philox's ten rounds (base/rng.c) on vectors. */
enum { BLOCKS = 16 };

CPU_CLONES
static void philox_blocks(RngKey key, uint64_t a, uint64_t b, uint32_t words[4][BLOCKS]) {
    uint32_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS], k0 = key.word[0], k1 = key.word[1];
    for (uint32_t j = 0; j < BLOCKS; j++) {
        c0[j] = (uint32_t)a, c1[j] = (uint32_t)(a >> 32);
        c2[j] = (uint32_t)(b + j), c3[j] = (uint32_t)((b + j) >> 32);
    }
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
        for (int j = 0; j < BLOCKS; j++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[j], p1 = (uint64_t)0xCD9E8D57u * c2[j];
            c0[j] = (uint32_t)(p1 >> 32) ^ c1[j] ^ k0;
            c1[j] = (uint32_t)p1;
            c2[j] = (uint32_t)(p0 >> 32) ^ c3[j] ^ k1;
            c3[j] = (uint32_t)p0;
        }
    memcpy(words[0], c0, sizeof c0);
    memcpy(words[1], c1, sizeof c1);
    memcpy(words[2], c2, sizeof c2);
    memcpy(words[3], c3, sizeof c3);
}

static void decide(const DropoutAttr *attr, const OpContext *context, uint64_t example, size_t count, uint8_t *keep) {
    RngKey key = rng_key(context->seed, RNG_DROPOUT, attr->stream, context->step);
    uint64_t threshold = (uint64_t)(attr->rate * 0x1p32);
    for (size_t first = 0; first < count; first += 4 * BLOCKS) {
        uint32_t words[4][BLOCKS];
        philox_blocks(key, context->first_example + example, first / 4, words);
        for (size_t k = 0; k < at_most(count - first, 4 * BLOCKS); k++)
            keep[first + k] = words[k % 4][k / 4] >= threshold;
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

static void apply(const OpDesc *op, const uint8_t *keep, const float *from, bool add, float *to) {
    size_t count = shape_count(&op->x[0]), columns = decision_count(op);
    double rate = op->attr.dropout.rate;
    float scale = rate < 1 ? (float)(1 / (1 - rate)) : 0;
    for (size_t e = 0; e < op->n; e++)
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
