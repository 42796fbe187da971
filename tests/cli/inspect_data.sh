#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnn_inspect of a dataset: tables of at most 80 columns, JSON, copies across splits, what an import left out, sheets.
. "$(dirname "$0")/lib.sh"
inspect=$build/cnn_inspect

cat >train.csv <<'END'
a class whose name is much longer than the room that the table has for it,0,10,4,20
b,9,9,9,9
a class whose name is much longer than the room that the table has for it,0,10,4,20
b,x,2,3,4
c,1,2,3,4
END
printf 'b,0,10,4,20\nc,5,5,5,5\n' >test.csv
"$build/cnn_import" csv train.csv test.csv --label first --shape 2x2x1 --type uint8 --on-bad-file skip -o a.h5 \
    --origin "made by a test, with a text that goes on and on until it is longer than one line of a terminal" >log 2>err
has "the import names what it left out" 'left out: .*train.csv:4, column 2: "x" is no number' "$(cat err)"
text=$("$inspect" a.h5)
has "shape" '^  x 2x2x1 uint8, up to 255$' "$text"
has "classes of each split" '^      1 b +1 +1$' "$text"
has "an empty class" '^  test: 1 class has no examples, first class 0$' "$text"
has "imbalance" '^  train: the largest class has 2.00 times' "$text"
has "ranges" '^  train +0 +20 +[0-9.]+ +[0-9.]+$' "$text"
has "copies within" '^  1 examples of train repeat others of train$' "$text"
has "copies across" '^  1 examples of test are also in train$' "$text"
has "which" '^    test 0 = train 0, with another label$' "$text"
has "what was left out" 'left out by cnn_import: 1$' "$text"
check "no line is longer than a terminal" [ -z "$(awk 'length > 80' <<<"$text" | grep -v 'train.csv:4')" ]
json=$("$inspect" a.h5 --json)
same "--json is one line" 1 "$(wc -l <<<"$json")"
has "JSON: copies" '"also_in_train": 1' "$json"
has "JSON: classes" '"class": 1, "name": "b", "train": 1, "test": 1' "$json"
has "JSON: channels" '"channels": \[\{"min": 0.0, "max": 20.0' "$json"
quick=$("$inspect" a.h5 --quick)
check "--quick does not read x" eval '! grep -qE "deviation|repeat" <<<"$quick"'
has "--quick counts classes" '^      2 c +1 +1$' "$quick"
if "$inspect" a.h5 --png sheet.png >log 2>err; then
    check "a sheet is a PNG" [ "$(head -c 4 sheet.png | tail -c 3)" = PNG ]
    same "which is said, after the figures" "$text
written: sheet.png" "$(cat log)"
    same "with --json the figures alone" "$json" "$("$inspect" a.h5 --json --png again.png)"
    check "the same sheet" cmp sheet.png again.png
    same "with --augment the sheet alone" "written: flipped.png" "$("$inspect" a.h5 --augment flip --png flipped.png)"
    digits=$source/datasets/digits.h5
    for count in 150 1000; do
        ends "--augment, $count rows" 0 "$inspect" "$digits" --augment flip --count $count --png many.png
    done
    printf 'path,label,split\nsheet.png,cat,train\nflipped.png,dog,train\nagain.png,cat,test\n' >list.csv
    if listed=$("$inspect" list.csv 2>err); then
        has "a list of pictures" '^ +0 cat +1 +1$' "$listed"
        has "with copies across" '^  1 examples of test are also in train$' "$listed"
    else
        has "no pictures without the library" 'built without' "$(cat err)"
    fi
else
    has "no sheet without the libraries" 'built without' "$(cat err)"
fi
finish
