/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the ranks are, how they agree on failures, and the small exchanges. */
#include "base/memory.h"
#include "support/mpi_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 256 };

static int rank, ranks;
static char hosts[64][TEXT]; /* of each rank */

static int find_ranks(void **state) {
    (void)state;
    rank = dist_rank(mpi_test_dist());
    ranks = dist_ranks(mpi_test_dist());
    char host[TEXT];
    snprintf(host, sizeof host, "%s", dist_host(mpi_test_dist()));
    dist_gather_all(mpi_test_dist(), host, sizeof host, hosts, sizeof host * (size_t)ranks);
    return 0;
}

static void test_places(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    const char *world_ranks = getenv("OMPI_COMM_WORLD_SIZE"), *world_rank = getenv("OMPI_COMM_WORLD_RANK");
    mpi_assert(world_ranks && ranks == atoi(world_ranks), "%d ranks", ranks);
    mpi_assert((rank == 0) == (atoi(world_rank) == 0), "world rank %s became rank %d", world_rank, rank);
    int mine[3] = {rank, dist_node(dist), dist_local_rank(dist)}, all[64][3];
    dist_gather_all(dist, mine, sizeof mine, all, sizeof mine * (size_t)ranks);
    bool in_order = all[0][1] == 0 && all[0][2] == 0;
    int on_my_node = 0;
    for (int r = 0; r < ranks; r++) { /* node by node, in each from local rank 0 */
        bool same_node = r > 0 && all[r][1] == all[r - 1][1] && all[r][2] == all[r - 1][2] + 1;
        bool next_node = r > 0 && all[r][1] == all[r - 1][1] + 1 && all[r][2] == 0;
        in_order = in_order && all[r][0] == r && (r == 0 || same_node || next_node);
        on_my_node += all[r][1] == dist_node(dist);
    }
    mpi_assert(in_order, "ranks are not in order");
    mpi_assert(dist_nodes(dist) == all[ranks - 1][1] + 1, "%d nodes", dist_nodes(dist));
    mpi_assert(dist_local_ranks(dist) == on_my_node, "%d ranks on this node", dist_local_ranks(dist));
    mpi_assert(strlen(dist_host(dist)) > 0, "the node has no name");
}

/* What rank r fails with in the tests below. */
static Status fail_as(int r) {
    return status_fail(r % 2 ? STATUS_FAILED : STATUS_USAGE, "cannot open shard %d", r);
}

static int lowest(unsigned failing) {
    return __builtin_ctz(failing);
}

/* The texts that all ranks printed, on every rank. */
static void gather_texts(const char *mine, char all[][TEXT]) {
    char text[TEXT];
    snprintf(text, sizeof text, "%s", mine);
    dist_gather_all(mpi_test_dist(), text, sizeof text, all, sizeof text * (size_t)ranks);
}

static void test_agree(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    for (unsigned failing = 0; failing < 1u << ranks; failing++) {
        char printed[64][TEXT], expected[2 * TEXT];
        Status status = failing >> rank & 1 ? fail_as(rank) : STATUS_OK;
        mpi_test_capture();
        status = dist_agree(dist, status);
        bool repeats = status == STATUS_OK || dist_agree(dist, status) == status; /* of what was printed: silent */
        gather_texts(mpi_test_captured(), printed);
        if (!failing) {
            mpi_assert(status == STATUS_OK, "nobody failed, but the ranks agreed on %d", (int)status);
            mpi_assert(printed[rank][0] == '\0', "nobody failed, but this was printed: %s", printed[rank]);
            continue;
        }
        int r = lowest(failing);
        mpi_assert(repeats && status == (r % 2 ? STATUS_FAILED : STATUS_USAGE), "status %d", (int)status);
        mpi_assert(status_message()[0] == '\0', "the message can be printed again: %s", status_message());
        if (ranks > 1)
            snprintf(expected, sizeof expected, "test: error: rank %d (%s): cannot open shard %d\n", r, hosts[r], r);
        else
            snprintf(expected, sizeof expected, "test: error: cannot open shard 0\n");
        for (int i = 0; i < ranks; i++)
            mpi_assert(strcmp(printed[i], i == r ? expected : "") == 0, "ranks %#x fail, rank %d printed: %s", failing,
                       i, printed[i]);
    }
}

