/* SPDX-License-Identifier: Apache-2.0
 *
 * The exchange of gradients against a direct evaluation of the tree, bit for bit. */
#include "base/memory.h"
#include "base/real.h"
#include "base/rng.h"
#include "dist/gradsync.h"
#include "dist/shared.h"
#include "support/mpi_test.h"
#include <math.h>
#include <string.h>

enum { MICRO_BATCHES = 20, COUNT = 5003, STEPS = 2 };

static Real data[MICRO_BATCHES][COUNT];         /* the gradient of each micro-batch */
static Real expected[MICRO_BATCHES + 1][COUNT]; /* [present]: their sum */

static Dist *places; /* the ranks as they stand on the nodes of a test: mpi_test_dist() or regrouped */

/* Values whose sum depends on the order: large ones that cancel, denormals, -0. */
static Real value(size_t micro_batch, size_t element) {
    uint32_t word[4];
    rng_block(rng_key(1, RNG_TEST, 0, 0), micro_batch, element, word);
    Real unit = (Real)(word[1] / 4294967296.0 / 3);
    switch (word[0] % 16) {
    case 0:
        return word[1] % 2 ? (Real)1e30 : (Real)-1e30;
    case 1:
    case 2:
        return (Real)1e-41 * unit;
    case 3:
    case 4:
        return (Real)-0.0;
    case 5:
    case 6:
    case 7:
        return (Real)3e7 * (unit - (Real)0.2);
    default:
        return unit;
    }
}

/* The definition: the node over the micro-batches [first, first + width). */
static Real node(size_t first, size_t width, size_t present, size_t element) {
    if (width == 1)
        return data[first][element];
    Real left = node(first, width / 2, present, element);
    return first + width / 2 >= present ? left : left + node(first + width / 2, width / 2, present, element);
}

static int make_data(void **state) {
    (void)state;
    places = mpi_test_dist();
    for (size_t m = 0; m < MICRO_BATCHES; m++)
        for (size_t i = 0; i < COUNT; i++)
            data[m][i] = value(m, i);
    for (size_t present = 1; present <= MICRO_BATCHES; present++)
        for (size_t i = 0; i < COUNT; i++)
            expected[present][i] = node(0, 32, present, i);
    return 0;
}

static size_t ranks(void) {
    return (size_t)dist_ranks(mpi_test_dist());
}

/* One step over the first `count` elements; the slab is written and declared final in odd pieces.  Returns the sum. */
static const Real *step(GradSync *sync, size_t count, size_t present, size_t piece) {
    gradsync_begin(sync, present);
    for (size_t m = gradsync_first(sync); m < gradsync_last(sync) && m < present; m++) {
        Real *slab = gradsync_slab(sync);
        for (size_t i = 0; i < count; i++)
            slab[i] = (Real)NAN; /* nothing may be left of the last step, nothing may leave before it is final */
        for (size_t begin = 0; begin < count; begin += piece) {
            size_t end = begin + piece < count ? begin + piece : count;
            memcpy(slab + begin, data[m] + begin, (end - begin) * sizeof(Real));
            gradsync_final(sync, end);
            gradsync_poll(sync);
        }
        if (count == 0)
            gradsync_final(sync, 0);
    }
    return gradsync_wait(sync);
}

static void check_all(size_t micro_batches, size_t count, size_t bucket_bytes, size_t piece) {
    GradSync *sync;
    const GradSyncOptions options = {count, micro_batches, bucket_bytes, GRADSYNC_TREE};
    mpi_assert_ok(gradsync_create(places, &options, &sync));
    size_t allocations = memory_stats().total_count, wrong = 0;
    for (size_t present = 1; present <= micro_batches; present++)
        for (size_t s = 0; s < STEPS; s++)
            wrong += memcmp(step(sync, count, present, piece), expected[present], count * sizeof(Real)) != 0;
    mpi_assert(wrong == 0, "%zu steps differ: M = %zu, %zu elements, buckets of %zu bytes, pieces of %zu", wrong,
               micro_batches, count, bucket_bytes, piece);
    mpi_assert(memory_stats().total_count == allocations, "a step allocates memory");
    gradsync_destroy(sync);
}

static void test_bits(void **state) {
    (void)state;
    for (size_t m = ranks(); m <= MICRO_BATCHES; m++) {
        check_all(m, COUNT, 768, 701);         /* 27 or 53 buckets */
        check_all(m, COUNT, 8000, 97);         /* a few buckets, cut anywhere */
        check_all(m, COUNT, 0, COUNT / 2 + 1); /* one bucket */
    }
}

/* ---- on several nodes ---- */

