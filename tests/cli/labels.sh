#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Mixed examples, weights of classes and examples, stochastic depth and losses of pairs: the same bits on any number of
# ranks and after a resume; they learn; and what makes no sense is refused.
. "$(dirname "$0")/lib.sh"
networks=$source/tests/cli/networks
small_data small.h5 203

# invariant WHAT OPTION...: trains on 1, 2, 3, 5 ranks, and from the middle of the first epoch on 2 ranks.
invariant() {
    local what=$1 p
    shift
    train 1 --data small.h5 --micro-batches 5 --seed 1 --epochs 2 --checkpoint-steps 3 --keep 100 --out run-1 \
        --overwrite "$@"
    local lines expected
    lines=$(losses) expected=$(digest run-1)
    has "$what: two epochs with a loss" '^epoch 2/2  loss -?[0-9]' "$lines"
    for p in 2 3 5; do
        train $p --data small.h5 --micro-batches 5 --seed 1 --epochs 2 --out run-p --overwrite "$@"
        same "$what: lines of $p ranks" "$lines" "$(losses)"
        same "$what: digests of $p ranks" "$expected" "$(digest run-p)"
    done
    train 2 --resume run-1/step-00000003.h5
    same "$what: resumed at step 3" "$expected" "$(digest run-1)"
}

# Batches of 37: the last one of an epoch has 18 examples.
invariant "mixup, cutmix, balanced classes, stochastic depth" --model resnet20 --batch-size 37 --mixup 0.2 --cutmix 1 \
    --mixup-prob 0.8 --class-weights balanced --label-smoothing 0.1 --stochastic-depth 0.5
invariant "triplet loss" --model digits-net --classes 16 --batch-size 50 --loss triplet --margin 0.3 \
    --class-weights 3=2,7=0.5
ranks 1 cnn_evaluate run-1 --split train --json >expected
same "evaluation on 3 ranks" "$(cat expected)" "$(ranks 3 cnn_evaluate run-1 --split train --json)"

echo "--- what is off changes nothing; what is on does"
plain=(--model "$networks/dropout.json" --data small.h5 --seed 1 --epochs 1 --batch-size 50)
train 1 "${plain[@]}" --out plain
train 1 "${plain[@]}" --class-weights 0=1 --out ones
same "weights of 1" "$(digest plain | head -1)" "$(digest ones | head -1)"
for option in "--class-weights 0=2" "--mixup 1" "--cutmix 1" "--dropout 0" "--dropout 0.7"; do
    train 1 "${plain[@]}" $option --out other --overwrite
    differs "$option" "$(digest plain)" "$(digest other)"
done
train 1 "${plain[@]}" --mixup 1 --mixup-prob 0 --out never
has "no batch is mixed: the same loss" "$(grep -o 'loss [0-9.]*' <<<"$(train 1 "${plain[@]}" --out again && losses)" |
    head -1 | cut -c1-10)" "$(train 1 "${plain[@]}" --mixup 1 --mixup-prob 0 --out never --overwrite && losses)"

norm=(--model "$networks/batchnorm.json" --data small.h5 --seed 1 --epochs 1 --batch-size 50)
train 1 "${norm[@]}" --out norm
expected=$(losses)
train 1 "${norm[@]}" --batch-norm-momentum 0.5 --out quick
same "training does not read moving statistics" "$expected" "$(losses)"
differs "--batch-norm-momentum" "$(digest norm | head -1)" "$(digest quick | head -1)"
check "it stands in the network" grep -aq '"momentum": *0.5' quick/final.h5

echo "--- a triplet loss learns: neighbours in the test data are of one class"
train 1 --model digits-net --classes 8 --loss triplet --epochs 8 --seed 1 --out pairs
accuracy=$(grep -o 'test: loss [0-9.e-]* accuracy [0-9.]*' log | cut -d' ' -f5)
check "accuracy of neighbours $accuracy" [ "${accuracy%.*}${accuracy:2:2}" -ge 85 ]
check "an embedding has no softmax" [ "$(grep -ac '"softmax"' pairs/final.h5)" -eq 0 ]
check "a network for classes has one" grep -aq '"softmax"' plain/final.h5

echo "--- what makes no sense"
bad() { fails "$1" 2 "$2" ranks 2 cnn_train "${plain[@]}" --out bad "${@:3}"; }
echo '{"3": -1}' >weights.json
echo '[1, 2]' >list.json
bad "mixup below 0" 'mixup -1' --mixup -1
bad "mixup-prob alone" 'mixup-prob needs --mixup or --cutmix' --mixup-prob 0.5
bad "a class that is not there" 'no class 12' --class-weights 12=3
bad "no weight" '"3" is not CLASS=WEIGHT' --class-weights 3
bad "a negative weight" 'class 3 is no number' --class-weights weights.json
bad "weights as a list" 'list.json: not a JSON object' --class-weights list.json
bad "no such file" 'no.json' --class-weights no.json
bad "a focal loss's option" 'focal-gamma has no meaning with --loss auto' --focal-gamma 1
bad "margin" 'margin has no meaning' --margin 1
bad "mixed pairs" 'mixed example has no class' --loss triplet --mixup 0.2
bad "stochastic depth of a file" 'stochastic-depth is for the networks' --stochastic-depth 0.2
fails "stochastic depth without blocks" 2 'no residual blocks' ranks 1 cnn_train --model digits-net \
    --stochastic-depth 0.2 --out bad
fails "dropout without layers" 2 'has no Dropout layer' ranks 1 cnn_train --model "$networks/batchnorm.json" \
    --dropout 0.2 --out bad
fails "momentum without layers" 2 'has no BatchNormalization layer' ranks 1 cnn_train --model digits-net \
    --batch-norm-momentum 0.5 --out bad
check "nothing was written" [ ! -e bad ]
finish
