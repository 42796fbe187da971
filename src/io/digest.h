/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 (FIPS 180-4, by libcrypto) over what decides a run, to compare two runs by one line of text.
 *
 * Every item goes in with its length, so that no two different lists of items give the same bytes.  Numbers go in as
 * raw IEEE 754 bits, little endian: -0 and 0, or two kinds of NaN, differ.  Not collective. */
#ifndef IO_DIGEST_H
#define IO_DIGEST_H
#include "base/status.h"
#include "io/checkpoint.h"
#include <stddef.h>

enum { DIGEST_HEX = 65 }; /* 64 characters and '\0' */

/* Before any other use of libcrypto (digest_create does it by itself): where it cannot start, the process ends with a
 * message. */
void digest_start(void);

typedef struct Digest Digest;
Status digest_create(Digest **out);
void digest_destroy(Digest *digest); /* accepts NULL */

/* Adds raw bytes; a text with its length in front. */
Status digest_bytes(Digest *digest, const void *bytes, size_t size);
Status digest_text(Digest *digest, const char *text);

/* Writes the result as 64 hexadecimal digits.  Nothing can be added afterwards. */
Status digest_finish(Digest *digest, char hex[DIGEST_HEX]);

/* The two digests that programs show: of a checkpoint's weights, and of all that decides how its training goes on
 * (weights, optimizer slots, network, state without the members in left_out [count]: times, speeds, paths).
 *   weights  layers that have any, names, shapes and numbers: files differ in which layers without weights they list
 *   JSON     in one canonical form: keys sorted, no white space, reals with 17 digits, members left out at any depth */
Status digest_weights(const Checkpoint *checkpoint, char hex[DIGEST_HEX]);
Status digest_state(const Checkpoint *checkpoint, size_t count, const char *const *left_out, char hex[DIGEST_HEX]);

#endif
