#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The same losses, metrics, weights and training state, to the last bit, on 1, 2, 3, 5 and 8 ranks.
. "$(dirname "$0")/lib.sh"
networks=$source/tests/cli/networks
small_data small.h5 203

# invariant WHAT OPTION...: trains on each number of ranks and compares all with the first.
invariant() {
    local what=$1 p
    shift
    for p in 1 2 3 5 8; do
        train $p --micro-batches 8 --seed 1 --epochs 3 --out "run-$p" --overwrite "$@"
        if [ $p = 1 ]; then
            local lines digests rows
            lines=$(losses) digests=$(digest run-1) rows=$(metrics run-1)
            has "$what: three epochs with a loss" '^epoch 3/3  loss [0-9]' "$lines"
            continue
        fi
        same "$what: lines of $p ranks" "$lines" "$(losses)"
        same "$what: digests of $p ranks" "$digests" "$(digest run-$p)"
        same "$what: metrics.csv of $p ranks" "$rows" "$(metrics run-$p)"
    done
}

# Last batches of 1, 7, 5 of 1,259 examples; of 203: 3, 5 or so, and batches smaller than the micro-batches' number.
invariant "dropout" --model "$networks/dropout.json" --batch-size 37
invariant "batch normalization" --model "$networks/batchnorm.json" --batch-size 313
invariant "shared layer, two outputs, L2" --model "$networks/shared.json" --batch-size 114 --loss-weights 0.3,1
invariant "digits-net, backend ref" --data small.h5 --batch-size 50 --backend ref
invariant "validation split, no shuffle" --model "$networks/batchnorm.json" --data small.h5 --validation-split 0.15 \
    --batch-size 24 --no-shuffle --optimizer adamw --clip-norm 0.5
invariant "LAMB, averaged weights, noise, rates by layer" --model "$networks/batchnorm.json" --data small.h5 \
    --batch-size 50 \
    --validation-split 0.15 --optimizer lamb --lr 0.01 --weight-decay 0.1 --average-weights 0.9 --gradient-noise 0.01 \
    --layer-decay 0.7 --schedule cosine-restarts --decay-epochs 1
invariant "words" --model "$networks/words.json" --data small.h5 --batch-size 50 --preprocess none
invariant "volumes" --model "$networks/volume.json" --data small.h5 --batch-size 50
invariant "batches of 6 for 8 micro-batches" --model "$networks/dropout.json" --data small.h5 --batch-size 6
has "ranks without examples are told" \
    'warning: a step has 6 examples, as --batch-size is that of all ranks together: 2 of 8 ranks have nothing to do' "$(cat err)"
invariant "augmentation" --model "$networks/dropout.json" --data small.h5 --batch-size 50 \
    --augment flip,crop=1,rotate=20,noise=0.05,trivial --validation-split 0.15

ranks 1 cnn_evaluate run-1 --data small.h5 --split train --json >expected
has "evaluation counts each example once" '"examples": 203' "$(cat expected)"
same "evaluation takes the run's own data" "$(cat expected)" "$(ranks 2 cnn_evaluate run-1 --split train --json)"
for p in 2 3 5 8; do
    same "evaluation on $p ranks" "$(cat expected)" \
        "$(ranks $p cnn_evaluate run-1 --data small.h5 --split train --json)"
done

# Without a fixed number of micro-batches bits follow the number of ranks: the comparison above can fail.
for p in 1 2; do train $p --seed 1 --epochs 1 --model "$networks/dropout.json" --batch-size 37 --out "free-$p"; done
differs "without --micro-batches digests differ" "$(digest free-1)" "$(digest free-2)"
finish
