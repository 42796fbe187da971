#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A run that began with relative names is looked at, resumed, proved and begun again from other folders: the same bits.
. "$(dirname "$0")/lib.sh"
mkdir home away third
options=(--model digits-net --seed 1 --batch-size 50 --label-smoothing 0 --checkpoint-steps 1 --keep 100)
cd home
small_data small.h5 203
echo '{"1": 2}' >weights.json
train 2 "${options[@]}" --data small.h5 --class-weights weights.json --epochs 2 --out ../run --resume auto
expected=$(digest ../run)
probabilities=$(ranks 1 cnn_predict ../run small.h5 --split train --format csv | cut -d, -f2-)
cd ../away

echo "--- looked at"
ends "cnn_evaluate" 0 ranks 2 cnn_evaluate ../run --split train --json
has "of the same file" "home/small.h5" "$(cat log)"
same "cnn_predict of the run's data" "$probabilities" "$(ranks 2 cnn_predict ../run --split train --format csv | cut -d, -f2-)"
ends "cnn_plot" 0 "$build/cnn_plot" ../run --what confusion --split train -o confusion.png
ends "a report" 0 "$build/cnn_plot" ../run -o report.html
check "with results" eval "! grep -q results err"

echo "--- trained"
ends "--prove" 0 ranks 2 cnn_train --prove ../run
cp -r ../run ../part
rm ../part/{best,final}.h5
train 1 --resume ../part/step-00000003.h5
has "a resume takes the data of the run" "data: .*/home/small.h5: 203 training" "$(cat log)"
same "and ends in the same state" "$expected" "$(digest ../part)"
train 1 --config ../run/config.json --epochs 2 --micro-batches 2 --out ../again
same "--config does the run again" "$expected" "$(digest ../again)"
cd ../third
same "which is found from a third folder" "$(ranks 1 cnn_evaluate ../run --split train --json | grep -o '"loss.*')" \
    "$(ranks 1 cnn_evaluate ../again --split train --json | grep -o '"loss.*')"

echo "--- a name that is here goes first"
cd ../away
small_data small.h5 100
fails "other data of the name" 1 'small.h5 is not the data that the run was trained on' \
    ranks 1 cnn_train --resume ../run --epochs 3
cp ../home/small.h5 . && rm -r ../home
fails "class weights that are nowhere" 1 'home/weights.json' ranks 1 cnn_train --resume ../run --epochs 3
mv small.h5 mine.h5 && echo '{"1": 2}' >weights.json
fails "data that are nowhere" 1 'cannot open .*/home/small.h5: .*--data' ranks 2 cnn_train --resume ../run --epochs 3
fails "so for the others" 1 'cannot open .*/home/small.h5: .*--data' ranks 1 cnn_evaluate ../run
fails "a name that is given counts from here alone" 1 'cannot open small.h5: .*--data' ranks 1 cnn_evaluate ../run -d small.h5
train 1 --resume ../run --epochs 3 --data mine.h5
cd ../third
ends "--data of the resume is found from elsewhere, too" 0 ranks 1 cnn_evaluate ../run --split train -c last --json
has "at its place" "away/mine.h5" "$(cat log)"
cd "$work"
mv away moved
cd moved && mv mine.h5 small.h5
ends "a folder that was moved with its data" 0 ranks 1 cnn_train --resume ../part --epochs 4
cd ../third
ends "is known from then on" 0 ranks 1 cnn_evaluate ../part --split train -c last --json
has "by its new name" "moved/small.h5" "$(cat log)"
finish
