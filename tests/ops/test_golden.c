/* SPDX-License-Identifier: Apache-2.0
 *
 * Every built-in backend against values of PyTorch and Keras (tests/golden/make_ops.py). */
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
#include <math.h>
#include <string.h>

enum { POINTS = 25, LOSS_MOST = 32, OP_MOST = 32 };

typedef struct GoldenActivation {
    const char *name;
    ActivationAttr attr;
    double x[POINTS], y[POINTS], slope[POINTS];
} GoldenActivation;

typedef struct GoldenLoss {
    const char *name;
    LossAttr attr;
    size_t n;
    Shape prediction, label;
    double x[LOSS_MOST], t[LOSS_MOST];
    double loss, correct;
    bool counted;
    double dx[LOSS_MOST];
} GoldenLoss;

typedef struct GoldenOp {
    const char *name;
    OpDesc op;
    bool training;
    double x[2][OP_MOST], w[OP_MAX_PARAMS][OP_MOST], y[OP_MOST];
} GoldenOp;

static const GoldenActivation activations[] = {
#include "golden/activations.inc"
};
static const GoldenLoss losses[] = {
#include "golden/losses.inc"
};
static const GoldenOp ops[] = {
#include "golden/ops.inc"
};

static void copy(Real *to, const double *from, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] = (Real)from[i];
}

/* ref: to float's rounding, and of small values too all digits (but for a slope, that follows from y); a fast backend:
 * to OP_TOLERANCE beside 1.  Infinities are exact. */
static size_t mismatches(const char *name, const char *what, const Backend *backend, const Real *got,
                         const double *expected, size_t count) {
    size_t wrong = 0;
    bool is_ref = backend == &backend_ref, all_digits = is_ref && strcmp(what, "slope") != 0;
    for (size_t i = 0; i < count; i++) {
        double size = fmax(all_digits ? 1e-37 : 1, fabs(expected[i]));
        if (got[i] == (Real)expected[i] || fabs(got[i] - expected[i]) <= (is_ref ? 4e-7 : OP_TOLERANCE) * size)
            continue;
        wrong++;
        print_error("%s: %s: %s[%zu] is %.9g, expected %.9g\n", backend->name, name, what, i, (double)got[i],
                    expected[i]);
    }
    return wrong;
}

/* Runs `check` on each golden value of an array with each backend that supports it; 0 mismatches in all. */
static void check_all(size_t count, size_t (*check)(size_t index, const char *name, size_t *checked)) {
    size_t wrong = 0;
    for (const char *const *name = backend_names(); *name; name++) {
        size_t checked = 0;
        for (size_t i = 0; i < count; i++)
            wrong += check(i, *name, &checked);
        print_message("%s: %zu of %zu\n", *name, checked, count);
        assert_true(checked == count || strcmp(*name, "ref") != 0);
    }
    assert_int_equal(wrong, 0);
}

/* The backend of that name if it supports the operation, else NULL. */
static const Backend *named_backend(const OpCase *c, bool training, const char *name, size_t *checked) {
    OpDesc op = c->op;
    assert_int_equal(op_shape(&op), STATUS_OK);
    op.training = training;
    const Backend *backend = backend_select(&op, name);
    if (strcmp(backend->name, name) != 0)
        return NULL;
    ++*checked;
    return backend;
}

static size_t check_activation(size_t index, const char *name, size_t *checked) {
    const GoldenActivation *g = &activations[index];
    OpCase c = {.name = g->name,
                .op = {.kind = OP_ACTIVATION, .n = 1, .inputs = 1, .x = {SHAPE(POINTS)}, .attr.activation = g->attr}};
    const Backend *backend = named_backend(&c, true, name, checked);
    if (backend == NULL)
        return 0;
    OpRun run;
    assert_int_equal(op_run_create(&run, &c, backend, true, 1, 0), STATUS_OK);
    copy(run.x[0], g->x, POINTS);
    for (size_t i = 0; i < POINTS; i++)
        run.dy[i] = 1;
    op_run_forward(&run);
    op_run_backward(&run, false);
    size_t wrong = mismatches(g->name, "y", backend, run.y, g->y, POINTS) +
                   mismatches(g->name, "slope", backend, run.dx[0], g->slope, POINTS);
    op_run_destroy(&run);
    return wrong;
}

static void activations_fit(void **state) {
    (void)state;
    check_all(COUNT(activations), check_activation);
}

static size_t check_loss(size_t index, const char *name, size_t *checked) {
    const GoldenLoss *g = &losses[index];
    OpCase c = {.name = g->name,
                .op = {.kind = OP_LOSS, .n = g->n, .inputs = 2, .x = {g->prediction, g->label}, .attr.loss = g->attr}};
    const Backend *backend = named_backend(&c, true, name, checked);
    if (backend == NULL)
        return 0;
    OpRun run;
    assert_int_equal(op_run_create(&run, &c, backend, true, 1, 0), STATUS_OK);
    size_t count = g->n * shape_count(&g->prediction);
    copy(run.x[0], g->x, count);
    copy(run.x[1], g->t, g->n * shape_count(&g->label));
    op_run_forward(&run);
    op_run_backward(&run, false);
    double n = (double)g->n, sums[LOSS_SUMS] = {g->loss, n, g->correct, g->counted ? n : 0};
    size_t wrong = mismatches(g->name, "sum", backend, run.y, sums, LOSS_SUMS) +
                   mismatches(g->name, "gradient", backend, run.dx[0], g->dx, count);
    op_run_destroy(&run);
    return wrong;
}

static void losses_fit(void **state) {
    (void)state;
    check_all(COUNT(losses), check_loss);
}

static size_t check_op(size_t index, const char *name, size_t *checked) {
    const GoldenOp *g = &ops[index];
    OpCase c = {.name = g->name, .op = g->op};
    const Backend *backend = named_backend(&c, g->training, name, checked);
    if (backend == NULL)
        return 0;
    OpRun run;
    assert_int_equal(op_run_create(&run, &c, backend, g->training, 0, 0), STATUS_OK);
    for (size_t i = 0; i < g->op.inputs; i++)
        copy(run.x[i], g->x[i], g->op.n * shape_count(&g->op.x[i]));
    for (size_t i = 0; i < g->op.params; i++)
        copy(run.w[i], g->w[i], shape_count(&g->op.w[i]));
    op_run_forward(&run);
    size_t wrong = mismatches(g->name, op_name(g->op.kind), backend, run.y, g->y, op_y_count(&run.op));
    op_run_destroy(&run);
    return wrong;
}

static void operations_fit(void **state) {
    (void)state;
    check_all(COUNT(ops), check_op);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_fit),
        cmocka_unit_test(losses_fit),
        cmocka_unit_test(operations_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
