/* SPDX-License-Identifier: Apache-2.0
 *
 * gemm for every generation of CPU that this one can run, against plain loops.  The source is included to reach them
 * all. */
#include "backend/gemm.c"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

enum { LARGEST = 80, SPACE = LARGEST * LARGEST };

static float a[SPACE], b[SPACE], c[SPACE], expected[SPACE];

typedef void GemmFunction(const Gemm *g, const float *, const float *, float *);

/* Small whole numbers: every order of sums gives the same. */
static void fill(void) {
    for (size_t i = 0; i < SPACE; i++) {
        a[i] = (float)(i * 7 % 11) - 5;
        b[i] = (float)(i * 5 % 13) - 6;
        c[i] = expected[i] = (float)(i % 17);
    }
}

static void check(GemmFunction *function, Gemm g) {
    fill();
    for (size_t i = 0; i < g.rows; i++)
        for (size_t j = 0; j < g.columns; j++) {
            float sum = g.add ? expected[i * g.c_row + j] : 0;
            for (size_t k = 0; k < g.depth; k++)
                sum += a[i * g.a_row + k * g.a_depth] * b[k * g.b_row + j];
            expected[i * g.c_row + j] = sum;
        }
    function(&g, a, b, c);
    if (memcmp(c, expected, sizeof c) != 0)
        fail_msg("%zu x %zu x %zu, a_row %zu, add %d differs", g.rows, g.columns, g.depth, g.a_row, g.add);
}

/* Both orders of a, and elements of c around the result that must stay. */
static void check_sizes(GemmFunction *function) {
    static const size_t depths[] = {0, 1, 2, 37, 70};
    for (size_t rows = 1; rows <= 31; rows++)
        for (size_t columns = 1; columns <= 77; columns += columns < 20 ? 1 : 3)
            for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
                Gemm g = {rows, columns, depths[d], LARGEST, 1, LARGEST, LARGEST, rows % 2};
                check(function, g);
                g.a_row = 1;
                g.a_depth = LARGEST;
                g.add = !g.add;
                check(function, g);
            }
}

static void agrees_with_plain_loops(void **state) {
    (void)state;
    check_sizes(gemm);
    check_sizes(gemm_v1);
#ifdef CPU_GENERATIONS
    if (CPU_HAS_V3)
        check_sizes(gemm_v3);
    if (CPU_HAS_V4)
        check_sizes(gemm_v4);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_plain_loops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
