/* SPDX-License-Identifier: Apache-2.0 */
#include "data/sampler.h"
#include "base/rng.h"
#include "base/status.h"

SamplerView sampler_whole(uint64_t total) {
    return (SamplerView){.total = total, .count = total};
}

static uint64_t validation_count(uint64_t total, double fraction) {
    uint64_t count = (uint64_t)((double)total * fraction + 0.5);
    if (fraction > 0 && count == 0)
        count = 1;
    if (count >= total)
        count = total > 0 ? total - 1 : 0;
    return count;
}

SamplerView sampler_training_part(uint64_t total, double fraction, uint64_t seed) {
    uint64_t validation = validation_count(total, fraction);
    return (SamplerView){.total = total, .count = total - validation, .permuted = validation > 0, .seed = seed};
}

SamplerView sampler_validation_part(uint64_t total, double fraction, uint64_t seed) {
    uint64_t validation = validation_count(total, fraction);
    return (SamplerView){
        .total = total, .first = total - validation, .count = validation, .permuted = true, .seed = seed};
}

uint64_t sampler_row(const SamplerView *view, uint64_t index) {
    CHECK(index < view->count, "index %llu of %llu", (unsigned long long)index, (unsigned long long)view->count);
    uint64_t place = view->first + index;
    return view->permuted ? rng_permute(rng_key(view->seed, RNG_SPLIT, 0, 0), place, view->total) : place;
}

uint64_t sampler_index(const SamplerView *view, SamplerOrder order, uint64_t epoch, uint64_t position) {
    CHECK(position < view->count, "position %llu of %llu", (unsigned long long)position,
          (unsigned long long)view->count);
    return order.shuffle ? rng_permute(rng_key(order.seed, RNG_SHUFFLE, epoch, 0), position, view->count) : position;
}

uint64_t sampler_steps(uint64_t count, size_t batch_size) {
    return count / batch_size + (count % batch_size != 0);
}

size_t sampler_batch(uint64_t count, size_t batch_size, uint64_t step) {
    return (size_t)sampler_block(count, batch_size, step).count;
}

SamplerPart sampler_micro_batch(size_t batch, size_t micro_batches, size_t i) {
    size_t size = batch / micro_batches, longer = batch % micro_batches;
    return (SamplerPart){i * size + (i < longer ? i : longer), size + (i < longer)};
}

/* floor(rank * units / ranks) without overflow. */
static uint64_t share_start(uint64_t units, uint64_t ranks, uint64_t rank) {
    return units / ranks * rank + units % ranks * rank / ranks;
}

SamplerPart sampler_share(uint64_t units, size_t ranks, size_t rank) {
    uint64_t first = share_start(units, ranks, rank);
    return (SamplerPart){first, share_start(units, ranks, rank + 1) - first};
}

uint64_t sampler_blocks(uint64_t count, size_t block) {
    return sampler_steps(count, block);
}

SamplerPart sampler_block(uint64_t count, size_t block, uint64_t i) {
    CHECK(i < sampler_steps(count, block), "block %llu of %llu examples", (unsigned long long)i,
          (unsigned long long)count);
    uint64_t first = i * block;
    return (SamplerPart){first, count - first < block ? count - first : block};
}
