/* SPDX-License-Identifier: Apache-2.0
 *
 * What tables of cases cannot say: which elements a dropout drops, which statistics a batch normalization hands on,
 * what losses do with labels and predictions that are no good.  Every built-in backend that supports the operation. */
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

/* Calls `check` with each backend that supports the case in training. */
static void with_backends(const OpCase *c, void (*check)(const OpCase *, const Backend *)) {
    for (const char *const *name = backend_names(); *name; name++) {
        OpDesc op = c->op;
        assert_int_equal(op_shape(&op), STATUS_OK);
        op.training = true;
        const Backend *backend = backend_select(&op, *name);
        if (strcmp(backend->name, *name) == 0)
            check(c, backend);
    }
}

enum { EXAMPLES = 4, ELEMENTS = 60, HEIGHT = 5, WIDTH = 4, CHANNELS = 3 };

static OpCase dropout_case(double rate, bool shared) {
    return (OpCase){.name = "dropout",
                    .op = {.kind = OP_DROPOUT,
                           .n = EXAMPLES,
                           .inputs = 1,
                           .x = {SHAPE(HEIGHT, WIDTH, CHANNELS)},
                           .attr.dropout = {.rate = rate, .shared = {shared, shared}, .stream = 9}}};
}

/* The definition: word k mod 4 of the Philox block (example, k / 4), k counted without the shared axes. */
static bool is_kept(const OpCase *c, const OpContext *context, size_t example, size_t element) {
    const DropoutAttr *attr = &c->op.attr.dropout;
    uint32_t words[4];
    size_t k = attr->shared[0] ? element % CHANNELS : element;
    rng_block(rng_key(context->seed, RNG_DROPOUT, attr->stream, context->step), context->first_example + example, k / 4,
              words);
    return words[k % 4] >= attr->rate * 4294967296.0;
}

static void check_dropped(const OpCase *c, const Backend *backend) {
    OpRun run;
    size_t kept = 0;
    assert_int_equal(op_run_create(&run, c, backend, true, 1, 0), STATUS_OK);
    op_run_forward(&run);
    op_run_backward(&run, false);
    for (size_t e = 0; e < EXAMPLES; e++)
        for (size_t k = 0; k < ELEMENTS; k++) {
            size_t i = e * ELEMENTS + k;
            double factor = is_kept(c, &run.context, e, k) ? 1 / (1 - c->op.attr.dropout.rate) : 0;
            assert_true(fabs(run.y[i] - factor * run.x[0][i]) <= 1e-6);
            assert_true(fabs(run.dx[0][i] - factor * run.dy[i]) <= 1e-6);
            kept += factor > 0;
        }
    assert_true(kept > 0 && kept < EXAMPLES * ELEMENTS);
    op_run_destroy(&run);
}

static void dropout_follows_its_definition(void **state) {
    (void)state;
    for (size_t rate = 1; rate < 4; rate++)
        for (int shared = 0; shared < 2; shared++) {
            OpCase c = dropout_case((double)rate / 4, shared);
            with_backends(&c, check_dropped);
        }
}

/* Result of a dropout of ones in another context. */
static void drop_ones(const OpCase *c, const Backend *backend, OpContext context, Real y[EXAMPLES * ELEMENTS]) {
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 0, 0), STATUS_OK);
    run.context = context;
    for (size_t i = 0; i < c->op.n * ELEMENTS; i++)
        run.x[0][i] = 1;
    op_run_forward(&run);
    memcpy(y, run.y, c->op.n * ELEMENTS * sizeof *y);
    op_run_destroy(&run);
}

