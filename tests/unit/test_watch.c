/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is odd, and who is slow. */
#include "support/assert_status.h"
#include "train/replicas.h"
#include "train/slow_ranks.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

enum { RANKS = 8 };

/* Letters are hashes; expected: 1 where odd. */
static void odd(const char *hashes, const char *expected) {
    uint64_t hash[RANKS] = {0};
    bool found[RANKS];
    size_t count = strlen(hashes), odds = 0;
    for (size_t i = 0; i < count; i++)
        hash[i] = (uint64_t)hashes[i];
    size_t returned = replicas_odd(hash, count, found);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found[i], expected[i] == '1');
        odds += found[i];
    }
    assert_int_equal(returned, odds);
}

static void the_minority_is_odd(void **state) {
    (void)state;
    odd("a", "0");
    odd("aaaa", "0000");
    odd("baa", "100");
    odd("aba", "010");
    odd("aab", "001");
    odd("abcaa", "01100");
    odd("bcaaa", "11000");
    odd("ab", "11");
    odd("aabb", "1111");
    odd("aabbc", "11111");
    odd("abababa", "0101010");
}

static void when_to_compare(void **state) {
    (void)state;
    ReplicaChecks checks;
    assert_ok(replicas_parse("off", &checks));
    assert_true(!checks.at_checkpoints && checks.every == 0);
    assert_ok(replicas_parse("checkpoints", &checks));
    assert_true(checks.at_checkpoints && checks.every == 0);
    assert_ok(replicas_parse("100", &checks));
    assert_true(checks.at_checkpoints && checks.every == 100);
    const char *const wrong[] = {"0", "-1", "on", "10x", "1.5", "99999999999999999999", " 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(replicas_parse(wrong[i], &checks), STATUS_USAGE);
}

/* Seconds of 1000 examples each, 0: no examples; expected: 1 where slow. */
static void slow(const double *seconds, size_t count, double median, const char *expected) {
    RankTime times[RANKS] = {{0}};
    bool found[RANKS];
    for (size_t i = 0; i < count; i++)
        times[i] = (RankTime){.seconds = seconds[i], .examples = seconds[i] > 0 ? 1000 : 0};
    assert_true(slow_ranks_find(times, count, found) == median);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(found[i], expected[i] == '1');
}

static void slow_ranks_are_found(void **state) {
    (void)state;
    slow((double[]){10, 10, 13, 10}, 4, 0.01, "0010");
    slow((double[]){10, 10, 11.9, 10}, 4, 0.01, "0000");
    slow((double[]){13, 10}, 2, 0.01, "10");
    slow((double[]){0, 20, 10, 9, 0, 13}, 6, 0.01, "010001");
    slow((double[]){20, 20, 20, 10}, 4, 0.02, "0000"); /* one is quick: nobody is slow */
    slow((double[]){4, 4, 40}, 3, 0, "000");           /* too short */
    slow((double[]){0, 0, 40}, 3, 0, "000");           /* nobody to compare with */
    RankTime uneven[] = {
        {.seconds = 30, .examples = 3000}, {.seconds = 20, .examples = 2000}, {.seconds = 26, .examples = 2000}};
    bool found[3];
    assert_true(slow_ranks_find(uneven, 3, found) == 0.01);
    assert_true(!found[0] && !found[1] && found[2]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_minority_is_odd), cmocka_unit_test(when_to_compare),
                                       cmocka_unit_test(slow_ranks_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
