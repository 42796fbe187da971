/* SPDX-License-Identifier: Apache-2.0
 *
 * A part of the tree (tree.h) as a list of additions, made once and then run over many vectors: inputs are numbered,
 * and each addition is input[to] += input[from] in place. */
#ifndef DIST_TREE_PROGRAM_H
#define DIST_TREE_PROGRAM_H
#include "base/real.h"
#include "dist/tree.h"

typedef struct TreeAddition {
    size_t to, from;
} TreeAddition;

typedef struct TreeProgram {
    TreeAddition *additions; /* borrowed, room for one less than there will be inputs */
    size_t count;
    TreeStack stack;
    size_t holder[TREE_DEPTH]; /* the input where the sum of stack.piece[i] ends up */
} TreeProgram;

/* An empty program for a tree with this many leaves. */
void tree_program_start(TreeProgram *program, size_t leaves);

/* The next piece, in the order of leaves, is the input of this number. */
void tree_program_push(TreeProgram *program, TreePiece piece, size_t input);

/* Runs the program over vectors input[..][length], overwriting them, and copies the sum of the lowest piece on the
 * stack to each of `copies` (one of them may be the vector where it is already).  In blocks, so that all sums but the
 * last stay in the first-level cache. */
void tree_program_run(const TreeProgram *program, Real *const *input, size_t length, Real *const *copies,
                      size_t copy_count);

/* a += b, elementwise. */
void tree_add(Real *a, const Real *b, size_t length);

#endif
