# SPDX-License-Identifier: Apache-2.0
"""Are the figures of cnn_evaluate right?  They are computed anew from each example's probabilities, in plain Python and, where it
is installed, by scikit-learn.

    cnn_evaluate RUN --json >report.json
    cnn_predict RUN --top 1000 --format csv >rows.csv
    python3 check_evaluate.py report.json rows.csv         prints "right by python" or "... and scikit-learn"
"""
import csv
import json
import math
import sys

report = json.load(open(sys.argv[1]))
output = report["outputs"][0]
names = [str(c["name"]) for c in output["classes"]]
truth, probabilities = [], []
for row in csv.DictReader(open(sys.argv[2])):
    p = {row[f"class_{k + 1}"]: float(row[f"probability_{k + 1}"]) for k in range(len(names))}
    truth.append(names.index(row["is"]))
    probabilities.append([p[name] for name in names])
n, classes = len(truth), range(len(names))
said = [p.index(max(p)) for p in probabilities]


def close(what, found, expected, tolerance=1e-5):
    if not abs(found - expected) <= tolerance:
        sys.exit(f"{what}: {found}, not {expected}")


def ratio(a, b):
    return a / b if b else 0


confusion = [[sum(t == i and s == j for t, s in zip(truth, said)) for j in classes] for i in classes]
if confusion != output["confusion"]:
    sys.exit(f"confusion: {output['confusion']}, not {confusion}")
figures = []
for c in classes:
    hits, calls, support = confusion[c][c], sum(confusion[i][c] for i in classes), sum(confusion[c])
    figures.append((ratio(hits, calls), ratio(hits, support), ratio(2 * hits, calls + support), support, calls))
occurring = [f for f in figures if f[3] + f[4]]
for k, name in enumerate(("precision", "recall", "f1")):
    for c in classes:
        close(f"{name} of {names[c]}", output["classes"][c][name], figures[c][k])
    close(f"macro {name}", output["macro"][name], sum(f[k] for f in occurring) / len(occurring))
    close(f"weighted {name}", output["weighted"][name], sum(f[k] * f[3] for f in figures) / n)
close("examples", report["examples"], n, 0)
close("accuracy", report["accuracy"], sum(t == s for t, s in zip(truth, said)) / n)
close("loss", report["loss"], -sum(math.log(max(p[t], 1e-30)) for p, t in zip(probabilities, truth)) / n, 1e-3)
if len(names) > 5:
    close("top_5", output["top_5"], sum(sorted(p)[-5] <= p[t] for p, t in zip(probabilities, truth)) / n)
areas = []
for c in classes:
    yes, no = [[p[c] for p, t in zip(probabilities, truth) if (t == c) == b] for b in (True, False)]
    if yes and no:
        areas.append(sum((a > b) + (a == b) / 2 for a in yes for b in no) / len(yes) / len(no))
close("auc", output["auc"], sum(areas) / len(areas), 1e-4)
error = 0
for m in range(15):
    chosen = [(max(p), t == s) for p, t, s in zip(probabilities, truth, said) if m / 15 < max(p) <= (m + 1) / 15]
    error += abs(sum(right for _, right in chosen) - sum(p for p, _ in chosen)) / n
close("ece", output["ece"], error, 1e-4)
try:
    from sklearn import metrics as sk
except ImportError:
    print("right by python")
    sys.exit()
p, r, f, s = sk.precision_recall_fscore_support(truth, said, labels=list(classes), zero_division=0)
for c in classes:
    for name, values in (("precision", p), ("recall", r), ("f1", f), ("support", s)):
        close(f"scikit-learn's {name} of {names[c]}", output["classes"][c][name], values[c], 1e-12)
table = sk.classification_report(truth, said, output_dict=True, zero_division=0)
for mean in ("macro", "weighted"):
    for ours, theirs in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
        close(f"scikit-learn's {mean} {ours}", output[mean][ours], table[f"{mean} avg"][theirs], 1e-12)
if sk.confusion_matrix(truth, said, labels=list(classes)).tolist() != output["confusion"]:
    sys.exit("scikit-learn has another confusion matrix")
normal = [[v / sum(row) for v in row] for row in probabilities]
if len(areas) == len(names):
    auc = sk.roc_auc_score(truth, [v[1] for v in normal]) if len(names) == 2 else \
        sk.roc_auc_score(truth, normal, multi_class="ovr", average="macro")
    close("scikit-learn's auc", output["auc"], auc, 1e-4)
print("right by python and scikit-learn")
