/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

static void memory_is_aligned_and_zero(void **state) {
    (void)state;
    static const size_t counts[] = {0, 1, 7, 8, 9, 63, 64, 65, 1000, 4096, 1100000 /* in huge pages */};
    enum { COUNTS = sizeof counts / sizeof *counts, ROUNDS = 4 }; /* used blocks come back and are zero again */
    for (size_t i = 0; i < ROUNDS * COUNTS; i++) {
        double *a;
        size_t count = counts[i % COUNTS];
        assert_int_equal(memory_new(&a, count, "test"), STATUS_OK);
        assert_non_null(a);
        assert_int_equal((uintptr_t)a % MEMORY_ALIGN, 0);
        for (size_t k = 0; k < count; k++)
            assert_true(a[k] == 0);
        memset(a, 0xff, count * sizeof *a);
        memory_free(a);
    }
    memory_free(NULL);
}

static void sizes_that_do_not_fit_are_refused(void **state) {
    (void)state;
    static const size_t counts[] = {SIZE_MAX, SIZE_MAX / 8 + 1, SIZE_MAX / 8 - 1, SIZE_MAX / 16};
    MemoryStats before = memory_stats(), after;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double *a = (double *)&before;
        assert_int_equal(memory_new(&a, counts[i], "gradient slab"), STATUS_FAILED);
        assert_null(a);
        assert_non_null(strstr(status_message(), "out of memory"));
        assert_non_null(strstr(status_message(), "gradient slab"));
    }
    after = memory_stats();
    assert_int_equal(after.live_count, before.live_count);
    assert_int_equal(after.live_bytes, before.live_bytes);
}

static void products_are_checked(void **state) {
    (void)state;
    size_t product;
    assert_true(memory_multiply(1u << 20, 1u << 20, &product));
    assert_true(product == (size_t)1 << 40);
    assert_true(memory_multiply(SIZE_MAX, 0, &product));
    assert_true(memory_multiply(SIZE_MAX, 1, &product));
    assert_false(memory_multiply(SIZE_MAX / 2 + 1, 2, &product));
}

static void counters_follow(void **state) {
    (void)state;
    char *a, *b;
    MemoryStats start = memory_stats();
    assert_int_equal(memory_alloc(1000, 3, "a", (void **)&a), STATUS_OK);
    assert_int_equal(memory_alloc(500, 1, "b", (void **)&b), STATUS_OK);
    MemoryStats full = memory_stats();
    assert_int_equal(full.live_bytes - start.live_bytes, 3500);
    assert_int_equal(full.live_count - start.live_count, 2);
    assert_int_equal(full.total_count - start.total_count, 2);
    assert_true(full.peak_bytes >= full.live_bytes);
    memory_free(a);
    memory_free(b);
    MemoryStats end = memory_stats();
    assert_int_equal(end.live_bytes, start.live_bytes);
    assert_int_equal(end.live_count, start.live_count);
    assert_int_equal(end.total_count, full.total_count);
    assert_int_equal(end.peak_bytes, full.peak_bytes);
}

static void what_lies_elsewhere_is_counted(void **state) {
    (void)state;
    MemoryStats start = memory_stats();
    assert_int_equal(memory_note(12345, "mapping"), STATUS_OK);
    assert_int_equal(memory_stats().live_bytes - start.live_bytes, 12345);
    assert_int_equal(memory_stats().live_count - start.live_count, 1);
    memory_forget(12345);
    memory_fail_at(1);
    assert_int_equal(memory_note(12345, "mapping"), STATUS_FAILED);
    memory_fail_at(0);
    assert_non_null(strstr(status_message(), "mapping"));
    assert_int_equal(memory_stats().live_bytes, start.live_bytes);
    assert_int_equal(memory_stats().live_count, start.live_count);
}

static void texts_are_copied(void **state) {
    (void)state;
    char text[] = "kernel", *copy, *made;
    assert_int_equal(memory_strdup(text, &copy), STATUS_OK);
    text[0] = 'K';
    assert_string_equal(copy, "kernel");
    assert_int_equal(memory_format(&made, "%s/%d/%0200d", copy, 7, 1), STATUS_OK);
    assert_int_equal(strlen(made), strlen("kernel/7/") + 200);
    assert_int_equal(memcmp(made, "kernel/7/0", 10), 0);
    memory_free(copy);
    memory_free(made);
}

