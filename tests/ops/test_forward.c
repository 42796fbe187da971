/* SPDX-License-Identifier: Apache-2.0
 *
 * Forward against results of other libraries, which a gradient check cannot replace: it would pass for any padding.
 * Every built-in backend that supports the operation.  tests/golden/make_forward.py made the numbers. */
#include "backend/select.h"
#include "graph/graph.h"
#include "ops/op_case.h"
#include <math.h>
#include <string.h>
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

typedef struct Golden {
    OpCase c;
    Shape y;
    const double *values; /* n times y */
} Golden;

/* fill() of make_forward.py: whole numbers from -8 to 7. */
static void fill_tensor(Real *a, size_t count, uint32_t tensor) {
    for (size_t i = 0; i < count; i++)
        a[i] = (Real)((uint32_t)(i + 1000 * tensor) * 2654435761u >> 28) - 8;
}

static void golden_fill(const OpDesc *op, Real **x, Real **w) {
    for (uint32_t i = 0; i < op->inputs; i++)
        fill_tensor(x[i], op->n * shape_count(&op->x[i]), i);
    for (uint32_t i = 0; i < op->params; i++)
        fill_tensor(w[i], shape_count(&op->w[i]), 100 + i);
}

#include "golden/forward.inc"

/* The named backend, when it supports the operation; else NULL. */
static const Backend *named_backend(const OpCase *c, const char *name, bool training) {
    OpDesc op = c->op;
    const Backend *backend;
    assert_int_equal(op_shape(&op), STATUS_OK);
    op.training = training;
    backend = backend_select(&op, name);
    return strcmp(backend->name, name) == 0 ? backend : NULL;
}

/* Elements of y that differ: sums of whole numbers may not, averages and interpolations only by rounding. */
static size_t count_differences(const Golden *golden, const Backend *backend, bool report) {
    OpRun run;
    size_t differences = 0;
    assert_int_equal(op_run_create(&run, &golden->c, backend, false, 0, 0), STATUS_OK);
    if (!shape_equal(&run.op.y, &golden->y))
        differences = 1;
    else
        op_run_forward(&run);
    for (size_t i = 0; differences == 0 && i < op_y_count(&run.op); i++)
        if (!(fabs((double)run.y[i] - golden->values[i]) <= 4e-6)) {
            if (report)
                print_error("%s: %s %s: y[%zu] is %g, expected %g\n", backend->name, op_name(run.op.kind),
                            golden->c.name, i, (double)run.y[i], golden->values[i]);
            differences++;
        }
    op_run_destroy(&run);
    return differences;
}

static void backends_give_golden_values(void **state) {
    (void)state;
    size_t failed = 0;
    for (const char *const *name = backend_names(); *name; name++) {
        size_t checked = 0;
        for (size_t i = 0; i < COUNT(goldens); i++) {
            const Backend *backend = named_backend(&goldens[i].c, *name, false);
            if (!backend)
                continue;
            failed += count_differences(&goldens[i], backend, true);
            checked++;
        }
        print_message("%s: %zu operations\n", *name, checked);
    }
    assert_int_equal(failed, 0);
}

static void planted_error_is_found(void **state) {
    (void)state;
    Golden wrong = goldens[0];
    assert_int_equal(count_differences(&wrong, &backend_ref, false), 0);
    wrong.c.op.attr.conv.padding = PADDING_SAME; /* another shape */
    assert_true(count_differences(&wrong, &backend_ref, false) > 0);
    wrong = goldens[0];
    wrong.values = goldens[0].values + 1;
    assert_true(count_differences(&wrong, &backend_ref, false) > 0);
}

/* A 2x2 pool of one 2x2 image of one channel. */
static OpCase small_pool(OpKind kind, void (*fill)(const OpDesc *, Real **, Real **)) {
    return (OpCase){.name = "2x2",
                    .op = {.kind = kind,
                           .n = 1,
                           .inputs = 1,
                           .x = {SHAPE(2, 2, 1)},
                           .attr.pool = {.size = {2, 2}, .stride = {2, 2}}},
                    .fill = fill};
}

static const OpKind max_pools[] = {OP_MAX_POOL2D, OP_GLOBAL_MAX_POOL2D};

static void all_equal(const OpDesc *op, Real **x, Real **w) {
    (void)op, (void)w;
    for (int i = 0; i < 4; i++)
        x[0][i] = -3;
}

