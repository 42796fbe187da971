/* SPDX-License-Identifier: Apache-2.0
 *
 * The exchange, lanes x nodes.  A bucket is cut into lanes, as many as the fullest node has ranks, and a lane into a
 * part per node.  Lane l of a node is run by its local rank l mod (ranks there), whom the part of the lane that bears
 * the node's number belongs to.  Once all ranks of the node have posted the bucket, only the lane's rank touches the
 * lane, in all slabs of the node, until it is done; a bucket goes through
 *
 *     GATHER   my node's pieces of the other nodes' parts are added up where they lie, and leave; the other nodes'
 *              pieces of my part arrive
 *     SPREAD   the sum of my part is put into slab 0 of all ranks of the node, and leaves; the others' arrive in my
 *              slab 0
 *     DONE     ... and have been copied to the other ranks' slab 0
 *
 * With one node there are no other parts: a bucket runs through at once.  With one rank per node there are no other
 * slabs.  Results are received in slab 0 only after its pieces have left, so that no buffer is in use twice. */
#include "dist/gradsync_internal.h"
#include <string.h>

/* ---- the two programs of a step ---- */

void gradsync__plan(GradSync *sync) {
    const Places *places = &sync->places;
    size_t inputs = 0;
    tree_program_start(&sync->merge, sync->present);
    tree_program_start(&sync->finish, sync->present);
    for (size_t n = 0; n < places->nodes; n++) {
        bool mine = n == sync->sizes.node;
        TreeStack rank, node;
        tree_start(&node, sync->present);
        for (size_t r = places->first[n]; r < places->first[n + 1]; r++) {
            gradsync__pieces_of_rank(&rank, r, places->ranks, sync->micro_batches, sync->present);
            for (size_t p = 0; p < rank.depth; p++) {
                tree_push(&node, rank.piece[p]);
                if (!mine)
                    continue;
                sync->input[inputs] = sync->slabs[r - places->first[n]] + p * sync->sizes.stride;
                tree_program_push(&sync->merge, rank.piece[p], inputs);
                tree_program_push(&sync->finish, rank.piece[p], inputs++);
            }
        }
        sync->pieces[n] = node.depth;
        for (size_t p = 0; !mine && p < node.depth; p++) {
            sync->input[inputs] = NULL;
            tree_program_push(&sync->finish, node.piece[p], inputs++);
        }
    }
    sync->inputs = inputs;
    CHECK(inputs <= sync->sizes.inputs, "%zu pieces of %zu micro-batches", inputs, sync->present);
    CHECK(sync->finish.stack.depth == 1, "%zu pieces are left", sync->finish.stack.depth);
}

/* ---- parts and messages ---- */

typedef struct Part {
    size_t start, length; /* Reals of the slab */
} Part;

/* The parts from number `first` to before number `end`, of lanes * nodes, of a bucket. */
static Part find_parts(const GradSync *sync, size_t bucket, size_t first, size_t end) {
    size_t begin = bucket * sync->sizes.bucket, parts = sync->places.lanes * sync->places.nodes;
    size_t length = smaller(sync->sizes.bucket, sync->count - begin);
    size_t lines = (length + GRADSYNC_LINE - 1) / GRADSYNC_LINE;
    size_t from = smaller(lines * first / parts * GRADSYNC_LINE, length);
    size_t to = smaller(lines * end / parts * GRADSYNC_LINE, length);
    return (Part){begin + from, to - from};
}

/* What node `node` owns of the flight's lane. */
static Part part_of(const GradSync *sync, const Flight *flight, size_t node) {
    size_t part = flight->lane * sync->places.nodes + node;
    return find_parts(sync, flight->bucket, part, part + 1);
}

/* Who runs the flight's lane on that node. */
static int runner(const GradSync *sync, const Flight *flight, size_t node) {
    const size_t *first = sync->places.first + node;
    return (int)(first[0] + flight->lane % (first[1] - first[0]));
}

/* The i-th node after this one: not all send to the first node at once. */
static size_t node_after(const GradSync *sync, size_t i) {
    return (sync->sizes.node + i) % sync->places.nodes;
}

static int tag_of(const GradSync *sync, const Flight *flight) {
    return 2 * (int)(flight->bucket * sync->places.lanes + flight->lane) + (flight->state == SPREAD);
}

static void send(const GradSync *sync, Flight *flight, const Real *data, size_t length, size_t node) {
    if (length > 0)
        MPI_Isend(data, (int)length, DIST_REAL, runner(sync, flight, node), tag_of(sync, flight), sync->comm,
                  &flight->requests[flight->used++]);
}

static void receive(const GradSync *sync, Flight *flight, Real *data, size_t length, size_t node) {
    if (length > 0)
        MPI_Irecv(data, (int)length, DIST_REAL, runner(sync, flight, node), tag_of(sync, flight), sync->comm,
                  &flight->requests[flight->used++]);
}

/* ---- a flight ---- */

/* Where the programs find their inputs, and leave the sum, for the part that begins at `start`. */
static void find_values(GradSync *sync, const Flight *flight, size_t start) {
    Real *received = flight->received;
    for (size_t i = 0; i < sync->inputs; i++) {
        sync->value[i] = sync->input[i] ? sync->input[i] + start : received;
        received += sync->input[i] ? 0 : sync->sizes.part;
    }
    for (size_t l = 0; l < sync->sizes.locals; l++)
        sync->copy[l] = sync->slabs[l] + start;
}