static void arrays_grow(void **state) {
    (void)state;
    enum { COUNT = 5000, MORE = 20000 };
    MemoryStats start = memory_stats();
    int *a = NULL;
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(memory_grow(&a, (size_t)i, 1, "list"), STATUS_OK);
        a[i] = i;
    }
    assert_in_range(memory_stats().total_count - start.total_count, 2, 6); /* 1 KB, 2, 4, 8, 16, 32 */
    assert_int_equal(memory_grow(&a, COUNT, MORE, "list"), STATUS_OK);
    int sum = 0;
    for (int i = 0; i < MORE; i++)
        sum |= a[COUNT + i];
    assert_int_equal(sum, 0);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(a[i], i);
    int *same = a;
    memory_fail_at(1);
    assert_int_equal(memory_grow(&a, COUNT, MORE, "list"), STATUS_OK); /* there is room */
    assert_int_equal(memory_grow(&a, COUNT, 2 * MORE, "list of files"), STATUS_FAILED);
    memory_fail_at(0);
    assert_non_null(strstr(status_message(), "list of files"));
    assert_int_equal(memory_grow(&a, COUNT, SIZE_MAX, "list"), STATUS_FAILED);
    assert_int_equal(memory_grow(&a, COUNT, SIZE_MAX / 4, "list"), STATUS_FAILED);
    assert_ptr_equal(a, same);
    assert_int_equal(a[COUNT - 1], COUNT - 1);
    memory_free(a);
    assert_int_equal(memory_stats().live_bytes, start.live_bytes);
    a = NULL;
    assert_int_equal(memory_grow(&a, 0, 0, "list"), STATUS_OK); /* nothing, at a valid address */
    assert_non_null(a);
    memory_free(a);
}

static void a_kept_block_is_used_again(void **state) {
    enum { LARGE = 16 << 20 };
    (void)state;
    size_t live = memory_stats().live_bytes;
    unsigned char *first, *second, *other;
    assert_int_equal(memory_new(&first, LARGE, "block"), STATUS_OK);
    memset(first, 1, LARGE);
    memory_keep(first);
    assert_int_equal(memory_stats().live_bytes, live + LARGE);
    assert_int_equal(memory_new(&second, LARGE, "block"), STATUS_OK);
    assert_ptr_equal(second, first);
    assert_int_equal(memory_stats().live_bytes, live + LARGE);
    size_t sum = 0;
    for (size_t i = 0; i < LARGE; i++)
        sum += second[i];
    assert_int_equal(sum, 0);
    memory_keep(second);
    assert_int_equal(memory_new(&other, LARGE + 1, "larger block"), STATUS_OK);
    assert_int_equal(memory_stats().live_bytes, live + LARGE + 1);
    memory_keep(other);
    memory_keep(NULL);
    assert_int_equal(memory_stats().live_bytes, live);
}

static void the_nth_allocation_fails_and_all_after_it(void **state) {
    (void)state;
    void *block;
    memory_fail_at(3);
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(memory_alloc(8, 1, "test", &block), STATUS_OK);
        memory_free(block);
    }
    for (int i = 3; i <= 5; i++) {
        assert_int_equal(memory_alloc(8, 1, "test", &block), STATUS_FAILED);
        assert_null(block);
    }
    assert_int_equal(memory_strdup("text", (char **)&block), STATUS_FAILED);
    assert_null(block);
    memory_fail_at(0);
    assert_int_equal(memory_alloc(8, 1, "test", &block), STATUS_OK);
    memory_free(block);
}

static void the_system_sees_what_is_allocated(void **state) {
    (void)state;
    enum { BYTES = 100 << 20 };
    char *block;
    MemoryProcess before = memory_process();
    assert_int_equal(memory_new(&block, BYTES, "test"), STATUS_OK);
    MemoryProcess with = memory_process();
    memory_free(block);
    MemoryProcess after = memory_process();
    assert_true(before.peak_bytes >= before.resident_bytes && before.resident_bytes > 0);
    assert_true(with.resident_bytes - before.resident_bytes > (size_t)BYTES / 100 * 98);
    assert_true(with.resident_bytes - before.resident_bytes < (size_t)BYTES / 100 * 102);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what is freed for a while */
    assert_true(after.resident_bytes < before.resident_bytes + BYTES / 50);
#endif
    assert_true(after.peak_bytes > with.resident_bytes - BYTES / 50); /* the system counts in lots */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_zero),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(products_are_checked),
        cmocka_unit_test(counters_follow),
        cmocka_unit_test(what_lies_elsewhere_is_counted),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(arrays_grow),
        cmocka_unit_test(a_kept_block_is_used_again),
        cmocka_unit_test(the_nth_allocation_fails_and_all_after_it),
        cmocka_unit_test(the_system_sees_what_is_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
