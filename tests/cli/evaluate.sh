#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnn_evaluate: its figures are those of plain Python (and of scikit-learn: CNN_TEST_KERAS_PYTHON=/path/to/python), the
# same on any number of ranks; means of runs, weights and views; pictures.
. "$(dirname "$0")/lib.sh"
python=${CNN_TEST_KERAS_PYTHON:-python3}
command -v "$python" >/dev/null || { echo "skipped: no $python" && exit 77; }
train 1 --epochs 3 --seed 1 --label-smoothing 0 --out run # on the digits
train 1 --epochs 2 --seed 2 --label-smoothing 0 --out other
evaluate() {
    ranks "$1" cnn_evaluate "${@:2}"
}

echo "--- figures"
evaluate 1 run --json >report.json
ranks 1 cnn_predict run --top 10 --format csv >rows.csv
has "classes: by another program" '^right by python' \
    "$("$python" "$source/tests/golden/check_evaluate.py" report.json rows.csv 2>&1)"
for p in 2 3 5; do
    same "the same on $p ranks" "$(cat report.json)" "$(evaluate $p run --json)"
done
evaluate 1 run >text
has "the first line is as before" '^test: loss [0-9.]+ accuracy 0\.[0-9]+ \(359 examples\)$' "$(head -1 text)"
has "a line for each class" '^9 +[01]\.[0-9]{4} ' "$(cat text)"
has "confusions" '^0 +3[0-9] ' "$(sed '1,/^confusions/d' text)"
check "at most 79 columns" [ "$(awk 'length > 79' text | wc -l)" = 0 ]
same "text on 3 ranks" "$(cat text)" "$(evaluate 3 run)"
evaluate 1 run -o report-file.json >/dev/null
same "a file says the same" "$("$python" -m json.tool report.json)" "$("$python" -m json.tool report-file.json)"
odd=$'caf\xe9.h5' # not UTF-8
cp "$source/datasets/digits.h5" "$odd"
has "JSON of data whose name cannot be in it" '"data": "caf\?.h5"' "$(evaluate 1 run --data "$odd" --json)"
has "of pairs, too" '"data": "caf\?.h5"' "$(evaluate 1 run --data "$odd" --verify-pairs 20 --json)"
has "and of the data" '"dataset": "caf\?.h5"' "$("$build/cnn_inspect" "$odd" --quick --json)"
has "ece is a metric, too" ' ece 0\.[0-9]+ \(359' "$(evaluate 2 run --metrics ece)"

echo "--- pictures"
for p in 1 3; do
    evaluate $p run --confusion c$p.svg --mistakes m$p.png >/dev/null
done
if [ -s m1.png ]; then # built with cairo
    same "the same mistakes on 3 ranks" "$(sha256sum <m1.png)" "$(sha256sum <m3.png)"
    same "the same confusions on 3 ranks" "$(sha256sum <c1.svg)" "$(sha256sum <c3.svg)"
fi

echo "--- means"
evaluate 1 run other --json >report.json
ranks 1 cnn_predict run other --top 10 --format csv >rows.csv
has "two runs: by another program" '^right by python' \
    "$("$python" "$source/tests/golden/check_evaluate.py" report.json rows.csv 2>&1)"
same "two runs on 3 ranks" "$(cat report.json)" "$(evaluate 3 run other --json)"
has "it is said" '"mean": "mean of the outputs of run/best.h5, other"' "$(cat report.json)"
evaluate 1 run --tta 3 --augment crop=1 --json >report.json
ranks 1 cnn_predict run --tta 3 --augment crop=1 --top 10 --format csv >rows.csv
has "views: by another program" '^right by python' \
    "$("$python" "$source/tests/golden/check_evaluate.py" report.json rows.csv 2>&1)"
same "views on 5 ranks" "$(cat report.json)" "$(evaluate 5 run --tta 3 --augment crop=1 --json)"
loss() { grep -o 'loss [0-9.]*' | head -1 | cut -c1-10; }
same "one view is the example itself" "$(loss <text)" "$(evaluate 1 run --tta 1 | loss)"
same "the mean of twice the same weights" "$(loss <text)" "$(evaluate 2 run run --average weights | loss)"
differs "weights are not outputs" "$(evaluate 1 run other | sed -n 2p)" \
    "$(evaluate 1 run other --average weights | sed -n 2p)"
same "means of weights on 3 ranks" "$(evaluate 1 run other --average weights)" \
    "$(evaluate 3 run other --average weights)"

echo "--- what cannot be"
train 1 --model digits-net --classes 12 --epochs 1 --out twelve
fails "networks of other classes" 2 'no mean can be taken' ranks 2 cnn_evaluate run twelve
fails "--mistakes of another kind" 2 'must end in .png' ranks 1 cnn_evaluate run --mistakes m.jpg
fails "pairs and pictures" 2 'prints its figures only' ranks 1 cnn_evaluate run --verify-pairs 100 --confusion c.png
small_data named.h5 203 --class-names a,b,c,d,e,f,g,h,i,j
small_data turned.h5 203 --class-names a,b,d,c,e,f,g,h,i,j
train 1 --data named.h5 --model digits-net --epochs 1 --out named
fails "classes in another order" 1 'd is 2 there, 3 here' ranks 3 cnn_evaluate named --data turned.h5 --split train
finish
