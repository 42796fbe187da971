/* SPDX-License-Identifier: Apache-2.0
 *
 * Winograd's algorithm against the reference kernels on shapes of every kind, also where the backend would say no:
 * blocks of tiles and of channels that are not full, tiles that reach over the edge. */
#include "ops/op_case.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

extern const Backend backend_winograd;

typedef struct Sizes {
    size_t n, H, W, C, K;
    Padding padding;
    size_t pad[2][2];
} Sizes;

static const Sizes sizes[] = {
    {1, 4, 4, 1, 1, PADDING_SAME},
    {1, 3, 3, 1, 3, PADDING_VALID},
    {2, 6, 6, 3, 1, PADDING_VALID},
    {3, 5, 7, 3, 16, PADDING_SAME},
    {2, 9, 4, 16, 3, PADDING_SAME},
    {2, 8, 8, 17, 16, PADDING_VALID},
    {1, 7, 11, 16, 17, PADDING_SAME},
    {2, 4, 9, 32, 17, PADDING_EXPLICIT, {{2, 0}, {0, 2}}},
    {2, 5, 5, 17, 32, PADDING_EXPLICIT, {{1, 2}, {2, 2}}},
    {3, 6, 10, 32, 32, PADDING_EXPLICIT, {{0, 1}, {1, 0}}},
    {2, 7, 7, 100, 17, PADDING_SAME},
    {2, 6, 5, 33, 100, PADDING_SAME},
    {1, 1, 1, 16, 16, PADDING_SAME},
    {4, 2, 1, 5, 20, PADDING_SAME},
    {5, 4, 4, 130, 150, PADDING_SAME},
    {2, 41, 37, 16, 16, PADDING_SAME},
    {3, 30, 29, 32, 20, PADDING_VALID},
};

static OpCase case_of(const Sizes *s) {
    OpCase c = {.name = "3x3",
                .op = {.kind = OP_CONV2D,
                       .n = s->n,
                       .inputs = 1,
                       .x = {SHAPE(s->H, s->W, s->C)},
                       .params = 2,
                       .has_w = {true, s->K % 2 == 0},
                       .w = {SHAPE(3, 3, s->C, s->K), SHAPE(s->K)},
                       .attr.conv = {.kernel = {3, 3},
                                     .stride = {1, 1},
                                     .dilation = {1, 1},
                                     .groups = 1,
                                     .filters = s->K,
                                     .padding = s->padding,
                                     .pad = {{s->pad[0][0], s->pad[0][1]}, {s->pad[1][0], s->pad[1][1]}}}}};
    return c;
}

static bool every_shape(const OpDesc *op) {
    (void)op;
    return true;
}

static void agrees_with_ref(void **state) {
    (void)state;
    Backend backend = backend_winograd;
    char text[OP_CHECK_TEXT], name[OP_CASE_NAME];
    size_t failed = 0;
    backend.supports = every_shape;
    for (size_t i = 0; i < COUNT(sizes) * OP_VARIANTS; i++) {
        const Sizes *s = &sizes[i / OP_VARIANTS];
        OpCase c = case_of(s), variant;
        assert_true(op_case_variant(&c, i % OP_VARIANTS, &variant, name));
        if (!op_check_against(&variant, &backend, &backend_ref, text) || !op_check_contract(&variant, &backend, text) ||
            !op_check_slices(&variant, &backend, text)) {
            print_error("%zu of %zux%zux%zu to %zu: %s\n", s->n, s->H, s->W, s->C, s->K, text);
            failed++;
        }
    }
    assert_int_equal(failed, 0);
}

static bool chosen(size_t n, size_t H, size_t C, size_t K) {
    Sizes s = {n, H, H, C, K, PADDING_SAME};
    OpDesc op = case_of(&s).op;
    op.y = SHAPE(H, H, K);
    op.winograd = true;
    return backend_winograd.supports(&op);
}

static void rule(void **state) {
    (void)state;
    assert_true(chosen(1, 56, 64, 64));
    assert_true(chosen(64, 4, 512, 512));
    assert_true(chosen(16, 7, 512, 512));
    assert_false(chosen(64, 28, 1, 32));
    assert_false(chosen(64, 224, 3, 64));
    assert_false(chosen(1, 4, 64, 64));  /* one tile does not pay for the transform of the weights */
    assert_false(chosen(64, 2, 64, 64)); /* of each tile only a quarter exists */
    Sizes s = {1, 56, 56, 64, 64, PADDING_SAME};
    OpDesc op = case_of(&s).op;
    op.y = SHAPE(56, 56, 64);
    assert_false(backend_winograd.supports(&op)); /* not allowed */
    op.winograd = true;
    assert_true(backend_winograd.supports(&op));
    op.attr.conv.stride[1] = 2;
    assert_false(backend_winograd.supports(&op));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_ref), cmocka_unit_test(rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
