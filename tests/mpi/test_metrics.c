/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics counted by several ranks, on rows dealt in different ways: scikit-learn's values, and the same bits. */
#include "base/memory.h"
#include "support/mpi_test.h"
#include "train/assess.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "golden/metrics.h"

enum { GOLDEN_CASES = sizeof golden_metrics / sizeof *golden_metrics };

static Graph *make_graph(size_t c) {
    int x, t, loss;
    bool numbers = golden_metrics[c].label_columns == 1 && golden_metrics[c].loss == LOSS_SPARSE_CROSSENTROPY;
    OpDesc op = {
        .kind = OP_LOSS,
        .attr.loss = {
            .kind = golden_metrics[c].loss, .from_logits = golden_metrics[c].from_logits, .delta = 1, .weight = 1}};
    Graph *graph;
    mpi_assert_ok(graph_create(&graph));
    mpi_assert_ok(graph_input(graph, "x", SHAPE(golden_metrics[c].columns), &x));
    mpi_assert_ok(graph_input(graph, "t", numbers ? (Shape){0} : SHAPE(golden_metrics[c].label_columns), &t));
    mpi_assert_ok(graph_op(graph, "loss", &op, 2, (int[]){x, t}, 0, NULL, &loss));
    mpi_assert_ok(graph_output(graph, "out", loss));
    mpi_assert_ok(graph_finish(graph));
    return graph;
}

static void observe(Metrics *m, const Graph *graph, size_t c, size_t row, size_t n) {
    int loss = graph->losses[0];
    metrics_observe(m, 0, &graph->nodes[loss].op, n, golden_metrics[c].x + row * golden_metrics[c].columns,
                    golden_metrics[c].t + row * golden_metrics[c].label_columns);
}

/* Neighbouring rows to each rank, in two calls; or one by one, the ranks in turn and the last row first. */
static void observe_all(Metrics *m, const Graph *graph, size_t c, bool in_turn) {
    size_t rank = (size_t)dist_rank(mpi_test_dist()), ranks = (size_t)dist_ranks(mpi_test_dist());
    size_t first = GOLDEN_ROWS * rank / ranks, end = GOLDEN_ROWS * (rank + 1) / ranks, half = (first + end) / 2;
    if (!in_turn) {
        observe(m, graph, c, first, half - first);
        observe(m, graph, c, half, end - half);
        return;
    }
    for (size_t i = GOLDEN_ROWS; i-- > 0;)
        if (i % ranks == rank)
            observe(m, graph, c, i, 1);
}

static void take(Metrics *m, double *values) {
    mpi_assert_ok(metrics_values(m, mpi_test_dist(), values));
}

static void evaluations_are_those_of_scikit_learn(void **state) {
    (void)state;
    for (size_t c = 0; c < GOLDEN_CASES; c++) {
        Graph *graph = make_graph(c);
        Metrics *m;
        double values[METRICS_MAX], others[METRICS_MAX];
        mpi_assert_ok(metrics_create(golden_metrics[c].list, graph, true, GOLDEN_ROWS, &m));
        observe_all(m, graph, c, false);
        take(m, values);
        for (size_t i = 0; i < m->count; i++)
            mpi_assert(fabs(values[i] - golden_metrics[c].expected[i]) < 1e-12, "%s of case %zu: %.17g, not %.17g",
                       m->items[i].name, c, values[i], golden_metrics[c].expected[i]);
        observe_all(m, graph, c, true); /* the first ones are forgotten */
        take(m, others);
        mpi_assert(memcmp(values, others, m->count * sizeof *values) == 0, "other bits in case %zu", c);
        metrics_destroy(m);
        graph_destroy(graph);
    }
}

