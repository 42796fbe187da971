/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include <string.h>

enum { LANES = 16, BLOCK = LANES * 8 };

static void take_block(uint64_t lane[LANES], const unsigned char *block) {
    uint64_t word[LANES];
    memcpy(word, block, BLOCK);
    for (size_t l = 0; l < LANES; l++) {
        uint64_t v = lane[l] ^ word[l];
        v += v << 27;
        lane[l] = v ^ v >> 31;
    }
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    uint64_t v = (hash ^ word) + 0x9e3779b97f4a7c15;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
    v = (v ^ v >> 27) * 0x94d049bb133111eb;
    return v ^ v >> 31;
}

uint64_t hash_bytes(uint64_t seed, const void *data, size_t bytes) {
    const unsigned char *at = data;
    uint64_t lane[LANES], hash = mix(seed, bytes);
    size_t whole = bytes / BLOCK * BLOCK;
    for (size_t l = 0; l < LANES; l++)
        lane[l] = l + 1; /* else zeros would not count */
    for (size_t i = 0; i < whole; i += BLOCK)
        take_block(lane, at + i);
    if (whole < bytes) {
        unsigned char rest[BLOCK] = {0};
        memcpy(rest, at + whole, bytes - whole);
        take_block(lane, rest);
    }
    for (size_t l = 0; l < LANES; l++)
        hash = mix(hash, lane[l]);
    return hash;
}
