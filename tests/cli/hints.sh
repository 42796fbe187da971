#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is allowed but likely to train to nothing is said in one line before a run starts, and nothing of what is usual.
. "$(dirname "$0")/lib.sh"
networks=$source/tests/cli/networks
# floats FILE LOW HIGH [OPTION...]: 60 examples of 4x4 floats between the two.
floats() {
    awk -v low="$2" -v high="$3" 'BEGIN { for (i = 0; i < 60; i++) { printf "%d", i % 3
        for (k = 0; k < 16; k++) printf ",%.9g", low + (high - low) * ((i * 7 + k * 5) % 31) / 30
        print "" } }' >table.csv
    "$build/cnn_import" csv table.csv --label first --shape 4x4x1 --type float32 -o "$1" --quiet "${@:4}" || failed=1
}
# warns WHAT PATTERN ARGUMENT...: one line, which has the pattern; quiet WHAT ARGUMENT...: none.
warns() {
    ranks "${np:-1}" cnn_train "${@:3}" --dry-run >log 2>err || failed=1
    same "$1: one line" 1 "$(wc -l <err)"
    has "$1" "^cnn_train: warning: $2" "$(cat err)"
}
quiet() {
    ranks "${np:-1}" cnn_train "${@:2}" --dry-run >log 2>err || failed=1
    same "$1" "nothing" "$(cat err)nothing"
}

echo "--- the scale of x"
floats pixels.h5 0 255
floats usual.h5 0 1
floats around.h5 -2.5 2.5
floats tiny.h5 0 1e-5
floats far.h5 290 290.01
floats known.h5 0 255 --value-max 255
warns "pixels as floats" 'numbers from 0 to 255 go into the network .--preprocess none.*--preprocess dataset' \
    --data pixels.h5
warns "tiny numbers" 'numbers from 0 to 1e-05 .*differ by almost nothing.*--preprocess dataset' --data tiny.h5
warns "numbers far from 0" 'numbers from 290 to 290\.01 ' --data far.h5
warns "a wrong value_max" 'numbers from 0 to 255 .*--preprocess unit.*--value-max' --data pixels.h5 --preprocess unit
quiet "the right one" --data known.h5 --preprocess unit
quiet "--preprocess dataset" --data pixels.h5 --preprocess dataset
quiet "so for tiny ones" --data tiny.h5 --preprocess dataset
quiet "numbers of 0 to 1" --data usual.h5
quiet "normalized numbers" --data around.h5
quiet "the digits"
quiet "a network that scales pixels" --data pixels.h5 --model mobilenet-v3-small --batch-size 30
warns "which wants pixels" 'numbers from 0 to 1 go into network mobilenet-v3-small, which scales.*0 to 255' \
    --data usual.h5 --model mobilenet-v3-small --batch-size 30
small_data bytes.h5 203
warns "bytes as they are" 'numbers from 0 to 255 .*Leave --preprocess none away' --data bytes.h5 --preprocess none
warns "bytes scaled twice" 'numbers .* which scales.*Leave --preprocess unit away' --data bytes.h5 \
    --model mobilenet-v3-small --batch-size 30 --preprocess unit
quiet "words" --model "$networks/words.json"
train 1 --data pixels.h5 --epochs 1 --batch-size 10 --out run
has "a run says it" 'warning: numbers from 0 to 255 ' "$(cat err)"
train 1 --resume run --epochs 2
same "a resume does not" "nothing" "$(cat err)nothing"
quiet "nor training from weights" --data pixels.h5 --init-from run --batch-size 10

echo "--- batches"
warns "a batch larger than the data" 'there are fewer training examples \(60\) than --batch-size 61:' \
    --data usual.h5 --batch-size 61
quiet "one that takes all" --data usual.h5 --batch-size 60
cat >norm.json <<'END'
{"class_name": "Sequential", "config": {"name": "norm", "layers": [
 {"class_name": "Flatten", "config": {"name": "flat", "batch_input_shape": [null, 4, 4, 1]}},
 {"class_name": "BatchNormalization", "config": {"name": "norm"}},
 {"class_name": "Dense", "config": {"name": "dense", "units": 3, "activation": "softmax"}}]}}
END
np=4 warns "batch norm of one number" 'micro-batches have one example each, .*layer norm\)' --data usual.h5 \
    --model norm.json --batch-size 4
np=2 quiet "of two" --data usual.h5 --model norm.json --batch-size 4

echo "--- networks of another size"
train 1 --model resnet20 --data usual.h5 --batch-size 30 --epochs 1 --out size
fails "weights of another size" 1 'Reshape.*made for 4x4x1: bring the data to that size .--size of cnn_import' \
    ranks 2 cnn_train --init-from size --data bytes.h5 --batch-size 30
fails "images that are too small" 2 'lenet5 takes images of at least 12x12; these are 8x8x1. Make them larger, by --size' \
    ranks 1 cnn_train --model lenet5
finish
