/* SPDX-License-Identifier: Apache-2.0 */
#include "train/assess.h"
#include "base/memory.h"
#include "train/metrics_internal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_TEXT = 1024 };
static const double P_MIN = 1e-7; /* Keras's epsilon, where the prediction is a probability */

/* ---- making ------------------------------------------------------------------------------------------------------ */

static AssessKind kind_of(const Metric *rows) {
    LossKind loss = rows->op.attr.loss.kind;
    if (loss_is_of_pairs(loss))
        return ASSESS_NOTHING;
    if (!loss_is_crossentropy(loss))
        return ASSESS_NUMBERS;
    return loss_is_of_axis(loss) || rows->columns == 1 ? ASSESS_CLASSES : ASSESS_LABELS;
}

static bool is_binary(const AssessOutput *o) {
    return o->kind == ASSESS_CLASSES && !loss_is_of_axis(o->rows.op.attr.loss.kind);
}

static Status open_output(const Graph *graph, size_t loss, uint64_t first, AssessOutput *o) {
    const Node *node = &graph->nodes[graph->losses[loss]];
    const Shape *shape = &node->op.x[0];
    o->name = graph->outputs[loss].name;
    o->rows = (Metric){.loss = loss, .op = node->op, .columns = shape->rank ? shape->dim[shape->rank - 1] : 1};
    o->rows.rows_per_example = shape_count(shape) / o->rows.columns;
    o->kind = kind_of(&o->rows);
    o->next = first;
    if (o->kind == ASSESS_CLASSES || o->kind == ASSESS_LABELS)
        o->classes = is_binary(o) ? 2 : o->rows.columns;
    if (o->classes > ASSESS_MAX_CLASSES)
        o->classes = 0;
    o->width = o->classes * (o->kind == ASSESS_LABELS ? (size_t)ASSESS_SUMS : o->classes + 1);
    TRY(memory_new(&o->of, o->classes, "figures of classes"));
    return memory_new(&o->counts, o->width, "confusions");
}

/* "OUTPUT=auc,OUTPUT=ece": the means that metrics.h counts. */
static Status list_metrics(const Assessment *a, uint64_t all, char *list) {
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < a->count; i++) {
        const AssessOutput *o = &a->outputs[i];
        bool few = (double)all * (double)o->rows.rows_per_example * (double)o->rows.columns <= ASSESS_MAX_SCORES;
        const char *names[4] = {NULL};
        size_t count = 0;
        if (o->kind == ASSESS_NUMBERS)
            names[count++] = "mae", names[count++] = "rmse", names[count++] = "r2";
        if (o->kind == ASSESS_CLASSES && o->rows.columns > 5)
            names[count++] = "top_5";
        if ((o->kind == ASSESS_CLASSES || o->kind == ASSESS_LABELS) && few)
            names[count++] = "auc";
        if (o->kind == ASSESS_CLASSES || o->kind == ASSESS_LABELS)
            names[count++] = "ece";
        for (size_t k = 0; k < count && used < LIST_TEXT; k++)
            used += (size_t)snprintf(list + used, LIST_TEXT - used, "%s%s=%s", used ? "," : "", o->name, names[k]);
    }
    return used < LIST_TEXT ? STATUS_OK : status_fail(STATUS_FAILED, "the names of the network's outputs are too long");
}

Status assess_create(const Graph *graph, uint64_t first, uint64_t examples, uint64_t all, Assessment **out) {
    char list[LIST_TEXT];
    Status status = STATUS_OK;
    TRY(memory_new(out, 1, "assessment"));
    Assessment *a = *out;
    for (; status == STATUS_OK && a->count < graph->loss_count; a->count++)
        status = open_output(graph, a->count, first, &a->outputs[a->count]);
    if (status == STATUS_OK)
        status = list_metrics(a, all, list);
    if (status == STATUS_OK)
        status = metrics_create(list, graph, true, examples, &a->metrics);
    if (status != STATUS_OK) {
        assess_destroy(a);
        *out = NULL;
    }
    return status;
}

void assess_destroy(Assessment *a) {
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->count; i++) {
        memory_free(a->outputs[i].counts);
        memory_free(a->outputs[i].of);
    }
    metrics_destroy(a->metrics);
    memory_free(a);
}

/* ---- counting ---------------------------------------------------------------------------------------------------- */

/* What is known of an example so far. */
typedef struct Finding {
    AssessMistake mistake;
    bool wrong;
    size_t rows;
} Finding;

static double minus_log(double p) {
    return -log(p > P_MIN ? p : P_MIN);
}

/* Of label t and prediction x, also before the sigmoid. */
static double binary_loss(const Metric *rows, Real x, bool t) {
    if (!rows->op.attr.loss.from_logits)
        return minus_log(t ? (double)x : 1 - (double)x);
    double z = t ? (double)x : -(double)x; /* log(1 + e^-z), for large |z| too */
    return (z < 0 ? -z : 0) + log1p(exp(-fabs(z)));
}