static void gradient_of_equal_values_goes_to_the_first(void **state) {
    (void)state;
    for (const char *const *name = backend_names(); *name; name++)
        for (size_t k = 0; k < COUNT(max_pools); k++) {
            OpCase c = small_pool(max_pools[k], all_equal);
            const Backend *backend = named_backend(&c, *name, true);
            OpRun run;
            if (!backend)
                continue;
            assert_int_equal(op_run_create(&run, &c, backend, true, 1, 0), STATUS_OK);
            op_run_forward(&run);
            assert_true(run.y[0] == -3);
            op_run_backward(&run, false);
            assert_true(run.dx[0][0] == run.dy[0]);
            assert_true(run.dx[0][1] == 0 && run.dx[0][2] == 0 && run.dx[0][3] == 0);
            op_run_destroy(&run);
        }
}

static void third_is_nan(const OpDesc *op, Real **x, Real **w) {
    (void)op, (void)w;
    x[0][0] = 1;
    x[0][2] = (Real)NAN;
    x[0][3] = INFINITY;
}

static void nan_reaches_the_maximum(void **state) {
    (void)state;
    for (const char *const *name = backend_names(); *name; name++)
        for (size_t k = 0; k < COUNT(max_pools); k++)
            for (int training = 0; training < 2; training++) {
                OpCase c = small_pool(max_pools[k], third_is_nan);
                const Backend *backend = named_backend(&c, *name, training);
                OpRun run;
                if (!backend)
                    continue;
                assert_int_equal(op_run_create(&run, &c, backend, training, 1, 0), STATUS_OK);
                op_run_forward(&run);
                assert_true(isnan(run.y[0]));
                op_run_destroy(&run);
            }
}

/* Two windows of 3x3 that share the third column. */
enum { TIE_CHANNELS = 17, NAN_CHANNEL = 16 };

static void equal_but_one(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    for (size_t i = 0; i < shape_count(&op->x[0]); i++)
        x[0][i] = -3;
    x[0][(5 + 2) * TIE_CHANNELS + NAN_CHANNEL] = (Real)NAN;
    x[0][(5 + 3) * TIE_CHANNELS + NAN_CHANNEL] = INFINITY;
}

static void overlapping_windows_have_a_first_maximum_each(void **state) {
    (void)state;
    for (const char *const *name = backend_names(); *name; name++) {
        OpCase c = small_pool(OP_MAX_POOL2D, equal_but_one);
        c.op.x[0] = (Shape)SHAPE(3, 5, TIE_CHANNELS);
        c.op.attr.pool.size[0] = c.op.attr.pool.size[1] = 3;
        const Backend *backend = named_backend(&c, *name, true);
        OpRun run;
        if (!backend)
            continue;
        assert_int_equal(op_run_create(&run, &c, backend, true, 1, 0), STATUS_OK);
        op_run_forward(&run);
        op_run_backward(&run, false);
        for (size_t i = 0; i < NAN_CHANNEL; i++)
            for (size_t pixel = 0; pixel < 15; pixel++) {
                Real expected = pixel == 0 ? run.dy[i] : pixel == 2 ? run.dy[TIE_CHANNELS + i] : 0;
                assert_true(run.dx[0][pixel * TIE_CHANNELS + i] == expected);
            }
        assert_true(run.y[0] == -3 && run.y[TIE_CHANNELS] == -3);
        assert_true(isnan(run.y[NAN_CHANNEL]) && isnan(run.y[TIE_CHANNELS + NAN_CHANNEL]));
        assert_true(run.dx[0][(5 + 2) * TIE_CHANNELS + NAN_CHANNEL] ==
                    run.dy[NAN_CHANNEL] + run.dy[TIE_CHANNELS + NAN_CHANNEL]);
        op_run_destroy(&run);
    }
}

/* 2 P Q K R S C / groups for a convolution of 2x3x3x4 into 3 x 4 positions; 2 I O for a dense layer. */
static void operations_are_counted(void **state) {
    (void)state;
    OpDesc conv = {.kind = OP_CONV2D,
                   .inputs = 1,
                   .x = {SHAPE(4, 6, 6)},
                   .params = 1,
                   .has_w = {true},
                   .w = {SHAPE(2, 3, 3, 4)},
                   .attr.conv = {.kernel = {2, 3}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 2, .filters = 4}};
    OpDesc dense = {
        .kind = OP_DENSE, .inputs = 1, .x = {SHAPE(784)}, .params = 1, .has_w = {true}, .w = {SHAPE(784, 10)}};
    assert_int_equal(op_shape(&conv), STATUS_OK);
    assert_true(op_flops(&conv) == 2.0 * 3 * 4 * 4 * 2 * 3 * 6 / 2);
    assert_int_equal(op_shape(&dense), STATUS_OK);
    assert_true(op_flops(&dense) == 2.0 * 784 * 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backends_give_golden_values),
        cmocka_unit_test(planted_error_is_found),
        cmocka_unit_test(gradient_of_equal_values_goes_to_the_first),
        cmocka_unit_test(nan_reaches_the_maximum),
        cmocka_unit_test(overlapping_windows_have_a_first_maximum_each),
        cmocka_unit_test(operations_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
