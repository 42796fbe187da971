/* SPDX-License-Identifier: Apache-2.0
 *
 * A fast hash of memory, to compare copies on several computers: no protection against people.
 *
 *     h[l] = f(h[l] ^ w[16 i + l]),   f(v) = u ^ u >> 31,  u = v * (1 + 2^27) mod 2^64        for each i, 16 lanes l
 *
 * over the 64-bit words w, the last ones filled up with zeros; then the lanes, the number of bytes and the seed go
 * through one such chain with the finalizer of splitmix64 (Steele, Lea, Flood 2014).  f is a bijection, so a difference
 * within one word, a flipped bit above all, always changes the result; other differences stay unseen by a chance of
 * about 2^-64.  No multiplication, no dependence between lanes: any vector unit reads faster than memory gives. */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

/* Of `bytes` at `data`; seed: the hash of what came before, or any number. */
uint64_t hash_bytes(uint64_t seed, const void *data, size_t bytes);

#endif
