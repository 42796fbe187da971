/* SPDX-License-Identifier: Apache-2.0
 *
 * Which backend runs an operation, and the correction of OpenBLAS's kernels.  For the second this program plays an
 * OpenBLAS that does not know the CPU, by defining openblas_get_corename itself. */
#include "backend/select.h"
#include "graph/graph.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

static char **arguments;
static int argument_count;

char *openblas_get_corename(void) {
    char *chosen = getenv("OPENBLAS_CORETYPE");
    return chosen ? chosen : "Prescott";
}

static const char *chosen_for(OpDesc op, const char *wanted) {
    assert_int_equal(op_shape(&op), STATUS_OK);
    return backend_select(&op, wanted)->name;
}

static const OpDesc dense = {
    .kind = OP_DENSE, .n = 32, .inputs = 1, .x = {{1, {4}}}, .params = 2, .has_w = {true}, .w = {{2, {4, 3}}}};
static const OpDesc relu = {.kind = OP_ACTIVATION,
                            .n = 2,
                            .inputs = 1,
                            .x = {{1, {4}}},
                            .attr.activation = {.kind = ACTIVATION_RELU, .max_value = 1e30}};
static const OpDesc depthwise = {
    .kind = OP_CONV2D,
    .n = 2,
    .inputs = 1,
    .x = {{3, {6, 6, 8}}},
    .params = 2,
    .has_w = {true},
    .w = {{4, {3, 3, 1, 8}}},
    .attr.conv = {.kernel = {3, 3}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 8, .filters = 8}};
static const OpDesc permute = {
    .kind = OP_PERMUTE, .n = 2, .inputs = 1, .x = {{2, {4, 3}}}, .attr.permute = {.axis = {1, 0}}};

static void the_best_backend_that_supports_it(void **state) {
    (void)state;
    OpDesc flat = dense;
    flat.n = 1;
    assert_string_equal(chosen_for(dense, NULL), "openblas");
    assert_string_equal(chosen_for(flat, NULL), "direct");
    assert_string_equal(chosen_for(dense, "auto"), "openblas");
    assert_string_equal(chosen_for(relu, NULL), "cpu");
    assert_string_equal(chosen_for(depthwise, "openblas"), "cpu");
    assert_string_equal(chosen_for(permute, NULL), "ref");
}

static void a_named_backend_leaves_out_better_ones(void **state) {
    (void)state;
    assert_string_equal(chosen_for(dense, "openblas"), "openblas");
    assert_string_equal(chosen_for(relu, "openblas"), "cpu");
    assert_string_equal(chosen_for(dense, "cpu"), "ref");
    assert_string_equal(chosen_for(relu, "cpu"), "cpu");
    assert_string_equal(chosen_for(relu, "ref"), "ref");
}

static void names(void **state) {
    (void)state;
    for (const char *const *name = backend_names(); *name; name++)
        assert_int_equal(backend_check_name(*name), STATUS_OK);
    assert_int_equal(backend_check_name("auto"), STATUS_OK);
    assert_int_equal(backend_check_name(NULL), STATUS_OK);
    assert_int_equal(backend_check_name("gpu"), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "gpu"));
    assert_non_null(strstr(status_message(), "openblas, frames, cpu, ref"));
}

static bool needs_correction(void) {
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

static void weak_kernels_are_corrected_once(void **state) {
    (void)state;
    const char *core = getenv("OPENBLAS_CORETYPE");
    char text[128];
    if (!needs_correction()) {
        assert_null(core);
        skip();
    }
    assert_non_null(core);
    assert_true(strcmp(core, "SkylakeX") == 0 || strcmp(core, "Haswell") == 0);
    assert_int_equal(argument_count, 2); /* given to the second execution too */
    assert_string_equal(arguments[1], "argument");
    assert_non_null(strstr(backend_describe(text, sizeof text), core));
    setenv("OPENBLAS_CORETYPE", "Prescott", 1);
    backend_fix_cpu(arguments); /* returns: what is set is left alone */
    assert_string_equal(getenv("OPENBLAS_CORETYPE"), "Prescott");
}

static void threads_are_those_of_openmp(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int threads;
    } cases[] = {{"1", 1}, {"2", 2}, {"0", 1}, {"many", 1}, {"", 1}};
    setenv("OPENBLAS_CORETYPE", "Prescott", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("OMP_NUM_THREADS", cases[i].text, 1);
        backend_fix_cpu(arguments);
        assert_int_equal(openblas_get_num_threads(), cases[i].threads);
    }
    unsetenv("OMP_NUM_THREADS");
    backend_fix_cpu(arguments);
    assert_int_equal(openblas_get_num_threads(), 1);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_backend_that_supports_it),
        cmocka_unit_test(names),
        cmocka_unit_test(a_named_backend_leaves_out_better_ones),
        cmocka_unit_test(weak_kernels_are_corrected_once),
        cmocka_unit_test(threads_are_those_of_openmp),
    };
    static char *first_arguments[] = {"test_select", "argument", NULL};
    if (!getenv("CNN_TEST_STARTED")) { /* as a user would start it, on an unknown CPU */
        setenv("CNN_TEST_STARTED", "1", 1);
        unsetenv("OPENBLAS_CORETYPE");
        backend_fix_cpu(first_arguments);
    }
    arguments = argv;
    argument_count = argc;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
