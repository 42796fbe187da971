#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnn_import: exit codes, exactly one line for each failure, and nothing half-written.
set -u
import=$CNN_BUILD_DIR/cnn_import
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

complain() {
    echo "FAILED: $*"
    failed=1
}

# fails CODE TEXT ARGUMENT...: exit code, one line on stderr that has TEXT, nothing on stdout, no new file.
fails() {
    local code=$1 text=$2 before after rc
    shift 2
    before=$(ls)
    "$import" "$@" >stdout 2>stderr
    rc=$?
    [ $rc -eq "$code" ] || complain "$* ended with $rc, not $code"
    [ "$(wc -l <stderr)" -eq 1 ] || complain "$* wrote $(wc -l <stderr) lines: $(cat stderr)"
    grep -q "^cnn_import: error: .*$text" stderr || complain "$*: \"$text\" is not in: $(cat stderr)"
    [ ! -s stdout ] || complain "$* wrote to stdout: $(cat stdout)"
    rm -f stdout stderr
    after=$(ls)
    [ "$before" = "$after" ] || complain "$* left files behind: $after"
}

succeeds() {
    local text=$1
    shift
    "$import" "$@" >stdout 2>stderr || complain "$* ended with $?: $(cat stderr)"
    [ ! -s stderr ] || complain "$* wrote to stderr: $(cat stderr)"
    grep -q "$text" stdout || complain "$*: \"$text\" is not in: $(cat stdout)"
    rm -f stdout stderr
}

# Six images of 2x2 and their labels 0 1 2 0 1 2, plain and packed.
{ printf '\0\0\10\3\0\0\0\6\0\0\0\2\0\0\0\2'; printf 'abcdefghijklmnopqrstuvwx'; } >train-x
printf '\0\0\10\1\0\0\0\6\0\1\2\0\1\2' >train-y
gzip -c train-x >train-x.gz
gzip -c train-y >train-y.gz

succeeds 'examples of 2x2x1 uint8, 3 classes; train 6$' idx train-x train-y -o a.h5
succeeds 'train 6$' idx train-y.gz train-x.gz -o b.h5
succeeds 'train 4 val 2$' idx train-x.gz train-y --output c.h5 --validation-split 0.3 --seed 5
succeeds 'train 6 test 6$' idx train-x train-y --test-images train-x --test-labels train-y.gz -o d.h5
cmp -s a.h5 b.h5 || complain "plain and packed files give different datasets"
succeeds '4 classes' idx train-x train-y -o a.h5 --force --class-names=a,b,c,d

# Images alone, to be predicted; pieces, as many as one likes, in the order in which they are given.
succeeds 'examples of 2x2x1 uint8, no labels; train 6$' idx train-x -o alone.h5
cp train-x other
succeeds 'no labels; train 12$' idx train-x train-x.gz -o e.h5 && rm e.h5
{ printf '\223NUMPY\1\0\166\0'; printf '%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2), }"; printf 'abcdef'; } >v.npy
pieces=()
for i in 10 11 12 13 14 15; do
    { printf '\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\2'; tail -c +17 train-x | tail -c +$((4 * i - 39)) | head -c 4; } >"piece-$i"
    { printf '\0\0\10\1\0\0\0\1'; tail -c +9 train-y | tail -c +$((i - 9)) | head -c 1; } >"labels-$i"
    pieces+=("piece-$i" "labels-$i")
done
succeeds '3 classes; train 6$' idx "${pieces[@]}" -o pieces.h5
cmp -s b.h5 pieces.h5 || complain "12 pieces give another dataset than the whole"
mpirun --quiet -np 3 "$import" idx "${pieces[@]}" -o ranks.h5 --quiet || complain "3 ranks fail"
cmp -s b.h5 ranks.h5 || complain "12 pieces on 3 ranks give another dataset"
fingerprint() { "$CNN_BUILD_DIR/cnn_inspect" "$1" | grep fingerprint; }
succeeds 'examples of 2x2x1 uint8' idx train-x train-y --size 2 -o same.h5
[ "$(fingerprint b.h5)" = "$(fingerprint same.h5)" ] || complain "--size 2 of 2x2 changes pixels"
succeeds 'examples of 5x4x3 uint8, 3 classes; train 6$' idx train-x train-y --size 5x4 --channels 3 -o large.h5
succeeds 'examples of 2x2x1 uint8' idx train-x train-y --size 2 --resize squash --channels 1 -o grey.h5
[ "$(fingerprint b.h5)" = "$(fingerprint grey.h5)" ] || complain "--channels 1 of grey changes pixels"
fails 2 'for images of bytes with 1 or 3 channels; these are 2 of bytes' npy v.npy --size 4 -o e.h5
{ printf '\3'; head -c 3072 /dev/zero; } >train.bin
succeeds 'examples of 16x16x1 uint8' cifar10 train.bin --size 16 --channels 1 -o half.h5
succeeds 'train 20$' cifar10 $(yes train.bin | head -20) -o cifar.h5

fails 2 'KIND is missing'
fails 2 'unknown option' idx --nonsense
fails 2 'png' png train-x train-y -o e.h5
fails 2 -- '--output FILE' idx train-x train-y
fails 2 'no images given' idx -o e.h5
fails 2 -- 'test has images but no labels.*--test-labels FILE' idx train-x train-y --test-images train-x -o e.h5
fails 2 'cannot tell which split other is' idx train-x train-y other -o e.h5
fails 1 'train-x and what follows have 12 images, train-y has 6 labels' idx train-x train-x.gz train-y -o e.h5
fails 2 -- '--validation-split' idx train-x train-y -o e.h5 --validation-split 2
fails 2 'empty name' idx train-x train-y -o e.h5 --class-names a,,b
fails 1 'a.h5 exists already' idx train-x train-y -o a.h5
fails 1 'label 2 of example 2 of train' idx train-x train-y -o e.h5 --class-names a,b
fails 1 'No such file' idx train-x missing -o e.h5
fails 1 'No such file' idx train-x train-y -o missing/e.h5
echo "no idx file" >text
fails 1 'magic number' idx train-x text -o e.h5

head -c 30 train-x >short
fails 1 'should be 40 bytes long by its header, and is 30' idx short train-y -o e.h5
head -c 40 train-x.gz >short.gz
fails 1 'cut off' idx --train-images short.gz --train-labels train-y -o e.h5
head -c 30 train-x | gzip -c >early.gz
fails 1 'early.gz should be 40 bytes long by its header, and is 30 unpacked' idx --train-images early.gz \
    --train-labels train-y -o e.h5
{ cat train-x; echo; } | gzip -c >long.gz
fails 1 'long.gz should be 40 bytes long by its header, and is 41 unpacked' idx --train-images long.gz \
    --train-labels train-y -o e.h5
printf '\0\0\10\1\0\0\0\5\0\1\2\0\1' >five
fails 1 'has 6 images, five has 5 labels' idx --train-images train-x --train-labels five -o e.h5
printf '\0\0\10\3\177\377\377\377\0\0\1\0\0\0\1\0' | gzip -c >huge.gz
fails 1 'huge.gz should be .* and is 16 unpacked' idx --train-images huge.gz --train-labels train-y -o e.h5
cp train-x.gz damaged.gz
printf 'XXXX' | dd of=damaged.gz bs=1 seek=30 conv=notrunc 2>/dev/null
fails 1 'damaged.gz' idx --train-images damaged.gz --train-labels train-y -o e.h5

"$import" --help >stdout || complain "--help ended with $?"
grep -q 'train-images' stdout || complain "--help does not name the options"

exit $failed
