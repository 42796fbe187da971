/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/log_sum_exp.h"
#include "base/exact_sum.h"
#include "train/metrics_internal.h"
#include <math.h>

static bool is_yes_no(const Metric *m) {
    return !loss_is_of_axis(m->op.attr.loss.kind);
}

size_t metrics__true_class(const Metric *m, const Real *label) {
    if (m->op.attr.loss.kind != LOSS_SPARSE_CROSSENTROPY)
        return loss_class(label, m->columns);
    return label[0] >= 0 && label[0] < (Real)m->columns ? (size_t)label[0] : m->columns;
}

double metrics__log_sum(const Metric *m, const Real *x) {
    return is_yes_no(m) || !m->op.attr.loss.from_logits ? 0 : log_sum_exp(x, m->columns);
}

double metrics__probability(const Metric *m, const Real *x, double log_sum, size_t c) {
    if (!m->op.attr.loss.from_logits)
        return x[c] < 0 ? 0 : x[c] > 1 ? 1 : x[c];
    return is_yes_no(m) ? 1 / (1 + exp(-x[c])) : exp(x[c] - log_sum);
}

bool metrics__is_positive(const Metric *m, const Real *label, size_t true_class, size_t c) {
    return is_yes_no(m) ? label[c] > (Real)0.5 : true_class == c;
}

static bool says_yes(const Metric *m, Real x) {
    return x > (m->op.attr.loss.from_logits ? 0 : (Real)0.5);
}

/* ---- shares: right ones of all ----------------------------------------------------------------------------------- */

enum { RIGHT, ALL, SHARE_WIDTH };

static size_t share_width(const Metric *m) {
    (void)m;
    return SHARE_WIDTH;
}

static double share_value(const Metric *m, const uint64_t *counts) {
    (void)m;
    return counts[ALL] ? (double)counts[RIGHT] / (double)counts[ALL] : NAN;
}

/* Of equal ones the first counts as the larger, so that top_1 is the accuracy. */
static void top_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    size_t class = metrics__true_class(m, label), before = 0;
    counts[ALL]++;
    if (class == m->columns)
        return;
    for (size_t c = 0; c < m->columns; c++)
        before += !(x[c] < x[class]) && (c < class || !(x[c] <= x[class])); /* what is no number stands before all */
    counts[RIGHT] += before < m->k && !isnan(x[class]);
}

static void binary_accuracy_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    for (size_t c = 0; c < m->columns; c++)
        counts[RIGHT] += !isnan(x[c]) && says_yes(m, x[c]) == (label[c] > (Real)0.5);
    counts[ALL] += m->columns;
}

/* ---- from the counts of each class or column --------------------------------------------------------------------- */

enum { TRUE_POSITIVE, PREDICTED, ACTUAL, CONFUSION };

static size_t confusion_width(const Metric *m) {
    return m->columns * CONFUSION;
}

static void confusion_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    if (is_yes_no(m)) {
        for (size_t c = 0; c < m->columns; c++) {
            bool yes = says_yes(m, x[c]), actual = label[c] > (Real)0.5;
            counts[c * CONFUSION + PREDICTED] += yes;
            counts[c * CONFUSION + ACTUAL] += actual;
            counts[c * CONFUSION + TRUE_POSITIVE] += yes && actual;
        }
        return;
    }
    size_t predicted = loss_class(x, m->columns), actual = metrics__true_class(m, label);
    if (predicted < m->columns)
        counts[predicted * CONFUSION + PREDICTED]++;
    if (actual < m->columns)
        counts[actual * CONFUSION + ACTUAL]++;
    if (predicted == actual && actual < m->columns)
        counts[actual * CONFUSION + TRUE_POSITIVE]++;
}

/* Mean of hits / (a PREDICTED + b ACTUAL), hits = (a + b) TRUE_POSITIVE. */
static double confusion_mean(const Metric *m, const uint64_t *counts, uint64_t a, uint64_t b) {
    double sum = 0;
    size_t columns = 0;
    for (size_t c = 0; c < m->columns; c++, counts += CONFUSION) {
        uint64_t all = a * counts[PREDICTED] + b * counts[ACTUAL];
        sum += all ? (double)((a + b) * counts[TRUE_POSITIVE]) / (double)all : 0;
        columns += is_yes_no(m) || counts[PREDICTED] + counts[ACTUAL] > 0;
    }
    return columns ? sum / (double)columns : NAN;
}

static double precision_value(const Metric *m, const uint64_t *counts) {
    return confusion_mean(m, counts, 1, 0);
}

static double recall_value(const Metric *m, const uint64_t *counts) {
    return confusion_mean(m, counts, 0, 1);
}

static double f1_value(const Metric *m, const uint64_t *counts) {
    return confusion_mean(m, counts, 1, 1);
}

/* ---- calibration ------------------------------------------------------------------------------------------------- */

/* Of each bin: predictions, right ones, and the exact sum of their confidences. */
enum { CALIBRATION_BINS = 15, BIN_ALL = 0, BIN_RIGHT, BIN_CONFIDENCE, BIN_WIDTH = BIN_CONFIDENCE + EXACT_DIGITS };

static size_t calibration_width(const Metric *m) {
    (void)m;
    return CALIBRATION_BINS * BIN_WIDTH;
}

