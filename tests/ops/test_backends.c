/* SPDX-License-Identifier: Apache-2.0
 *
 * Every case of the table, in float: each built-in backend that supports it against the reference kernels. */
#include "backend/select.h"
#include "graph/graph.h"
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

/* The backend of that name when it supports the case in training, else NULL. */
static const Backend *named_backend(const OpCase *c, const char *name) {
    OpDesc op = c->op;
    const Backend *backend;
    if (op_shape(&op) != STATUS_OK)
        return NULL;
    op.training = true;
    backend = backend_select(&op, name);
    return strcmp(backend->name, name) == 0 ? backend : NULL;
}

/* Large cases are for what small ones do not reach, tiles and blocks: slices are too, but not where rounding may move
 * an element over the bend of a ReLU. */
static bool check(const OpCase *c, const Backend *backend, char *text) {
    return op_check_against(c, backend, &backend_ref, text) && op_check_contract(c, backend, text) &&
           ((c->large && c->op.relu) || op_check_slices(c, backend, text));
}

static void backends_agree_with_ref(void **state) {
    (void)state;
    char text[OP_CHECK_TEXT], case_name[OP_CASE_NAME];
    size_t failed = 0;
    for (const char *const *name = backend_names(); *name; name++) {
        size_t checked = 0;
        for (size_t f = 0; f < COUNT(families); f++)
            for (size_t i = 0; i < families[f]->count * OP_VARIANTS; i++) {
                OpCase c;
                if (!op_case_variant(&families[f]->cases[i / OP_VARIANTS], i % OP_VARIANTS, &c, case_name))
                    continue;
                const Backend *backend = named_backend(&c, *name);
                if (!backend || (c.large && (backend == &backend_ref || i % OP_VARIANTS == OP_VARIANTS - 1)))
                    continue;
                checked++;
                if (!check(&c, backend, text)) {
                    print_error("%s: %s\n", *name, text);
                    failed++;
                }
            }
        print_message("%s: %zu cases\n", *name, checked);
    }
    assert_int_equal(failed, 0);
}

/* backend_ref with one wrong output. */
static void wrong_forward(void *state, const OpBuffers *buffers) {
    backend_ref.forward(state, buffers);
    buffers->y[3] += (Real)0.001;
}

static void planted_error_is_found(void **state) {
    (void)state;
    char text[OP_CHECK_TEXT];
    Backend backend = backend_ref;
    const OpCase *c = &op_cases_conv.cases[0];
    assert_true(op_check_against(c, &backend, &backend_ref, text));
    backend.forward = wrong_forward;
    assert_false(op_check_against(c, &backend, &backend_ref, text));
    assert_non_null(strstr(text, "y0[3]"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backends_agree_with_ref),
        cmocka_unit_test(planted_error_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
