/* SPDX-License-Identifier: Apache-2.0
 *
 * Which example is used when, and by which rank: all of this arithmetic, as pure functions.  Nothing is stored, so
 * there is nothing to save in a checkpoint, and any (epoch, step) can be asked for at once.
 *
 *     epoch e of a view of N examples:  positions 0 .. N-1, position p is the view's example sampler_index(.., e, p)
 *     step s of an epoch:               positions s*B .. min((s+1)*B, N) - 1, a global batch of b examples
 *     micro-batch i of M of the step:   b/M examples, one more when i < b mod M, one after the other
 *     rank r of P:                      micro-batches floor(r*M/P) .. floor((r+1)*M/P) - 1
 *
 * No number depends on the rank count but the last line's. */
#ifndef DATA_SAMPLER_H
#define DATA_SAMPLER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A split of a dataset, or one of the two parts that --validation-split cuts it into. */
typedef struct SamplerView {
    uint64_t total;        /* examples of the split */
    uint64_t first, count; /* the view is first .. first+count-1 of the split's (permuted) order */
    bool permuted;
    uint64_t seed;
} SamplerView;

/* The whole split, in its own order. */
SamplerView sampler_whole(uint64_t total);

/* A seeded random part of round(total * fraction) examples for validation, and the rest.  0 <= fraction < 1; where
 * 0 < fraction and 1 < total, neither part is empty. */
SamplerView sampler_training_part(uint64_t total, double fraction, uint64_t seed);
SamplerView sampler_validation_part(uint64_t total, double fraction, uint64_t seed);

/* The row in the split of the view's example `index` (0 .. count-1). */
uint64_t sampler_row(const SamplerView *view, uint64_t index);

/* The order of examples over epochs. */
typedef struct SamplerOrder {
    bool shuffle; /* false: the view's order in every epoch */
    uint64_t seed;
} SamplerOrder;

/* The view's example at `position` of `epoch`: each one exactly once per epoch. */
uint64_t sampler_index(const SamplerView *view, SamplerOrder order, uint64_t epoch, uint64_t position);

/* Steps of an epoch: ceil(count / batch_size). */
uint64_t sampler_steps(uint64_t count, size_t batch_size);

/* Examples of step `step`: batch_size, fewer in the last one. */
size_t sampler_batch(uint64_t count, size_t batch_size, uint64_t step);

/* Part of a row of things: first .. first+count-1. */
typedef struct SamplerPart {
    uint64_t first, count;
} SamplerPart;

/* Micro-batch i of M of a global batch of `batch` examples, as positions in the batch.  The last ones are empty when
 * batch < M. */
SamplerPart sampler_micro_batch(size_t batch, size_t micro_batches, size_t i);

/* What rank r of `ranks` gets of `units` micro-batches or evaluation blocks: floor(r*units/ranks) up to, not including,
 * floor((r+1)*units/ranks). */
SamplerPart sampler_share(uint64_t units, size_t ranks, size_t rank);

/* Evaluation and prediction: block i of `block` examples each, in the view's order. */
uint64_t sampler_blocks(uint64_t count, size_t block);
SamplerPart sampler_block(uint64_t count, size_t block, uint64_t i);

#endif
