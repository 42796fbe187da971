/* SPDX-License-Identifier: Apache-2.0
 *
 * How large everything is, and where it lies. */
#include "base/log.h"
#include "base/memory.h"
#include "dist/gradsync_internal.h"
#include <string.h>

enum {
    TAGS = 32768,              /* MPI guarantees tags below; a bucket takes two for each lane */
    BUCKET_MAX = 1 << 28,      /* Reals: MPI counts are int */
    BUCKET_SMALLEST = 1 << 16, /* bytes */
    BUCKET_LARGEST = 1 << 19,  /* stays in the second-level cache from the backward pass to the sum */
    BUCKETS_WANTED = 8,        /* of a small slab, so that the first leave while the last are computed */
    MESSAGE = 1 << 14          /* bytes that are worth a message to another node */
};

/* ---- sizes ---- */

static size_t first_micro_batch(size_t rank, size_t ranks, size_t micro_batches) {
    return rank * micro_batches / ranks;
}

size_t gradsync_first(const GradSync *sync) {
    return first_micro_batch(sync->rank, sync->places.ranks, sync->micro_batches);
}

size_t gradsync_last(const GradSync *sync) {
    return first_micro_batch(sync->rank + 1, sync->places.ranks, sync->micro_batches);
}

size_t gradsync__pieces_of_rank(TreeStack *stack, size_t rank, size_t ranks, size_t micro_batches, size_t present) {
    size_t slabs = 0, end = smaller(first_micro_batch(rank + 1, ranks, micro_batches), present);
    tree_start(stack, present);
    for (size_t i = first_micro_batch(rank, ranks, micro_batches); i < end; i++) {
        slabs = larger(slabs, stack->depth + 1);
        tree_push(stack, (TreePiece){i, 1});
    }
    return slabs;
}

static size_t bucket_of(const GradSyncOptions *options, const Places *places) {
    size_t parts = places->lanes * places->nodes, bytes = options->bucket_bytes;
    if (bytes == 0) {
        size_t slab = options->count > SIZE_MAX / sizeof(Real) ? SIZE_MAX : options->count * sizeof(Real);
        bytes = smaller(larger(slab / BUCKETS_WANTED, BUCKET_SMALLEST), BUCKET_LARGEST);
        if (places->nodes > 1)
            bytes = larger(bytes, parts * MESSAGE);
    }
    size_t bucket = larger(bytes / sizeof(Real), options->count / (TAGS / 2 / places->lanes - 1) + 1);
    bucket = smaller(smaller(bucket, larger(options->count, 1)), BUCKET_MAX);
    return (bucket + GRADSYNC_LINE - 1) / GRADSYNC_LINE * GRADSYNC_LINE;
}

/* The pieces that a node gives and its ranks add, and what the others give to it. */
static void count_pieces(Sizes *s, const GradSyncOptions *options, const Places *places, size_t rank) {
    size_t given = 0;
    for (size_t n = 0; n < places->nodes; n++) {
        TreeStack node, stack;
        tree_start(&node, options->micro_batches);
        for (size_t r = places->first[n]; r < places->first[n + 1]; r++) {
            size_t slabs =
                gradsync__pieces_of_rank(&stack, r, places->ranks, options->micro_batches, options->micro_batches);
            for (size_t p = 0; p < stack.depth; p++)
                tree_push(&node, stack.piece[p]);
            if (r == rank) {
                s->slabs = slabs;
                s->pieces = stack.depth;
            }
            s->inputs += n == s->node ? stack.depth : 0;
        }
        given = n == s->node ? node.depth : given;
        s->most = larger(s->most, node.depth);
        s->foreign += n == s->node ? 0 : node.depth;
    }
    s->inputs += s->foreign;
    s->requests = larger(s->foreign + given * (places->nodes - 1), 2 * (places->nodes - 1));
}

static Sizes sizes_of(const GradSyncOptions *options, const Places *places, size_t rank) {
    Sizes s = {0};
    while (places->first[s.node + 1] <= rank)
        s.node++;
    s.local = rank - places->first[s.node];
    s.locals = places->first[s.node + 1] - places->first[s.node];
    s.lanes = (places->lanes - s.local + s.locals - 1) / s.locals;
    count_pieces(&s, options, places, rank);
    s.stride = (options->count + GRADSYNC_LINE - 1) / GRADSYNC_LINE * GRADSYNC_LINE;
    s.bucket = bucket_of(options, places);
    if (options->mode == GRADSYNC_TREE)
        s.buckets = options->count / s.bucket + (options->count % s.bucket > 0);
    size_t parts = places->lanes * places->nodes;
    s.part = (s.bucket / GRADSYNC_LINE + parts - 1) / parts * GRADSYNC_LINE;
    return s;
}

