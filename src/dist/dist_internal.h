/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of src/dist share. */
#ifndef DIST_DIST_INTERNAL_H
#define DIST_DIST_INTERNAL_H
#include "base/real.h"
#include "dist/dist.h"
#include <mpi.h>

#define DIST_REAL (REAL_IS_DOUBLE ? MPI_DOUBLE : MPI_FLOAT) /* MPI's name of Real */

struct Dist {
    MPI_Comm comm;  /* owned; all ranks, sorted by node */
    MPI_Comm local; /* owned; the ranks of this node, in the same order */
    int rank, ranks, node, nodes, local_rank, local_ranks;
    char host[MPI_MAX_PROCESSOR_NAME];
};

#endif
