/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/gradsync_internal.h"
#include <sched.h>
#include <string.h>

enum {
    ALLREDUCE_MAX = 1 << 28, /* Reals: MPI counts are int */
    PAUSES = 20              /* looks before the core is offered to others */
};

void gradsync_poll(GradSync *sync) {
    if (sync->started < sync->posted || sync->pending > 0)
        gradsync__advance(sync);
}

/* The next micro-batch goes to the slab above the pieces. */
static void open_micro_batch(GradSync *sync) {
    sync->prefix = sync->added = 0;
    if (sync->next < sync->end) {
        sync->writing = sync->stack.depth;
        sync->due = tree_push(&sync->stack, (TreePiece){sync->next, 1});
    }
}

void gradsync_begin(GradSync *sync, size_t present) {
    const Sizes *s = &sync->sizes;
    CHECK(present >= 1 && present <= sync->micro_batches, "%zu of %zu micro-batches", present, sync->micro_batches);
    CHECK(sync->finished == sync->posted && sync->next >= sync->end, "the last step is not done");
    if (sync->present != present) {
        sync->present = present;
        gradsync__plan(sync);
    }
    sync->base += sync->finished;
    sync->posted = sync->started = sync->finished = 0;
    for (size_t i = 0; i < s->buckets * s->lanes; i++)
        sync->flight[i].state = WAITING;
    tree_start(&sync->stack, present);
    sync->next = gradsync_first(sync);
    sync->end = smaller(gradsync_last(sync), present);
    if (sync->next >= sync->end)
        gradsync__post(sync, s->buckets); /* nothing to wait for: this rank only sums its parts */
    open_micro_batch(sync);
}

Real *gradsync_slab(GradSync *sync) {
    CHECK(sync->next < sync->end, "micro-batch %zu is not of this rank and step", sync->next);
    return gradsync__slab(sync, sync->writing);
}

/* The additions that are due, for the Reals [begin, end), in blocks that stay in the first-level cache. */
static void add_up(GradSync *sync, size_t begin, size_t end) {
    enum { BLOCK = 2048 };
    for (size_t i = begin; i < end && sync->due > 0; i += BLOCK)
        for (size_t a = 0, top = sync->writing; a < sync->due; a++, top--)
            tree_add(gradsync__slab(sync, top - 1) + i, gradsync__slab(sync, top) + i, smaller(end - i, BLOCK));
}

void gradsync_final(GradSync *sync, size_t prefix) {
    CHECK(sync->next < sync->end, "micro-batch %zu is not of this rank and step", sync->next);
    CHECK(prefix >= sync->prefix && prefix <= sync->count, "%zu after %zu of %zu", prefix, sync->prefix, sync->count);
    bool whole = prefix == sync->count;
    size_t end = whole ? prefix : prefix - prefix % sync->sizes.bucket;
    add_up(sync, sync->added, end);
    sync->prefix = prefix;
    sync->added = end;
    if (sync->next + 1 == sync->end) {
        size_t posted = whole ? sync->sizes.buckets : smaller(end / sync->sizes.bucket, sync->sizes.buckets);
        if (posted > sync->posted)
            gradsync__post(sync, posted);
    }
    if (whole) {
        sync->next++;
        open_micro_batch(sync);
    }
    gradsync_poll(sync);
}

/* GRADSYNC_MPI: the rank's pieces to one sum, and MPI_Allreduce of that. */
static void allreduce(GradSync *sync) {
    Real *sum = gradsync__slab(sync, 0);
    for (size_t top = sync->stack.depth; top > 1; top--)
        tree_add(gradsync__slab(sync, top - 2), gradsync__slab(sync, top - 1), sync->count);
    if (sync->stack.depth == 0)
        memset(sum, 0, sync->count * sizeof(Real));
    for (size_t i = 0; i < sync->count; i += ALLREDUCE_MAX)
        MPI_Allreduce(MPI_IN_PLACE, sum + i, (int)smaller(sync->count - i, ALLREDUCE_MAX), DIST_REAL, MPI_SUM,
                      sync->comm);
}

/* Tells the processor that this is a loop that waits. */
static void pause_core(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* A rank that yields early lets another on its core go on at once; spinning longer gained nothing where each has its
 * own. */
Real *gradsync_wait(GradSync *sync) {
    CHECK(sync->next >= sync->end, "micro-batch %zu is not final", sync->next);
    if (sync->mode == GRADSYNC_MPI)
        allreduce(sync);
    for (size_t tries = 0; gradsync_poll(sync), !gradsync__complete(sync); tries++) {
        if (tries < PAUSES)
            pause_core();
        else
            sched_yield();
    }
    return gradsync__slab(sync, 0);
}
