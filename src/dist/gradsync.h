/* SPDX-License-Identifier: Apache-2.0
 *
 * The gradient of a step: the sum over its micro-batches, on every rank, with the same bits for any number of ranks.
 *
 *     gradsync_begin(sync, present);
 *     for (i = gradsync_first(sync); i < gradsync_last(sync) && i < present; i++) {
 *         Real *gradient = gradsync_slab(sync);
 *         ... backward pass of micro-batch i: writes gradient from the front,
 *             now and then gradsync_final(sync, elements so far), gradsync_poll(sync) ...
 *         gradsync_final(sync, count);
 *     }
 *     sum = gradsync_wait(sync);
 *
 * Rank r of P runs the micro-batches floor(r*M/P) .. floor((r+1)*M/P)-1 and adds those that make up whole nodes of the
 * tree (tree.h).  What is left, mostly one sum, it shares: the slabs lie in memory that all ranks of a computer see
 * (shared.h).  The slab is cut into buckets, a bucket into parts, each with one owner, who evaluates the tree: it reads
 * the sums of its own node in their slabs, gets those of other nodes by messages, writes the result into the slabs and
 * sends it to the other nodes (gradsync_exchange.c).  So on one node no messages are sent, and between nodes each sends
 * what a ring would.  Buckets of a rank's last micro-batch leave as soon as they are final, while the backward pass
 * goes on.  Where memory cannot be shared all goes by messages, with the same bits.
 *
 * Memory: all of it is allocated by gradsync_create; a step allocates nothing.  None of it has a name that could be
 * left behind when a rank is killed. */
#ifndef DIST_GRADSYNC_H
#define DIST_GRADSYNC_H
#include "base/real.h"
#include "base/status.h"
#include "dist/dist.h"
#include <stddef.h>

typedef enum GradSyncMode {
    GRADSYNC_TREE, /* the fixed tree: the same bits for any number of ranks */
    GRADSYNC_MPI   /* MPI_Allreduce of the ranks' sums: for networks that offload it; bits depend on the rank count */
} GradSyncMode;

typedef struct GradSyncOptions {
    size_t count;         /* Reals in a gradient slab; may be 0 */
    size_t micro_batches; /* M, at least the number of ranks */
    size_t bucket_bytes;  /* what is exchanged in one go; 0: by rule, 64 to 512 KB on one node */
    GradSyncMode mode;
} GradSyncOptions;

typedef struct GradSync GradSync;

/* Collective; the same options on all ranks.  To be destroyed before dist_finish.
 * STATUS_USAGE: more ranks than micro-batches.  STATUS_FAILED: out of memory.  Fails on all ranks or on none, and what
 * failed has been printed (dist_agree).  Warns, by rank 0, where ranks of a node cannot share memory, and where the
 * micro-batches divide so badly among nodes that several sums of a node travel. */
Status gradsync_create(Dist *dist, const GradSyncOptions *options, GradSync **out);

/* Collective.  Accepts NULL. */
void gradsync_destroy(GradSync *sync);

/* Bytes that gradsync_create takes on the rank that needs most, slabs included, for a run on so many ranks, evenly
 * spread over so many nodes whose ranks share memory.  Not collective; SIZE_MAX when it does not fit a size_t. */
size_t gradsync_bytes(const GradSyncOptions *options, int ranks, int nodes);

/* Bytes of the other ranks' slabs that this rank reads and writes.  The system counts them for each process that
 * touches them (memory_process), though they are there once.  Not collective. */
size_t gradsync_foreign_bytes(const GradSync *sync);

/* This rank's micro-batches: first .. last-1, never none. */
size_t gradsync_first(const GradSync *sync);
size_t gradsync_last(const GradSync *sync);

/* Starts a step in which only the micro-batches 0 .. present-1 have examples (1 <= present <= M; a short last batch
 * leaves the others empty).  Same `present` on all ranks; overwrites the last step's sum.  Not blocking. */
void gradsync_begin(GradSync *sync, size_t present);

/* Where this rank's next present micro-batch writes its gradient, all `count` elements.  Old contents are arbitrary. */
Real *gradsync_slab(GradSync *sync);

/* The elements [0, prefix) of the current slab are final and will not be touched again.  prefix never falls; prefix ==
 * count completes the micro-batch.  Not blocking. */
void gradsync_final(GradSync *sync, size_t prefix);

/* Moves the exchange on: sums what all have posted, and without it Open MPI makes no progress.  Not blocking, and some
 * nanoseconds when nothing can be done: call it between the operations of the network and within long ones. */
void gradsync_poll(GradSync *sync);

/* Waits for the end of the exchange and returns the sum [count] over all present micro-batches, the same on every rank.
 * Owned by `sync`; the caller may change it in place until the next gradsync_begin.  Collective, also for ranks that
 * have no present micro-batch. */
Real *gradsync_wait(GradSync *sync);

#endif
