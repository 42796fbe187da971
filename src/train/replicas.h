/* SPDX-License-Identifier: Apache-2.0
 *
 * Are the replicas still the same?  All ranks do the same arithmetic on the same bits, so weights, optimizer state and
 * average must be equal to the last bit; where they are not, a memory or a processor has failed, and no checkpoint must
 * be written of it (--check-replicas). */
#ifndef TRAIN_REPLICAS_H
#define TRAIN_REPLICAS_H
#include "dist/dist.h"
#include <stdbool.h>

/* When --check-replicas says to compare.  STATUS_USAGE: the text is none of off, checkpoints, N. */
typedef struct ReplicaChecks {
    bool at_checkpoints;
    size_t every; /* steps; 0: not by steps */
} ReplicaChecks;
Status replicas_parse(const char *text, ReplicaChecks *out);

/* odd[i] = hash[i] is not that of more than half; without such a majority all are odd.  Returns how many are. */
size_t replicas_odd(const uint64_t *hash, size_t count, bool *odd);

/* Compares the ranks' hashes of their replicas after step `step`.  Collective, the same result on all; not printed.
 * STATUS_RETRY: they differ; the message names the ranks (and hosts) that have others than the majority, or all. */
Status replicas_compare(Dist *dist, uint64_t hash, uint64_t step);

#endif
