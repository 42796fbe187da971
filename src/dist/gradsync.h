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
 * Rank r of P runs the micro-batches floor(r*M/P) .. floor((r+1)*M/P)-1, adds those that make up whole nodes of the
 * tree (tree.h), and the ranks exchange the pieces: the slab is cut into buckets, a bucket into P parts, rank j owns
 * part j. Everybody sends its pieces of part j to rank j, which evaluates the tree and sends the result back.  Buckets
 * of a rank's last micro-batch leave as soon as they are final, while the backward pass goes on.
 *
 * Memory: all of it is allocated by gradsync_create; a step allocates nothing. */
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
    size_t bucket_bytes;  /* what is exchanged in one go; 0: GRADSYNC_BUCKET */
    GradSyncMode mode;
} GradSyncOptions;

enum { GRADSYNC_BUCKET = 1 << 20 };

typedef struct GradSync GradSync;

/* Collective; the same options on all ranks.  To be destroyed before dist_finish.
 * STATUS_USAGE: more ranks than micro-batches.  STATUS_FAILED: out of memory.  Fails on all ranks or on none, and what
 * failed has been printed (dist_agree). */
Status gradsync_create(Dist *dist, const GradSyncOptions *options, GradSync **out);

/* Collective.  Accepts NULL. */
void gradsync_destroy(GradSync *sync);

/* Bytes that gradsync_create allocates on the rank that needs most, slabs included, for a run on so many ranks and
 * nodes. Not collective; SIZE_MAX when it does not fit a size_t. */
size_t gradsync_bytes(const GradSyncOptions *options, int ranks, int nodes);

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

/* Moves the exchange on; without it Open MPI makes no progress.  Cheap and not blocking: call it between the nodes of
 * the network and within long ones. */
void gradsync_poll(GradSync *sync);

/* Waits for the end of the exchange and returns the sum [count] over all present micro-batches, the same on every rank.
 * Owned by `sync`; the caller may change it in place until the next gradsync_begin.  Collective, also for ranks that
 * have no present micro-batch. */
Real *gradsync_wait(GradSync *sync);

#endif
