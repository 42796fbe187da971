/* SPDX-License-Identifier: Apache-2.0
 *
 * What a loss reads, made of the labels in a dataset: class numbers, or probabilities in their place; the weight of
 * each example; and, in training, mixtures of examples (data/mix.h). */
#ifndef DATA_TARGETS_H
#define DATA_TARGETS_H
#include "data/dataset.h"
#include "data/mix.h"

enum { TARGETS_LABELS = 32 }; /* label arrays of a dataset that may be given as probabilities */

/* All zero: labels as they are in the file. */
typedef struct Targets {
    size_t
        one_hot[TARGETS_LABELS]; /* per label array: 0: as it is; else class number c becomes so many numbers, of which
                                       number c is 1, the others 0 */
    bool weighted; /* examples have weights: the dataset's (array sample_weight; else 1) times class_weights */
    const double *class_weights; /* NULL, or [classes of the first label]: training only.  Borrowed */
    MixOptions mix;              /* training only */
} Targets;

/* Numbers of label array `label` per example. */
size_t targets_width(const Targets *targets, const DatasetInfo *info, size_t label);

/* Turns labels as dataset_read gives them into what `targets` asks for, in place: labels[i][n * targets_width], and
 * writes weights[n] if there are any.  training: with class weights. */
void targets_convert(const Targets *targets, const DatasetInfo *info, bool training, size_t n, Real *const labels[],
                     Real *weights);

/* Mixes n examples, each with the one behind it, of n + 1 in x, labels and weights. */
void targets_mix(const Targets *targets, const DatasetInfo *info, const Mix *mix, size_t n, Real *x,
                 Real *const labels[], Real *weights);

#endif
