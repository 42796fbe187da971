/* SPDX-License-Identifier: Apache-2.0
 *
 * Every example exactly once per epoch, for any number of examples, ranks, micro-batches, and from any point on. */
#include "base/memory.h"
#include "data/sampler.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 300 };

/* Marks what rank `rank` of `ranks` uses in one epoch, from `step` on: seen[row]++, order[] in order of use. */
static size_t walk(const SamplerView *view, SamplerOrder order, uint64_t epoch, uint64_t step, size_t batch_size,
                   size_t micro_batches, size_t ranks, size_t rank, int seen[MOST], uint64_t used[MOST]) {
    size_t count = 0;
    SamplerPart mine = sampler_share(micro_batches, ranks, rank);
    for (; step < sampler_steps(view->count, batch_size); step++) {
        size_t batch = sampler_batch(view->count, batch_size, step);
        for (uint64_t i = mine.first; i < mine.first + mine.count; i++) {
            SamplerPart part = sampler_micro_batch(batch, micro_batches, i);
            for (uint64_t j = 0; j < part.count; j++) {
                uint64_t position = step * batch_size + part.first + j;
                uint64_t row = sampler_row(view, sampler_index(view, order, epoch, position));
                assert_true(row < view->total);
                seen[row]++;
                used[count++] = row;
            }
        }
    }
    return count;
}

static void each_example_once_on_any_number_of_ranks(void **state) {
    (void)state;
    const uint64_t counts[] = {1, 2, 7, 64, 100, 299};
    const size_t batches[] = {1, 5, 32, 1000}, micro_batches[] = {1, 3, 8};
    uint64_t used[MOST];
    for (size_t a = 0; a < sizeof counts / sizeof *counts; a++)
        for (size_t b = 0; b < 4; b++)
            for (size_t m = 0; m < 3; m++)
                for (size_t ranks = 1; ranks <= micro_batches[m]; ranks++)
                    for (int shuffle = 0; shuffle < 2; shuffle++) {
                        SamplerView view = sampler_whole(counts[a]);
                        SamplerOrder order = {shuffle != 0, 42};
                        int seen[MOST] = {0};
                        size_t total = 0;
                        for (size_t rank = 0; rank < ranks; rank++)
                            total += walk(&view, order, 3, 0, batches[b], micro_batches[m], ranks, rank, seen, used);
                        assert_int_equal(total, counts[a]);
                        for (uint64_t i = 0; i < counts[a]; i++)
                            assert_int_equal(seen[i], 1);
                    }
}

/* What is used from step s on does not depend on whether the epoch began there or was resumed there. */
static void any_resume_point_goes_on_alike(void **state) {
    (void)state;
    SamplerView view = sampler_whole(100);
    SamplerOrder order = {true, 7};
    int seen[MOST] = {0};
    uint64_t whole[MOST], rest[MOST];
    size_t count = walk(&view, order, 5, 0, 8, 3, 1, 0, seen, whole);
    for (uint64_t step = 0; step <= sampler_steps(100, 8); step++) {
        size_t left = walk(&view, order, 5, step, 8, 3, 1, 0, seen, rest);
        assert_int_equal(left, step * 8 < 100 ? 100 - step * 8 : 0);
        assert_memory_equal(rest, whole + (count - left), left * sizeof *rest);
    }
}

/* The order of examples in a step is the same however many ranks share it. */
static void order_does_not_depend_on_ranks(void **state) {
    (void)state;
    SamplerView view = sampler_whole(97);
    SamplerOrder order = {true, 1};
    int seen[MOST] = {0};
    uint64_t one[MOST], many[MOST];
    walk(&view, order, 0, 0, 97, 8, 1, 0, seen, one);
    for (size_t ranks = 2; ranks <= 8; ranks++) {
        size_t done = 0;
        for (size_t rank = 0; rank < ranks; rank++)
            done += walk(&view, order, 0, 0, 97, 8, ranks, rank, seen, many + done);
        assert_int_equal(done, 97);
        assert_memory_equal(one, many, sizeof *one * 97);
    }
}

static void epochs_and_seeds_differ(void **state) {
    (void)state;
    SamplerView view = sampler_whole(200);
    int seen[MOST] = {0};
    uint64_t a[MOST], b[MOST];
    walk(&view, (SamplerOrder){true, 1}, 0, 0, 10, 1, 1, 0, seen, a);
    walk(&view, (SamplerOrder){true, 1}, 1, 0, 10, 1, 1, 0, seen, b);
    assert_memory_not_equal(a, b, 200 * sizeof *a);
    walk(&view, (SamplerOrder){true, 2}, 0, 0, 10, 1, 1, 0, seen, b);
    assert_memory_not_equal(a, b, 200 * sizeof *a);
    walk(&view, (SamplerOrder){false, 2}, 9, 0, 10, 1, 1, 0, seen, b);
    for (uint64_t i = 0; i < 200; i++)
        assert_true(b[i] == i);
}

