/* SPDX-License-Identifier: Apache-2.0 */
#include "data/targets.h"
#include <string.h>

size_t targets_width(const Targets *targets, const DatasetInfo *info, size_t label) {
    size_t classes = label < TARGETS_LABELS ? targets->one_hot[label] : 0;
    return classes ? classes : shape_count(&info->labels[label].shape);
}

/* The class of example i by the first label array: its number, or where the 1 is. */
static size_t class_of(const DatasetLabel *label, const Real *values, size_t i) {
    size_t best = 0;
    if (label->kind == LABEL_CLASS)
        return values[i] >= 0 && values[i] < (Real)label->classes ? (size_t)values[i] : 0;
    for (size_t c = 1; c < label->classes; c++)
        if (values[i * label->classes + c] > values[i * label->classes + best])
            best = c;
    return best;
}

static void make_weights(const Targets *targets, const DatasetInfo *info, bool training, size_t n, Real *const labels[],
                         Real *weights) {
    int given = dataset_weights(info);
    for (size_t i = 0; i < n; i++) {
        weights[i] = given >= 0 ? labels[given][i] : 1;
        if (training && targets->class_weights)
            weights[i] *= (Real)targets->class_weights[class_of(&info->labels[0], labels[0], i)];
    }
}

/* From the last to the first, as numbers [n] become probabilities [n][classes] in the same memory.  Numbers were
 * checked when the dataset was opened; a file that has changed since must not make us write elsewhere. */
static void make_one_hot(size_t n, size_t classes, Real *labels) {
    for (size_t i = n; i-- > 0;) {
        Real class = labels[i];
        memset(labels + i * classes, 0, classes * sizeof *labels);
        if (class >= 0 && class < (Real)classes)
            labels[i * classes + (size_t) class] = 1;
    }
}

void targets_convert(const Targets *targets, const DatasetInfo *info, bool training, size_t n, Real *const labels[],
                     Real *weights) {
    if (targets->weighted)
        make_weights(targets, info, training, n, labels, weights);
    for (size_t i = 0; i < info->label_count && i < TARGETS_LABELS; i++)
        if (targets->one_hot[i])
            make_one_hot(n, targets->one_hot[i], labels[i]);
}

void targets_mix(const Targets *targets, const DatasetInfo *info, const Mix *mix, size_t n, Real *x,
                 Real *const labels[], Real *weights) {
    mix_examples(mix, &info->shape, n, x);
    for (size_t i = 0; i < info->label_count; i++)
        mix_labels(mix, n, targets_width(targets, info, i), info->labels[i].kind != LABEL_NUMBERS,
                   targets->weighted ? weights : NULL, labels[i]);
    if (targets->weighted)
        mix_weights(mix, n, weights);
}
