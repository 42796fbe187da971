#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --profile: the table, and the same bits as without.
. "$(dirname "$0")/lib.sh"
small_data small.h5 203
options=(--model "$source/tests/cli/networks/batchnorm.json" --data small.h5 --batch-size 10 --micro-batches 2
         --epochs 2)
train 2 "${options[@]}" --out plain
train 2 "${options[@]}" --out profiled --profile trace.json
same "the same bits" "$(digest plain | head -1)" "$(digest profiled | head -1)"
has "a table" "profile of rank 0: 20 steps, .* ms each" "$(cat log)"
has "with the layers" "\(batch_norm\) +[a-z]+ +[0-9.]+ +[0-9.]+ +[0-9.]+%" "$(cat log)"
same "shares add up" yes "$(awk '/^layer .operation/ { on = 1; next } /^profile:/ { on = 0 }
    on { for (i = 2; i <= NF; i++) if ($i ~ /%$/) { sum += $i; break } } END { print (sum > 98 && sum < 102 ? "yes" : sum) }' log)"
check "no line of it is longer than 100 columns" [ "$(sed -n '/^profile of/,/^profile:/p' log |
    awk '{ if (length > most) most = length } END { print most }')" -le 100 ]
check "it is not recorded" eval '! grep -q "\"profile" profiled/config.json'
fails "a file that cannot be written" 1 "cannot write nowhere/t.json: No such file" \
    ranks 2 cnn_train "${options[@]}" --out other --profile nowhere/t.json
finish
