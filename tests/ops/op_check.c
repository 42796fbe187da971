/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "graph/graph.h"
#include "ops/op_case.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ALL = ~0u, DIRECTIONS = 2, COORDINATES = 10 };

static const double GRADIENT_TOLERANCE = 1e-6;

/* h of the differences: smaller with a ReLU, so that no element passes its bend. */
static double step_of(const OpRun *run) {
    return run->op.relu ? 1e-7 : 1e-5;
}

bool op_case_variant(const OpCase *c, size_t number, OpCase *variant, char name[OP_CASE_NAME]) {
    static const char *const ends[OP_VARIANTS] = {"", ", relu", ", relu of at most 0.4"};
    OpKind kind = c->op.kind;
    bool may_fuse =
        kind == OP_CONV2D || kind == OP_CONV2D_TRANSPOSE || kind == OP_DENSE || kind == OP_BATCH_NORM || kind == OP_ADD;
    if (number > 0 && !may_fuse)
        return false;
    *variant = *c;
    snprintf(name, OP_CASE_NAME, "%s%s", c->name, ends[number]);
    variant->name = name;
    variant->op.winograd = true;
    variant->op.relu = number > 0;
    variant->op.relu_max = number == 2 ? 0.4 : INFINITY;
    if (number == 2 && kind == OP_CONV2D)
        variant->tolerance = 2e-4; /* of 0.4, but the error is one of sums that are much larger */
    return true;
}

static bool fail(const OpCase *c, char *text, const char *what) {
    snprintf(text, OP_CHECK_TEXT, "%s %s: %s", op_name(c->op.kind), c->name, what);
    return false;
}

static double tolerance(const OpCase *c) {
    return REAL_IS_DOUBLE ? 1e-12 : c->tolerance > 0 ? c->tolerance : OP_TOLERANCE;
}

bool op_near(const OpCase *c, const char *what, size_t index, const Real *a, const Real *b, const Real *old,
             size_t count, char text[OP_CHECK_TEXT]) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) { /* without fmax, which GCC 12 cannot compile here for ARM */
        double wanted = fabs((double)b[i]), before = old ? fabs((double)old[i]) : 0;
        largest = wanted > largest ? wanted : largest;
        largest = before > largest ? before : largest;
    }
    for (size_t i = 0; i < count; i++) {
        double wanted = (double)b[i] + (old ? (double)old[i] : 0);
        if ((isnan(wanted) && isnan(a[i])) || fabs((double)a[i] - wanted) <= tolerance(c) * largest)
            continue;
        snprintf(text, OP_CHECK_TEXT, "%s %s: %s%zu[%zu] is %.9g, expected %.9g (largest %.3g, tolerance %g)",
                 op_name(c->op.kind), c->name, what, index, i, (double)a[i], wanted, largest, tolerance(c));
        return false;
    }
    return true;
}

static size_t x_count(const OpRun *run, size_t i) {
    return run->op.n * shape_count(&run->op.x[i]);
}

static size_t w_count(const OpRun *run, size_t i) {
    return shape_count(&run->op.w[i]);
}

/* (f(a + h v) - f(a - h v)) / 2h where `a`, one of run's tensors, is restored after.  `y` is scratch. */
static double central_difference(OpRun *run, Real *a, const double *v, size_t count, double *y, double *original) {
    double sum = 0, step = step_of(run);
    for (size_t i = 0; i < count; i++) {
        original[i] = (double)a[i];
        a[i] = (Real)(original[i] + step * v[i]);
    }
    op_run_forward(run);
    for (size_t i = 0; i < op_y_count(&run->op); i++)
        y[i] = (double)run->y[i];
    for (size_t i = 0; i < count; i++)
        a[i] = (Real)(original[i] - step * v[i]);
    op_run_forward(run);
    for (size_t i = 0; i < op_y_count(&run->op); i++)
        if (run->dy[i] != 0)
            sum += (y[i] - (double)run->y[i]) * (double)run->dy[i];
    for (size_t i = 0; i < count; i++)
        a[i] = (Real)original[i];
    return sum / (2 * step);
}

