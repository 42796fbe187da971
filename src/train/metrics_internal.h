/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of metrics: a new one is a row of metric_kinds in metrics_kinds.c. */
#ifndef TRAIN_METRICS_INTERNAL_H
#define TRAIN_METRICS_INTERNAL_H
#include "train/metrics.h"

/* What a loss says of its prediction. */
enum { OF_CLASSES = 1, OF_YES_NO = 2, OF_NUMBERS = 4 };

struct MetricKind {
    const char *name;
    unsigned suits;                        /* OF_CLASSES | ... */
    size_t (*width)(const Metric *metric); /* integers that it counts with */
    void (*add)(Metric *metric, uint64_t *counts, const Real *prediction, const Real *label); /* a row */
    double (*value)(const Metric *metric, const uint64_t *counts);                            /* of all rows */
};
extern const MetricKind metric_kinds[]; /* ends with a row without name; the first is top_K */

/* The area under the ROC curve.  Of an evaluation, metrics__count_auc makes the counts of value from the scores of all
 * ranks; collective. */
size_t metrics__auc_width(const Metric *metric);
void metrics__auc_add(Metric *metric, uint64_t *counts, const Real *prediction, const Real *label);
double metrics__auc_value(const Metric *metric, const uint64_t *counts);
Status metrics__count_auc(Metric *metric, Dist *dist, uint64_t *counts);

/* The class that a row's label names; the number of columns when it names none. */
size_t metrics__true_class(const Metric *metric, const Real *label);

/* Column c of the row as a probability, as the softmax or sigmoid at the network's end would say. */
double metrics__probability(const Metric *metric, const Real *prediction, double log_sum, size_t c);

/* log(sum_c e^x_c) where the row holds logits of classes; else 0. */
double metrics__log_sum(const Metric *metric, const Real *prediction);

/* Is the row's label "yes" in column c? */
bool metrics__is_positive(const Metric *metric, const Real *label, size_t true_class, size_t c);

#endif
