/* SPDX-License-Identifier: Apache-2.0
 *
 * The one order in which sums over micro-batches (and evaluation blocks) are taken.
 *
 * Leaves 0 .. leaves-1 stand in a binary tree padded to the next power of two; a node whose right half lies wholly
 * beyond `leaves` is its left child, without arithmetic; any other node is left + right.  A *piece* is a finished
 * node: the leaves [first, first + width) and their sum.  The only operation is that two sibling pieces become their
 * parent.  So whoever holds the pieces, in whatever order they become ready and in however many hands the leaves lie,
 * the root has the same bits; a mistake shows as a missing root, never as slightly different bits.
 *
 * The same stack serves a rank over its micro-batches (where it is a binary counter) and a rank that owns a part of the
 * gradient over the pieces of all ranks.  No MPI here. */
#ifndef DIST_TREE_H
#define DIST_TREE_H
#include <stddef.h>

enum { TREE_DEPTH = 128 }; /* no stack of neighbouring pieces is deeper: widths rise, then fall, by powers of two */

typedef struct TreePiece {
    size_t first, width;
} TreePiece;

typedef struct TreeStack {
    size_t leaves, depth;
    TreePiece piece[TREE_DEPTH];
} TreeStack;

/* An empty stack of a tree with this many leaves (>= 1). */
void tree_start(TreeStack *stack, size_t leaves);

/* Puts a piece on the stack; pieces come in the order of their leaves, without gaps.  Returns how many times the caller
 * must now replace the top two values by (lower + top).  The root is there when depth is 1 after the last piece. */
size_t tree_push(TreeStack *stack, TreePiece piece);

/* Sums values[leaves][width] over leaves in the order of the tree; the result is values[0 .. width-1], the rest is
 * overwritten.  For sums of evaluation blocks, gathered on every rank.  leaves >= 1. */
void tree_sum(double *values, size_t leaves, size_t width);

#endif
