#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a person sees: colours, rewritten lines and lines broken at the terminal's width on a terminal; nothing of that
# elsewhere.  Needs script (util-linux), which gives a command a terminal.
. "$(dirname "$0")/lib.sh"
command -v script >/dev/null || { echo "skipped: script (util-linux) is not installed" && exit 77; }
unset NO_COLOR COLUMNS
export TERM=xterm
escape=$'\033'

# on_terminal COLUMNS COMMAND: its output lies in ./screen.  Under mpirun only the terminal, not the pseudo terminal
# that mpirun makes, knows the width.
on_terminal() {
    script -qec "stty cols $1; $2" /dev/null </dev/null | sed 's/\r$//' >screen
}
# shown: the screen as it stands at the end: what was rewritten is gone, colours too.
shown() {
    sed -E "s/.*\r//; s/$escape\[[0-9;]*[mK]//g" screen
}
# fits WHAT COLUMNS: no line is longer than the terminal is wide.
fits() {
    same "$1 fits $2 columns" 0 "$(shown | awk -v w="$2" 'length > w' | wc -l)"
    [ "$(shown | wc -l)" -gt 1 ] || { echo "FAILED  $1: nothing is shown" && failed=1; }
}

echo "--- a terminal"
run="--epochs 3 --overwrite --out run"
for columns in 60 80 120; do
    on_terminal $columns "$build/cnn_train $run"
    fits "cnn_train" $columns
done
has "epochs are bold, the best ones green" "$escape\[1;32mepoch 1/3  loss .*  best$escape\[0m" "$(cat screen)"
has "a wide terminal shows all of an epoch" '^epoch 3/3  loss .*  lr .*/s  [0-9.]+ s' "$(shown)"
on_terminal 80 "$build/cnn_train $run --metrics f1,auc,top_2,precision,recall"
fits "cnn_train --metrics" 80
has "80 columns show less" '^epoch 3/3  loss [0-9.]+  acc [0-9.]+  val_loss [0-9.]+  val_acc [0-9.]+' "$(shown)"
on_terminal 80 "$build/cnn_train $run --dry-run --model resnet50 --verbose --micro-batches 3"
fits "cnn_train --dry-run --verbose" 80
on_terminal 80 "$build/cnn_train --list-models; $build/cnn_train --help=all; $build/cnn_inspect --help; $build/cnn_import --help=all"
fits "help and the list of networks" 80
on_terminal 80 "mpirun --quiet -np 2 $build/cnn_train $run"
fits "cnn_train under mpirun" 80
has "coloured under mpirun, too" "$escape\[1" "$(cat screen)"

echo "--- errors and warnings"
on_terminal 60 "$build/cnn_train --resume nowhere/at/all --epochs 3"
has "errors are red" "^cnn_train: $escape\[1;31merror:$escape\[0m " "$(cat screen)"
fits "an error" 60
on_terminal 80 "$build/cnn_train $run --max-time 0.0001"
has "warnings are yellow" "^cnn_train: $escape\[1;33mwarning:$escape\[0m stopped" "$(cat screen)"

echo "--- no colours"
on_terminal 80 "NO_COLOR=1 $build/cnn_train $run"
same "NO_COLOR: none" 0 "$(grep -c "$escape\[[0-9;]*m" screen)"
on_terminal 80 "TERM=dumb $build/cnn_train $run"
same "TERM=dumb: neither colours nor rewritten lines" 0 "$(grep -c "$escape" screen)"
on_terminal 80 "$build/cnn_train $run >file 2>&1; mpirun --quiet -np 2 $build/cnn_train $run 2>&1 | cat >pipe; $build/cnn_train --epochs x 2>>file"
same "files and pipes: none" "0 0" "$(grep -c "$escape" file) $(grep -c "$escape" pipe)"
has "which have all of an epoch" '^epoch 3/3  loss .*  lr .*/s  [0-9.]+ s' "$(cat file)"
has "and of a long line" '^ranks 1 on 1 node, .* steps per epoch; .* thread$' "$(cat file)"
finish
