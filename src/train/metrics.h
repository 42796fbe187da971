/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics beside the loss (--metrics): counted while the passes run, right after each loss, when its prediction is in
 * the cache; so they cost no memory of the plan, and nothing when there are none.
 *
 * A row is one position of one example (an example that is no picture of labels has one), a column a class, a label or
 * a number of the prediction: its last axis.  t label, p prediction.
 *
 *   of classes (softmax, cross-entropy; the predicted class is the first of the largest):
 *     top_K              share of rows whose true class is among the K largest
 *     precision, recall, f1    tp / (tp + fp), tp / (tp + fn), 2 tp / (2 tp + fp + fn) of each class, 0 for 0 / 0;
 *                        mean over the classes that occur as label or prediction (scikit-learn's average="macro")
 *     auc                area under the ROC curve of each class against the rest, ties count half; mean over the
 *                        classes that have both kinds of rows (scikit-learn's roc_auc_score(multi_class="ovr",
 *                        average="macro"))
 *   binary and multi-label (sigmoid, binary cross-entropy; "yes" is p > 0.5, t > 0.5):
 *     binary_accuracy    share of elements that are right
 *     precision, recall, f1, auc    the same of each column; mean over all columns (auc: over those that have both)
 *   both: ece            expected calibration error (Guo et al., 2017, equation 3): the confidences, which are the
 *                        probabilities of the predicted classes (of yes or no: max(p, 1 - p)), in 15 bins of equal
 *                        width; sum over bins |right ones - sum of confidences| / all
 *   of numbers (the other losses):
 *     mae, mse, rmse     mean of |p - t|, of (p - t)^2 over all elements; root of the latter
 *     r2                 1 - sum (p - t)^2 / sum (t - mean t)^2 of each column, mean over columns
 *
 * Weights of examples and classes do not count.  Exact over ranks: everything is counted in integers, sums of real
 * numbers in base/exact_sum.h, so no rank, order or interruption shows.  The auc of an epoch's training is that of
 * scores sorted into 256 bins of equal width in log(p / (1 - p)) from -16 to 16, as the scores of an epoch are not
 * kept; that of an evaluation is exact, at a Real per row and column. */
#ifndef TRAIN_METRICS_H
#define TRAIN_METRICS_H
#include "dist/dist.h"
#include "graph/executor.h"

enum { METRICS_MAX = 64 };

typedef struct MetricKind MetricKind; /* metrics_internal.h */

typedef struct Metric {
    const MetricKind *kind;
    char *name;                       /* "f1"; of several outputs "f1_OUTPUT"; owned */
    size_t loss;                      /* which of the graph's */
    OpDesc op;                        /* of it */
    size_t columns, rows_per_example; /* of its prediction */
    size_t k;                         /* top_K */
    size_t offset, width;             /* of its integers in counts */
    Real *scores;                     /* auc of an evaluation: [columns][room], the label in the sign; else NULL */
    size_t room, rows;                /* of scores: most, used; this rank's */
} Metric;

typedef struct Metrics {
    Metric items[METRICS_MAX];
    size_t count;
    uint64_t *counts; /* owned [width], this rank's */
    size_t width;
} Metrics;

/* The metrics that `list` names for the losses of `graph`: names with commas, each for every output that it suits, or
 * OUTPUT=NAME.  "accuracy" (or "acc"), which is always counted, is allowed and adds nothing.  evaluation: one of so
 * many `examples` on this rank; else for training.  *out NULL when nothing is to be counted.  STATUS_USAGE: unknown, or
 * suits no output. */
Status metrics_create(const char *list, const Graph *graph, bool evaluation, uint64_t examples, Metrics **out);
void metrics_destroy(Metrics *metrics); /* accepts NULL */

/* Bytes that the same metrics for an evaluation keep and gather on a rank that sees `examples` of `all`.  Accepts
 * NULL. */
size_t metrics_bytes(const Metrics *metrics, uint64_t examples, uint64_t all);

/* For ExecutorRun.observer, with the Metrics as user.  Allocates nothing. */
void metrics_observe(void *metrics, size_t loss, const OpDesc *op, size_t n, const Real *prediction, const Real *label);

/* Brings the counts of all ranks to rank 0, those of the others become 0: a checkpoint of rank 0 then has all.  Not for
 * an evaluation.  Collective.  Accepts NULL. */
void metrics_collect(Metrics *metrics, Dist *dist);

/* values[count] over all ranks' rows, NAN where there is none; then forgets them.  Collective, the same on all
 * ranks. */
Status metrics_values(Metrics *metrics, Dist *dist, double *values);

/* What is counted so far, for a checkpoint: {"NAME": [place, value, place, value, ...]}, of rank 0 after
 * metrics_collect.  *out: jansson's text, freed with memory_free.  And back: a metric that the text does not have
 * begins at 0. */
Status metrics_to_json(const Metrics *metrics, char **out);
Status metrics_from_json(Metrics *metrics, const char *text, const char *origin);

#endif
