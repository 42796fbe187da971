/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that the ranks of a node see together: each brings a part, all see all parts.
 *
 * It has no name that could be left behind.  Local rank 0 makes an anonymous file (memfd_create), the others open it as
 * /proc/PID/fd/FD; where that is not possible (no /proc, several process trees), a file of /dev/shm whose name is removed
 * as soon as all have opened it.  The size of /dev/shm, 64 MB in a usual container, limits only the second way.  Every rank
 * reserves its part, so that too little memory is an error here and not a signal later, and the pages lie near their
 * rank.  MPI_Win_allocate_shared would do the same but for Open MPI 4, which leaves ranks waiting for ever when /dev/shm
 * is too small. */
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

/* Not collective; accepts what is not mapped.  The memory is gone when all ranks have unmapped it, or ended in any way. */
void shared_unmap(Shared *shared);

/* For tests: from now on this rank behaves as if these ways did not work; 0 = all work. */
enum { SHARED_UNNAMED = 1, SHARED_NAMED = 2 };
void shared_forbid(unsigned ways);

#endif