/* One tensor's gradient `da` against differences along random directions (+-1 per element) and single coordinates. */
static bool check_tensor(OpRun *run, const OpCase *c, const char *what, size_t index, Real *a, const Real *da,
                         size_t count, double *scratch, char *text) {
    double *y = scratch, *original = y + op_y_count(&run->op), *v = original + count, norm = 0, noise = 0;
    for (size_t i = 0; i < count; i++)
        norm += (double)da[i] * (double)da[i];
    for (size_t i = 0; i < op_y_count(&run->op); i++)
        noise += fabs((double)run->dy[i]);
    noise *= 4 * DBL_EPSILON / step_of(run); /* of the difference itself, for y of about 1 */
    for (size_t trial = 0; trial < DIRECTIONS + COORDINATES; trial++) {
        RngKey key = rng_key(2, RNG_TEST, index, trial);
        size_t place = (size_t)(rng_uniform(key, 0, 1) * (double)count);
        double analytic = 0, numeric;
        for (size_t i = 0; i < count; i++) {
            v[i] = trial < DIRECTIONS ? (rng_uniform(key, i, 0) < 0.5 ? -1 : 1) : i == place;
            if (v[i] != 0)
                analytic += v[i] * (double)da[i];
        }
        numeric = central_difference(run, a, v, count, y, original);
        /* Relative to the size that such a product usually has, so that an accidental zero does not fail. */
        double usual = trial < DIRECTIONS ? sqrt(norm) : sqrt(norm / (double)count);
        if (fabs(analytic - numeric) <= GRADIENT_TOLERANCE * fmax(fabs(numeric), usual) + noise)
            continue;
        snprintf(text, OP_CHECK_TEXT, "%s %s: %s%zu, %s %zu: backward gives %.12g, differences give %.12g",
                 op_name(c->op.kind), c->name, what, index, trial < DIRECTIONS ? "direction" : "element",
                 trial < DIRECTIONS ? trial : place, analytic, numeric);
        return false;
    }
    return true;
}

bool op_check_gradient(const OpCase *c, const Backend *backend, char text[OP_CHECK_TEXT]) {
    OpRun run;
    double *scratch = NULL;
    Real *dy = NULL;
    size_t most = 0, checked = 0;
    bool good = true;
    if (op_run_create(&run, c, backend, true, ALL, ALL) != STATUS_OK) {
        good = fail(c, text, status_message());
        goto done;
    }
    for (size_t i = 0; i < run.op.inputs; i++)
        most = x_count(&run, i) > most ? x_count(&run, i) : most;
    for (size_t i = 0; i < run.op.params; i++)
        most = run.w[i] && w_count(&run, i) > most ? w_count(&run, i) : most;
    if (memory_new(&scratch, 2 * most + op_y_count(&run.op), "scratch") != STATUS_OK ||
        memory_new(&dy, op_y_count(&run.op), "scratch") != STATUS_OK) {
        good = fail(c, text, status_message());
        goto done;
    }
    op_run_forward(&run);
    memcpy(dy, run.dy, op_y_count(&run.op) * sizeof *dy);
    op_run_backward(&run, false);
    memcpy(run.dy, dy, op_y_count(&run.op) * sizeof *dy); /* the differences are of the whole f, not of a masked one */
    for (size_t i = 0; good && i < run.op.inputs; i++)
        if (run.op.want_dx[i]) {
            good = check_tensor(&run, c, "dx", i, run.x[i], run.dx[i], x_count(&run, i), scratch, text);
            checked++;
        }
    for (size_t i = 0; good && i < run.op.params; i++)
        if (run.op.want_dw[i]) {
            good = check_tensor(&run, c, "dw", i, run.w[i], run.dw[i], w_count(&run, i), scratch, text);
            checked++;
        }
    if (good && checked == 0)
        good = fail(c, text, "has no gradient to check");
done:
    memory_free(scratch);
    memory_free(dy);
    op_run_destroy(&run);
    return good;
}

/* All gradients of `run` against those of `full`; with `old`, to which they were added. */
static bool near_gradients(const OpCase *c, OpRun *run, const OpRun *full, const OpRun *old, char *text) {
    for (size_t i = 0; i < run->op.inputs; i++)
        if (run->op.want_dx[i] &&
            !op_near(c, "dx", i, run->dx[i], full->dx[i], old ? old->dx[i] : NULL, x_count(run, i), text))
            return false;
    for (size_t i = 0; i < run->op.params; i++)
        if (run->op.want_dw[i] &&
            !op_near(c, "dw", i, run->dw[i], full->dw[i], old ? old->dw[i] : NULL, w_count(run, i), text))
            return false;
    return true;
}

