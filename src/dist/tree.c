/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/tree.h"
#include "base/status.h"
#include <stdbool.h>

void tree_start(TreeStack *stack, size_t leaves) {
    CHECK(leaves > 0, "an empty tree");
    stack->leaves = leaves;
    stack->depth = 0;
}

static bool is_left_child(TreePiece piece) {
    return piece.first / piece.width % 2 == 0;
}

/* Renames a piece to its parent as long as the sibling lies wholly beyond the last leaf. */
static void promote(TreePiece *piece, size_t leaves) {
    while (piece->width < leaves && is_left_child(*piece) && piece->first + piece->width >= leaves)
        piece->width *= 2;
}

static bool are_siblings(TreePiece left, TreePiece right) {
    return left.width == right.width && is_left_child(left) && left.first + left.width == right.first;
}

size_t tree_push(TreeStack *stack, TreePiece piece) {
    CHECK(stack->depth < TREE_DEPTH, "%zu pieces", stack->depth);
    TreePiece *top = &stack->piece[stack->depth++];
    *top = piece;
    promote(top, stack->leaves);
    size_t additions = 0;
    for (; stack->depth > 1 && are_siblings(top[-1], top[0]); additions++) {
        top--;
        stack->depth--;
        top->width *= 2;
        promote(top, stack->leaves);
    }
    return additions;
}

void tree_sum(double *values, size_t leaves, size_t width) {
    TreeStack stack;
    size_t row[TREE_DEPTH]; /* where the value of each piece on the stack lies: at its first leaf */
    tree_start(&stack, leaves);
    for (size_t leaf = 0; leaf < leaves; leaf++) {
        size_t top = stack.depth;
        row[top] = leaf;
        for (size_t n = tree_push(&stack, (TreePiece){leaf, 1}); n > 0; n--, top--) {
            double *lower = values + row[top - 1] * width;
            const double *upper = values + row[top] * width;
            for (size_t i = 0; i < width; i++)
                lower[i] += upper[i];
        }
    }
}
