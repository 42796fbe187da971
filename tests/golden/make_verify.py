# SPDX-License-Identifier: Apache-2.0
"""Figures of verification for tests/unit/test_verify.c by scikit-learn and SciPy: python tests/golden/make_verify.py >
tests/golden/verify.inc.  Scores are made by the same formula there."""
import math
import numpy as np
from scipy.interpolate import interp1d
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import KFold


def pairs(count, steps):
    same = np.array([i * i % 7 < 3 for i in range(count)])
    scores = np.array([(i * 7919 % 997) / 997 * 0.7 + 0.2 * same[i] for i in range(count)])
    return same, np.array([math.floor(s * steps) / steps for s in scores]) if steps else scores


def best_threshold(scores, same):
    distinct = np.unique(scores)
    candidates = [distinct[0], *((distinct[:-1] + distinct[1:]) / 2), np.nextafter(distinct[-1], np.inf)]
    right = [np.sum((scores >= t) == same) for t in candidates]
    return candidates[int(np.argmax(right))]


print("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by make_verify.py: do not edit. */")
for count, steps in ((200, 0), (203, 20), (10, 0), (1000, 7)):
    same, scores = pairs(count, steps)
    accuracy = []
    edges = [f * count // 10 for f in range(11)]
    for f in range(10):
        test = np.arange(edges[f], edges[f + 1])
        train = np.setdiff1d(np.arange(count), test)
        accuracy.append(np.mean((scores[test] >= best_threshold(scores[train], same[train])) == same[test]))
    if count % 10 == 0:  # then these are scikit-learn's folds
        assert [t[0] for _, t in KFold(10).split(scores)] == edges[:-1]
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    eer = interp1d((1 - fpr - tpr)[::-1], fpr[::-1])(0)  # where false rejections are as many as false acceptances
    print("{%d, %d, %.17g, %.17g, %.17g, %.17g, %.17g}," % (
        count, steps, np.mean(accuracy), np.std(accuracy), best_threshold(scores, same), roc_auc_score(same, scores),
        eer))
