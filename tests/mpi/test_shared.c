/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that the ranks of a node share: what one writes the others see; no name is left; the ranks agree on
 * failures. */
#include "base/memory.h"
#include "dist/shared.h"
#include "support/mpi_test.h"
#include "support/tmpdir.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RANKS = 16 };

static size_t bytes_of(int local_rank) { /* rank 0 brings nothing, the others a page and a bit more each */
    return 5000 * (size_t)local_rank;
}

static unsigned char value(int writer, size_t i) {
    return (unsigned char)(i * 7 + (size_t)writer * 31 + 1);
}

/* Names of ours in /dev/shm: they bear the process number of local rank 0. */
static size_t names_left(void) {
    size_t count = 0;
    char prefix[32];
    int pid = (int)getpid();
    dist_broadcast(mpi_test_dist(), &pid, sizeof pid);
    int length = snprintf(prefix, sizeof prefix, "cnn-%d-", pid);
    DIR *folder = opendir("/dev/shm");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += strncmp(entry->d_name, prefix, (size_t)length) == 0;
    if (folder)
        closedir(folder);
    return count;
}

/* All ranks are on one node here. */
static void check(const char *how) {
    Dist *dist = mpi_test_dist();
    int me = dist_local_rank(dist), ranks = dist_local_ranks(dist);
    void *part[RANKS];
    Shared shared;
    size_t before = memory_stats().live_bytes, wrong = 0;
    mpi_assert_ok(shared_map(dist, bytes_of(me), part, &shared));
    mpi_assert(memory_stats().live_bytes == before + bytes_of(me), "%s: not counted", how);
    mpi_assert(names_left() == 0, "%s: a name is left in /dev/shm", how);
    for (int r = 0; r < ranks; r++)
        for (size_t i = 0; i < bytes_of(r); i++)
            wrong += ((unsigned char *)part[r])[i] != 0;
    mpi_assert(wrong == 0, "%s: %zu bytes are not zero", how, wrong);
    dist_barrier(dist);
    for (size_t i = 0; i < bytes_of(me); i++)
        ((unsigned char *)part[me])[i] = value(me, i);
    dist_barrier(dist);
    for (int r = 0; r < ranks; r++)
        for (size_t i = 0; i < bytes_of(r); i++)
            wrong += ((unsigned char *)part[r])[i] != value(r, i);
    mpi_assert(wrong == 0, "%s: %zu bytes are not what was written", how, wrong);
    shared_unmap(&shared);
    shared_unmap(&shared); /* nothing there: nothing happens */
    mpi_assert(memory_stats().live_bytes == before, "%s: still counted", how);
}

static void test_sharing(void **state) {
    (void)state;
    check("unnamed");
    shared_forbid(SHARED_UNNAMED);
    check("named");
    shared_forbid(0);
}

static void test_failures(void **state) {
    (void)state;
    Dist *dist = mpi_test_dist();
    bool last = dist_rank(dist) == dist_ranks(dist) - 1;
    void *part[RANKS];
    Shared shared;
    size_t before = memory_stats().live_count;
    for (int i = 0; i < 3; i++) { /* one rank cannot; too much; out of memory on one */
        shared_forbid(i == 0 && last ? SHARED_NAMED | SHARED_UNNAMED : 0);
        memory_fail_at(i == 2 && last);
        Status status = shared_map(dist, i == 1 ? SIZE_MAX / 4 : 10000, part, &shared);
        memory_fail_at(0);
        shared_forbid(0);
        mpi_assert(status == STATUS_FAILED && !shared.block, "failure %d: status %d", i, (int)status);
        mpi_assert(memory_stats().live_count == before, "failure %d: still counted", i);
        mpi_assert(names_left() == 0, "failure %d: a name is left in /dev/shm", i);
    }
}

/* A table of which each rank has written its part: whole on every node, however the ranks are put on nodes. */
static void check_table(const char *folder, size_t bytes, int nodes) {
    Dist *all = mpi_test_dist(), *dist;
    mpi_assert_ok(dist_regroup(all, dist_rank(all) * nodes / dist_ranks(all), &dist));
    size_t me = (size_t)dist_rank(dist), ranks = (size_t)dist_ranks(dist), wrong = 0;
    size_t begin = me * bytes / ranks, end = (me + 1) * bytes / ranks, before = memory_stats().live_bytes;
    void *table;
    Shared shared;
    mpi_assert_ok(shared_table(dist, folder, bytes, "numbers", &table, &shared));
    mpi_assert(memory_stats().live_bytes == before + (folder || dist_local_rank(dist) > 0 ? 0 : bytes), "not counted");
    mpi_assert(names_left() == 0, "a name is left in /dev/shm");
    for (size_t i = 0; i < bytes; i++)
        wrong += ((unsigned char *)table)[i] != 0;
    dist_barrier(dist);
    for (size_t i = begin; i < end; i++)
        ((unsigned char *)table)[i] = value(3, i);
    shared_spread(dist, table, begin, end);
    for (size_t i = 0; i < bytes; i++)
        wrong += ((unsigned char *)table)[i] != value(3, i);
    mpi_assert(wrong == 0, "table of %zu bytes on %d nodes: %zu are wrong", bytes, nodes, wrong);
    shared_unmap(&shared);
    mpi_assert(memory_stats().live_bytes == before, "still counted");
    dist_release(dist);
}

static void test_tables(void **state) {
    (void)state;
    char folder[TMPDIR_PATH] = "";
    Shared shared;
    void *table;
    bool root = dist_rank(mpi_test_dist()) == 0;
    if (root)
        snprintf(folder, sizeof folder, "%s", tmpdir_make());
    dist_broadcast(mpi_test_dist(), folder, sizeof folder);
    for (int nodes = 1; nodes <= 3; nodes++)
        for (unsigned way = 0; way < 2; way++) {
            shared_forbid(way ? SHARED_UNNAMED : 0);
            check_table(NULL, 100003, nodes);
            check_table(folder, 3, nodes);
            check_table(folder, 100003, nodes);
        }
    shared_forbid(0);
    mpi_assert(!root || tmpdir_entries("") == 0, "a file is left");
    Status status = shared_table(mpi_test_dist(), "/nowhere", 10, "numbers", &table, &shared);
    mpi_assert(status == STATUS_FAILED && strstr(status_message(), "/nowhere"), "%s", status_message());
    status = shared_table(mpi_test_dist(), NULL, SIZE_MAX - 10, "numbers", &table, &shared);
    mpi_assert(status == STATUS_FAILED && !shared.block, "no failure");
    if (root)
        tmpdir_remove();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sharing), cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_tables)};
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
