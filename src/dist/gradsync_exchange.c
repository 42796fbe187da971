/* SPDX-License-Identifier: Apache-2.0
 *
 * The exchange by messages: every rank owns one part of each bucket.  A bucket in flight goes through two states:
 *
 *     GATHER   the others' pieces of my part arrive, my pieces of theirs leave (straight from the slabs)
 *     SPREAD   my part's sum, written into slab 0, leaves; the others' parts arrive in slab 0
 *
 * Results are received in slab 0 only after its pieces have left, so that no buffer is in use twice. */
#include "dist/gradsync_internal.h"
#include <string.h>

/* ---- the sum ---- */

void gradsync__add(Real *out, const Real *a, const Real *b, size_t count) {
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        out[i] = a[i] + b[i];
}

/* Reals [*start, *start + *length) of the slab: the part of `bucket` that rank `owner` sums. */
static void find_part(const GradSync *sync, size_t bucket, size_t owner, size_t *start, size_t *length) {
    size_t begin = bucket * sync->sizes.bucket;
    size_t end = smaller(begin + sync->sizes.bucket, sync->count);
    size_t lines = (end - begin + GRADSYNC_LINE - 1) / GRADSYNC_LINE;
    *start = begin + lines * owner / sync->ranks * GRADSYNC_LINE;
    *length = smaller(begin + lines * (owner + 1) / sync->ranks * GRADSYNC_LINE, end) - smaller(*start, end);
}

/* Evaluates the tree for my part of the bucket, block by block: inputs are read from the slabs and from what was
 * received, inner nodes live in scratch, the root is written to slab 0. */
static void sum_part(const GradSync *sync, const Flight *flight) {
    size_t start, length, inputs = sync->inputs;
    find_part(sync, flight->bucket, sync->rank, &start, &length);
    for (size_t done = 0; done < length; done += GRADSYNC_BLOCK) {
        size_t n = smaller(length - done, GRADSYNC_BLOCK), depth = 0, input = 0;
        const Real *stack[TREE_DEPTH], *received = flight->received + done;
        Real *root = sync->slab[0] + start + done;
        for (size_t r = 0; r < sync->ranks; r++)
            for (size_t p = 0; p < sync->pieces[r]; p++, input++) {
                if (r == sync->rank) {
                    stack[depth++] = sync->slab[p] + start + done;
                } else {
                    stack[depth++] = received;
                    received += length;
                }
                for (size_t a = sync->additions[input]; a > 0; a--) {
                    depth--;
                    Real *sum = a == 1 && input == inputs - 1 ? root : sync->scratch + (depth - 1) * GRADSYNC_BLOCK;
                    gradsync__add(sum, stack[depth - 1], stack[depth], n);
                    stack[depth - 1] = sum;
                }
            }
        if (stack[0] != root) /* a single input, not mine */
            memcpy(root, stack[0], n * sizeof(Real));
    }
}

/* ---- the exchange ---- */

static void send(const GradSync *sync, Flight *flight, const Real *data, size_t length, size_t to, int tag) {
    if (length > 0)
        MPI_Isend(data, (int)length, DIST_REAL, (int)to, tag, sync->comm, &flight->requests[flight->count++]);
}

static void receive(const GradSync *sync, Flight *flight, Real *data, size_t length, size_t from, int tag) {
    if (length > 0)
        MPI_Irecv(data, (int)length, DIST_REAL, (int)from, tag, sync->comm, &flight->requests[flight->count++]);
}

static void start_gather(const GradSync *sync, Flight *flight, size_t bucket) {
    int tag = 2 * (int)bucket;
    size_t start, length;
    *flight = (Flight){GATHER, bucket, flight->requests, 0, flight->received};
    find_part(sync, bucket, sync->rank, &start, &length);
    Real *received = flight->received;
    for (size_t r = 0; r < sync->ranks; r++)
        for (size_t p = 0; r != sync->rank && p < sync->pieces[r]; p++, received += length)
            receive(sync, flight, received, length, r, tag);
    for (size_t i = 1; i < sync->ranks; i++) { /* beginning with the next rank: not all to rank 0 at once */
        size_t owner = (sync->rank + i) % sync->ranks;
        find_part(sync, bucket, owner, &start, &length);
        for (size_t p = 0; p < sync->pieces[sync->rank]; p++)
            send(sync, flight, sync->slab[p] + start, length, owner, tag);
    }
}

static void start_spread(const GradSync *sync, Flight *flight) {
    int tag = 2 * (int)flight->bucket + 1;
    size_t my_start, my_length, start, length;
    flight->state = SPREAD;
    flight->count = 0;
    find_part(sync, flight->bucket, sync->rank, &my_start, &my_length);
    for (size_t i = 1; i < sync->ranks; i++) {
        size_t other = (sync->rank + i) % sync->ranks;
        find_part(sync, flight->bucket, other, &start, &length);
        receive(sync, flight, sync->slab[0] + start, length, other, tag);
    }
    for (size_t i = 1; i < sync->ranks; i++)
        send(sync, flight, sync->slab[0] + my_start, my_length, (sync->rank + i) % sync->ranks, tag);
}

static bool complete(Flight *flight) {
    int done;
    MPI_Testall(flight->count, flight->requests, &done, MPI_STATUSES_IGNORE);
    return done;
}

static void advance(const GradSync *sync, Flight *flight) {
    if (flight->state == GATHER && complete(flight)) {
        sum_part(sync, flight);
        start_spread(sync, flight);
    }
    if (flight->state == SPREAD && complete(flight))
        flight->state = IDLE;
}

void gradsync__exchange(GradSync *sync) {
    size_t window = sync->sizes.window;
    for (size_t b = sync->finished; b < sync->started; b++) {
        advance(sync, &sync->flight[b % window]);
        if (b == sync->finished && sync->flight[b % window].state == IDLE)
            sync->finished++;
    }
    for (; sync->started < sync->posted && sync->started < sync->finished + window; sync->started++)
        start_gather(sync, &sync->flight[sync->started % window], sync->started);
}
