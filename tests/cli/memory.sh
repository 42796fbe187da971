#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The forecast of a rank's memory is what the system says that it took, for a network of some hundred megabytes.
. "$(dirname "$0")/lib.sh"
small_data small.h5 256
options=(--model "$source/tests/cli/networks/dense.json" --data small.h5 --batch-size 128 --micro-batches 2 --out run)

# forecast_of FILE, peak_of FILE: MB, of the lines "memory of ...: 512.3 MB = ..." and "memory: 512.3 MB at most, ...".
forecast_of() { sed -nE 's/^memory of .*: ([0-9.]+) MB = .*/\1/p' "$1"; }
peak_of() { sed -nE 's/^memory: ([0-9.]+) MB at most.*/\1/p' "$1"; }
# agree WHAT: the two in ./log differ by less than a tenth.
agree() {
    echo "        $1: forecast $(forecast_of log) MB, seen $(peak_of log) MB"
    check "$1: forecast and peak agree" awk -v f="$(forecast_of log)" -v p="$(peak_of log)" \
        'BEGIN { exit !(f > 100 && p > 100 && f - p < p / 10 && p - f < p / 10) }'
}

train 1 "${options[@]}" --optimizer adam --dry-run
cp log dry
check "a dry run makes no run folder" [ ! -e run ]
has "it counts arithmetic" "forward 30(\.[0-9]+)? MFLOP, training (89|90)(\.[0-9]+)? MFLOP" "$(cat dry)"
same "its parts add up" yes "$(sed -n '/^memory of/,/checkpoint/p' dry | grep -oE '[0-9]+\.[0-9]' |
    awk 'NR == 1 { whole = $1; next } { parts += $1 } END { print NR == 8 && (whole - parts) ^ 2 < 0.25 ? "yes" : parts }')"

train 1 "${options[@]}" --optimizer adam --epochs 1
agree "adam"
same "a run says the same as a dry run, but for the program" "$(grep -A1 '^  + weights' dry)" \
    "$(grep -A1 '^  + weights' log)"
train 2 --resume run --epochs 2
agree "resumed on two ranks"
train 2 "${options[@]}" --optimizer sgd --epochs 1 --overwrite
agree "sgd, two ranks"
finish