/* Seed, step, stream and example change it; how a batch is cut into micro-batches does not. */
static void check_dependence(const OpCase *c, const Backend *backend) {
    enum { BYTES = EXAMPLES * ELEMENTS * sizeof(Real), ROW = ELEMENTS * sizeof(Real) };
    Real y[EXAMPLES * ELEMENTS], other[EXAMPLES * ELEMENTS];
    OpContext context = {.seed = 1, .step = 2, .first_example = 10};
    drop_ones(c, backend, context, y);
    drop_ones(c, backend, context, other);
    assert_memory_equal(y, other, BYTES);
    drop_ones(c, backend, (OpContext){2, 2, 10}, other);
    assert_memory_not_equal(y, other, BYTES);
    drop_ones(c, backend, (OpContext){1, 3, 10}, other);
    assert_memory_not_equal(y, other, BYTES);
    OpCase stream = *c;
    stream.op.attr.dropout.stream++;
    drop_ones(&stream, backend, context, other);
    assert_memory_not_equal(y, other, BYTES);
    assert_memory_not_equal(y, y + ELEMENTS, ROW);
    OpCase rest = *c;
    rest.op.n = EXAMPLES - 1;
    drop_ones(&rest, backend, (OpContext){1, 2, 11}, other);
    assert_memory_equal(y + ELEMENTS, other, BYTES - ROW);
}

static void dropout_depends_on_the_example_not_on_the_cut(void **state) {
    (void)state;
    OpCase c = dropout_case(0.5, false);
    with_backends(&c, check_dependence);
}

/* Share of zeros over 200 steps, to five standard errors. */
static void check_rate(const OpCase *c, const Backend *backend) {
    enum { STEPS = 200, DECISIONS = STEPS * EXAMPLES * ELEMENTS };
    Real y[EXAMPLES * ELEMENTS];
    double rate = c->op.attr.dropout.rate, zeros = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        drop_ones(c, backend, (OpContext){.seed = 1, .step = step}, y);
        for (size_t i = 0; i < EXAMPLES * ELEMENTS; i++)
            zeros += y[i] == 0;
    }
    assert_true(fabs(zeros / DECISIONS - rate) <= 5 * sqrt(rate * (1 - rate) / DECISIONS));
}

static void dropout_has_its_rate(void **state) {
    (void)state;
    static const double rates[] = {0, 0.1, 0.5, 0.9, 1};
    for (size_t i = 0; i < COUNT(rates); i++) {
        OpCase c = dropout_case(rates[i], false);
        with_backends(&c, check_rate);
    }
}

/* Forward leaves n * mean and n * biased variance in dw[2] and dw[3], without the cancellation that sums of squares of
 * 1000 +- 1 would show. */
static void check_statistics(const OpCase *c, const Backend *backend) {
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 0, 0), STATUS_OK);
    size_t rows = c->op.n * HEIGHT * WIDTH;
    double n = (double)c->op.n;
    for (size_t i = 0; i < rows * CHANNELS; i++)
        run.x[0][i] += 1000;
    for (int visit = 0; visit < 2; visit++) { /* the second run overwrites, it does not add */
        op_run_forward(&run);
        for (size_t k = 0; k < CHANNELS; k++) {
            double mean = 0, variance = 0;
            for (size_t r = 0; r < rows; r++)
                mean += run.x[0][r * CHANNELS + k] / (double)rows;
            for (size_t r = 0; r < rows; r++)
                variance += pow(run.x[0][r * CHANNELS + k] - mean, 2) / (double)rows;
            assert_true(fabs(run.dw[2][k] - n * mean) <= 1e-6 * n * mean);
            assert_true(fabs(run.dw[3][k] - n * variance) <= 1e-5 * n * variance);
        }
    }
    op_run_destroy(&run);
}

/* A layer that is used twice adds the statistics of its second use. */
static void check_added_statistics(const OpCase *c, const Backend *backend) {
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 0, 0), STATUS_OK);
    op_run_forward(&run);
    OpBuffers b = {
        .y = run.y, .first = true, .last = true, .totals = run.totals, .work = run.work, .context = &run.context};
    Real first[2][CHANNELS];
    b.x[0] = run.x[0];
    for (size_t slot = 2; slot < 4; slot++) {
        memcpy(first[slot - 2], run.dw[slot], sizeof first[0]);
        b.w[slot] = run.w[slot];
        b.dw[slot] = run.dw[slot];
        b.dw_add[slot] = true;
    }
    backend->collect(run.state, &b);
    for (size_t k = 0; k < CHANNELS; k++) {
        assert_true(fabs(run.dw[2][k] - 2 * first[0][k]) <= 1e-6 * fabs(first[0][k]));
        assert_true(fabs(run.dw[3][k] - 2 * first[1][k]) <= 1e-6 * first[1][k]);
    }
    op_run_destroy(&run);
}

