/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "base/rng.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The known answers of Philox4x32-10 in the distribution of Random123 (file kat_vectors). */
static void philox_gives_known_answers(void **state) {
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t out[4];
        const uint32_t *c = known[i].counter;
        rng_block((RngKey){{known[i].key[0], known[i].key[1]}}, (uint64_t)c[1] << 32 | c[0],
                  (uint64_t)c[3] << 32 | c[2], out);
        assert_memory_equal(out, known[i].answer, sizeof out);
    }
}

/* The published answers of 64-bit FNV-1a (Noll, "FNV hash", test_fnv.c). */
static void hash_gives_known_answers(void **state) {
    (void)state;
    assert_true(rng_hash("") == 0xcbf29ce484222325u);
    assert_true(rng_hash("a") == 0xaf63dc4c8601ec8cu);
    assert_true(rng_hash("foobar") == 0x85944171f73967e8u);
}

/* One key for each argument that differs. */
static void keys_differ(void **state) {
    (void)state;
    RngKey keys[] = {rng_key(0, RNG_INIT, 0, 0),         rng_key(1, RNG_INIT, 0, 0), rng_key(0, RNG_SHUFFLE, 0, 0),
                     rng_key(0, RNG_INIT, 1, 0),         rng_key(0, RNG_INIT, 0, 1), rng_key(0, RNG_INIT, 1, 1),
                     rng_key(1ull << 40, RNG_INIT, 0, 0)};
    RngKey again = rng_key(0, RNG_INIT, 0, 0);
    assert_memory_equal(&keys[0], &again, sizeof again);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&keys[i], &keys[j], sizeof(RngKey));
}

enum { DRAWS = 100000 };

/* Mean 1/2 and variance 1/12, each to five standard errors; equal counts in 16 cells (chi square of 15 degrees). */
static void uniform_is_uniform(void **state) {
    (void)state;
    RngKey key = rng_key(3, RNG_TEST, 0, 0);
    double sum = 0, squares = 0, chi = 0;
    size_t cells[16] = {0};
    for (uint64_t i = 0; i < DRAWS; i++) {
        double u = rng_uniform(key, i, 0);
        assert_true(u >= 0 && u < 1);
        sum += u - 0.5;
        squares += (u - 0.5) * (u - 0.5);
        cells[(size_t)(16 * u)]++;
    }
    for (size_t i = 0; i < 16; i++)
        chi += ((double)cells[i] - DRAWS / 16.0) * ((double)cells[i] - DRAWS / 16.0) / (DRAWS / 16.0);
    assert_true(fabs(sum / DRAWS) < 5 * sqrt(1.0 / 12 / DRAWS));
    assert_true(fabs(squares / DRAWS - 1.0 / 12) < 5 * sqrt(1.0 / 180 / DRAWS));
    assert_true(chi < 44.3); /* exceeded once in 10 000 */
}

/* Moments 1 to 4 of the standard normal to five standard errors, and the share beyond two deviations. */
static void normal_is_normal(void **state) {
    (void)state;
    RngKey key = rng_key(4, RNG_TEST, 0, 0);
    double m[5] = {0}, beyond = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        double z = rng_normal(key, i, 0), power = 1;
        for (size_t k = 1; k < 5; k++)
            m[k] += (power *= z) / DRAWS;
        beyond += (fabs(z) > 2) / (double)DRAWS;
    }
    assert_true(fabs(m[1]) < 5 * sqrt(1.0 / DRAWS));
    assert_true(fabs(m[2] - 1) < 5 * sqrt(2.0 / DRAWS));
    assert_true(fabs(m[3]) < 5 * sqrt(15.0 / DRAWS));
    assert_true(fabs(m[4] - 3) < 5 * sqrt(96.0 / DRAWS));
    assert_true(fabs(beyond - 0.0455) < 5 * sqrt(0.0455 / DRAWS));
}

static bool is_bijection(RngKey key, uint64_t count) {
    unsigned char *seen;
    bool good = memory_new(&seen, count, "marks") == STATUS_OK;
    for (uint64_t i = 0; i < count && good; i++) {
        uint64_t image = rng_permute(key, i, count);
        good = image < count && !seen[image];
        if (good)
            seen[image] = 1;
    }
    memory_free(seen);
    return good;
}

static void permutation_is_a_bijection(void **state) {
    (void)state;
    static const uint64_t large[] = {1000, 1023, 1024, 1025, 4095, 4096, 4097, 60000};
    for (uint64_t count = 1; count <= 300; count++)
        assert_true(is_bijection(rng_key(5, RNG_SHUFFLE, count, 0), count));
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        assert_true(is_bijection(rng_key(5, RNG_SHUFFLE, 0, i), large[i]));
    for (uint64_t i = 0; i < 100; i++) /* counts that no array holds */
        assert_true(rng_permute(rng_key(5, RNG_SHUFFLE, 1, 0), i, (1ull << 62) + 1) <= 1ull << 62);
}

/* Over many keys every position goes everywhere equally often: 10 x 10 cells, chi square of 81 degrees. */
static void permutation_mixes(void **state) {
    (void)state;
    enum { COUNT = 10, KEYS = 10000 };
    size_t cells[COUNT][COUNT] = {{0}};
    double chi = 0, expected = (double)KEYS / COUNT;
    for (uint64_t k = 0; k < KEYS; k++)
        for (uint64_t i = 0; i < COUNT; i++)
            cells[i][rng_permute(rng_key(6, RNG_SHUFFLE, k, 0), i, COUNT)]++;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++)
            chi += ((double)cells[i][j] - expected) * ((double)cells[i][j] - expected) / expected;
    assert_true(chi < 137); /* exceeded once in 10 000 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_known_answers),
        cmocka_unit_test(hash_gives_known_answers),
        cmocka_unit_test(keys_differ),
        cmocka_unit_test(uniform_is_uniform),
        cmocka_unit_test(normal_is_normal),
        cmocka_unit_test(permutation_is_a_bijection),
        cmocka_unit_test(permutation_mixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
