/* SPDX-License-Identifier: Apache-2.0
 *
 * Helper threads: each piece of work is done once, and the failure is that of the lowest piece. */
#include "base/crew.h"
#include "base/memory.h"
#include "support/assert_status.h"
#include <stdatomic.h>

enum { PIECES = 1000 };

typedef struct Work {
    atomic_int done[PIECES];
    size_t fails_from; /* the first piece that fails */
} Work;

static Status do_piece(void *context, size_t piece) {
    Work *work = context;
    work->done[piece]++;
    return piece < work->fails_from ? STATUS_OK : status_fail(STATUS_FAILED, "piece %zu failed", piece);
}

static void run(Crew *crew) {
    static Work work;
    for (size_t round = 0; round < 50; round++) {
        for (size_t i = 0; i < PIECES; i++)
            work.done[i] = 0;
        size_t count = round % 3 == 0 ? PIECES : round % 3;
        work.fails_from = PIECES;
        assert_ok(crew_run(crew, count, do_piece, &work));
        for (size_t i = 0; i < PIECES; i++)
            assert_int_equal(work.done[i], i < count);
    }
    work.fails_from = 17;
    for (size_t round = 0; round < 50; round++)
        assert_fails(crew_run(crew, PIECES, do_piece, &work), "piece 17 failed");
    assert_ok(crew_run(crew, 0, do_piece, &work));
}

static void any_number_of_helpers(void **state) {
    (void)state;
    run(NULL);
    for (size_t helpers = 0; helpers < 5; helpers++) {
        Crew *crew;
        assert_ok(crew_create(helpers, "helps", &crew));
        run(crew);
        crew_destroy(crew);
    }
    crew_destroy(NULL);
    assert_int_equal(memory_stats().live_count, 0);
}

static void no_memory(void **state) {
    (void)state;
    Crew *crew;
    for (size_t n = 1; n <= 2; n++) {
        memory_fail_at(n);
        assert_fails(crew_create(3, "helps", &crew), "memory");
        memory_fail_at(0);
        assert_null(crew);
    }
    assert_int_equal(memory_stats().live_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_number_of_helpers), cmocka_unit_test(no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
