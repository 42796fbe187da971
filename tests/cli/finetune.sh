#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A trained network goes on with other classes: heads are replaced, layers freeze and thaw, and the report says what
# became of each tensor.
. "$(dirname "$0")/lib.sh"
networks=$source/tests/cli/networks

# five_classes FILE HEIGHT WIDTH: 203 images of 5 classes.
five_classes() {
    { byte 0 0 8 3 0 0 0 203 0 0 0 "$2" 0 0 0 "$3" && tail -c $(($2 * $3 * 203)) "$source/datasets/digits.h5"; } >images
    { byte 0 0 8 1 0 0 0 203 && byte $(seq 1 203 | awk '{ print $1 * 7 % 5 }'); } >labels
    "$build/cnn_import" idx images labels -o "$1" --quiet || failed=1
}
# The digest of the weights in front of the head of a run.
body() {
    rm -f headless.h5
    "$build/cnn_export" "$1" -o headless.h5 --without-head >/dev/null && "$build/cnn_inspect" headless.h5 --digest \
        | grep weights
}
five_classes five.h5 8 8
small_data ten.h5 203
train 2 --epochs 2 --out base
train 2 --model "$networks/batchnorm.json" --data ten.h5 --batch-size 30 --epochs 2 --preprocess dataset --out norm
tune=(--data five.h5 --init-from base --batch-size 30)

echo "--- the report"
train 2 "${tune[@]}" --epochs 1 --freeze-until dense --out frozen
has "new head" '^head: predictions \(Dense\) starts anew: 10 -> 5 classes$' "$(cat log)"
has "preprocessing comes along" '^preprocess unit: as in base$' "$(cat log)"
has "summary" '^weights: 6 tensors from base/best.h5: 6 by name, 2 new, 2 of the file skipped; 4 frozen$' "$(cat log)"
has "new tensors" '^  new: predictions/kernel 50x5, predictions/bias 5$' "$(cat log)"
has "skipped tensors" '^  skipped: predictions/kernel 50x10, predictions/bias 10$' "$(cat log)"
has "frozen tensors" '^  frozen: 2 layers with weights, conv1 to conv2: 5280 of 21585 parameters$' "$(cat log)"
train 1 "${tune[@]}" --epochs 1 --freeze-until dense --dry-run
has "--dry-run has it too" '^weights: 6 tensors from base/best.h5: 6 by name, 2 new' "$(cat log)"
train 1 "${tune[@]}" --epochs 1 --freeze-until dense --verbose --out said
has "table: loaded and frozen" '^  conv1/kernel +5x5x1x10 +by name +frozen  conv1/kernel$' "$(cat log)"
has "table: loaded" '^  dense/bias +50 +by name +dense/bias$' "$(cat log)"
has "table: new" '^  predictions/bias +5 +new *$' "$(cat log)"
has "table: skipped" '^  predictions/bias +10 +skipped *$' "$(cat log)"
train 1 --init-from base --epochs 1 --out kept
has "the same classes: the head is kept" '^  head kept: predictions$' "$(cat log)"
train 1 --init-from base --epochs 1 --new-head --out anew
has "--new-head" '^head: predictions \(Dense\) starts anew: 10 -> 10 classes$' "$(cat log)"
train 1 "${tune[@]}" --epochs 1 --classes 7 --out seven
has "--classes" '^head: predictions \(Dense\) starts anew: 10 -> 7 classes$' "$(cat log)"
train 1 --data five.h5 --init-from norm --epochs 1 --out along
has "mean and deviation come along" '^preprocess dataset: as in norm$' "$(cat log)"
train 1 --config along/config.json --out same
same "they do with config.json, too: digest" "$(digest along)" "$(digest same)"
auto=(--data five.h5 --init-from norm --epochs 1 --resume auto)
ends "a chain of jobs from a file begins" 75 ranks 1 cnn_train "${auto[@]}" --max-time 0.0001
ends "with another head it begins anew" 75 ranks 1 cnn_train "${auto[@]}" --new-head --max-time 0.0001
has "in a folder of its own" 'run folder: checkpoints/norm-five-2' "$(cat log)"
train 1 "${auto[@]}"
has "and goes on" '^resuming checkpoints/norm-five-1/' "$(cat log)"
same "with the same mean and deviation: digest" "$(digest along)" "$(digest checkpoints/norm-five-1)"

