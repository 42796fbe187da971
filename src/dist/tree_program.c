/* SPDX-License-Identifier: Apache-2.0 */
#include "dist/tree_program.h"
#include <string.h>

enum { BLOCK = 2048 }; /* Reals */

void tree_program_start(TreeProgram *program, size_t leaves) {
    program->count = 0;
    tree_start(&program->stack, leaves);
}

void tree_program_push(TreeProgram *program, TreePiece piece, size_t input) {
    size_t *top = &program->holder[program->stack.depth];
    *top = input;
    for (size_t n = tree_push(&program->stack, piece); n > 0; n--, top--)
        program->additions[program->count++] = (TreeAddition){top[-1], top[0]};
}

void tree_add(Real *a, const Real *b, size_t length) {
#pragma GCC ivdep
    for (size_t i = 0; i < length; i++)
        a[i] += b[i];
}

void tree_program_run(const TreeProgram *program, Real *const *input, size_t length, Real *const *copies,
                      size_t copy_count) {
    for (size_t done = 0; done < length; done += BLOCK) {
        size_t n = length - done < BLOCK ? length - done : BLOCK;
        for (size_t a = 0; a < program->count; a++)
            tree_add(input[program->additions[a].to] + done, input[program->additions[a].from] + done, n);
        for (size_t c = 0; c < copy_count; c++) {
            const Real *sum = input[program->holder[0]];
            if (copies[c] != sum)
                memcpy(copies[c] + done, sum + done, n * sizeof(Real));
        }
    }
}