static void count_confidence(uint64_t *counts, double confidence, bool right) {
    double place = ceil(confidence * CALIBRATION_BINS) - 1;
    size_t bin = place >= CALIBRATION_BINS ? CALIBRATION_BINS - 1 : place > 0 ? (size_t)place : 0;
    uint64_t *of = counts + bin * BIN_WIDTH;
    of[BIN_ALL]++;
    of[BIN_RIGHT] += right;
    exact_add(of + BIN_CONFIDENCE, confidence);
}

static void calibration_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    for (size_t c = 0; is_yes_no(m) && c < m->columns; c++) {
        double p = metrics__probability(m, x, 0, c);
        count_confidence(counts, p > 0.5 ? p : 1 - p, says_yes(m, x[c]) == (label[c] > (Real)0.5));
    }
    size_t predicted = is_yes_no(m) ? m->columns : loss_class(x, m->columns);
    if (predicted < m->columns)
        count_confidence(counts, metrics__probability(m, x, metrics__log_sum(m, x), predicted),
                         predicted == metrics__true_class(m, label));
}

static double calibration_value(const Metric *m, const uint64_t *counts) {
    double sum = 0, all = 0;
    (void)m;
    for (size_t b = 0; b < CALIBRATION_BINS; b++, counts += BIN_WIDTH) {
        sum += fabs((double)counts[BIN_RIGHT] - exact_value(counts + BIN_CONFIDENCE));
        all += (double)counts[BIN_ALL];
    }
    return all > 0 ? sum / all : NAN;
}

/* ---- errors of numbers ------------------------------------------------------------------------------------------- */

/* Elements, then an exact sum. */
static size_t error_width(const Metric *m) {
    (void)m;
    return 1 + EXACT_DIGITS;
}

static void absolute_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    double sum = 0;
    for (size_t c = 0; c < m->columns; c++)
        sum += fabs((double)x[c] - (double)label[c]);
    counts[0] += m->columns;
    exact_add(counts + 1, sum);
}

static void squared_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    double sum = 0;
    for (size_t c = 0; c < m->columns; c++) {
        double d = (double)x[c] - (double)label[c];
        sum += d * d;
    }
    counts[0] += m->columns;
    exact_add(counts + 1, sum);
}

static double error_value(const Metric *m, const uint64_t *counts) {
    (void)m;
    return counts[0] ? exact_value(counts + 1) / (double)counts[0] : NAN;
}

static double root_value(const Metric *m, const uint64_t *counts) {
    return sqrt(error_value(m, counts));
}

/* Rows; then of each column sums of t, t^2, (x - t)^2. */
enum { SUM_T, SUM_TT, SUM_DD, R2_SUMS };

static size_t r2_width(const Metric *m) {
    return 1 + m->columns * R2_SUMS * EXACT_DIGITS;
}

static void r2_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    counts[0]++;
    for (size_t c = 0; c < m->columns; c++) {
        uint64_t *sums = counts + 1 + c * R2_SUMS * EXACT_DIGITS;
        double t = (double)label[c], d = (double)x[c] - t;
        exact_add(sums + SUM_T * EXACT_DIGITS, t);
        exact_add(sums + SUM_TT * EXACT_DIGITS, t * t);
        exact_add(sums + SUM_DD * EXACT_DIGITS, d * d);
    }
}

/* A column of equal labels, but for rounding, counts 1 when it is met, else 0. */
static double r2_value(const Metric *m, const uint64_t *counts) {
    double sum = 0, rows = (double)counts[0];
    if (counts[0] == 0)
        return NAN;
    for (size_t c = 0; c < m->columns; c++) {
        const uint64_t *sums = counts + 1 + c * R2_SUMS * EXACT_DIGITS;
        double t = exact_value(sums + SUM_T * EXACT_DIGITS), dd = exact_value(sums + SUM_DD * EXACT_DIGITS);
        double tt = exact_value(sums + SUM_TT * EXACT_DIGITS), spread = tt - t * t / rows;
        sum += spread > 1e-14 * tt || isnan(dd) ? 1 - dd / spread : dd == 0;
    }
    return sum / (double)m->columns;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

const MetricKind metric_kinds[] = {
    {"top_", OF_CLASSES, share_width, top_add, share_value},
    {"binary_accuracy", OF_YES_NO, share_width, binary_accuracy_add, share_value},
    {"precision", OF_CLASSES | OF_YES_NO, confusion_width, confusion_add, precision_value},
    {"recall", OF_CLASSES | OF_YES_NO, confusion_width, confusion_add, recall_value},
    {"f1", OF_CLASSES | OF_YES_NO, confusion_width, confusion_add, f1_value},
    {"auc", OF_CLASSES | OF_YES_NO, metrics__auc_width, metrics__auc_add, metrics__auc_value},
    {"ece", OF_CLASSES | OF_YES_NO, calibration_width, calibration_add, calibration_value},
    {"mae", OF_NUMBERS, error_width, absolute_add, error_value},
    {"mse", OF_NUMBERS, error_width, squared_add, error_value},
    {"rmse", OF_NUMBERS, error_width, squared_add, root_value},
    {"r2", OF_NUMBERS, r2_width, r2_add, r2_value},
    {0},
};
