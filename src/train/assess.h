/* SPDX-License-Identifier: Apache-2.0
 *
 * What an evaluation tells beside loss and accuracy: figures of each class, confusions, calibration, the worst
 * mistakes.  Counted like metrics (train/metrics.h, which has the formulas), right after each loss: exact and the same
 * on any number of ranks.
 *
 *     TRY(assess_create(&options, &assessment));
 *     ... ExecutorRun.observer = assess_observe, observer_user = assessment ...
 *     TRY(assess_collect(assessment, dist));
 *
 * Each output of the network is one of
 *   ASSESS_CLASSES   softmax, cross-entropy; also one number with a sigmoid: the classes 0 and 1
 *   ASSESS_LABELS    several numbers with a sigmoid, binary cross-entropy: yes or no for each
 *   ASSESS_NUMBERS   the other losses
 *   ASSESS_NOTHING   losses of pairs, whose prediction has no right value */
#ifndef TRAIN_ASSESS_H
#define TRAIN_ASSESS_H
#include "train/metrics.h"
#include "train/state.h"

enum {
    ASSESS_MAX_CLASSES = 2000,    /* with more there are no figures of each class, and no confusions */
    ASSESS_MAX_SCORES = 30000000, /* rows times columns up to which the auc, for which they are sorted, is counted */
    ASSESS_MISTAKES = 36,
    ASSESS_HITS = 12
};

typedef enum AssessKind { ASSESS_CLASSES, ASSESS_LABELS, ASSESS_NUMBERS, ASSESS_NOTHING } AssessKind;

/* One class or label, or a mean of them; 0 / 0 is 0. */
typedef struct AssessFigures {
    double precision, recall, f1;
    uint64_t support; /* rows of which it is true */
} AssessFigures;

typedef struct AssessOutput {
    const char *name; /* of the output; borrowed from the graph */
    AssessKind kind;
    Metric rows;    /* what a row is: loss, op, columns, rows_per_example */
    size_t classes; /* or labels; 0: none, or too many */
    /* Owned, this rank's.  Classes: [true][predicted or, at `classes`, none]; labels: [label][ASSESS_SUMS]. */
    uint64_t *counts;
    size_t width;
    uint64_t all, exact;    /* examples; those with all labels right */
    uint64_t next;          /* index of the next example of this rank */
    AssessFigures *of;      /* owned [classes], after assess_collect, like all below */
    AssessFigures macro;    /* mean over classes that occur as label or prediction, or over all labels */
    AssessFigures weighted; /* by support */
    AssessFigures micro;    /* labels: of all yes and no together */
} AssessOutput;

enum { ASSESS_HIT, ASSESS_SAID, ASSESS_TRUE, ASSESS_SUMS };

/* An example of the first output: a mistake (of numbers: any), or one that is right. */
typedef struct AssessMistake {
    /* Mean over rows of -log p of the true class, of the labels' binary cross-entropy, of squared errors. */
    double loss;
    uint64_t example; /* index in the evaluated view */
    /* First row: classes or labels: the class said, the true one (labels: the worst label, 0 or 1); or numbers. */
    double said, truth;
    double confidence; /* of the class said; labels: which label it is */
} AssessMistake;

typedef struct Assessment {
    AssessOutput outputs[STATE_MAX_LOSSES];
    size_t count;
    Metrics *metrics;                        /* owned; top_5, auc, ece; mae, rmse, r2; NULL: none */
    double values[METRICS_MAX];              /* theirs */
    AssessMistake mistakes[ASSESS_MISTAKES]; /* largest loss first, of equal ones the first example */
    size_t mistake_count;
    AssessMistake hits[ASSESS_HITS]; /* those that are right with the largest loss, in the same order */
    size_t hit_count;
} Assessment;

/* first, examples: of this rank's examples, which it meets in order; all: of all ranks'. */
Status assess_create(const Graph *graph, uint64_t first, uint64_t examples, uint64_t all, Assessment **out);
void assess_destroy(Assessment *assessment); /* accepts NULL */

/* For ExecutorRun.observer, with the Assessment as user.  Allocates nothing. */
void assess_observe(void *assessment, size_t loss, const OpDesc *op, size_t n, const Real *prediction,
                    const Real *label);

/* All ranks' counts, figures, values and mistakes, on every rank.  Once.  Collective, agreed. */
Status assess_collect(Assessment *assessment, Dist *dist);

/* The value that metric `name` ("auc", "top_5") has for an output; NAN where it is not counted. */
double assess_value(const Assessment *assessment, size_t output, const char *name);

/* For messages of all kinds: how often true class t of an output was called p. */
uint64_t assess_confusion(const AssessOutput *output, size_t t, size_t p);

#endif
