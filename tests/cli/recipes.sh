#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every file of launch/recipes is known to cnn_train, stands in the table of the README, and fits its data where they are found.
. "$(dirname "$0")/lib.sh"
recipes=$source/launch/recipes
data=${CNN_TEST_DATA:-$source/../shared/data}

# idx NAME FOLDER: NAME.h5 of the four idx files of a folder of the test data.
idx() {
    local files=()
    for part in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
        files+=("$data/$2/$part-ubyte.gz")
    done
    [ ! -e "${files[0]}" ] || "$build/cnn_import" idx "${files[@]}" -o "$1.h5" --quiet || failed=1
}
idx mnist mnist
idx fashion-mnist fashion-mnist
for file in "$recipes"/*.json; do
    name=$(basename "$file")
    has "$name is in the table" "^\| \`$name\` \|" "$(cat "$recipes/README.md")"
    needs=$(sed -n 's/^ *"data": "\(.*\)",*$/\1/p' "$file")
    ranks 1 cnn_train --config "$file" --dry-run >log 2>err
    rc=$?
    if [ -n "$needs" ] && [ ! -e "$needs" ]; then
        has "$name: but for the data it is good" "^cnn_train: error: cannot open $needs: .* Check --data" "$(cat err)"
    else
        check "$name: --dry-run" [ $rc -eq 0 ]
        has "$name: has a network and data" '^data: .* training, ' "$(cat log)"
    fi
done
sed 's/"epochs"/"epoch"/' "$recipes/mnist.json" >wrong.json
fails "a word that is none" 2 'wrong.json: unknown option "epoch"; did you mean epochs' \
    ranks 1 cnn_train --config wrong.json --dry-run
finish