static void batch_norm_hands_its_statistics_on(void **state) {
    (void)state;
    OpCase c = {.name = "batch_norm",
                .op = {.kind = OP_BATCH_NORM,
                       .n = 7,
                       .inputs = 1,
                       .x = {SHAPE(HEIGHT, WIDTH, CHANNELS)},
                       .params = 4,
                       .has_w = {false, false, true, true},
                       .w = {SHAPE(CHANNELS), SHAPE(CHANNELS), SHAPE(CHANNELS), SHAPE(CHANNELS)},
                       .attr.norm = {.epsilon = 1e-3}},
                .forward_w = 12};
    with_backends(&c, check_statistics);
    with_backends(&c, check_added_statistics);
}

/* A frozen one has none to hand on. */
static void check_frozen(const OpCase *c, const Backend *backend) {
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 0, 0), STATUS_OK);
    op_run_forward(&run); /* fills dw with NaN before */
    for (size_t k = 0; k < CHANNELS; k++) {
        assert_true(isnan(run.dw[2][k]));
        assert_true(isnan(run.dw[3][k]));
    }
    op_run_destroy(&run);
}

static void frozen_batch_norm_writes_no_statistics(void **state) {
    (void)state;
    OpCase c = {.name = "batch_norm",
                .op = {.kind = OP_BATCH_NORM,
                       .n = 2,
                       .inputs = 1,
                       .x = {SHAPE(CHANNELS)},
                       .params = 4,
                       .has_w = {false, false, true, true},
                       .w = {SHAPE(CHANNELS), SHAPE(CHANNELS), SHAPE(CHANNELS), SHAPE(CHANNELS)},
                       .attr.norm = {.epsilon = 1e-3, .frozen = true}},
                .forward_w = 12};
    with_backends(&c, check_frozen);
}

/* Of equal largest inputs the first gets the whole gradient. */
static void check_ties(const OpCase *c, const Backend *backend) {
    static const Real x[3][CHANNELS] = {{1, 2, 3}, {1, 5, 0}, {0, 5, 3}};
    static const bool wins[3][CHANNELS] = {{true, false, true}, {false, true, false}, {false, false, false}};
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 7, 0), STATUS_OK);
    for (size_t i = 0; i < 3; i++)
        memcpy(run.x[i], x[i], sizeof x[i]);
    op_run_forward(&run);
    op_run_backward(&run, false);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < CHANNELS; k++)
            assert_true(run.dx[i][k] == (wins[i][k] ? run.dy[k] : 0));
    op_run_destroy(&run);
}

static void maximum_has_one_winner(void **state) {
    (void)state;
    OpCase c = {
        .name = "maximum",
        .op = {.kind = OP_MAXIMUM, .n = 1, .inputs = 3, .x = {SHAPE(CHANNELS), SHAPE(CHANNELS), SHAPE(CHANNELS)}}};
    with_backends(&c, check_ties);
}

enum { CLASSES = 3 };

static OpCase loss_case(LossKind kind, size_t n) {
    return (OpCase){.name = "loss",
                    .op = {.kind = OP_LOSS,
                           .n = n,
                           .inputs = 2,
                           .x = {SHAPE(CLASSES), kind == LOSS_SPARSE_CROSSENTROPY ? SHAPE(1) : SHAPE(CLASSES)},
                           .attr.loss = {.kind = kind, .from_logits = true, .weight = 1}},
                    .fixed_x = 2};
}