echo "--- frozen layers"
train 2 "${tune[@]}" --epochs 3 --freeze 'conv*,dense' --out body
same "no bit of them changes" "$(body base)" "$(body body)"
train 2 "${tune[@]}" --epochs 3 --out all
differs "others change" "$(body base)" "$(body all)"
train 2 --data five.h5 --init-from norm --batch-size 30 --epochs 3 \
    --freeze-until "$(sed -n 's/.*"name": *"\([^"]*\)".*/\1/p' "$networks/batchnorm.json" | tail -1)" --out still
same "batch normalisation stands still" "$(body norm)" "$(body still)"
check "a checkpoint has no state of them" [ "$(stat -c %s body/final.h5)" -lt "$(stat -c %s all/final.h5)" ]

echo "--- thawed layers"
phases=("${tune[@]}" --micro-batches 5 --epochs 4 --optimizer adam --freeze-until dense --unfreeze 'conv2@2,conv*@4')
train 3 "${phases[@]}" --checkpoint-steps 3 --keep 100 --out whole
has "first" '^unfrozen: 21325 parameters are trained from epoch 2 on, before 16305; ' "$(cat log)"
has "second" '^unfrozen: 21585 parameters are trained from epoch 4 on, before 21325; ' "$(cat log)"
expected=$(digest whole)
train 1 "${phases[@]}" --checkpoint-steps 3 --keep 100 --out single
same "one rank: digest" "$expected" "$(digest single)"
for step in 06 07 09 14 21 24; do
    [ -e whole/step-000000$step.h5 ] || continue
    cp -r whole part
    train 2 --resume part/step-000000$step.h5
    same "from step $step on 2 ranks: digest" "$expected" "$(digest part)"
    rm -r part
done

has "a word that does nothing" 'warning: --unfreeze dense@1 does nothing: no such layer is frozen' \
    "$(ranks 2 cnn_train "${tune[@]}" --epochs 2 --freeze conv1 --unfreeze dense@1,conv1@2,conv1@3 --out idle 2>&1 | tee both)"
has "an epoch that is not reached" 'warning: --unfreeze conv1@3 does nothing: --epochs is 2' "$(cat both)"
same "the other word does something" 2 "$(grep -c warning both)"
has "one frozen layer" '^  frozen: 1 layer with weights, conv1: 260 of 21585 parameters$' "$(cat both)"
train 1 --data five.h5 --freeze conv1 --batch-size 30 --epochs 1 --out random
has "random frozen layers are mentioned" '^frozen layers keep their random weights' "$(cat log)"

weights() {
    digest "$1/final.h5" | grep weights
}
stays=("${tune[@]}" --optimizer adam --epochs 3 --freeze conv1)
train 1 "${stays[@]}" --out never
train 1 "${stays[@]}" --unfreeze conv1@2 --lr-multiplier conv1=0 --out thawed
has "thawed, at the rate 0" '^unfrozen: 21585 parameters are trained from epoch 2 on, before 21325; ' "$(cat log)"
same "weights and slots of the others go over" "$(weights never)" "$(weights thawed)"

echo "--- another size of images"
five_classes wide.h5 4 8
train 1 --data wide.h5 --init-from base --epochs 1 --out wide
has "the network takes it" '^input: the network takes 4x8x1 now, as the data are$' "$(cat log)"
train 1 --model "$networks/dense.json" --data ten.h5 --batch-size 30 --epochs 1 --out flat

echo "--- a network without its weights"
train 1 --model base/best.h5 --epochs 1 --lr 1e-30 --optimizer sgd --out random-start
has "is told" '^network of base/best.h5, without its weights; --init-from base/best.h5 goes on from these$' "$(cat log)"
differs "and true" "$(digest base/best.h5 | head -1)" "$(digest random-start | head -1)"

echo "--- mistakes"
new=("${tune[@]}" --out new)
fails "another shape behind Flatten" 1 'hidden/kernel .* made for images of 8x8x1' ranks 1 cnn_train --data wide.h5 \
    --init-from flat --out new
fails "fewer classes than the data" 2 'five.h5 has 5 classes' ranks 2 cnn_train "${new[@]}" --classes 4
fails "no such layer" 2 'freeze: network digits-net has no such layer. Near: |--freeze conx1: .* Near: conv1' \
    ranks 2 cnn_train "${new[@]}" --freeze conx1
fails "no such layer to freeze until" 2 '--freeze-until fc: .*no such layer' ranks 2 cnn_train "${new[@]}" \
    --freeze-until fc
fails "no such layer to thaw" 2 '--unfreeze fc: .*no such layer' ranks 2 cnn_train "${new[@]}" --unfreeze fc@2
fails "no epoch to thaw at" 2 '--unfreeze conv1: must be LAYER@EPOCH' ranks 1 cnn_train "${new[@]}" --unfreeze conv1
fails "a profile over phases" 2 'profile and --unfreeze exclude' ranks 1 cnn_train --resume whole --epochs 9 \
    --profile new
fails "nothing left to train" 2 'nothing is left to train' ranks 2 cnn_train "${new[@]}" --freeze '*'
fails "dropout for a head that is there" 2 '--head-dropout is for networks without a head' \
    ranks 1 cnn_train "${new[@]}" --head-dropout 0.5
fails "options without --init-from" 2 '--new-head needs --init-from' ranks 1 cnn_train --new-head --out new
fails "another network" 1 '--allow-mismatch' ranks 1 cnn_train --model "$networks/batchnorm.json" --data ten.h5 \
    --init-from base --out new
fails "freezing more on resume" 2 'freeze' ranks 1 cnn_train --resume whole --freeze conv1
check "nothing was written" [ ! -e new ]
train 1 --data wide.h5 --init-from flat --allow-mismatch --epochs 1 --batch-size 30 --out mixed
has "--allow-mismatch" '^  new: hidden/kernel 2048x3072, hidden/bias 3072, predictions/kernel 3072x5,' "$(cat log)"
finish