/* What stands for an example is its first row. */
static void note(Finding *f, double loss, bool wrong, double said, double truth, double confidence) {
    f->mistake.loss += loss;
    f->wrong |= wrong;
    if (f->rows++ == 0)
        f->mistake.said = said, f->mistake.truth = truth, f->mistake.confidence = confidence;
}

static void count_class(AssessOutput *o, Finding *f, const Real *x, const Real *label) {
    const Metric *rows = &o->rows;
    size_t predicted = loss_class(x, rows->columns), truth;
    double confidence = 0, loss = 0;
    if (is_binary(o)) {
        double p = metrics__probability(rows, x, 0, 0);
        truth = label[0] > (Real)0.5;
        predicted = isnan(x[0]) ? 2 : p > 0.5;
        confidence = predicted == 1 ? p : 1 - p;
        loss = binary_loss(rows, x[0], truth);
    } else {
        double log_sum = metrics__log_sum(rows, x);
        truth = metrics__true_class(rows, label);
        if (predicted < rows->columns)
            confidence = metrics__probability(rows, x, log_sum, predicted);
        if (truth < rows->columns)
            loss = rows->op.attr.loss.from_logits ? log_sum - (double)x[truth] : minus_log((double)x[truth]);
    }
    if (truth < o->classes)
        o->counts[truth * (o->classes + 1) + (predicted < o->classes ? predicted : o->classes)]++;
    note(f, loss, predicted != truth, (double)predicted, (double)truth, confidence);
}

static void count_labels(AssessOutput *o, Finding *f, const Real *x, const Real *label) {
    double sum = 0, worst = -1;
    size_t which = 0;
    bool wrong = false;
    for (size_t c = 0; c < o->rows.columns; c++) {
        bool truth = label[c] > (Real)0.5, said = metrics__probability(&o->rows, x, 0, c) > 0.5;
        double loss = binary_loss(&o->rows, x[c], truth);
        sum += loss;
        wrong |= truth != said;
        if (loss > worst)
            worst = loss, which = c;
        if (o->classes == 0)
            continue;
        uint64_t *counts = o->counts + c * ASSESS_SUMS;
        counts[ASSESS_HIT] += truth && said;
        counts[ASSESS_SAID] += said;
        counts[ASSESS_TRUE] += truth;
    }
    double p = metrics__probability(&o->rows, x, 0, which);
    note(f, sum / (double)o->rows.columns, wrong, p > 0.5, label[which] > (Real)0.5, (double)which);
}

static void count_numbers(const AssessOutput *o, Finding *f, const Real *x, const Real *label) {
    double sum = 0;
    for (size_t c = 0; c < o->rows.columns; c++)
        sum += ((double)x[c] - (double)label[c]) * ((double)x[c] - (double)label[c]);
    note(f, sum / (double)o->rows.columns, true, (double)x[0], (double)label[0], 0);
}

/* Largest loss first, what is no number before all; of equal ones the first example. */
static int by_loss(const void *a, const void *b) {
    const AssessMistake *x = a, *y = b;
    double p = isnan(x->loss) ? INFINITY : x->loss, q = isnan(y->loss) ? INFINITY : y->loss;
    return p != q ? (p < q) - (p > q) : (x->example > y->example) - (x->example < y->example);
}

/* Into a list of at most `room`. */
static void keep(AssessMistake *list, size_t *count, size_t room, const AssessMistake *mistake) {
    size_t at = *count;
    if (at == room && by_loss(mistake, &list[at - 1]) > 0)
        return;
    at = at == room ? at - 1 : (*count)++;
    for (; at > 0 && by_loss(mistake, &list[at - 1]) < 0; at--)
        list[at] = list[at - 1];
    list[at] = *mistake;
}

static void count_example(Assessment *a, AssessOutput *o, const Real *x, const Real *label, size_t label_width) {
    Finding f = {.mistake.example = o->next++};
    for (size_t r = 0; r < o->rows.rows_per_example; r++, x += o->rows.columns, label += label_width)
        if (o->kind == ASSESS_CLASSES)
            count_class(o, &f, x, label);
        else if (o->kind == ASSESS_LABELS)
            count_labels(o, &f, x, label);
        else
            count_numbers(o, &f, x, label);
    f.mistake.loss /= (double)o->rows.rows_per_example;
    o->all++;
    o->exact += !f.wrong;
    if (o == &a->outputs[0] && f.wrong)
        keep(a->mistakes, &a->mistake_count, ASSESS_MISTAKES, &f.mistake);
    else if (o == &a->outputs[0])
        keep(a->hits, &a->hit_count, ASSESS_HITS, &f.mistake);
}

