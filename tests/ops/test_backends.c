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

static void backends_agree_with_ref(void **state) {
    (void)state;
    char text[OP_CHECK_TEXT];
    size_t failed = 0;
    for (const char *const *name = backend_names(); *name; name++) {
        size_t checked = 0;
        for (size_t f = 0; f < COUNT(families); f++)
            for (size_t i = 0; i < families[f]->count; i++) {
                const OpCase *c = &families[f]->cases[i];
                const Backend *backend = named_backend(c, *name);
                if (!backend || (backend == &backend_ref && c->large))
                    continue;
                checked++;
                if (!op_check_against(c, backend, &backend_ref, text) ||
                    (!c->large && !op_check_contract(c, backend, text))) {
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