typedef enum Map { CONTIGUOUS, ROUND_ROBIN, UNEVEN } Map;

static int node_of(Map map, int rank, int nodes) {
    int all = (int)ranks();
    switch (map) {
    case CONTIGUOUS:
        return rank * nodes / all;
    case ROUND_ROBIN:
        return rank % nodes;
    default: /* the first node gets half as many as an even share, at least one */
        return rank <= all / (2 * nodes) - 1 || rank == 0 ? 0 : 1 + (rank - 1) * (nodes - 1) / (all - 1);
    }
}

static void regroup(Map map, int nodes) {
    mpi_assert_ok(dist_regroup(mpi_test_dist(), node_of(map, dist_rank(mpi_test_dist()), nodes), &places));
    mpi_assert(dist_nodes(places) == nodes, "%d nodes, not %d", dist_nodes(places), nodes);
}

static void back_to_one_node(void) {
    dist_release(places);
    places = mpi_test_dist();
}

/* As many micro-batches as ranks, one more, and numbers that divide well and badly. */
static void check_some(void) {
    const size_t micro_batches[] = {ranks(), ranks() + 1, 12, 16, 19};
    for (size_t i = 0; i < sizeof micro_batches / sizeof *micro_batches; i++) {
        check_all(micro_batches[i], COUNT, 0, 1500);
        check_all(micro_batches[i], 1999, 2000, 97);
    }
}

static void test_nodes(void **state) {
    (void)state;
    const int all = (int)ranks(), wanted[] = {1, 2, 3, all};
    mpi_test_capture(); /* warns of what does not divide well */
    for (Map map = CONTIGUOUS; map <= UNEVEN; map++)
        for (size_t i = 0; i < 4; i++) {
            if (wanted[i] > all || (i < 3 && wanted[i] == all) || (map == UNEVEN && wanted[i] == 1))
                continue;
            regroup(map, wanted[i]);
            check_some();
            back_to_one_node();
        }
    mpi_test_captured();
}

/* Where memory cannot be shared in one way or in none, on one rank or on all, the bits stay. */
static void test_without_sharing(void **state) {
    (void)state;
    const unsigned forbidden[] = {SHARED_UNNAMED, SHARED_NAMED | SHARED_UNNAMED};
    const size_t last = ranks() - 1, count = 40000;
    bool last_rank = (size_t)dist_rank(mpi_test_dist()) == last;
    for (size_t i = 0; i < 2; i++)
        for (size_t all = 0; all < 2; all++) {
            GradSync *sync;
            const GradSyncOptions options = {count, ranks() + 1, 0, GRADSYNC_TREE};
            mpi_test_capture();
            shared_forbid(all || last_rank ? forbidden[i] : 0);
            Status status = gradsync_create(places, &options, &sync);
            bool warned = strstr(mpi_test_captured(), "slower") != NULL;
            mpi_assert_ok(status);
            mpi_assert(warned == (i == 1 && last > 0 && dist_rank(places) == 0), "warned: %d", warned);
            gradsync_destroy(sync);
            mpi_test_capture();
            check_some();
            mpi_test_captured();
            shared_forbid(0);
        }
}

static void test_few_elements(void **state) {
    (void)state;
    for (size_t count = 0; count < 3; count++)
        check_all(ranks() + 2, count, 0, 1);
    check_all(ranks() + 2, 33, 0, 5);
    check_all(ranks() + 2, 500, 64, 30); /* buckets with parts for one rank only, the others' empty */
}

/* The test can fail: summed from left to right the same data gives other bits. */
static void test_control(void **state) {
    (void)state;
    size_t differ = 0;
    for (size_t i = 0; i < COUNT; i++) {
        Real sum = data[0][i];
        for (size_t m = 1; m < 7; m++)
            sum += data[m][i];
        differ += memcmp(&sum, &expected[7][i], sizeof sum) != 0;
    }
    mpi_assert(differ > COUNT / 10, "only %zu elements differ", differ);
}

static void test_mpi_mode(void **state) {
    (void)state;
    GradSync *sync;
    const size_t micro_batches = ranks() + 3, count = 1000;
    const GradSyncOptions options = {count, micro_batches, 0, GRADSYNC_MPI};
    mpi_assert_ok(gradsync_create(mpi_test_dist(), &options, &sync));
    for (size_t present = 1; present <= micro_batches; present++) {
        gradsync_begin(sync, present);
        for (size_t m = gradsync_first(sync); m < gradsync_last(sync) && m < present; m++) {
            Real *slab = gradsync_slab(sync);
            for (size_t i = 0; i < count; i++)
                slab[i] = (Real)(i + m); /* whole numbers: exact in any order */
            gradsync_final(sync, count);
        }
        const Real *sum = gradsync_wait(sync);
        size_t wrong = 0;
        for (size_t i = 0; i < count; i++)
            wrong += sum[i] != (Real)(i * present + present * (present - 1) / 2);
        mpi_assert(wrong == 0, "%zu elements differ with %zu micro-batches", wrong, present);
    }
    gradsync_destroy(sync);
}

