/* SPDX-License-Identifier: Apache-2.0
 *
 * The ranks of a run: who they are, how they agree, and the few small exchanges that are not gradients.  src/dist is
 * the only folder that knows MPI.
 *
 * Ranks are numbered by node: MPI_COMM_WORLD is sorted so that the ranks of a node are neighbours whatever --map-by
 * says, since neighbours in the sum of gradients (gradsync.h) then share a node.  World rank 0 stays rank 0.
 *
 * Collective functions are called by all ranks in the same order, by the main thread (MPI_THREAD_FUNNELED).  An error
 * inside MPI ends the job with MPI's own message (MPI_ERRORS_ARE_FATAL), so that only our failures return a Status. */
#ifndef DIST_DIST_H
#define DIST_DIST_H
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef struct Dist Dist;

/* Starts MPI, numbers the ranks, tells base/log.h the rank and makes MPI_Abort the abort hook of base/status.h.
 * Collective; once per process; also without mpirun, as a single rank.
 * STATUS_USAGE: this is one of several processes, but MPI sees it alone, so that each would train by itself: Slurm
 * gives the job several tasks, and nothing started the program as an MPI job; or the mpirun of another MPI did.  On
 * failure MPI has been finalized and the caller prints the message. */
Status dist_init(int *argc, char ***argv, Dist **out);

/* Ends MPI.  Collective.  Accepts NULL.  After it a program may exit with any code, the same on all ranks. */
void dist_finish(Dist *dist);

/* For tests: *out = the ranks of `dist`, numbered as if this one stood on node `node` (any number from 0; ranks that
 * give the same are neighbours).  Shares nothing with `dist`; given back by dist_release before dist_finish.  Both
 * collective.  STATUS_FAILED: out of memory, printed. */
Status dist_regroup(Dist *dist, int node, Dist **out);
void dist_release(Dist *dist);

/* Not collective. */
int dist_rank(const Dist *dist); /* 0 .. ranks-1 */
int dist_ranks(const Dist *dist);
int dist_node(const Dist *dist); /* 0 .. nodes-1, in the order of their lowest world rank */
int dist_nodes(const Dist *dist);
int dist_local_rank(const Dist *dist); /* 0 .. local_ranks-1, within the node */
int dist_local_ranks(const Dist *dist);
const char *dist_host(const Dist *dist); /* name of this node */

/* The end of a phase that all ranks pass.  Collective.  STATUS_OK when every rank passes STATUS_OK; else the lowest
 * failing rank prints its status_message() as an error, every rank gets its code and has an empty message: what was
 * printed is not printed again by a further dist_agree or by main(). */
Status dist_agree(Dist *dist, Status status);

/* The same without printing: every rank's status_message() becomes "rank R (HOST): text" of the lowest failing rank
 * ("text" alone on a single rank). */
Status dist_agree_quiet(Dist *dist, Status status);

/* Copies rank 0's `bytes` at `data` to all ranks.  Collective, the same `bytes` on all. */
void dist_broadcast(Dist *dist, void *data, size_t bytes);

/* *text of rank 0 (may be NULL) to all ranks: the others get a copy that they free with memory_free.  Collective.
 * Out of memory on any rank is printed and fails on all. */
Status dist_broadcast_text(Dist *dist, char **text);

/* all = the `bytes` of rank 0, those of rank 1, ... on every rank; ranks may give different amounts, 0 included.
 * Collective.  all_bytes: the sum, at most 2 GiB - 1 (gather more in parts). */
void dist_gather_all(Dist *dist, const void *mine, size_t bytes, void *all, size_t all_bytes);

/* The largest of the ranks' values, on every rank.  Collective. */
int dist_max_int(Dist *dist, int value);

/* values[i] = the sum over ranks, on every rank.  Exact (integers).  Collective. */
void dist_sum(Dist *dist, uint64_t *values, size_t count);

/* Rank 0's `data` = the `bytes` at `data` of rank `from`, which is not 0.  Called by these two, which both know how
 * many; others do nothing. */
void dist_hand_over(Dist *dist, int from, void *data, size_t bytes);

void dist_barrier(Dist *dist);

/* Seconds since some fixed time in the past, monotonic.  Not collective. */
double dist_time(void);

#endif
