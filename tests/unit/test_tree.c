/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of sums (dist/tree.h) against a recursive evaluation of its definition. */
#include "base/rng.h"
#include "dist/tree.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LEAVES = 40, WIDTH = 16 };

/* Values whose sum depends on the order: large ones that cancel, denormals, -0. */
static double value(size_t leaf, size_t column) {
    uint32_t word[4];
    rng_block(rng_key(1, RNG_TEST, 0, 0), leaf, column, word);
    switch (word[0] % 5) {
    case 0:
        return word[1] % 2 ? 1e30 : -1e30;
    case 1:
        return 3e7 * ((double)word[1] / 4294967296.0 - 0.5);
    case 2:
        return 5e-324 * (word[1] % 8);
    case 3:
        return -0.0;
    default:
        return (double)word[1] / 4294967296.0;
    }
}

/* The definition: the value of the node over [first, first + width). */
static double node(size_t first, size_t width, size_t leaves, size_t column) {
    if (width == 1)
        return value(first, column);
    double left = node(first, width / 2, leaves, column);
    return first + width / 2 >= leaves ? left : left + node(first + width / 2, width / 2, leaves, column);
}

static double root(size_t leaves, size_t column) {
    size_t width = 1;
    while (width < leaves)
        width *= 2;
    return node(0, width, leaves, column);
}

static void test_additions(void **state) {
    (void)state;
    /* five leaves: ((0+1) + (2+3)) + 4 */
    const size_t expected[] = {0, 1, 0, 2, 1};
    TreeStack stack;
    tree_start(&stack, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(tree_push(&stack, (TreePiece){i, 1}), expected[i]);
    assert_int_equal(stack.depth, 1);
    assert_int_equal(stack.piece[0].width, 8);
}

static void test_sum(void **state) {
    (void)state;
    size_t differs_from_running_sum = 0;
    for (size_t leaves = 1; leaves <= LEAVES; leaves++) {
        double values[LEAVES][WIDTH], running[WIDTH];
        for (size_t i = 0; i < leaves; i++)
            for (size_t c = 0; c < WIDTH; c++) {
                values[i][c] = value(i, c);
                running[c] = i ? running[c] + values[i][c] : values[i][c];
            }
        tree_sum(values[0], leaves, WIDTH);
        for (size_t c = 0; c < WIDTH; c++) {
            double expected = root(leaves, c);
            assert_memory_equal(&values[0][c], &expected, sizeof expected);
            differs_from_running_sum += memcmp(&running[c], &expected, sizeof expected) != 0;
        }
    }
    assert_true(differs_from_running_sum > 100); /* the values do tell orders apart */
}

/* The value of a stack of pieces, as a rank keeps it. */
typedef struct Hand {
    TreeStack stack;
    double value[TREE_DEPTH];
} Hand;

static void put(Hand *hand, TreePiece piece, double piece_value) {
    size_t top = hand->stack.depth;
    hand->value[top] = piece_value;
    for (size_t n = tree_push(&hand->stack, piece); n > 0; n--, top--)
        hand->value[top - 1] += hand->value[top];
}

static void test_any_cuts(void **state) {
    (void)state;
    for (size_t leaves = 1; leaves <= 20; leaves++)
        for (uint64_t trial = 0; trial < 200; trial++) {
            size_t column = trial % WIDTH;
            Hand mine, owner;
            tree_start(&mine.stack, leaves);
            tree_start(&owner.stack, leaves);
            for (size_t i = 0; i < leaves; i++) {
                put(&mine, (TreePiece){i, 1}, value(i, column));
                if (i + 1 < leaves && rng_uniform(rng_key(2, RNG_TEST, leaves, trial), i, 0) > 0.3)
                    continue;
                for (size_t p = 0; p < mine.stack.depth; p++) /* here the next rank begins */
                    put(&owner, mine.stack.piece[p], mine.value[p]);
                tree_start(&mine.stack, leaves);
            }
            double expected = root(leaves, column);
            assert_int_equal(owner.stack.depth, 1);
            assert_memory_equal(&owner.value[0], &expected, sizeof expected);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_additions), cmocka_unit_test(test_sum),
                                       cmocka_unit_test(test_any_cuts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
