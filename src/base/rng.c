/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include <math.h>

/* The finalizer of MurmurHash3 (splitmix64 constants): spreads close numbers over all 64 bits. */
static uint64_t mix(uint64_t z) {
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

RngKey rng_key(uint64_t seed, RngPurpose purpose, uint64_t x, uint64_t y) {
    uint64_t k = mix(mix(mix(mix(seed) ^ (uint64_t)purpose) ^ x) ^ y);
    return (RngKey){{(uint32_t)k, (uint32_t)(k >> 32)}};
}

void rng_block(RngKey key, uint64_t a, uint64_t b, uint32_t out[4]) {
    uint32_t c0 = (uint32_t)a, c1 = (uint32_t)(a >> 32), c2 = (uint32_t)b, c3 = (uint32_t)(b >> 32);
    uint32_t k0 = key.word[0], k1 = key.word[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static double unit(uint32_t high, uint32_t low) {
    return (double)((((uint64_t)high << 32) | low) >> 11) * 0x1p-53;
}

double rng_uniform(RngKey key, uint64_t a, uint64_t b) {
    uint32_t r[4];
    rng_block(key, a, b, r);
    return unit(r[0], r[1]);
}

double rng_normal(RngKey key, uint64_t a, uint64_t b) {
    uint32_t r[4];
    rng_block(key, a, b, r);
    return sqrt(-2.0 * log(1.0 - unit(r[0], r[1]))) * cos(6.283185307179586 * unit(r[2], r[3]));
}

uint64_t rng_permute(RngKey key, uint64_t position, uint64_t count) {
    unsigned half = 1; /* bits of each half: 4^half is the first power of four that covers count */
    while (half < 32 && (1ull << (2 * half)) < count)
        half++;
    uint64_t mask = (1ull << half) - 1;
    do {
        uint64_t left = position >> half, right = position & mask;
        for (uint64_t round = 0; round < 6; round++) {
            uint32_t r[4];
            rng_block(key, right, round, r);
            uint64_t next = left ^ ((((uint64_t)r[1] << 32) | r[0]) & mask);
            left = right;
            right = next;
        }
        position = (left << half) | right;
    } while (position >= count);
    return position;
}

uint64_t rng_hash(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}