/* ---- memory ---- */

/* Cuts one allocation into arrays. */
typedef struct Carver {
    char *memory; /* NULL: only counts */
    size_t used;
    bool overflow;
} Carver;

static void *carve(Carver *carver, size_t count, size_t size) {
    size_t bytes, start = carver->used;
    if (!memory_multiply(count, size, &bytes) || bytes > SIZE_MAX / 2 || start > SIZE_MAX / 2 - bytes) {
        carver->overflow = true;
        return NULL;
    }
    carver->used += (bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
    return carver->memory ? carver->memory + start : NULL;
}

static void carve_arrays(GradSync *sync, Carver *carver) {
    const Sizes *s = &sync->sizes;
    size_t flights = s->buckets * s->lanes, requests = flights * s->requests;
    sync->first = carve(carver, sync->places.nodes + 1, sizeof *sync->first);
    sync->flags = carve(carver, s->locals, sizeof *sync->flags);
    sync->slabs = carve(carver, s->locals, sizeof *sync->slabs);
    sync->pieces = carve(carver, sync->places.nodes, sizeof *sync->pieces);
    sync->input = carve(carver, s->inputs, sizeof *sync->input);
    sync->value = carve(carver, s->inputs, sizeof *sync->value);
    sync->copy = carve(carver, s->locals, sizeof *sync->copy);
    sync->merge.additions = carve(carver, s->inputs, sizeof(TreeAddition));
    sync->finish.additions = carve(carver, s->inputs, sizeof(TreeAddition));
    sync->flight = carve(carver, flights, sizeof *sync->flight);
    sync->request = carve(carver, requests, sizeof *sync->request);
    sync->completed = carve(carver, requests, sizeof *sync->completed);
    sync->received = carve(carver, flights * s->foreign, s->part * sizeof *sync->received);
}

/* What a rank brings to the memory of its node: its flags and slabs. */
static void carve_part(GradSync *sync, size_t local, void *part, Carver *carver) {
    *carver = (Carver){.memory = part};
    Flags *flags = carve(carver, 1, sizeof *flags);
    Real *slabs = carve(carver, sync->sizes.stride, sync->sizes.slabs * sizeof *slabs);
    if (part) {
        sync->flags[local] = flags;
        sync->slabs[local] = slabs;
    }
}

/* Where the ranks are when node[r] is rank r's: first[] gets room for ranks + 1. */
static Places find_places(size_t ranks, const int *node, size_t *first) {
    Places places = {.ranks = ranks, .first = first};
    for (size_t r = 0; r < ranks; r++)
        if (r == 0 || node[r] != node[r - 1])
            first[places.nodes++] = r;
    first[places.nodes] = ranks;
    for (size_t n = 0; n < places.nodes; n++)
        places.lanes = larger(places.lanes, first[n + 1] - first[n]);
    return places;
}

size_t gradsync_bytes(const GradSyncOptions *options, int ranks, int nodes) {
    size_t most = 0, first[ranks + 1];
    int node[ranks];
    for (int r = 0; r < ranks; r++)
        node[r] = options->mode == GRADSYNC_MPI ? r : (int)((int64_t)r * nodes / ranks);
    GradSync sync = {.places = find_places((size_t)ranks, node, first)};
    for (size_t r = 0; r < sync.places.ranks; r++) {
        Carver arrays = {0}, part;
        sync.sizes = sizes_of(options, &sync.places, r);
        carve_arrays(&sync, &arrays);
        carve_part(&sync, 0, NULL, &part);
        if (arrays.overflow || part.overflow)
            return SIZE_MAX;
        most = larger(most, sizeof sync + arrays.used + part.used);
    }
    return most;
}

size_t gradsync_foreign_bytes(const GradSync *sync) {
    const Sizes *s = &sync->sizes;
    size_t slabs = s->inputs - s->foreign - s->pieces;
    return sync->mode == GRADSYNC_MPI ? 0 : slabs * s->stride * sizeof(Real) / sync->places.lanes * s->lanes;
}

/* ---- create and destroy ---- */

static Status check_ranks(const Dist *dist, const GradSyncOptions *options) {
    if ((size_t)dist->ranks <= options->micro_batches)
        return STATUS_OK;
    return status_fail(STATUS_USAGE,
                       "%d ranks cannot share %zu micro-batches. Use at most %zu ranks, or --micro-batches %d (which "
                       "changes the bits of the results).",
                       dist->ranks, options->micro_batches, options->micro_batches, dist->ranks);
}

/* Every rank a node by itself; then the exchange is by messages alone. */
static void separate(GradSync *sync, const GradSyncOptions *options, int *node, size_t *first) {
    for (int r = 0; r < (int)sync->places.ranks; r++)
        node[r] = r;
    sync->places = find_places(sync->places.ranks, node, first);
    sync->sizes = sizes_of(options, &sync->places, sync->rank);
}

/* part[l] = the memory of local rank l.  Collective; ranks that cannot share memory are separated. */
static Status find_memory(Dist *dist, GradSync *sync, const GradSyncOptions *options, int *node, size_t *first,
                          void **part) {
    Carver carver;
    carve_part(sync, 0, NULL, &carver);
    if (sync->places.lanes > 1) {
        Status status = shared_map(dist, carver.used, part, &sync->shared);
        if (dist_agree_quiet(dist, status) == STATUS_OK)
            return STATUS_OK;
        log_warn("%s. Gradients travel by messages instead, which is slower.", status_message());
        shared_unmap(&sync->shared);
        separate(sync, options, node, first);
    }
    TRY(memory_alloc(carver.used, 1, "gradient slabs", &sync->private));
    part[0] = sync->private;
    return STATUS_OK;
}

static Status lay_out(GradSync *sync, const size_t *first, void **part) {
    Carver carver = {0};
    carve_arrays(sync, &carver);
    TRY(memory_alloc(carver.used, 1, "gradient exchange", &sync->memory));
    carver = (Carver){.memory = sync->memory};
    carve_arrays(sync, &carver);
    memcpy(sync->first, first, (sync->places.nodes + 1) * sizeof *first);
    sync->places.first = sync->first;

    const Sizes *mine = &sync->sizes;
    for (size_t l = 0; l < mine->locals; l++)
        carve_part(sync, l, part[l], &carver);
    for (size_t i = 0; i < mine->buckets * mine->lanes; i++)
        sync->flight[i] = (Flight){.bucket = i / mine->lanes,
                                   .lane = mine->local + i % mine->lanes * mine->locals,
                                   .requests = sync->request + i * mine->requests,
                                   .received = sync->received + i * mine->foreign * mine->part};
    for (size_t i = 0; i < mine->buckets * mine->lanes * mine->requests; i++)
        sync->request[i] = MPI_REQUEST_NULL;
    return STATUS_OK;
}

/* The sums of a node that begins or ends within a subtree travel one by one. */
static void warn_of_pieces(const GradSync *sync) {
    if (sync->places.nodes > 1 && sync->sizes.most > 2)
        log_warn(
            "%zu micro-batches do not divide well among %zu nodes: up to %zu sums of a node travel instead of one. "
            "A number of ranks that divides the micro-batches is faster.",
            sync->micro_batches, sync->places.nodes, sync->sizes.most);
}

Status gradsync_create(Dist *dist, const GradSyncOptions *options, GradSync **out) {
    GradSync *sync;
    int node[dist->ranks];
    size_t first[dist->ranks + 1];
    void *part[dist->local_ranks];
    *out = NULL;
    TRY(dist_agree(dist, check_ranks(dist, options)));
    Status status = memory_new(&sync, 1, "gradient exchange");
    if (status == STATUS_OK)
        sync->comm = MPI_COMM_NULL;
    TRY_GOTO(dist_agree(dist, status), fail);
    sync->rank = (size_t)dist->rank;
    sync->count = options->count;
    sync->micro_batches = options->micro_batches;
    sync->mode = options->mode;
    MPI_Allgather(&dist->node, 1, MPI_INT, node, 1, MPI_INT, dist->comm);
    sync->places = find_places((size_t)dist->ranks, node, first);
    sync->sizes = sizes_of(options, &sync->places, sync->rank);
    if (options->mode == GRADSYNC_MPI)
        separate(sync, options, node, first);
    status = find_memory(dist, sync, options, node, first, part);
    if (status == STATUS_OK)
        status = lay_out(sync, first, part);
    TRY_GOTO(dist_agree(dist, status), fail);
    MPI_Comm_dup(dist->comm, &sync->comm); /* its tags cannot meet those of another network's exchange */
    warn_of_pieces(sync);
    *out = sync;
    return STATUS_OK;
fail:
    gradsync_destroy(sync);
    return status;
}

void gradsync_destroy(GradSync *sync) {
    if (!sync)
        return;
    if (sync->comm != MPI_COMM_NULL)
        MPI_Comm_free(&sync->comm);
    shared_unmap(&sync->shared);
    memory_free(sync->private);
    memory_free(sync->memory);
    memory_free(sync);
}
