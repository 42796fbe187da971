/* SPDX-License-Identifier: Apache-2.0
 *
 * What gradsync.c (the step) and gradsync_exchange.c (the messages) share. */
#ifndef DIST_GRADSYNC_INTERNAL_H
#define DIST_GRADSYNC_INTERNAL_H
#include "dist/dist_internal.h"
#include "dist/gradsync.h"
#include "dist/tree.h"
#include <stdbool.h>

enum {
    GRADSYNC_LINE = 16,   /* parts are cut at multiples of so many Reals (a cache line or two) */
    GRADSYNC_BLOCK = 2048 /* Reals of one pass over the tree: its inner nodes stay in the first-level cache */
};

/* What follows from the options, the ranks and the nodes. */
typedef struct Sizes {
    size_t bucket;   /* Reals in a bucket */
    size_t buckets;  /* to be exchanged; 0 for a single rank and for GRADSYNC_MPI */
    size_t window;   /* of them in flight */
    size_t part;     /* Reals in a rank's part of a bucket, at most */
    size_t slabs;    /* gradient slabs of this rank */
    size_t pieces;   /* of this rank after its last micro-batch */
    size_t inputs;   /* pieces of all ranks */
    size_t depth;    /* of the stack over them; 0 without exchange */
    size_t requests; /* of a bucket in flight */
} Sizes;

typedef enum State { IDLE, GATHER, SPREAD } State;

typedef struct Flight {
    State state;
    size_t bucket;
    MPI_Request *requests; /* within GradSync.requests */
    int count;             /* requests in use */
    Real *received;        /* within GradSync.received: the other ranks' pieces of my part, in rank order */
} Flight;

struct GradSync {
    MPI_Comm comm; /* owned */
    size_t rank, ranks, count, micro_batches;
    GradSyncMode mode;
    Sizes sizes;
    Real **slab;           /* owned [slabs]; piece i of the stack lies in slab i */
    Flight *flight;        /* owned [window] */
    MPI_Request *requests; /* owned */
    Real *received;        /* owned */
    Real *scratch;         /* owned [depth][BLOCK]: inner nodes */
    size_t *pieces;        /* owned [ranks]: pieces of each rank in this step */
    size_t *additions;     /* owned [inputs]: what tree_push says to each of them, in rank order */
    size_t inputs;         /* how many in this step */

    size_t present;                   /* micro-batches of this step; 0 before the first */
    TreeStack stack;                  /* this rank's pieces */
    size_t next, end;                 /* the micro-batch being written; after this rank's last present one */
    size_t writing, due;              /* its slab; additions due when it is final */
    size_t prefix, added;             /* Reals of it that are final; that are added up */
    size_t posted, started, finished; /* buckets: ready to leave; of them in flight or done; without a gap done */
};

static inline size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* out = a + b, elementwise; out may be a or b. */
void gradsync__add(Real *out, const Real *a, const Real *b, size_t count);

/* Starts the posted buckets for which there is room in the window and moves those in flight on.  Not blocking. */
void gradsync__exchange(GradSync *sync);

#endif
