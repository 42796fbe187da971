#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cached features of a frozen front change no bits of a run, on any number of ranks, after a resume, and over
# --unfreeze; cnn_predict writes each example once and in order; figures of verification do not depend on ranks.
. "$(dirname "$0")/lib.sh"
small_data small.h5 203
frozen="--freeze-until flatten --data small.h5 --validation-split 0.2 --seed 1 --epochs 4 --micro-batches 6"

# run P NAME OPTION...
run() {
    local p=$1 name=$2
    shift 2
    ranks "$p" cnn_train $frozen --out "$name" --overwrite "$@" 2>&1
}
weights() {
    "$build/cnn_inspect" "$1" --digest | head -1
}

run 1 plain --cache-features off >plain.log
expected=$(weights plain)
for p in 1 2 3 5; do
    has "$p ranks: features are kept" 'features: the output of layer flatten for 203 examples' "$(run $p memory)"
    same "$p ranks: the same weights as without" "$expected" "$(weights memory)"
    same "$p ranks: the same metrics" "$(metrics plain)" "$(metrics memory)"
done
mkdir folder
run 3 file --cache-features folder >file.log
same "features in a file" "$expected" "$(weights file)"
same "no file is left" "0" "$(ls -A folder | wc -l)"
run 2 half --max-time 0.001 >half.log
ranks 3 cnn_train --resume half >resumed.log 2>&1
same "resumed on another number of ranks" "$expected" "$(weights half)"
run 2 thawed --unfreeze conv2@3 >thawed.log
run 3 thawed-off --unfreeze conv2@3 --cache-features off >off.log
has "features are computed again for what is still frozen" 'the output of layer relu1' "$(cat thawed.log)"
has "stopped in the middle" 'stopped on request' "$(cat half.log)"
same "over --unfreeze" "$(weights thawed-off)" "$(weights thawed)"
has "random augmentation: none are kept" 'is not kept: with --augment' "$(run 1 augmented --augment translate=0.1)"
has "nothing frozen: said so" 'no features are kept' \
    "$(ranks 1 cnn_train --data small.h5 --epochs 1 --out whole --cache-features memory 2>&1)"
fails "no such folder" 1 'nowhere.*another folder' ranks 1 cnn_train $frozen --out none --cache-features nowhere

# cnn_predict
rows() { # row, true class, class, probability
    ranks "$1" cnn_predict "${@:2}" --format csv 2>/dev/null | tail -n +2 | cut -d , -f 2-
}
rows 1 plain --split train >table
same "one row for each example, in order" "$(seq 0 202)" "$(cut -d , -f 1 table)"
correct=$(awk -F , '$2 == $3 { n++ } END { printf "%.6f", n / NR }' table)
has "as many are right as cnn_evaluate counts" "\"accuracy\": ${correct:0:7}" \
    "$(ranks 1 cnn_evaluate plain --split train --json)"
for p in 2 3; do
    same "the same table on $p ranks" "$(cat table)" "$(rows $p plain --split train)"
done
rows 2 plain --split val >held-out
correct=$(awk -F , '$2 == $3 { n++ } END { printf "%.6f", n / NR }' held-out)
has "the run's held-out part, as cnn_evaluate takes it" "\"accuracy\": ${correct:0:7}.* \"examples\": 41\b" \
    "$(ranks 1 cnn_evaluate plain --split val --json)"
same "its rows are those of the training split" "$(sort held-out)" "$(sort held-out table | uniq -d)"
for p in 1 2 3; do
    ranks $p cnn_predict plain --split train --layer flatten -o features-$p.h5 >/dev/null
done
same "the same features on 2 ranks" "$(sha256sum <features-1.h5)" "$(sha256sum <features-2.h5)"
same "the same features on 3 ranks" "$(sha256sum <features-1.h5)" "$(sha256sum <features-3.h5)"
has "features are a dataset" 'train 203 examples' "$("$build/cnn_inspect" features-1.h5)"
fails "a layer that is not there" 2 'Near: flatten' ranks 1 cnn_predict plain --split train --layer flattened -o x.h5
fails "a file of another kind" 2 'must end in .h5' ranks 2 cnn_predict plain --split train -o features.xml
fails "a file that is there" 1 'exists already' ranks 1 cnn_predict plain --split train -o features-1.h5

# A file of Keras does not say how pixels go in.
"$build/cnn_export" plain -o plain.h5 >/dev/null
for program in cnn_evaluate cnn_predict; do
    has "$program says what it takes for a Keras file" 'plain.h5 does not say .* --preprocess unit is taken' \
        "$(ranks 2 $program plain.h5 --data small.h5 --split train 2>&1 >/dev/null)"
    check "$program says nothing when it is told" \
        [ -z "$(ranks 1 $program plain.h5 --data small.h5 --split train --preprocess unit 2>&1 >/dev/null)" ]
done
same "the same table" "$(cat table)" "$(rows 1 plain.h5 --data small.h5 --split train)"

# cnn_evaluate --verify-pairs
drawn=$(ranks 1 cnn_evaluate plain --split train --verify-pairs 400 --json)
has "half of the drawn pairs are of the same class" '"pairs": 400, "same": 200' "$drawn"
same "the same figures on 3 ranks" "$drawn" "$(ranks 3 cnn_evaluate plain --split train --verify-pairs 400 --json)"
awk -F , '{ for (i = 1; i < n; i++) print i - 1 "," NR - 1 "," (c[i] == $2); c[n] = $2; n++ } BEGIN { n = 1 }' table \
    >pairs.csv
has "pairs of a file" "$(wc -l <pairs.csv) pairs" "$(ranks 1 cnn_evaluate plain --split train --verify-pairs pairs.csv)"
echo "1,203,1" >bad.csv
fails "--layer without pairs" 2 'needs --verify-pairs' ranks 2 cnn_evaluate plain --layer flatten
fails "pairs with metrics" 2 'no use for --metrics' ranks 1 cnn_evaluate plain --verify-pairs 100 --metrics f1
fails "a row that is not there" 1 'bad.csv, line 1' ranks 1 cnn_evaluate plain --split train --verify-pairs bad.csv

fails "features and a network for images" 2 '--model takes mlp.* or a Keras file' ranks 1 cnn_train \
    --data features-1.h5 --model lenet5 --out none
cat >head.json <<'END'
{"class_name": "Sequential", "config": {"name": "head", "layers": [
  {"class_name": "InputLayer", "config": {"batch_shape": [null, 320]}},
  {"class_name": "Dense", "config": {"name": "classes", "units": 10, "activation": "softmax"}}]}}
END
train 2 --data features-1.h5 --model head.json --epochs 1 --out head
has "features are trained on" '^data: features-1.h5: 203 training' "$(cat log)"
finish