static void gather(GradSync *sync, Flight *flight) {
    size_t mine = part_of(sync, flight, sync->sizes.node).length;
    Real *received = flight->received;
    for (size_t n = 0; n < sync->places.nodes; n++)
        for (size_t p = 0; n != sync->sizes.node && p < sync->pieces[n]; p++, received += sync->sizes.part)
            receive(sync, flight, received, mine, n);
    for (size_t i = 1; i < sync->places.nodes; i++) {
        size_t node = node_after(sync, i);
        Part part = part_of(sync, flight, node);
        find_values(sync, flight, part.start);
        tree_program_run(&sync->merge, sync->value, part.length, NULL, 0);
        for (size_t p = 0; p < sync->merge.stack.depth; p++)
            send(sync, flight, sync->value[sync->merge.holder[p]], part.length, node);
    }
}

static void spread(GradSync *sync, Flight *flight) {
    Part mine = part_of(sync, flight, sync->sizes.node);
    find_values(sync, flight, mine.start);
    tree_program_run(&sync->finish, sync->value, mine.length, sync->copy, sync->sizes.locals);
    for (size_t i = 1; i < sync->places.nodes; i++) {
        size_t node = node_after(sync, i);
        Part part = part_of(sync, flight, node);
        receive(sync, flight, gradsync__slab(sync, 0) + part.start, part.length, node);
    }
    for (size_t i = 1; i < sync->places.nodes; i++)
        send(sync, flight, gradsync__slab(sync, 0) + mine.start, mine.length, node_after(sync, i));
}

/* From my slab 0 to the other ranks' what the other nodes sent. */
static void copy_to_others(const GradSync *sync, const Flight *flight) {
    size_t nodes = sync->places.nodes, first = flight->lane * nodes, mine = first + sync->sizes.node;
    Part parts[2] = {find_parts(sync, flight->bucket, first, mine),
                     find_parts(sync, flight->bucket, mine + 1, first + nodes)};
    for (size_t l = 0; l < sync->sizes.locals; l++)
        for (size_t i = 0; l != sync->sizes.local && i < 2; i++)
            memcpy(sync->slabs[l] + parts[i].start, gradsync__slab(sync, 0) + parts[i].start,
                   parts[i].length * sizeof(Real));
}

/* Takes a flight as far as it comes without waiting for messages. */
static void advance(GradSync *sync, Flight *flight) {
    while (flight->pending == 0 && flight->state != DONE) {
        flight->used = 0;
        switch (flight->state++) {
        case WAITING:
            gather(sync, flight);
            break;
        case GATHER:
            spread(sync, flight);
            break;
        default:
            copy_to_others(sync, flight);
        }
        flight->pending = flight->used;
        sync->pending += flight->used;
    }
}

/* ---- all flights ---- */

static bool all_posted(const GradSync *sync, size_t bucket) {
    for (size_t l = 0; l < sync->sizes.locals; l++)
        if (atomic_load_explicit(&sync->flags[l]->posted, memory_order_acquire) <= sync->base + bucket)
            return false;
    return true;
}

static bool lanes_done(const GradSync *sync, size_t bucket) {
    for (size_t i = 0; i < sync->sizes.lanes; i++)
        if (sync->flight[bucket * sync->sizes.lanes + i].state != DONE)
            return false;
    return true;
}

/* Looks once at the requests of all buckets in flight; one call lets MPI work on all of them. */
static void complete_requests(GradSync *sync) {
    size_t per_flight = sync->sizes.requests, per_bucket = sync->sizes.lanes * per_flight;
    for (int count = 1; sync->pending > 0 && count > 0;) {
        size_t begin = sync->finished * per_bucket;
        MPI_Testsome((int)(sync->started * per_bucket - begin), sync->request + begin, &count, sync->completed,
                     MPI_STATUSES_IGNORE);
        for (int i = 0; i < count; i++) {
            Flight *flight = &sync->flight[(begin + (size_t)sync->completed[i]) / per_flight];
            flight->pending--;
            sync->pending--;
            advance(sync, flight);
        }
    }
}

void gradsync__post(GradSync *sync, size_t posted) {
    sync->posted = posted;
    atomic_store_explicit(&sync->flags[sync->sizes.local]->posted, sync->base + posted, memory_order_release);
}

void gradsync__advance(GradSync *sync) {
    size_t finished = sync->finished;
    for (; sync->started < sync->posted && all_posted(sync, sync->started); sync->started++)
        for (size_t i = 0; i < sync->sizes.lanes; i++)
            advance(sync, &sync->flight[sync->started * sync->sizes.lanes + i]);
    complete_requests(sync);
    while (sync->finished < sync->started && lanes_done(sync, sync->finished))
        sync->finished++;
    if (sync->finished > finished)
        atomic_store_explicit(&sync->flags[sync->sizes.local]->done, sync->base + sync->finished, memory_order_release);
}

bool gradsync__complete(const GradSync *sync) {
    if (sync->finished < sync->sizes.buckets)
        return false;
    for (size_t l = 0; l < sync->sizes.locals; l++)
        if (atomic_load_explicit(&sync->flags[l]->done, memory_order_acquire) < sync->base + sync->sizes.buckets)
            return false;
    return true;
}
