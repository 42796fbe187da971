#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --lr-find: the same sweep on any number of ranks; it suggests a rate, and writes a table and a picture, but no run.
. "$(dirname "$0")/lib.sh"
small_data small.h5 203
find=(--lr-find --model "$source/tests/cli/networks/batchnorm.json" --data small.h5 --batch-size 30
      --micro-batches 4 --seed 1 --optimizer sgd)
for p in 1 3; do train $p "${find[@]}" --out "found-$p"; done
has "a rate is suggested" '^suggestion: --lr [0-9.e-]*, a tenth of the rate' "$(cat log)"
has "the table has a heading" '^step,lr,loss,smoothed_loss$' "$(cat found-1/lr-find.csv)"
check "and many rows" [ "$(wc -l <found-1/lr-find.csv)" -gt 50 ]
same "the same sweep on 3 ranks" "$(cat found-1/lr-find.csv)" "$(cat found-3/lr-find.csv)"
same "nothing else is written" "lr-find.csv" "$(cd found-3 && ls | grep -v '^lr-find.png$')"
if grep -q 'without cairo' err log; then
    echo "skipped: the picture (built without cairo)"
else
    same "the picture is a PNG file" "89504e47" "$(head -c 4 found-1/lr-find.png | od -An -tx1 | tr -d ' \n')"
fi
fails "--lr-find is no way to resume" 2 'lr-find and --resume exclude' ranks 1 cnn_train --lr-find --resume found-1
finish
