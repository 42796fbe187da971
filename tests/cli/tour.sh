#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The ten commands of the README's tour, as they stand there, but for the number of epochs, on a part of the photos.
. "$(dirname "$0")/lib.sh"
data=${CNN_TEST_DATA:-$source/../shared/data}
photos=$data/cifar10/cifar10-jpeg.tar.xz insects=$data/folders/hymenoptera.tar.xz
weights=$data/models/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5
for file in "$photos" "$insects" "$weights"; do
    [ -r "$file" ] || { echo "skipped: no $file (CNN_TEST_DATA names the folder of real data)" && exit 77; }
done
sed -n '/<!-- tour -->/,/<!-- end -->/s/^    //p' "$source/README.md" | sed -e ':a' -e '/\\$/{N;s/\\\n *//;ba}' \
    >commands
same "ten commands" 10 "$(wc -l <commands)"
tar -xJf "$photos" --wildcards '*/00[0-3][0-9].jpg' && mv cifar10-jpeg photos || exit 1
tar -xJf "$insects" && mv hymenoptera insects && cp "$weights" squeezenet.h5 || exit 1
sed -i 's/--epochs [0-9]*/--epochs 1/' commands
grep -oE '[a-z0-9]+\.(h5|png|keras)$|[a-z]+\.png' commands | grep -v squeezenet | sort -u >files
PATH=$build:$PATH
while read -r command <&3; do
    ends "$command" 0 bash -c "$command"
    grep -oE 'built without [a-z]+' err && echo "skipped: the tour wants it" && exit 77
    case $command in cnn_predict*jpg*) rows=$(cat log) ;; esac
done 3<commands
same "a photo's three likeliest classes" 3 "$(grep -oE '0\.[0-9]{4}' <<<"$rows" | wc -l)"
check "files are named" [ "$(wc -l <files)" -ge 6 ]
while read -r file; do
    check "$file is there" [ -s "$file" ]
    case $file in *.png) same "$file is a picture" "$(printf '\x89PNG')" "$(head -c 4 "$file")" ;; esac
done <files
finish
