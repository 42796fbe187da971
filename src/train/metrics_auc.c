/* SPDX-License-Identifier: Apache-2.0
 *
 * The area under the ROC curve is the probability that a row with "yes" has a higher score than one with "no", an equal
 * one counting half (Hanley, McNeil, Radiology 143, 1982): pairs are counted, in integers. */
#include "base/memory.h"
#include "train/metrics_internal.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>

enum { AUC_BINS = 256, BIN_RANGE = 16 }; /* bins: log(p / (1 - p)) from -BIN_RANGE to BIN_RANGE */

/* What value needs of a column.  HALF_PAIRS: 2 for each pair in order, 1 for each equal one. */
enum { HALF_PAIRS, POSITIVES, NEGATIVES, AUC_COUNTS };

size_t metrics__auc_width(const Metric *m) {
    return m->columns * (m->room ? AUC_COUNTS : 2 * AUC_BINS);
}

static size_t bin_of(double p) {
    double place = (log(p / (1 - p)) + BIN_RANGE) * AUC_BINS / (2 * BIN_RANGE);
    return place >= AUC_BINS ? AUC_BINS - 1 : place > 0 ? (size_t)place : 0; /* what is no number: 0 */
}

void metrics__auc_add(Metric *m, uint64_t *counts, const Real *x, const Real *label) {
    double log_sum = metrics__log_sum(m, x);
    size_t class = !loss_is_of_axis(m->op.attr.loss.kind) ? 0 : metrics__true_class(m, label);
    CHECK(m->room == 0 || m->rows < m->room, "%zu rows of scores", m->rows);
    for (size_t c = 0; c < m->columns; c++) {
        double p = metrics__probability(m, x, log_sum, c);
        bool positive = metrics__is_positive(m, label, class, c);
        if (m->room)
            m->scores[c * m->room + m->rows] = (Real)copysign(p, positive ? -1 : 1);
        else
            counts[(2 * c + positive) * AUC_BINS + bin_of(p)]++;
    }
    m->rows++;
}

static void count_bins(const uint64_t *negatives, const uint64_t *positives, uint64_t *counts) {
    counts[HALF_PAIRS] = counts[POSITIVES] = counts[NEGATIVES] = 0;
    for (size_t b = 0; b < AUC_BINS; b++) {
        counts[HALF_PAIRS] += positives[b] * (2 * counts[NEGATIVES] + negatives[b]);
        counts[POSITIVES] += positives[b];
        counts[NEGATIVES] += negatives[b];
    }
}

double metrics__auc_value(const Metric *m, const uint64_t *counts) {
    double sum = 0;
    size_t columns = 0;
    for (size_t c = 0; c < m->columns; c++) {
        uint64_t of_bins[AUC_COUNTS];
        const uint64_t *n = counts + c * AUC_COUNTS;
        if (m->room == 0) {
            count_bins(counts + 2 * c * AUC_BINS, counts + (2 * c + 1) * AUC_BINS, of_bins);
            n = of_bins;
        }
        if (n[POSITIVES] == 0 || n[NEGATIVES] == 0)
            continue;
        sum += (double)n[HALF_PAIRS] / 2 / (double)n[POSITIVES] / (double)n[NEGATIVES];
        columns++;
    }
    return columns ? sum / (double)columns : NAN;
}

static int by_score(const void *a, const void *b) {
    Real x = *(const Real *)a, y = *(const Real *)b;
    x = x < 0 ? -x : x;
    y = y < 0 ? -y : y;
    return (x > y) - (x < y);
}

/* Counts of one column from the scores of all ranks, whose order does not matter. */
static void count_sorted(Real *scores, size_t rows, uint64_t *counts) {
    qsort(scores, rows, sizeof *scores, by_score);
    for (size_t i = 0; i < rows;) {
        uint64_t equal[2] = {0, 0}; /* no, yes */
        size_t first = i;
        for (; i < rows && by_score(&scores[i], &scores[first]) == 0; i++)
            equal[signbit(scores[i]) != 0]++;
        counts[HALF_PAIRS] += equal[1] * (2 * counts[NEGATIVES] + equal[0]);
        counts[POSITIVES] += equal[1];
        counts[NEGATIVES] += equal[0];
    }
}

Status metrics__count_auc(Metric *m, Dist *dist, uint64_t *counts) {
    uint64_t all = m->rows;
    Real *scores;
    dist_sum(dist, &all, 1);
    if (all > INT_MAX / sizeof *scores) /* dist_gather_all */
        return status_fail(STATUS_FAILED, "the auc of %llu rows: at most %zu can be sorted", (unsigned long long)all,
                           INT_MAX / sizeof *scores);
    TRY(dist_agree(dist, memory_new(&scores, (size_t)all, "scores of the auc")));
    for (size_t c = 0; c < m->columns; c++) {
        dist_gather_all(dist, m->scores + c * m->room, m->rows * sizeof *scores, scores, (size_t)all * sizeof *scores);
        if (c % (size_t)dist_ranks(dist) == (size_t)dist_rank(dist)) /* columns are dealt to ranks */
            count_sorted(scores, (size_t)all, counts + c * AUC_COUNTS);
    }
    memory_free(scores);
    m->rows = 0;
    return STATUS_OK;
}
