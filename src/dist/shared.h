/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that the ranks of a node see together: each brings a part, all see all parts; or a table that one brings for
 * all, in memory or in a file.
 *
 * It has no name that could be left behind.  Local rank 0 makes an anonymous file (memfd_create), the others open it as
 * /proc/PID/fd/FD; where that is not possible (no /proc, several process trees), a file of /dev/shm whose name is
 * removed as soon as all have opened it.  The size of /dev/shm, 64 MB in a usual container, limits only the second way.
 * Every rank reserves its part, so that too little memory is an error here and not a signal later, and the pages lie
 * near their rank.  MPI_Win_allocate_shared would do the same but for Open MPI 4, which leaves ranks waiting for ever
 * when /dev/shm is too small. */
#ifndef DIST_SHARED_H
#define DIST_SHARED_H
#include "base/status.h"
#include "dist/dist.h"
#include <stddef.h>

typedef struct Shared {
    void *block;  /* all parts as this rank sees them; NULL: nothing is mapped */
    size_t total; /* bytes of it */
    size_t own;   /* bytes of this rank's part */
} Shared;

/* part[r] = where local rank r's part begins, zeroed, on a page of its own; part[local rank of this one] has `bytes`.
 * The ranks may bring different amounts.  Counted by base/memory.h as this rank's.  Collective over the node, same
 * result on all its ranks; other nodes may have another.
 * STATUS_FAILED: the ranks of the node cannot share memory. */
Status shared_map(Dist *dist, size_t bytes, void **part, Shared *shared);

/* *table = `bytes` > 0, the same on all ranks, zeroed, seen by all ranks of the node; every node has a table of its
 * own.  folder NULL: in memory, counted as local rank 0's; else in a file without a name in that folder, of which the
 * system keeps in memory what it has room for.  `what` names it in messages ("features").  Collective, agreed on by all
 * nodes.  STATUS_FAILED: no room, no such folder, the ranks of a node cannot share memory. */
Status shared_table(Dist *dist, const char *folder, size_t bytes, const char *what, void **table, Shared *shared);

/* Ends the writing of tables that every node has: this rank has written bytes [begin, end) of its node's table, the
 * next rank those that follow, the last one up to the table's end.  After it all of it is in every node's table.
 * Collective. */
void shared_spread(Dist *dist, void *table, size_t begin, size_t end);

/* Not collective; accepts what is not mapped.  The memory is gone when all ranks have unmapped it, or ended in any
 * way. */
void shared_unmap(Shared *shared);

/* For tests: from now on this rank behaves as if these ways did not work; 0 = all work. */
enum { SHARED_UNNAMED = 1, SHARED_NAMED = 2 };
void shared_forbid(unsigned ways);

#endif