/* A class number that is none: NaN, nothing correct, no access beyond the row (the sanitizers watch). */
static void check_bad_labels(const OpCase *c, const Backend *backend) {
    static const Real bad[] = {-1, CLASSES, (Real)0.5, 1e30f, -1e30f, NAN, INFINITY};
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 1, 0), STATUS_OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        run.x[1][0] = bad[i];
        op_run_forward(&run);
        op_run_backward(&run, false);
        assert_true(isnan(run.y[LOSS_SUM_LOSS]));
        assert_true(run.y[LOSS_SUM_CORRECT] == 0);
    }
    run.x[1][0] = 1;
    op_run_forward(&run);
    assert_false(isnan(run.y[LOSS_SUM_LOSS]));
    op_run_destroy(&run);
}

static void bad_class_numbers_give_nan(void **state) {
    (void)state;
    OpCase c = loss_case(LOSS_SPARSE_CROSSENTROPY, 1);
    with_backends(&c, check_bad_labels);
}

/* The first of several largest predictions wins; a prediction that is not a number is wrong. */
static void check_correct(const OpCase *c, const Backend *backend) {
    static const struct {
        Real x[CLASSES], label;
        bool correct;
    } rows[] = {{{1, 2, 0}, 1, true},    {{2, 2, 0}, 0, true},        {{2, 2, 0}, 1, false},  {{0, 0, 0}, 0, true},
                {{NAN, 2, 0}, 1, false}, {{NAN, NAN, NAN}, 0, false}, {{0, 2, NAN}, 1, false}};
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 0, 0), STATUS_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        memcpy(run.x[0], rows[i].x, sizeof rows[i].x);
        if (c->op.attr.loss.kind == LOSS_SPARSE_CROSSENTROPY)
            run.x[1][0] = rows[i].label;
        for (size_t k = 0; k < CLASSES && c->op.attr.loss.kind == LOSS_CROSSENTROPY; k++)
            run.x[1][k] = k == (size_t)rows[i].label;
        op_run_forward(&run);
        assert_true(run.y[LOSS_SUM_CORRECT] == rows[i].correct);
        assert_true(isnan(run.y[LOSS_SUM_LOSS]) == (i > 3));
    }
    op_run_destroy(&run);
}

static void first_largest_wins_and_nan_is_wrong(void **state) {
    (void)state;
    OpCase sparse = loss_case(LOSS_SPARSE_CROSSENTROPY, 1), one_hot = loss_case(LOSS_CROSSENTROPY, 1);
    with_backends(&sparse, check_correct);
    with_backends(&one_hot, check_correct);
}

static void check_binary_nan(const OpCase *c, const Backend *backend) {
    OpRun run;
    assert_int_equal(op_run_create(&run, c, backend, true, 0, 0), STATUS_OK);
    static const Real x[CLASSES] = {NAN, -1, 1}, labels[CLASSES] = {0, 0, 1};
    memcpy(run.x[0], x, sizeof x);
    memcpy(run.x[1], labels, sizeof labels);
    op_run_forward(&run);
    assert_true(fabs(run.y[LOSS_SUM_CORRECT] - 2.0 / 3) < 1e-6);
    assert_true(isnan(run.y[LOSS_SUM_LOSS]));
    op_run_destroy(&run);
}

static void binary_nan_is_wrong(void **state) {
    (void)state;
    OpCase c = loss_case(LOSS_BINARY_CROSSENTROPY, 1);
    with_backends(&c, check_binary_nan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropout_follows_its_definition),
        cmocka_unit_test(dropout_depends_on_the_example_not_on_the_cut),
        cmocka_unit_test(dropout_has_its_rate),
        cmocka_unit_test(batch_norm_hands_its_statistics_on),
        cmocka_unit_test(frozen_batch_norm_writes_no_statistics),
        cmocka_unit_test(maximum_has_one_winner),
        cmocka_unit_test(bad_class_numbers_give_nan),
        cmocka_unit_test(first_largest_wins_and_nan_is_wrong),
        cmocka_unit_test(binary_nan_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
