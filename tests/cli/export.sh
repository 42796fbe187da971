#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnn_export without Keras: what is written is read back here with the same weights, nothing is replaced unasked, and
# wrong requests fail with a reason.  What Keras makes of the files: keras.sh.
. "$(dirname "$0")/lib.sh"
export=$build/cnn_export

weights() {
    "$build/cnn_inspect" "$@" --digest | grep weights
}

train 1 --quiet --out run --optimizer adam --schedule cosine --seed 3 --epochs 2 --checkpoint-steps 30 --keep 9
for form in .keras .h5 .weights.h5 .json; do
    ends "writes $form" 0 "$export" run -c last -o "a$form"
    mv "a$form" "b$form"
    "$export" run -c last -o "a$form" >log
    check "the same bytes again" cmp -s "a$form" "b$form"
done
has "says how images go in" 'the network takes x 8x8x1: x \* 0.0625$' "$(cat log)"
same "weights of .h5" "$(weights run)" "$(weights a.h5)"
has ".keras names its optimizer" '"compile_config":.*"class_name":"Adam"' \
    "$(grep -ao "\"compile_config.*registered_name" a.keras)"
has ".keras has Keras 3's words" '"module":"keras.layers"' "$(cat a.json)"
check ".json is not compiled" eval "! grep -q compile_config a.json"
has "inspects .keras" 'Keras model a.keras \(\.keras\), written by keras 3' "$("$build/cnn_inspect" a.keras)"
has "finds the optimizer" 'optimizer: 18 variables' "$("$build/cnn_inspect" a.keras)"
has "inspects .weights.h5" 'conv2d_1/0 5x5x10x20' "$("$build/cnn_inspect" a.weights.h5)"
has "reads .json" 'predictions' "$("$build/cnn_inspect" a.json)"
ends "converts .keras" 0 "$export" a.keras -o c.h5
same "weights of .keras" "$(weights run)" "$(weights c.h5)"
check "a converted file is not compiled" eval "! grep -qa training_config c.h5"

ends "takes a step" 0 "$export" run -c 30 -o step.h5
same "weights of a step" "$(weights run/step-00000030.h5)" "$(weights step.h5)"
ends "without the head" 0 "$export" run --without-head -o head.keras
has "ends with flatten" 'flatten' "$("$build/cnn_inspect" head.keras)"
check "has no classifier" eval "! '$build/cnn_inspect' head.keras | grep -qE 'dense|predictions'"
check "is not compiled" eval "! grep -qa compile_config head.keras"

cp a.keras kept
fails "does not replace a file" 2 'a.keras exists; --force' "$export" run -o a.keras
check "which is what it was" cmp -s a.keras kept
ends "replaces it when asked" 0 "$export" run -c 30 -o a.keras --force
check "and it is another" eval "! cmp -s a.keras kept"
fails "a name without a form" 2 'must end in .keras' "$export" run -o a.onnx
fails "no name" 2 'output FILE is missing' "$export" run
fails "no run" 1 'nowhere' "$export" nowhere -o x.keras
fails "no network" 1 'weights only' "$export" a.weights.h5 -o x.keras
fails "no folder" 1 'nowhere/x.keras' "$export" run -o nowhere/x.keras
head -c 30000 kept >cut.keras
fails "a cut file" 1 'cut.keras' "$export" cut.keras -o x.keras
check "leaves nothing" [ ! -e x.keras ]
finish
