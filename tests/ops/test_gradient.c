/* SPDX-License-Identifier: Apache-2.0
 *
 * Every case of the table: backward of the reference kernels, in double, against central differences; the contract of
 * the buffers; slices. */
#include "ops/op_case.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <string.h>

static const OpCases *const families[] = {
#define OP_CASES(family) &op_cases_##family,
    OP_CASE_FAMILIES(OP_CASES)
#undef OP_CASES
};

/* Checks all cases and shows every failure; how many were checked. */
static size_t check_all(bool (*check)(const OpCase *, const Backend *, char *)) {
    char text[OP_CHECK_TEXT], name[OP_CASE_NAME];
    size_t checked = 0, failed = 0;
    for (size_t f = 0; f < COUNT(families); f++)
        for (size_t i = 0; i < families[f]->count * OP_VARIANTS; i++) {
            OpCase c;
            if (!op_case_variant(&families[f]->cases[i / OP_VARIANTS], i % OP_VARIANTS, &c, name) || c.large)
                continue;
            checked++;
            if (!check(&c, &backend_ref, text)) {
                print_error("%s\n", text);
                failed++;
            }
        }
    assert_int_equal(failed, 0);
    return checked;
}

static void gradients_fit_differences(void **state) {
    (void)state;
    assert_true(check_all(op_check_gradient) > 0);
}

static void contract_holds(void **state) {
    (void)state;
    assert_true(check_all(op_check_contract) > 0);
}

static void slices_make_no_difference(void **state) {
    (void)state;
    assert_true(check_all(op_check_slices) > 0);
}

/* backend_ref with a gradient that is wrong in one element, or that ignores dx_add. */
static void wrong_element(void *state, const OpBuffers *buffers) {
    backend_ref.backward(state, buffers);
    if (buffers->dw[0])
        buffers->dw[0][1] *= (Real)1.001;
}

static void wrong_add(void *state, const OpBuffers *buffers) {
    OpBuffers copy = *buffers;
    memset(copy.dx_add, 0, sizeof copy.dx_add);
    backend_ref.backward(state, &copy);
}

/* Every slice overwrites the weights' gradient. */
static void wrong_slice(void *state, const OpBuffers *buffers) {
    OpBuffers copy = *buffers;
    memset(copy.dw_add, 0, sizeof copy.dw_add);
    backend_ref.backward(state, &copy);
}

/* Changes dy. */
static void wrong_dy(void *state, const OpBuffers *buffers) {
    backend_ref.backward(state, buffers);
    buffers->dy[0] = 0;
}

static const OpCase planted = {
    .name = "planted",
    .op = {.kind = OP_DENSE, .n = 2, .inputs = 1, .x = {SHAPE(3)}, .params = 1, .has_w = {true}, .w = {SHAPE(3, 2)}}};

static void planted_errors_are_found(void **state) {
    (void)state;
    char text[OP_CHECK_TEXT];
    Backend backend = backend_ref;
    assert_true(op_check_gradient(&planted, &backend, text));
    assert_true(op_check_contract(&planted, &backend, text));
    backend.backward = wrong_element;
    assert_false(op_check_gradient(&planted, &backend, text));
    assert_non_null(strstr(text, "dw0"));
    backend.backward = wrong_add;
    assert_true(op_check_gradient(&planted, &backend, text));
    assert_false(op_check_contract(&planted, &backend, text));
    assert_non_null(strstr(text, "dx0"));
    backend.backward = wrong_dy;
    assert_false(op_check_contract(&planted, &backend, text));
    assert_non_null(strstr(text, "dy"));
    assert_true(op_check_slices(&planted, &backend, text));
    backend.backward = wrong_slice;
    assert_false(op_check_slices(&planted, &backend, text));
    assert_non_null(strstr(text, "dw0"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_fit_differences),
        cmocka_unit_test(contract_holds),
        cmocka_unit_test(slices_make_no_difference),
        cmocka_unit_test(planted_errors_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
