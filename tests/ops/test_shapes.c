/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of shape rules: what comes out, and what is refused with which message. */
#include "ops/op_case.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static const OpCases *const families[] = {
#define OP_CASES(family) &op_cases_##family,
    OP_CASE_FAMILIES(OP_CASES)
#undef OP_CASES
};

static void rules_answer_as_expected(void **state) {
    (void)state;
    char text[OP_CHECK_TEXT];
    size_t checked = 0, failed = 0;
    for (size_t f = 0; f < COUNT(families); f++)
        for (size_t i = 0; i < families[f]->shape_count; i++) {
            checked++;
            if (!op_check_shape(&families[f]->shapes[i], text)) {
                print_error("%s\n", text);
                failed++;
            }
        }
    assert_true(checked > 0);
    assert_int_equal(failed, 0);
}

static void planted_error_is_found(void **state) {
    (void)state;
    char text[OP_CHECK_TEXT];
    ShapeCase c = op_cases_dense.shapes[0];
    assert_true(op_check_shape(&c, text));
    c.y.dim[0]++;
    assert_false(op_check_shape(&c, text));
    c.y.dim[0]--;
    c.error = "no such message";
    assert_false(op_check_shape(&c, text));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_answer_as_expected),
        cmocka_unit_test(planted_error_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
