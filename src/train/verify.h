/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification: do two examples show the same (person, thing)?  Judged by the cosine of their embeddings u, v,
 *     s = u . v / (|u| |v|),   "the same" if s >= threshold
 * measured on pairs of which it is known, as on Labeled Faces in the Wild (Huang et al., 2007): accuracy is the mean
 * over 10 folds, neighbours in the list, each judged with the threshold that is best on the other nine. */
#ifndef TRAIN_VERIFY_H
#define TRAIN_VERIFY_H
#include "train/predict.h"

enum { VERIFY_FOLDS = 10 };

typedef struct VerifyPair {
    size_t a, b; /* rows of the split */
    bool same;
} VerifyPair;

typedef struct VerifyResult {
    size_t pairs, same;
    double accuracy, deviation; /* mean over folds, and their standard deviation (of the population, as in numpy) */
    double threshold; /* that is best on all pairs: the middle of two scores; of equally good ones the lowest */
    double auc;       /* area under the ROC curve: P(s of a same pair > s of another) + P(equal) / 2 */
    double eer;       /* rate at which the ROC curve, with straight lines between its points, has as many false
                                   rejections as false acceptances */
} VerifyResult;

/* Pairs of a text file, "row_a,row_b,same" a line with same 0 or 1; a first line that begins with no digit is passed
 * over.  rows: examples of the split.  STATUS_FAILED: names file and line.  The caller frees with memory_free. */
Status verify_read_pairs(const char *path, size_t rows, VerifyPair **pairs, size_t *count);

/* `count` pairs (even numbers the same class, odd ones another), drawn by the seed.  classes[rows].  STATUS_FAILED:
 * there is only one class, or none with two examples.  The caller frees with memory_free. */
Status verify_draw_pairs(const size_t classes[], size_t rows, size_t count, uint64_t seed, VerifyPair **pairs);

/* Figures for scores[count] of the pairs.  STATUS_FAILED: fewer than VERIFY_FOLDS pairs, only one kind of pair, or a
 * score that is no number. */
Status verify_measure(const VerifyPair pairs[], const double scores[], size_t count, VerifyResult *result);

/* What cnn_evaluate --verify-pairs does: `pairs` is a file or a number.  options->layer "": predict_embedding_node.
 * Collective, agreed; prints. */
Status verify_run(Dist *dist, const PredictOptions *options, const char *pairs, uint64_t seed, bool json);

#endif
