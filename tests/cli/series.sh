#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Series, sentences and videos: networks for them learn, read the data as they are, refuse what is for images, and come
# back from their files.
. "$(dirname "$0")/lib.sh"

# sentences SEED N: lines of a class and 12 words' numbers, 0 behind the end; "not" turns round what the adjective says.
#   1 to 4 articles, 5 to 9 nouns, 10 to 12 verbs, 13, 14 not, never, 15 to 18 adverbs, 19 to 22 good, 23 to 26 bad
sentences() {
    awk -v seed="$1" -v n="$2" 'function word(first, last) { return "," first + int(rand() * (last - first + 1)) }
        BEGIN { srand(seed); for (i = 0; i < n; i++) {
            positive = rand() < 0.5; turned = rand() < 0.5
            line = (rand() < 0.5 ? word(15, 18) : "") word(1, 4) word(5, 9) word(10, 12)
            line = line (turned ? word(13, 14) : "") (positive != turned ? word(19, 22) : word(23, 26))
            line = line (rand() < 0.5 ? word(10, 12) word(1, 4) word(5, 9) : "")
            count = gsub(",", ",", line)
            while (count++ < 12) line = line ",0"
            print positive line } }'
}

# waves SEED N: lines of a class and 48 samples: a sine, or its sign, of any phase, with noise.
waves() {
    awk -v seed="$1" -v n="$2" 'BEGIN { srand(seed); for (i = 0; i < n; i++) {
        class = rand() < 0.5; phase = 6.28 * rand(); line = class
        for (t = 0; t < 48; t++) { y = sin(phase + t / 3); line = line " " (class ? (y > 0) - (y < 0) : y) + 0.2 * (rand() - 0.5) }
        print line } }'
}

# accuracy: of the last test in ./log, in per cent.
accuracy() {
    sed -n 's/^test: .* accuracy \([0-9.]*\) .*/\1/p' log | awk '{ print int(100 * $1) }'
}

sentences 1 400 >train.csv
sentences 2 200 >test.csv
"$build/cnn_import" csv --train train.csv --test test.csv --label first --type float32 --value-max 26 -o words.h5 \
    --quiet ||
    failed=1
train 1 --data words.h5 --model text-cnn --epochs 8 --out words
check "text-cnn learns: $(accuracy) %" [ "$(accuracy)" -ge 95 ]
has "its layers, as series" '^conv4 \(conv1d\) +9x100 ' "$(cat log)"
has "as many rows as words" '^embedding \(embedding\) +12x300 +8,100$' "$(cat log)"
same "evaluated again" "$(accuracy)" "$(ranks 1 cnn_evaluate words -c last >log && accuracy)"
ends "exported" 0 "$build/cnn_export" words -c last -o words.keras
same "the file of Keras: the same" "$(ranks 1 cnn_evaluate words -c last >log && accuracy)" \
    "$(ranks 1 cnn_evaluate words.keras --data words.h5 --preprocess none >log 2>err && accuracy)"
fails "words have no size" 2 'augment' ranks 1 cnn_train --data words.h5 --model text-cnn --augment noise=0.1 --dry-run
fails "words are not scaled" 2 'preprocess would change the whole numbers' \
    ranks 1 cnn_train --data words.h5 --model text-cnn --preprocess unit --dry-run
fails "words are not mixed" 2 'mixup would change the whole numbers' \
    ranks 1 cnn_train --data words.h5 --model text-cnn --mixup 0.2 --dry-run
"$build/cnn_export" words -o words.json >log || failed=1
sed 's/"input_dim": *27/"input_dim":20/' words.json >few.json
fails "a word without a row" 1 'words.h5: /train/x has 2[0-6] in example [0-9]+, but the Embedding .* from 0 to 19' \
    ranks 2 cnn_train --data words.h5 --model few.json --dry-run
sed 's/"input_dim": *27/"mask_zero":true,"input_dim":27/' words.json >masks.json
fails "masks" 1 'mask_zero: true is not supported' ranks 1 cnn_train --data words.h5 --model masks.json --dry-run

waves 1 240 >waves_TRAIN.txt
waves 2 80 >waves_TEST.txt
"$build/cnn_import" series waves_TRAIN.txt waves_TEST.txt -o waves.h5 --quiet || failed=1
train 1 --data waves.h5 --model fcn-1d --epochs 6 --out waves
check "fcn-1d learns: $(accuracy) %" [ "$(accuracy)" -ge 90 ]
has "its layers by their names" '^pool \(global_average_pool1d\) +128 ' "$(cat log)"
fails "series are no images" 2 'augment flip is for images|augment changes images' \
    ranks 1 cnn_train --data waves.h5 --model fcn-1d --augment flip --dry-run
fails "nor for a network of images" 2 'lenet5 takes images, .*; an example is 48x1' \
    ranks 1 cnn_train --data waves.h5 --model lenet5 --dry-run
fails "colour images are no series" 2 'fcn-1d takes series, length x channels; an example is 8x8' \
    ranks 1 cnn_train --model fcn-1d --dry-run --data "$source/tests/golden/training/data.h5"

train 1 --data "$source/datasets/digits.h5" --model "$source/tests/cli/networks/volume.json" --epochs 6 \
    --optimizer adam --lr 0.01 --out volume
check "Conv3D learns: $(accuracy) %" [ "$(accuracy)" -ge 50 ]
has "its layers, as volumes" '^max \(max_pool3d\) +2x2x2x8 ' "$(cat log)"
finish
