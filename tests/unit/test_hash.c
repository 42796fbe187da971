/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

enum { BYTES = 400 };

static void fill(unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
}

/* Of every length, whole blocks and rests. */
static void every_flipped_bit_is_seen(void **state) {
    (void)state;
    unsigned char bytes[BYTES];
    fill(bytes, BYTES);
    for (size_t length = 1; length <= BYTES; length += length < 140 ? 1 : 13) {
        uint64_t before = hash_bytes(7, bytes, length);
        for (size_t bit = 0; bit < 8 * length; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_true(hash_bytes(7, bytes, length) != before);
            bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        assert_true(hash_bytes(7, bytes, length) == before);
    }
}

static void length_seed_and_order_count(void **state) {
    (void)state;
    unsigned char bytes[BYTES] = {0}, other[BYTES];
    for (size_t length = 0; length < BYTES; length++)
        assert_true(hash_bytes(0, bytes, length) != hash_bytes(0, bytes, length + 1));
    assert_true(hash_bytes(1, bytes, BYTES) != hash_bytes(2, bytes, BYTES));
    fill(bytes, BYTES);
    for (size_t step = 8; step <= 128; step *= 16) { /* neighbours in a block, and in a lane, change places */
        memcpy(other, bytes, BYTES);
        memcpy(other, bytes + step, 8);
        memcpy(other + step, bytes, 8);
        assert_true(hash_bytes(0, bytes, BYTES) != hash_bytes(0, other, BYTES));
    }
}

static void the_place_in_memory_does_not_count(void **state) {
    (void)state;
    unsigned char bytes[BYTES + 9];
    fill(bytes, BYTES);
    uint64_t aligned = hash_bytes(0, bytes, BYTES);
    memmove(bytes + 9, bytes, BYTES);
    assert_true(hash_bytes(0, bytes + 9, BYTES) == aligned);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_flipped_bit_is_seen),
                                       cmocka_unit_test(length_seed_and_order_count),
                                       cmocka_unit_test(the_place_in_memory_does_not_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
