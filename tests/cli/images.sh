#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Photos in folders (ants and bees, with a GIF among them): imported, kept as they are, and trained from directly, to
# the same bits on any number of ranks; compared pixel by pixel with Pillow where CNN_TEST_IMPORT_PYTHON=/path/to/python
# names a Python that has Pillow, numpy and h5py.
. "$(dirname "$0")/lib.sh"
archive=${CNN_TEST_DATA:-$source/../shared/data}/folders/hymenoptera.tar.xz
[ -e "$archive" ] || { echo "skipped: no $archive: set CNN_TEST_DATA" && exit 77; }
tar -xJf "$archive" -C "$work" || exit 1
gif=hymenoptera/train/ants/imageNotFound.gif
if ranks 1 cnn_import images hymenoptera/train/ants -o probe.h5 2>&1 | grep -q 'built without libjpeg'; then
    echo "skipped: built without libjpeg" && exit 77
fi

# ---- import ----

fails "a GIF stops the import" 1 "$gif is a GIF; convert it to JPEG or PNG" \
    ranks 1 cnn_import images hymenoptera -o photos.h5 --size 224
same "nothing is left of it" "hymenoptera" \
    "$(find . -mindepth 1 -maxdepth 1 -not -name log -not -name err -not -name "probe*" -printf %f)"

# imported NAME ARGUMENT...: NAME.h5, the same from three ranks and from two threads.
imported() {
    local name=$1
    shift
    ends "$name: imported" 0 ranks 1 cnn_import images "$@" --on-bad-file skip --threads 1 -o "$name.h5"
    has "$name: the GIF is named" "warning: left out: $gif is a GIF" "$(cat err)"
    has "$name: what it made" 'train 126 val 76$' "$(cat log)"
    check "$name: the GIF is in the attribute, too" grep -aq "$gif is a GIF" "$name.h5"
    ends "$name: three ranks" 0 ranks 3 cnn_import images "$@" --on-bad-file skip --quiet --force -o again.h5
    check "$name: three ranks, the same file" cmp "$name.h5" again.h5
    ends "$name: two threads" 0 ranks 1 cnn_import images "$@" --on-bad-file skip --quiet --threads 2 --force \
        -o again.h5
    check "$name: two threads, the same file" cmp "$name.h5" again.h5
}

# compared FILE.h5 FIT: every pixel of every photo beside Pillow's.
compared() {
    if [ -z "${CNN_TEST_IMPORT_PYTHON:-}" ]; then
        echo "skipped $1 is not compared: CNN_TEST_IMPORT_PYTHON is not set"
    else
        check "$1: Pillow's pixels" "$CNN_TEST_IMPORT_PYTHON" "$source/tests/golden/check_images.py" "$1" hymenoptera \
            "$2"
    fi
}

imported photos hymenoptera --size 224
compared photos.h5 crop
imported small hymenoptera --size 32x40
compared small.h5 crop
imported kept hymenoptera --size 32x40 --keep-encoded
ends "padded, grey" 0 ranks 1 cnn_import images hymenoptera --size 100x60 --resize pad --channels 1 \
    --on-bad-file skip --quiet -o grey.h5
compared grey.h5 pad
ends "squashed" 0 ranks 1 cnn_import images hymenoptera --size 50 --resize squash --on-bad-file skip --quiet \
    -o squashed.h5
compared squashed.h5 squash
fails "an unknown fit" 2 'resize' ranks 1 cnn_import images hymenoptera --resize bend -o new.h5
fails "a size that is none" 2 'size 12x' ranks 1 cnn_import images hymenoptera --size 12x -o new.h5
fails "no pictures" 1 'holds no pictures' ranks 1 cnn_import images "$source/src/base" -o new.h5

# A photo cut in half.
cp -r hymenoptera cut
rm cut/train/ants/imageNotFound.gif
photo=$(find cut/val/bees -name '*.jpg' | sort | head -1)
head -c 20000 "$photo" >half && mv half "$photo"
fails "a cut photo stops the import" 1 "$photo is damaged" ranks 1 cnn_import images cut --size 32 -o cut.h5
ends "or is left out" 0 ranks 1 cnn_import images cut --size 32 --on-bad-file skip -o cut.h5
has "and named" "warning: left out: $photo is damaged" "$(cat err)"
has "the rest is there" 'train 126 val 75$' "$(cat log)"