/* Of all ranks, each of which sees some neighbouring rows. */
static Assessment *assess(const Graph *graph, size_t c) {
    size_t rank = (size_t)dist_rank(mpi_test_dist()), ranks = (size_t)dist_ranks(mpi_test_dist());
    size_t first = GOLDEN_ROWS * rank / ranks, end = GOLDEN_ROWS * (rank + 1) / ranks;
    Assessment *a;
    mpi_assert_ok(assess_create(graph, first, end - first, GOLDEN_ROWS, &a));
    assess_observe(a, 0, &graph->nodes[graph->losses[0]].op, end - first,
                   golden_metrics[c].x + first * golden_metrics[c].columns,
                   golden_metrics[c].t + first * golden_metrics[c].label_columns);
    mpi_assert_ok(assess_collect(a, mpi_test_dist()));
    return a;
}

/* Where the case's list has the metric. */
static void check_value(size_t c, const char *name, double value) {
    char list[64], *rest = list;
    snprintf(list, sizeof list, "%s", golden_metrics[c].list);
    for (size_t i = 0; rest; i++)
        if (strcmp(strsep(&rest, ","), name) == 0)
            mpi_assert(fabs(value - golden_metrics[c].expected[i]) < 1e-12, "%s of case %zu: %.17g, not %.17g", name, c,
                       value, golden_metrics[c].expected[i]);
}

static void assessments_are_those_of_scikit_learn(void **state) {
    (void)state;
    for (size_t c = 0; c < GOLDEN_CASES; c++) {
        Graph *graph = make_graph(c);
        Assessment *a = assess(graph, c);
        const AssessOutput *o = &a->outputs[0];
        bool binary = golden_metrics[c].columns == 1;
        const AssessFigures *f = binary ? &o->of[1] : &o->macro; /* scikit-learn's "binary" is of class 1 */
        mpi_assert(o->kind == (c < 2 || binary ? ASSESS_CLASSES
                               : c == 4        ? ASSESS_NUMBERS
                                               : ASSESS_LABELS),
                   "case %zu", c);
        check_value(c, "precision", f->precision);
        check_value(c, "recall", f->recall);
        check_value(c, "f1", f->f1);
        check_value(c, "auc", assess_value(a, 0, "auc"));
        check_value(c, "ece", assess_value(a, 0, "ece"));
        check_value(c, "rmse", assess_value(a, 0, "rmse"));
        mpi_assert(o->all == GOLDEN_ROWS && o->exact < GOLDEN_ROWS, "%llu rows", (unsigned long long)o->all);
        size_t wrong = GOLDEN_ROWS - (size_t)o->exact;
        mpi_assert(a->mistake_count == (wrong < ASSESS_MISTAKES ? wrong : ASSESS_MISTAKES), "%zu mistakes",
                   a->mistake_count);
        for (size_t i = 1; i < a->mistake_count; i++)
            mpi_assert(a->mistakes[i - 1].loss > a->mistakes[i].loss ||
                           (a->mistakes[i - 1].loss == a->mistakes[i].loss &&
                            a->mistakes[i - 1].example < a->mistakes[i].example),
                       "mistake %zu of case %zu", i, c);
        assess_destroy(a);
        graph_destroy(graph);
    }
}

/* The bins of an epoch's training; all other metrics are the same. */
static void training_goes_on_after_a_checkpoint(void **state) {
    (void)state;
    for (size_t c = 0; c < GOLDEN_CASES; c++) {
        Graph *graph = make_graph(c);
        Metrics *m, *resumed;
        double values[METRICS_MAX], others[METRICS_MAX];
        char *text = NULL;
        mpi_assert_ok(metrics_create(golden_metrics[c].list, graph, false, 0, &m));
        mpi_assert_ok(metrics_create(golden_metrics[c].list, graph, false, 0, &resumed));
        observe_all(m, graph, c, false);
        metrics_collect(m, mpi_test_dist());
        mpi_assert_ok(dist_rank(mpi_test_dist()) == 0 ? metrics_to_json(m, &text) : STATUS_OK);
        mpi_assert_ok(text ? metrics_from_json(resumed, text, "x.h5") : STATUS_OK);
        observe_all(m, graph, c, true);
        observe_all(resumed, graph, c, true);
        take(m, values);
        take(resumed, others);
        mpi_assert(memcmp(values, others, m->count * sizeof *values) == 0, "other bits in case %zu", c);
        for (size_t i = 0; i < m->count; i++) {
            double tolerance =
                strcmp(m->items[i].name, "auc") == 0 ? 5e-3 : 1e-12; /* each row twice: the same values */
            mpi_assert(fabs(values[i] - golden_metrics[c].expected[i]) < tolerance, "%s of case %zu: %.17g, not %.17g",
                       m->items[i].name, c, values[i], golden_metrics[c].expected[i]);
        }
        memory_free(text);
        metrics_destroy(m);
        metrics_destroy(resumed);
        graph_destroy(graph);
    }
}