/* Runs anew with only the wanted gradients and compares these with `full`. */
static bool check_subset(const OpCase *c, const Backend *backend, const OpRun *full, unsigned want_x, unsigned want_w,
                         char *text) {
    OpRun run;
    bool good = true;
    if (op_run_create(&run, c, backend, true, want_x, want_w) != STATUS_OK) {
        good = fail(c, text, status_message());
    } else {
        op_run_forward(&run);
        op_run_backward(&run, false);
        good = near_gradients(c, &run, full, NULL, text);
    }
    op_run_destroy(&run);
    return good;
}

/* Backward twice, the second time adding to the first: that is twice the gradient. */
static bool check_add(const OpCase *c, const Backend *backend, const OpRun *full, char *text) {
    OpRun run;
    bool good = true;
    if (op_run_create(&run, c, backend, true, ALL, ALL) != STATUS_OK) {
        good = fail(c, text, status_message());
    } else {
        op_run_forward(&run);
        op_run_backward(&run, false);
        op_run_backward(&run, true);
        good = near_gradients(c, &run, full, full, text);
        if (!good)
            strncat(text, " (added)", OP_CHECK_TEXT - strlen(text) - 1);
    }
    op_run_destroy(&run);
    return good;
}

/* One tensor as every input (a layer that adds a tensor to itself): its gradient is the sum of the inputs'
 * gradients. */
static bool check_repeated(const OpCase *c, const Backend *backend, const OpRun *full, char *text) {
    OpRun run;
    Status status = op_run_create(&run, c, backend, true, ALL, ALL);
    Real *dx[OP_MAX_INPUTS], *sum = full->dx[0];
    memcpy(dx, run.dx, sizeof dx);
    for (size_t i = 1; i < full->op.inputs; i++) {
        for (size_t k = 0; k < x_count(full, i); k++)
            sum[k] += full->dx[i][k];
        run.dx[i] = dx[0];
    }
    bool good = status == STATUS_OK || fail(c, text, status_message());
    if (good) {
        op_run_forward(&run);
        op_run_backward(&run, false);
        good = op_near(c, "dx of all inputs ", 0, dx[0], sum, NULL, x_count(full, 0), text);
    }
    memcpy(run.dx, dx, sizeof dx);
    op_run_destroy(&run);
    return good;
}

static bool all_inputs_alike(const OpRun *run) {
    bool alike = run->op.inputs > 1;
    for (size_t i = 0; i < run->op.inputs; i++)
        alike = alike && run->op.want_dx[i] && shape_equal(&run->op.x[i], &run->op.x[0]);
    return alike;
}

/* y on x0 and dx0 on dy. */
static bool check_in_place(const OpCase *c, const Backend *backend, const OpRun *full, char *text) {
    OpRun run;
    Status status = op_run_create(&run, c, backend, true, ALL, ALL);
    Real *y = run.y, *dx = run.dx[0];
    bool good = true;
    if (status != STATUS_OK) {
        good = fail(c, text, status_message());
    } else {
        run.y = run.x[0];
        run.dx[0] = dx ? run.dy : NULL;
        op_run_forward(&run);
        op_run_backward(&run, false);
        good = op_near(c, "y in place ", 0, run.y, full->y, NULL, op_y_count(&run.op), text) &&
               near_gradients(c, &run, full, NULL, text);
    }
    run.y = y;
    run.dx[0] = dx;
    op_run_destroy(&run);
    return good;
}

/* dx1 of a batch_norm with a second input on dy: it is dy, masked. */
static bool check_second_on_dy(const OpCase *c, const Backend *backend, const OpRun *full, char *text) {
    OpRun run;
    Status status = op_run_create(&run, c, backend, true, ALL, ALL);
    Real *dx = run.dx[1];
    run.dx[1] = run.dy;
    bool good = status == STATUS_OK || fail(c, text, status_message());
    if (good) {
        op_run_forward(&run);
        op_run_backward(&run, false);
        good = near_gradients(c, &run, full, NULL, text);
    }
    run.dx[1] = dx;
    op_run_destroy(&run);
    return good;
}