# ---- training ----

options=(--model lenet5 --epochs 2 --batch-size 24 --micro-batches 3 --quiet)
size=(--size 32x40)
weights() { digest "$1" | head -1; }
ends "a large picture and no --model" 0 ranks 1 cnn_train --data small.h5 --dry-run
has "is made small, which is said" 'warning: no --model is given: digits-net is taken' "$(cat err)"
train 1 --data small.h5 "${options[@]}" --out decoded
train 2 --data kept.h5 "${options[@]}" --out encoded
same "kept photos train to the same weights as imported ones" "$(weights decoded)" "$(weights encoded)"
rm "$gif"
train 1 --data hymenoptera "${size[@]}" "${options[@]}" --out folder1
train 3 --data hymenoptera "${size[@]}" "${options[@]}" --out folder3
same "the folder does, too" "$(weights decoded)" "$(weights folder1)"
same "on three ranks, too" "$(digest folder1)" "$(digest folder3)"
same "the same epochs" "$(metrics decoded)" "$(metrics folder3)"

# A resume knows the size by itself, and that the data are others.
ends "two epochs more" 0 ranks 2 cnn_train --resume folder3 --epochs 3 --quiet
train 1 --data hymenoptera "${size[@]}" "${options[@]}" --epochs 3 --out three
same "a resume from the folder" "$(weights three)" "$(weights folder3)"
fails "another size" 2 'size' ranks 1 cnn_train --resume folder1 --size 64 --epochs 4

# Fine-tuning: size, rule and colours are those of the network that it begins with.
grey=(--epochs 1 --batch-size 24 --micro-batches 3 --quiet)
train 1 --data grey.h5 --model lenet5 "${grey[@]}" --out grey
train 1 --data grey.h5 --init-from grey "${grey[@]}" --out tuned1
train 2 --data hymenoptera --init-from grey "${grey[@]}" --out tuned2
same "fine-tuned from the folder as from what was imported for the network" "$(weights tuned1)" "$(weights tuned2)"
ends "and resumed" 0 ranks 1 cnn_train --resume tuned2 --epochs 2 --quiet
# brought SIZE ARGUMENT...: what cnn_train does with the photos.
brought() {
    local size=$1
    shift
    ends "brought to $size: $*" 0 ranks 1 cnn_train --data hymenoptera --dry-run "$@"
    has "brought to $size" "^x \(input\) +$size " "$(cat log)"
}
brought 100x60x1 --init-from grey
has "which is said" '^pictures: brought to 100x60x1, the size of lenet5; --size says another$' "$(cat log)"
brought 48x48x1 --init-from grey --size 48 --allow-mismatch
check "--size needs no words" test "$(grep -c '^pictures:' log)" = 0
brought 32x40x3 --model folder1/final.h5
brought 32x40x3 --model folder1/final.h5 --init-from grey --allow-mismatch
brought 28x28x3 --model lenet5
brought 224x224x3

# The network says what it takes, and how its classes are called.
ranks 1 cnn_evaluate decoded --split val >decoded.txt 2>err
ranks 2 cnn_evaluate folder1 --split val >folder.txt 2>err
same "evaluated on the folder" "$(cat decoded.txt)" "$(cat folder.txt)"
ranks 1 cnn_evaluate folder1 --split test --data hymenoptera/val >split.txt 2>err
same "folders of classes alone are the split that is asked for" "$(sed 's/^val:/test:/' decoded.txt)" "$(cat split.txt)"
mkdir -p bees && cp -r hymenoptera/val/bees bees/
ranks 1 cnn_evaluate folder1 --split test --data bees >bees.txt 2>err
has "one class alone keeps its number" '^bees +[0-9.]+ +[0-9.]+ +[0-9.]+ +38$' "$(cat bees.txt)"
mkdir -p other/wasps && cp "$(find hymenoptera/val/bees -name '*.jpg' | head -1)" other/wasps/
fails "a class that the network does not know" 1 'wasps' ranks 1 cnn_evaluate folder1 --split test --data other

fails "a cut photo ends the training, with its name" 1 "$photo is damaged" \
    ranks 1 cnn_train --data cut --size 32 --model lenet5 --epochs 1 --quiet --out new
fails "--size for data that are decoded" 2 'size is for' ranks 1 cnn_train --data small.h5 --size 64 "${options[@]}" \
    --out new2
finish