static void what_does_not_suit_is_refused(void **state) {
    (void)state;
    static const struct {
        size_t c;
        const char *list, *message;
    } wrong[] = {
        {0, "f1,mae",
         "--metrics: mae does not suit the loss; with it go accuracy, top_K, precision, recall, f1, auc, ece"},
        {0, "out=binary_accuracy", "--metrics: binary_accuracy does not suit"},
        {0, "top_6", "--metrics top_6: there are 5 classes"},
        {0, "top_0", "--metrics: unknown metric top_0"},
        {0, "top_2x", "--metrics: unknown metric top_2x"},
        {0, "", NULL},
        {0, "accuracy", NULL},
        {0, ",", "--metrics: unknown metric ; known: accuracy, top_K, binary"},
        {0, "head=f1", "--metrics: the network has no output head; its first is out"},
        {4, "accuracy", "--metrics: accuracy does not suit the loss; with it go mae, mse, rmse, r2"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Graph *graph = make_graph(wrong[i].c);
        Metrics *m;
        Status status = metrics_create(wrong[i].list, graph, false, 0, &m);
        mpi_assert(m == NULL && status == (wrong[i].message ? STATUS_USAGE : STATUS_OK), "%s", wrong[i].list);
        mpi_assert(!wrong[i].message || strncmp(status_message(), wrong[i].message, strlen(wrong[i].message)) == 0,
                   "%s", status_message());
        graph_destroy(graph);
    }
    Graph *graph = make_graph(0);
    Metrics *m;
    mpi_assert_ok(metrics_create("f1,out=top-2,f1,accuracy", graph, false, 0, &m));
    mpi_assert(m->count == 2 && strcmp(m->items[1].name, "top_2") == 0, "%zu metrics", m->count);
    mpi_assert(metrics_from_json(m, "{\"f1\":[99999,1]}", "x.h5") == STATUS_FAILED, "a place that is none");
    mpi_assert(metrics_from_json(m, "[", "x.h5") == STATUS_FAILED, "no JSON");
    metrics_destroy(m);
    graph_destroy(graph);
}

static void labels_and_predictions_that_are_none(void **state) {
    (void)state;
    Graph *graph = make_graph(0);
    int loss = graph->losses[0];
    const Real x[] = {(Real)NAN, 0, 0, 0, 0, 3, 2, 1, 0, 0}, t[] = {0, 7};
    double values[METRICS_MAX];
    Metrics *m;
    mpi_assert_ok(metrics_create("top_1,f1,auc", graph, true, 2, &m));
    take(m, values);
    mpi_assert(isnan(values[0]) && isnan(values[1]) && isnan(values[2]), "no rows: %g %g %g", values[0], values[1],
               values[2]);
    metrics_observe(m, 0, &graph->nodes[loss].op, 2, x, t);
    take(m, values);
    mpi_assert(values[0] == 0 && values[1] == 0, "top_1 %g, f1 %g", values[0], values[1]);
    metrics_destroy(m);
    graph_destroy(graph);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluations_are_those_of_scikit_learn),
        cmocka_unit_test(assessments_are_those_of_scikit_learn),
        cmocka_unit_test(training_goes_on_after_a_checkpoint),
        cmocka_unit_test(what_does_not_suit_is_refused),
        cmocka_unit_test(labels_and_predictions_that_are_none),
    };
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