/* dy of `run` after backward is what it was, or with a ReLU 0 where that is flat. */
static bool check_dy(const OpCase *c, const Backend *backend, const OpRun *run, char *text) {
    OpRun before;
    Status status = op_run_create(&before, c, backend, true, 0, 0);
    bool good = status == STATUS_OK || fail(c, text, status_message());
    for (size_t i = 0; good && i < op_y_count(&run->op); i++) {
        bool flat = run->op.relu && !(run->y[i] > 0 && run->y[i] < (Real)run->op.relu_max);
        if (run->dy[i] != before.dy[i] && !(flat && run->dy[i] == 0))
            good = fail(c, text, "dy has changed");
    }
    op_run_destroy(&before);
    return good;
}

bool op_check_contract(const OpCase *c, const Backend *backend, char text[OP_CHECK_TEXT]) {
    OpRun full;
    bool good = true;
    if (op_run_create(&full, c, backend, true, ALL, ALL) != STATUS_OK) {
        good = fail(c, text, status_message());
    } else {
        op_run_forward(&full);
        op_run_backward(&full, false);
        good = check_dy(c, backend, &full, text);
        for (size_t i = 0; good && i < full.op.inputs; i++)
            good = check_subset(c, backend, &full, 1u << i, 0, text);
        for (size_t i = 0; good && i < full.op.params; i++)
            good = check_subset(c, backend, &full, 0, 1u << i, text);
        good = good && check_add(c, backend, &full, text);
        if (good && full.op.in_place)
            good = check_in_place(c, backend, &full, text);
        if (good && c->op.kind == OP_BATCH_NORM && full.op.inputs > 1)
            good = check_second_on_dy(c, backend, &full, text);
        if (good && all_inputs_alike(&full))
            good = check_repeated(c, backend, &full, text); /* last: it changes `full` */
    }
    op_run_destroy(&full);
    return good;
}

/* y, in training also dx, dw and what forward writes to dw. */
static bool compare(const OpCase *c, OpRun *run, OpRun *ref, char *text) {
    OpRun *runs[] = {run, ref};
    for (size_t r = 0; r < 2; r++) {
        op_run_forward(runs[r]);
        if (!run->op.training)
            continue;
        for (size_t i = 0; r == 1 && i < run->op.params; i++)
            if (c->forward_w >> i & 1 &&
                !op_near(c, "forward dw", i, run->dw[i], ref->dw[i], NULL, w_count(run, i), text))
                return false;
    }
    if (!op_near(c, "y", 0, run->y, ref->y, NULL, op_y_count(&run->op), text))
        return false;
    /* An element beside a bend of the ReLU must not be on different sides of it. */
    memcpy(ref->y, run->y, op_y_count(&run->op) * sizeof *ref->y);
    for (size_t r = 0; run->op.training && r < 2; r++)
        op_run_backward(runs[r], false);
    return near_gradients(c, run, ref, NULL, text);
}

bool op_check_against(const OpCase *c, const Backend *backend, const Backend *ref, char text[OP_CHECK_TEXT]) {
    bool good = true;
    for (int training = 0; good && training < 2; training++) {
        OpRun run = {0}, oracle = {0};
        if (op_run_create(&run, c, backend, training, ALL, ALL) != STATUS_OK ||
            op_run_create(&oracle, c, ref, training, ALL, ALL) != STATUS_OK)
            good = fail(c, text, status_message());
        else
            good = compare(c, &run, &oracle, text);
        op_run_destroy(&run);
        op_run_destroy(&oracle);
    }
    return good;
}

bool op_check_shape(const ShapeCase *c, char text[OP_CHECK_TEXT]) {
    char y[SHAPE_TEXT];
    OpDesc op = c->op;
    Status status = op_shape(&op);
    if (c->error)
        snprintf(text, OP_CHECK_TEXT, "%s %s: expected a failure with \"%s\", got \"%s\"", op_name(op.kind), c->name,
                 c->error, status == STATUS_OK ? shape_format(&op.y, y) : status_message());
    else
        snprintf(text, OP_CHECK_TEXT, "%s %s: got \"%s\"", op_name(op.kind), c->name,
                 status == STATUS_OK ? shape_format(&op.y, y) : status_message());
    return c->error ? status != STATUS_OK && strstr(status_message(), c->error)
                    : status == STATUS_OK && shape_equal(&op.y, &c->y);
}
