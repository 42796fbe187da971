/* SPDX-License-Identifier: Apache-2.0
 *
 * Counter-based random numbers: a value is a function of (seed, purpose, two stream numbers, counter) and of nothing
 * else, so there is no generator state to save, and no rank, thread or order of calls that could change it.
 *
 * Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#ifndef BASE_RNG_H
#define BASE_RNG_H
#include <stddef.h>
#include <stdint.h>

typedef enum RngPurpose {
    RNG_INIT = 1,
    RNG_SHUFFLE,
    RNG_SPLIT,
    RNG_DROPOUT,
    RNG_AUGMENT,
    RNG_TEST,
    RNG_MIX,
    RNG_NOISE
} RngPurpose;

typedef struct RngKey {
    uint32_t word[2];
} RngKey;

/* The key of one stream.  x and y say which: for dropout layer and step, for shuffling the epoch, for initial weights
 * the parameter. */
RngKey rng_key(uint64_t seed, RngPurpose purpose, uint64_t x, uint64_t y);

/* Four random words: Philox4x32-10 of the counter (a, b), 64 bits each. */
void rng_block(RngKey key, uint64_t a, uint64_t b, uint32_t out[4]);

/* Uniform in [0, 1), 53 random bits. */
double rng_uniform(RngKey key, uint64_t a, uint64_t b);

/* Standard normal (Box-Muller). */
double rng_normal(RngKey key, uint64_t a, uint64_t b);

/* The image of `position` under a keyed permutation of 0 .. count-1 (a Feistel network of 6 rounds over the next power
 * of four, walked until the image is in range; Black and Rogaway, "Ciphers with arbitrary finite domains", 2002): the
 * order of an epoch without an index array.  position < count. */
uint64_t rng_permute(RngKey key, uint64_t position, uint64_t count);

/* A 64-bit hash of a text, to make a stream number from a name (FNV-1a). */
uint64_t rng_hash(const char *text);

#endif
