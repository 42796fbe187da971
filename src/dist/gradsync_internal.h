/* SPDX-License-Identifier: Apache-2.0
 *
 * What gradsync.c (the step), gradsync_create.c (sizes and memory) and gradsync_exchange.c (the exchange) share. */
#ifndef DIST_GRADSYNC_INTERNAL_H
#define DIST_GRADSYNC_INTERNAL_H
#include "dist/dist_internal.h"
#include "dist/gradsync.h"
#include "dist/shared.h"
#include "dist/tree_program.h"
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { GRADSYNC_LINE = 16 }; /* parts are cut at multiples of so many Reals (a cache line or two) */

/* Where the ranks are.  Node n has the ranks first[n] .. first[n+1]-1. */
typedef struct Places {
    size_t ranks, nodes;
    size_t lanes; /* the most ranks of a node */
    const size_t *first;
} Places;

/* What follows from the options, the places and the rank. */
typedef struct Sizes {
    size_t bucket, buckets;     /* Reals in a bucket; how many there are (none in GRADSYNC_MPI) */
    size_t slabs, stride;       /* gradient slabs of this rank; Reals from one to the next */
    size_t node, local, locals; /* this rank's node, its number there, how many there are */
    size_t lanes;               /* that this rank runs */
    size_t part;                /* Reals in an owner's part of a bucket, at most */
    size_t inputs, foreign;     /* pieces that an owner here adds; of them, those of other nodes */
    size_t pieces, most;        /* that this rank's slabs hold; that a node has to give, at most */
    size_t requests;            /* of a flight */
} Sizes;

/* What a rank tells those on its node, by counting buckets from the first step on: nothing is ever reset.  Each counter
 * has a cache line; the other ranks only read. */
typedef struct Flags {
    alignas(64) _Atomic uint64_t posted; /* their gradients stand in the slabs and may be read and overwritten */
    alignas(64) _Atomic uint64_t done;   /* the lanes that this rank runs stand in all slabs of the node */
} Flags;

typedef enum State { WAITING, GATHER, SPREAD, DONE } State;

/* A bucket on its way through a lane. */
typedef struct Flight {
    State state;
    size_t bucket, lane;
    MPI_Request *requests; /* within GradSync.requests */
    size_t used, pending;  /* requests in use; of them not complete */
    Real *received;        /* within GradSync.received: [foreign][part] */
} Flight;

struct GradSync {
    MPI_Comm comm; /* owned */
    size_t rank, count, micro_batches;
    GradSyncMode mode;
    Places places;
    Sizes sizes;

    /* the memory of the node: of each local rank its flags, then its slabs */
    Shared shared;
    void *private; /* owned; instead of it where ranks share nothing */
    Flags **flags; /* [locals] */
    Real **slabs;  /* [locals]: slab 0 of each */

    /* carved from one allocation */
    void *memory;         /* owned */
    size_t *first;        /* [nodes + 1]: places.first */
    size_t *pieces;       /* [nodes]: how many sums each node has to give in this step */
    size_t inputs;        /* of the programs in this step, at most sizes.inputs */
    Real **input;         /* [inputs]: slabs of the node in which inputs of the programs lie, NULL: received */
    Real **value, **copy; /* [inputs], [locals]: the same, and slab 0 of each rank, at one part of one bucket */
    TreeProgram merge;    /* the pieces of this node's ranks to those of the node */
    TreeProgram finish;   /* these and the other nodes' pieces to the sum */
    Flight *flight;       /* [buckets][lanes] */
    MPI_Request *request; /* [flights][requests] */
    int *completed;       /* as many: what MPI_Testsome returns */
    Real *received;

    /* the step */
    size_t present;                   /* micro-batches of this step; 0 before the first */
    TreeStack stack;                  /* this rank's pieces */
    size_t next, end;                 /* the micro-batch being written; after this rank's last present one */
    size_t writing, due;              /* its slab; additions due when it is final */
    size_t prefix, added;             /* Reals of it that are final; that are added up */
    uint64_t base;                    /* buckets of all steps before */
    size_t posted, started, finished; /* buckets: posted; of them begun; of them done without a gap */
    size_t pending;                   /* requests of all flights */
};

static inline size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static inline size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Slab i of this rank: piece i of its stack lies there. */
static inline Real *gradsync__slab(const GradSync *sync, size_t i) {
    return sync->slabs[sync->sizes.local] + i * sync->sizes.stride;
}

/* Leaves on `stack` the pieces of a rank after its present micro-batches; returns how many slabs it needed. */
size_t gradsync__pieces_of_rank(TreeStack *stack, size_t rank, size_t ranks, size_t micro_batches, size_t present);

/* Makes the two programs for sync->present micro-batches. */
void gradsync__plan(GradSync *sync);

/* The buckets before `posted` are final on this rank. */
void gradsync__post(GradSync *sync, size_t posted);

/* Moves the exchange on.  Not blocking. */
void gradsync__advance(GradSync *sync);

/* All buckets of the step stand in this rank's slab 0. */
bool gradsync__complete(const GradSync *sync);

#endif