static void validation_split_is_a_partition(void **state) {
    (void)state;
    const double fractions[] = {0, 0.001, 0.1, 0.25, 0.5, 0.999};
    for (uint64_t total = 1; total < 130; total += 9)
        for (size_t f = 0; f < sizeof fractions / sizeof *fractions; f++) {
            SamplerView training = sampler_training_part(total, fractions[f], 11);
            SamplerView validation = sampler_validation_part(total, fractions[f], 11);
            int seen[MOST] = {0};
            assert_true(training.count > 0 && training.count + validation.count == total);
            assert_true(fractions[f] == 0 || total == 1 ? validation.count == 0 : validation.count > 0);
            for (uint64_t i = 0; i < training.count; i++)
                seen[sampler_row(&training, i)]++;
            for (uint64_t i = 0; i < validation.count; i++)
                seen[sampler_row(&validation, i)]++;
            for (uint64_t i = 0; i < total; i++)
                assert_int_equal(seen[i], 1);
        }
    SamplerView validation = sampler_validation_part(1000, 0.1, 11);
    assert_int_equal(validation.count, 100);
    uint64_t in_last_tenth = 0; /* a random part, not the last rows */
    for (uint64_t i = 0; i < 100; i++)
        in_last_tenth += sampler_row(&validation, i) >= 900;
    assert_in_range(in_last_tenth, 1, 30);
}

static void sizes_of_micro_batches(void **state) {
    (void)state;
    const size_t expected[5] = {3, 3, 2, 2, 2}; /* 12 examples in 5 */
    for (size_t i = 0, first = 0; i < 5; first += expected[i++]) {
        SamplerPart part = sampler_micro_batch(12, 5, i);
        assert_int_equal(part.first, first);
        assert_int_equal(part.count, expected[i]);
    }
    for (size_t i = 0; i < 8; i++) /* fewer examples than micro-batches: the last ones are empty */
        assert_int_equal(sampler_micro_batch(3, 8, i).count, i < 3);
    assert_int_equal(sampler_batch(100, 32, 2), 32);
    assert_int_equal(sampler_batch(100, 32, 3), 4);
    assert_int_equal(sampler_steps(100, 32), 4);
    assert_int_equal(sampler_steps(96, 32), 3);
}

static void shares_follow_the_formula(void **state) {
    (void)state;
    for (uint64_t units = 0; units < 40; units++)
        for (size_t ranks = 1; ranks <= 9; ranks++)
            for (size_t rank = 0; rank < ranks; rank++) {
                SamplerPart part = sampler_share(units, ranks, rank);
                assert_int_equal(part.first, rank * units / ranks);
                assert_int_equal(part.first + part.count, (rank + 1) * units / ranks);
            }
    SamplerPart last = sampler_share(UINT64_MAX, 3, 2); /* no overflow */
    assert_true(last.first == UINT64_MAX / 3 * 2 && last.first + last.count == UINT64_MAX);
}

static void blocks_of_evaluation(void **state) {
    (void)state;
    uint64_t next = 0;
    for (uint64_t i = 0; i < sampler_blocks(1000, 256); i++) {
        SamplerPart part = sampler_block(1000, 256, i);
        assert_int_equal(part.first, next);
        assert_int_equal(part.count, i < 3 ? 256 : 232);
        next += part.count;
    }
    assert_int_equal(next, 1000);
}

/* The order is part of the promise that a run can be repeated: these numbers may never change. */
static void the_order_is_fixed_for_all_time(void **state) {
    (void)state;
    SamplerView view = sampler_whole(1259);
    const uint64_t expected[4] = {657, 475, 765, 1086};
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(sampler_index(&view, (SamplerOrder){true, 1}, 0, i), expected[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_example_once_on_any_number_of_ranks),
        cmocka_unit_test(any_resume_point_goes_on_alike),
        cmocka_unit_test(order_does_not_depend_on_ranks),
        cmocka_unit_test(epochs_and_seeds_differ),
        cmocka_unit_test(validation_split_is_a_partition),
        cmocka_unit_test(sizes_of_micro_batches),
        cmocka_unit_test(shares_follow_the_formula),
        cmocka_unit_test(blocks_of_evaluation),
        cmocka_unit_test(the_order_is_fixed_for_all_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
