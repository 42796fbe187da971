#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --tensorboard: what an interrupted run leaves is what an undisturbed one does, but for the wall time; and
# TensorBoard's own reader finds the rows of metrics.csv there: CNN_TEST_TENSORBOARD_PYTHON=/path/to/python, one with
# the package tensorboard.
. "$(dirname "$0")/lib.sh"
options=(--epochs 6 --micro-batches 4 --tensorboard --tensorboard-steps 7 --checkpoint-steps 13)

# sizes RUN: bytes of its files of events; equal sizes are equal records, as all numbers have a fixed width.
sizes() {
    stat -c %s "$1"/tensorboard/{train,validation}/events.out.tfevents.* | grep -v '^0$' | tr '\n' ' '
}

# read_back RUN: by TensorBoard's reader.
read_back() {
    if [ -z "${CNN_TEST_TENSORBOARD_PYTHON:-}" ]; then
        echo "skipped $1 is not read back: CNN_TEST_TENSORBOARD_PYTHON is not set"
        return
    fi
    check "$1 is read back" "$CNN_TEST_TENSORBOARD_PYTHON" "$source/tests/golden/check_events.py" "$1" 7
}

echo "--- undisturbed"
train 3 "${options[@]}" --out whole --quiet
check "nothing on stderr" [ ! -s err ]
train 1 --epochs 6 --micro-batches 4 --out plain --quiet
same "the same bits as without" "$(digest plain)" "$(digest whole)"
check "none without the option" [ ! -e plain/tensorboard ]
has "cnn_inspect --verify knows the files" 'ok +whole/tensorboard/train/events' "$("$build/cnn_inspect" whole --verify)"
read_back whole

echo "--- killed, and gone on with"
begin_until 91 killed 2 "${options[@]}" --quiet # in the third epoch
kill -9 $(rank_processes)
wait "$job" 2>/dev/null
echo "half a record" >>"$(ls killed/tensorboard/train/* | tail -1)"
check "a run with a torn file is whole" verified killed
has "which is told" '^torn +killed/tensorboard/train/events' "$("$build/cnn_inspect" killed --verify)"
train 4 --resume killed --quiet
same "the same bits" "$(digest whole)" "$(digest killed)"
same "the same records" "$(sizes whole)" "$(sizes killed)"
read_back killed

echo "--- another branch, more epochs"
train 1 --resume "$(ls killed/step-*.h5 | head -1)" --epochs 6 --quiet
same "the same records again" "$(sizes whole)" "$(sizes killed)"
train 1 --resume killed --epochs 7 --lr 0.001 --schedule constant --quiet
read_back killed

echo "--- begun without"
train 1 --epochs 2 --micro-batches 4 --out late --quiet
train 1 --resume late --epochs 3 --tensorboard --tensorboard-histograms 0 --quiet
has "has its rows from the first epoch on" '^3$' \
    "$(grep -ao epoch_accuracy "$(ls late/tensorboard/validation/* | tail -1)" | wc -l)"

echo "--- switched off and on"
bytes=$(sizes late)
train 1 --resume late --epochs 4 --tensorboard=false --quiet
same "off: nothing is added" "$bytes" "$(sizes late)"
train 1 --resume late --epochs 5 --quiet
same "it stays off" "$bytes" "$(sizes late)"
train 1 --resume late --epochs 6 --tensorboard --quiet
has "on again: with the rows in between" '^6$' \
    "$(grep -ao epoch_accuracy "$(ls late/tensorboard/validation/* | tail -1)" | wc -l)"

echo "--- features of a frozen front"
train 2 --init-from plain --freeze-until dense --epochs 2 --out tuned --tensorboard
has "are computed once" '[Ff]eatures' "$(cat log)"
check "and are no pictures" eval '! grep -qa inputs "$(ls tuned/tensorboard/train/* | tail -1)"'
has "but histograms" 'gradients/dense/kernel' \
    "$(grep -ao 'gradients/[a-z]*/kernel' "$(ls tuned/tensorboard/train/* | tail -1)")"

echo "--- replaced, and in the way"
train 1 --epochs 1 --out whole --overwrite --quiet
check "--overwrite removes the files" [ ! -e whole/tensorboard ]
mkdir way && touch way/tensorboard
ends "a file of the folder's name" 2 ranks 1 cnn_train --epochs 1 --out way --tensorboard --quiet
mkdir -p mine/tensorboard && touch mine/tensorboard/notes
train 1 --epochs 1 --out mine --overwrite --tensorboard --quiet
check "files of others stay" [ -e mine/tensorboard/notes ]
finish
