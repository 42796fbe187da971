/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "dist/gradsync_internal.h"
#include <sched.h>
#include <string.h>

enum {
    BUCKETS_MAX = 16000,  /* MPI guarantees tags up to 32767, a bucket takes two */
    BUCKET_MAX = 1 << 28, /* Reals: MPI counts are int */
    WINDOW_IN_NODE = 2,   /* buckets in flight: in memory more only push each other out of the caches, */
                          /* a wire needs all of them to be kept busy */
    SPINS = 20            /* polls before the core is offered to others */
};

/* ---- sizes ---- */

static size_t first_micro_batch(size_t rank, size_t ranks, size_t micro_batches) {
    return rank * micro_batches / ranks;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Leaves on `stack` the pieces of a rank after its present micro-batches; returns how many slabs it needed. */
static size_t stack_of_rank(TreeStack *stack, size_t rank, size_t ranks, size_t micro_batches, size_t present) {
    size_t slabs = 0, end = smaller(first_micro_batch(rank + 1, ranks, micro_batches), present);
    tree_start(stack, present);
    for (size_t i = first_micro_batch(rank, ranks, micro_batches); i < end; i++) {
        slabs = larger(slabs, stack->depth + 1);
        tree_push(stack, (TreePiece){i, 1});
    }
    return slabs;
}

static Sizes sizes_of(const GradSyncOptions *options, size_t ranks, size_t nodes, size_t rank) {
    Sizes s = {0};
    size_t wanted = (options->bucket_bytes ? options->bucket_bytes : GRADSYNC_BUCKET) / sizeof(Real);
    s.bucket = larger(wanted, options->count / BUCKETS_MAX + 1);
    s.bucket = smaller(smaller(s.bucket, larger(options->count, 1)), BUCKET_MAX);
    s.bucket = (s.bucket + GRADSYNC_LINE - 1) / GRADSYNC_LINE * GRADSYNC_LINE;

    TreeStack stack, all;
    tree_start(&all, options->micro_batches);
    for (size_t r = 0; r < ranks; r++) {
        size_t slabs = stack_of_rank(&stack, r, ranks, options->micro_batches, options->micro_batches);
        for (size_t i = 0; i < stack.depth; i++) {
            s.depth = larger(s.depth, all.depth + 1);
            tree_push(&all, stack.piece[i]);
        }
        s.inputs += stack.depth;
        if (r == rank) {
            s.slabs = slabs;
            s.pieces = stack.depth;
        }
    }
    if (options->mode == GRADSYNC_MPI || ranks == 1) { /* no exchange by the tree */
        s.depth = 0;
        return s;
    }
    s.buckets = options->count / s.bucket + (options->count % s.bucket > 0);
    s.window = nodes > 1 ? s.buckets : smaller(s.buckets, WINDOW_IN_NODE);
    s.part = (s.bucket / GRADSYNC_LINE + ranks - 1) / ranks * GRADSYNC_LINE;
    s.requests = larger(s.pieces * (ranks - 1) + s.inputs - s.pieces, 2 * (ranks - 1));
    return s;
}

/* Adds count * size to *bytes; false when that does not fit. */
static bool add_bytes(size_t *bytes, size_t count, size_t size) {
    size_t product;
    return memory_multiply(count, size, &product) && !__builtin_add_overflow(*bytes, product, bytes);
}

size_t gradsync_bytes(const GradSyncOptions *options, int ranks, int nodes) {
    size_t most = 0;
    for (int r = 0; r < ranks; r++) {
        Sizes s = sizes_of(options, (size_t)ranks, (size_t)nodes, (size_t)r);
        size_t bytes = sizeof(GradSync), slab;
        if (!memory_multiply(options->count, sizeof(Real), &slab) || !add_bytes(&bytes, s.slabs, slab) ||
            !add_bytes(&bytes, s.slabs, sizeof(Real *)) || !add_bytes(&bytes, s.window, sizeof(Flight)) ||
            !add_bytes(&bytes, s.window * s.requests, sizeof(MPI_Request)) ||
            !add_bytes(&bytes, s.window * s.part * (s.inputs - s.pieces), sizeof(Real)) ||
            !add_bytes(&bytes, s.depth * GRADSYNC_BLOCK, sizeof(Real)) ||
            !add_bytes(&bytes, ranks + s.inputs, sizeof(size_t)))
            return SIZE_MAX;
        most = larger(most, bytes);
    }
    return most;
}

/* ---- create and destroy ---- */

static Status allocate(GradSync *sync) {
    const Sizes *s = &sync->sizes;
    size_t foreign = s->part * (s->inputs - s->pieces); /* Reals received for a bucket */
    TRY(memory_new(&sync->slab, s->slabs, "gradient slabs"));
    for (size_t i = 0; i < s->slabs; i++)
        TRY(memory_new(&sync->slab[i], sync->count, "gradient slab"));
    TRY(memory_new(&sync->flight, s->window, "gradient exchange"));
    TRY(memory_new(&sync->requests, s->window * s->requests, "gradient exchange"));
    TRY(memory_new(&sync->received, s->window * foreign, "gradient exchange"));
    TRY(memory_new(&sync->scratch, s->depth * GRADSYNC_BLOCK, "gradient exchange"));
    TRY(memory_new(&sync->pieces, sync->ranks, "gradient exchange"));
    TRY(memory_new(&sync->additions, s->inputs, "gradient exchange"));
    for (size_t i = 0; i < s->window; i++) {
        sync->flight[i].requests = sync->requests + i * s->requests;
        sync->flight[i].received = sync->received + i * foreign;
    }
    return STATUS_OK;
}

Status gradsync_create(Dist *dist, const GradSyncOptions *options, GradSync **out) {
    *out = NULL;
    if ((size_t)dist->ranks > options->micro_batches)
        return dist_agree(dist, status_fail(STATUS_USAGE,
                                            "%d ranks cannot share %zu micro-batches. Use at most %zu ranks, or "
                                            "--micro-batches %d (which changes the bits of the results).",
                                            dist->ranks, options->micro_batches, options->micro_batches, dist->ranks));
    GradSync *sync;
    Status status = memory_new(&sync, 1, "gradient exchange");
    if (status == STATUS_OK) {
        sync->comm = MPI_COMM_NULL;
        sync->rank = (size_t)dist->rank;
        sync->ranks = (size_t)dist->ranks;
        sync->count = options->count;
        sync->micro_batches = options->micro_batches;
        sync->mode = options->mode;
        sync->sizes = sizes_of(options, sync->ranks, (size_t)dist->nodes, sync->rank);
        status = allocate(sync);
    }
    status = dist_agree(dist, status);
    if (status != STATUS_OK) {
        gradsync_destroy(sync);
        return status;
    }
    MPI_Comm_dup(dist->comm, &sync->comm); /* its tags cannot meet those of another network's exchange */
    *out = sync;
    return STATUS_OK;
}

void gradsync_destroy(GradSync *sync) {
    if (!sync)
        return;
    if (sync->comm != MPI_COMM_NULL)
        MPI_Comm_free(&sync->comm);
    for (size_t i = 0; sync->slab && i < sync->sizes.slabs; i++)
        memory_free(sync->slab[i]);
    memory_free(sync->slab);
    memory_free(sync->flight);
    memory_free(sync->requests);
    memory_free(sync->received);
    memory_free(sync->scratch);
    memory_free(sync->pieces);
    memory_free(sync->additions);
    memory_free(sync);
}

size_t gradsync_first(const GradSync *sync) {
    return first_micro_batch(sync->rank, sync->ranks, sync->micro_batches);
}

size_t gradsync_last(const GradSync *sync) {
    return first_micro_batch(sync->rank + 1, sync->ranks, sync->micro_batches);
}

void gradsync_poll(GradSync *sync) {
    gradsync__exchange(sync);
}

/* ---- the step ---- */

/* All ranks compute alike who holds how many pieces, and the order in which an owner adds them. */
static void plan_step(GradSync *sync) {
    TreeStack stack, all;
    tree_start(&all, sync->present);
    sync->inputs = 0;
    for (size_t r = 0; r < sync->ranks; r++) {
        stack_of_rank(&stack, r, sync->ranks, sync->micro_batches, sync->present);
        sync->pieces[r] = stack.depth;
        CHECK(sync->inputs + stack.depth <= sync->sizes.inputs, "%zu micro-batches", sync->present);
        for (size_t i = 0; i < stack.depth; i++)
            sync->additions[sync->inputs++] = tree_push(&all, stack.piece[i]);
    }
    CHECK(all.depth == 1, "%zu pieces are left", all.depth);
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
    CHECK(present >= 1 && present <= sync->micro_batches, "%zu of %zu micro-batches", present, sync->micro_batches);
    CHECK(sync->finished == sync->posted && sync->next >= sync->end, "the last step is not done");
    if (sync->present != present) {
        sync->present = present;
        plan_step(sync);
    }
    tree_start(&sync->stack, present);
    sync->next = gradsync_first(sync);
    sync->end = smaller(gradsync_last(sync), present);
    sync->posted = sync->started = sync->finished = 0;
    if (sync->next >= sync->end)
        sync->posted = sync->sizes.buckets; /* nothing to wait for: this rank only sums its part */
    open_micro_batch(sync);
}

Real *gradsync_slab(GradSync *sync) {
    CHECK(sync->next < sync->end, "micro-batch %zu is not of this rank and step", sync->next);
    return sync->slab[sync->writing];
}

/* The additions that are due, for the Reals [begin, end). */
static void add_up(GradSync *sync, size_t begin, size_t end) {
    for (size_t i = begin; i < end && sync->due > 0; i += GRADSYNC_BLOCK)
        for (size_t a = 0, top = sync->writing; a < sync->due; a++, top--)
            gradsync__add(sync->slab[top - 1] + i, sync->slab[top - 1] + i, sync->slab[top] + i,
                          smaller(end - i, GRADSYNC_BLOCK));
}

void gradsync_final(GradSync *sync, size_t prefix) {
    CHECK(sync->next < sync->end, "micro-batch %zu is not of this rank and step", sync->next);
    CHECK(prefix >= sync->prefix && prefix <= sync->count, "%zu after %zu of %zu", prefix, sync->prefix, sync->count);
    bool whole = prefix == sync->count;
    size_t end = whole ? prefix : prefix - prefix % sync->sizes.bucket;
    add_up(sync, sync->added, end);
    sync->prefix = prefix;
    sync->added = end;
    if (sync->next + 1 == sync->end)
        sync->posted = whole ? sync->sizes.buckets : smaller(end / sync->sizes.bucket, sync->sizes.buckets);
    if (whole) {
        sync->next++;
        open_micro_batch(sync);
    }
    gradsync_poll(sync);
}

/* GRADSYNC_MPI: the rank's pieces to one sum, and MPI_Allreduce of that. */
static void allreduce(GradSync *sync) {
    for (size_t top = sync->stack.depth; top > 1; top--)
        gradsync__add(sync->slab[top - 2], sync->slab[top - 2], sync->slab[top - 1], sync->count);
    if (sync->stack.depth == 0)
        memset(sync->slab[0], 0, sync->count * sizeof(Real));
    for (size_t i = 0; i < sync->count; i += BUCKET_MAX)
        MPI_Allreduce(MPI_IN_PLACE, sync->slab[0] + i, (int)smaller(sync->count - i, BUCKET_MAX), DIST_REAL, MPI_SUM,
                      sync->comm);
}

Real *gradsync_wait(GradSync *sync) {
    CHECK(sync->next >= sync->end, "micro-batch %zu is not final", sync->next);
    if (sync->mode == GRADSYNC_MPI)
        allreduce(sync);
    for (size_t tries = 0; sync->finished < sync->sizes.buckets; tries++) {
        gradsync_poll(sync);
        if (tries >= SPINS)
            sched_yield();
    }
    return sync->slab[0];
}