/* A large step: several buckets in flight, and what the watchdog reads. */
static void test_progress(void **state) {
    (void)state;
    GradSync *sync;
    const size_t count = 1000003;
    const GradSyncOptions options = {count, ranks(), 1 << 18, GRADSYNC_TREE};
    mpi_assert_ok(gradsync_create(mpi_test_dist(), &options, &sync));
    for (size_t s = 1; s <= 4; s++) {
        gradsync_begin(sync, ranks());
        Real *slab = gradsync_slab(sync);
        for (size_t i = 0; i < count; i++)
            slab[i] = (Real)(s * gradsync_first(sync) + i % 7);
        gradsync_final(sync, count / 2);
        gradsync_final(sync, count);
        const Real *sum = gradsync_wait(sync);
        size_t wrong = 0;
        for (size_t i = 0; i < count; i++)
            wrong += sum[i] != (Real)(s * (ranks() * (ranks() - 1) / 2) + ranks() * (i % 7));
        mpi_assert(wrong == 0, "%zu elements differ in step %zu", wrong, s);
    }
    gradsync_destroy(sync);
}

static void test_forecast(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    for (size_t m = ranks(); m <= MICRO_BATCHES; m++) {
        GradSync *sync;
        const GradSyncOptions options = {COUNT, m, 4096, GRADSYNC_TREE};
        size_t before = memory_stats().live_bytes;
        mpi_assert_ok(gradsync_create(dist, &options, &sync));
        int most = dist_max_int(dist, (int)(memory_stats().live_bytes - before));
        size_t forecast = gradsync_bytes(&options, dist_ranks(dist), dist_nodes(dist));
        mpi_assert((size_t)most == forecast, "%d bytes, forecast %zu", most, forecast);
        gradsync_destroy(sync);
    }
    const GradSyncOptions huge = {SIZE_MAX / 2, 8, 0, GRADSYNC_TREE};
    mpi_assert(gradsync_bytes(&huge, 2, 1) == SIZE_MAX, "an impossible size is not seen");
}

static void test_failures(void **state) {
    (void)state;
    GradSync *sync;
    Dist *dist = mpi_test_dist();
    int rank = dist_rank(dist), last = dist_ranks(dist) - 1;
    if (last > 0) {
        const GradSyncOptions few = {COUNT, (size_t)last, 0, GRADSYNC_TREE};
        mpi_test_capture();
        Status status = gradsync_create(dist, &few, &sync);
        const char *text = mpi_test_captured();
        mpi_assert(status == STATUS_USAGE && !sync, "status %d", (int)status);
        mpi_assert(rank > 0 || strstr(text, "--micro-batches"), "the message is: %s", text);
    }
    /* Each allocation of the last rank fails once: all ranks get the failure, and nothing is left. */
    const GradSyncOptions options = {COUNT, MICRO_BATCHES, 0, GRADSYNC_TREE};
    size_t live = memory_stats().live_count;
    bool failed = true;
    int n = 0;
    while (failed) {
        n++;
        mpi_test_capture();
        memory_fail_at(rank == last ? (size_t)n : 0);
        Status status = gradsync_create(dist, &options, &sync);
        memory_fail_at(0);
        const char *text = mpi_test_captured();
        failed = status != STATUS_OK;
        mpi_assert(failed == !sync && dist_max_int(dist, failed) == failed, "the ranks do not agree");
        mpi_assert(!failed || rank < last || strstr(text, "out of memory"), "the message is: %s", text);
        mpi_assert(!failed || memory_stats().live_count == live, "memory is left after failure %d", n);
    }
    mpi_assert(n > 3, "only %d allocations", n);
    gradsync_destroy(sync);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_bits, make_data),
                                       cmocka_unit_test(test_nodes),
                                       cmocka_unit_test(test_without_sharing),
                                       cmocka_unit_test(test_few_elements),
                                       cmocka_unit_test(test_control),
                                       cmocka_unit_test(test_mpi_mode),
                                       cmocka_unit_test(test_progress),
                                       cmocka_unit_test(test_forecast),
                                       cmocka_unit_test(test_failures)};
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
