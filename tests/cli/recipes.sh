#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every network and every file of launch/recipes stands in the table of its README, and each command of the table fits
# its network and data: of other examples here, but of the same sizes.
. "$(dirname "$0")/lib.sh"
recipes=$source/launch/recipes
weights=squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5

# number N...: as idx files have them, 4 bytes each.
number() {
    local n
    for n in "$@"; do byte $((n >> 24)) $((n >> 16 & 255)) $((n >> 8 & 255)) $((n & 255)); done
}

# stand_in NAME CLASSES HEIGHT WIDTH CHANNELS: NAME.h5, 256 black images for training and for the test.
stand_in() {
    { byte 0 0 8 4 && number 256 "$3" "$4" "$5" && head -c $((256 * $3 * $4 * $5)) /dev/zero; } >images
    { byte 0 0 8 1 && number 256 && byte $(seq 256 | awk -v k="$2" '{ print $1 % k }'); } >labels
    "$build/cnn_import" idx --train-images images --train-labels labels --test-images images --test-labels labels \
        -o "$1.h5" --quiet || failed=1
}
stand_in mnist 10 28 28 1
stand_in fashion-mnist 10 28 28 1
stand_in cifar10 10 32 32 3
stand_in cifar10-4k 10 32 32 3
stand_in cifar10-80 10 80 80 3
stand_in hymenoptera 2 224 224 3
stand_in ecg200 2 96 1 1
stand_in fsdd 10 98 40 1
stand_in words 2 16 1 1
stand_in videos 4 16 32 32
awk 'BEGIN { for (i = 0; i < 300; i++) { for (k = 0; k < 64; k++) printf "%d,", i * k % 17; print i % 10 } }' \
    >table-train.csv
"$build/cnn_import" csv table-train.csv --label last -o digits-table.h5 --quiet || failed=1

# The table's rows: network|command|result; the command is what stands behind `cnn_train --config launch/recipes/`.
rows=$(sed -n 's/^| `\([a-z0-9.-]*\)` | [^|]* | `\([^`]*\)` | \([^|]*\) |.*/\1|\2|\3/p' "$recipes/README.md")
for file in "$recipes"/*.json; do
    name=$(basename "$file")
    check "$name is in the table" grep -qE "\|${name//./\\.}( |\|)" <<<"$rows"
done
for network in $("$build/cnn_train" --list-models | sed -n 's/^\([a-z0-9.-]*\) .* parameters .*/\1/p'); do
    check "$network is in the table" grep -qE "^${network//./\\.}\|.*\|([0-9]+\.[0-9].* %|not measured$)" <<<"$rows"
done
while IFS='|' read -r network command _; do
    if [[ $command == *$weights* ]]; then
        ln -sf "$(realpath "${CNN_TEST_DATA:-$source/../shared/data}")/models/$weights" .
        [ -e "$weights" ] || { echo "without $weights: $network is skipped" && continue; }
    fi
    # shellcheck disable=SC2086
    ends "$network: $command" 0 ranks 1 cnn_train --config "$recipes/"$command --dry-run
    same "$network: it is that network" "$network" "$(grep -B1 -m1 '^layer (operation)' log | head -1)"
    has "$network: its data" '^data: .* training, ' "$(cat log)"
done <<<"$rows"
sed 's/"epochs"/"epoch"/' "$recipes/mnist.json" >wrong.json
fails "a word that is none" 2 'wrong.json: unknown option "epoch"; did you mean epochs' \
    ranks 1 cnn_train --config wrong.json --dry-run
finish