void assess_observe(void *user, size_t loss, const OpDesc *op, size_t n, const Real *prediction, const Real *label) {
    Assessment *a = user;
    AssessOutput *o = &a->outputs[loss];
    size_t width = shape_count(&op->x[0]), label_width = shape_count(&op->x[1]);
    if (a->metrics)
        metrics_observe(a->metrics, loss, op, n, prediction, label);
    for (size_t i = 0; o->kind != ASSESS_NOTHING && i < n; i++)
        count_example(a, o, prediction + i * width, label + i * label_width, label_width / o->rows.rows_per_example);
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

uint64_t assess_confusion(const AssessOutput *o, size_t t, size_t p) {
    return o->counts[t * (o->classes + 1) + p];
}

static double ratio(uint64_t part, uint64_t all) {
    return all ? (double)part / (double)all : 0;
}

static AssessFigures figures_of(const uint64_t sums[ASSESS_SUMS]) {
    return (AssessFigures){.precision = ratio(sums[ASSESS_HIT], sums[ASSESS_SAID]),
                           .recall = ratio(sums[ASSESS_HIT], sums[ASSESS_TRUE]),
                           .f1 = ratio(2 * sums[ASSESS_HIT], sums[ASSESS_SAID] + sums[ASSESS_TRUE]),
                           .support = sums[ASSESS_TRUE]};
}

/* Hits, said, true of class c. */
static void sums_of(const AssessOutput *o, size_t c, uint64_t sums[ASSESS_SUMS]) {
    if (o->kind == ASSESS_LABELS) {
        memcpy(sums, o->counts + c * ASSESS_SUMS, ASSESS_SUMS * sizeof *sums);
        return;
    }
    memset(sums, 0, ASSESS_SUMS * sizeof *sums);
    sums[ASSESS_HIT] = assess_confusion(o, c, c);
    for (size_t k = 0; k <= o->classes; k++)
        sums[ASSESS_TRUE] += assess_confusion(o, c, k);
    for (size_t k = 0; k < o->classes; k++)
        sums[ASSESS_SAID] += assess_confusion(o, k, c);
}

static void add_figures(AssessFigures *mean, const AssessFigures *figures, double weight) {
    mean->precision += weight * figures->precision;
    mean->recall += weight * figures->recall;
    mean->f1 += weight * figures->f1;
    mean->support += figures->support;
}

static void divide_figures(AssessFigures *mean, double by) {
    by = by > 0 ? by : 1;
    mean->precision /= by;
    mean->recall /= by;
    mean->f1 /= by;
}

static void make_figures(AssessOutput *o) {
    uint64_t sums[ASSESS_SUMS], total[ASSESS_SUMS] = {0};
    size_t occurring = 0;
    for (size_t c = 0; c < o->classes; c++) {
        sums_of(o, c, sums);
        o->of[c] = figures_of(sums);
        bool occurs = o->kind == ASSESS_LABELS || sums[ASSESS_SAID] + sums[ASSESS_TRUE] > 0;
        occurring += occurs;
        add_figures(&o->macro, &o->of[c], occurs);
        add_figures(&o->weighted, &o->of[c], (double)sums[ASSESS_TRUE]);
        for (size_t k = 0; k < ASSESS_SUMS; k++)
            total[k] += sums[k];
    }
    divide_figures(&o->macro, (double)occurring);
    divide_figures(&o->weighted, (double)total[ASSESS_TRUE]);
    o->micro = figures_of(total);
}

/* A list of this rank becomes that of all ranks. */
static Status collect(Dist *dist, AssessMistake *list, size_t *count, size_t room) {
    uint64_t total = *count;
    AssessMistake *all;
    dist_sum(dist, &total, 1);
    TRY(dist_agree(dist, memory_new(&all, (size_t)total, "mistakes")));
    dist_gather_all(dist, list, *count * sizeof *all, all, (size_t)total * sizeof *all);
    qsort(all, (size_t)total, sizeof *all, by_loss);
    *count = total < room ? (size_t)total : room;
    memcpy(list, all, *count * sizeof *all);
    memory_free(all);
    return STATUS_OK;
}

Status assess_collect(Assessment *a, Dist *dist) {
    for (size_t i = 0; i < a->count; i++) {
        AssessOutput *o = &a->outputs[i];
        dist_sum(dist, o->counts, o->width);
        dist_sum(dist, &o->all, 1);
        dist_sum(dist, &o->exact, 1);
        make_figures(o);
    }
    if (a->metrics)
        TRY(metrics_values(a->metrics, dist, a->values));
    TRY(collect(dist, a->mistakes, &a->mistake_count, ASSESS_MISTAKES));
    return collect(dist, a->hits, &a->hit_count, ASSESS_HITS);
}

double assess_value(const Assessment *a, size_t output, const char *name) {
    for (size_t i = 0; a->metrics && i < a->metrics->count; i++) {
        const Metric *m = &a->metrics->items[i];
        if (m->loss == output && strncmp(m->name, name, strlen(name)) == 0)
            return a->values[i];
    }
    return NAN;
}