static void test_agree_quiet(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    for (unsigned failing = 1; failing < 1u << ranks; failing++) {
        char printed[64][TEXT], expected[2 * TEXT];
        int r = lowest(failing);
        mpi_test_capture();
        Status status = dist_agree_quiet(dist, failing >> rank & 1 ? fail_as(rank) : STATUS_OK);
        if (ranks > 1)
            snprintf(expected, sizeof expected, "rank %d (%s): cannot open shard %d", r, hosts[r], r);
        else
            snprintf(expected, sizeof expected, "cannot open shard 0");
        bool said = strcmp(status_message(), expected) == 0;
        gather_texts(mpi_test_captured(), printed);
        mpi_assert(said && status == (r % 2 ? STATUS_FAILED : STATUS_USAGE), "status %d: %s", (int)status,
                   status_message());
        mpi_assert(printed[rank][0] == '\0', "printed: %s", printed[rank]);
    }
    mpi_assert(dist_agree_quiet(dist, STATUS_OK) == STATUS_OK, "nobody failed");
}

static void test_broadcast(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    int values[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = rank == 0 ? 3 * i : -1;
    dist_broadcast(dist, values, sizeof values);
    bool same = true;
    for (int i = 0; i < 1000; i++)
        same = same && values[i] == 3 * i;
    mpi_assert(same, "values differ");
}

static void test_broadcast_text(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    char length_100000[100001];
    memset(length_100000, 'x', 100000);
    length_100000[100000] = '\0';
    const char *texts[] = {NULL, "", "--epochs 5", length_100000};
    for (int i = 0; i < 4; i++) {
        char *text = NULL;
        mpi_assert_ok(rank == 0 && texts[i] ? memory_strdup(texts[i], &text) : STATUS_OK);
        mpi_assert_ok(dist_broadcast_text(dist, &text));
        mpi_assert(texts[i] ? text && strcmp(text, texts[i]) == 0 : !text, "text %d differs", i);
        memory_free(text);
    }
    if (ranks > 1) { /* out of memory on one rank fails on all, said once */
        char printed[64][TEXT], *text = rank == 0 ? length_100000 : NULL;
        mpi_test_capture();
        memory_fail_at(rank == ranks - 1);
        Status status = dist_broadcast_text(dist, &text);
        memory_fail_at(0);
        gather_texts(mpi_test_captured(), printed);
        mpi_assert(status == STATUS_FAILED && (rank == 0 || !text), "status %d", (int)status);
        mpi_assert((strstr(printed[rank], "out of memory") != NULL) == (rank == ranks - 1), "printed: %s",
                   printed[rank]);
    }
}

static void test_gather_all(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    double mine[128], all[1024]; /* rank r gives r^2 numbers, rank 0 none */
    size_t count = (size_t)(rank * rank), total = 0;
    for (size_t i = 0; i < count; i++)
        mine[i] = rank + (double)i / 1000;
    for (int r = 0; r < ranks; r++)
        total += (size_t)(r * r);
    dist_gather_all(dist, mine, count * sizeof(double), all, total * sizeof(double));
    bool right = true;
    size_t next = 0;
    for (int r = 0; r < ranks; r++)
        for (int i = 0; i < r * r; i++)
            right = right && all[next++] == r + (double)i / 1000;
    mpi_assert(right, "values differ");
}

static void test_max_and_sum(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    mpi_assert(dist_max_int(dist, rank == ranks / 2 ? 7 : -rank) == 7, "not the largest");
    mpi_assert(dist_max_int(dist, -1 - rank) == -1, "not the largest");
    uint64_t values[2] = {(uint64_t)1 << 53, (uint64_t)rank};
    dist_sum(dist, values, 2);
    mpi_assert(values[0] == (uint64_t)ranks << 53, "not the sum");
    mpi_assert(values[1] == (uint64_t)(ranks * (ranks - 1) / 2), "not the sum");
}

/* Nobody leaves the barrier before the last one came. */
static void test_barrier_and_time(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    double all[ranks];
    dist_barrier(dist);
    double start = dist_time();
    if (rank == ranks - 1)
        while (dist_time() < start + 0.05)
            ;
    double came = dist_time();
    dist_barrier(dist);
    double left = dist_time();
    dist_gather_all(dist, &came, sizeof came, all, sizeof all);
    mpi_assert(left >= all[ranks - 1], "left %g s before the last came", all[ranks - 1] - left);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_places, find_ranks),
                                       cmocka_unit_test(test_agree),
                                       cmocka_unit_test(test_agree_quiet),
                                       cmocka_unit_test(test_broadcast),
                                       cmocka_unit_test(test_broadcast_text),
                                       cmocka_unit_test(test_gather_all),
                                       cmocka_unit_test(test_max_and_sum),
                                       cmocka_unit_test(test_barrier_and_time)};
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
