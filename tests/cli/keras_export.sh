#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cnn_export writes opens in Keras, and from .keras training goes on there with the step that would have come here.
# Needs a Python with Keras 3, h5py and PyTorch: CNN_TEST_KERAS_PYTHON=/path/to/python; for the part about Keras 2 one
# with tf_keras and h5py, CNN_TEST_TF_KERAS_PYTHON.
. "$(dirname "$0")/lib.sh"
python=${CNN_TEST_KERAS_PYTHON:-} tf_python=${CNN_TEST_TF_KERAS_PYTHON:-}
if [ -z "$python" ]; then
    echo "skipped: CNN_TEST_KERAS_PYTHON is not set"
    exit 77
fi
[ -n "$tf_python" ] || echo "skipped: Keras 2, as CNN_TEST_TF_KERAS_PYTHON is not set"
golden=$source/tests/golden

# says WHAT PYTHON ARGUMENT...: check_export.py finds no difference.
says() {
    TF_CPP_MIN_LOG_LEVEL=3 "$2" "$golden/check_export.py" "${@:3}" >keras 2>keras.err
    check "$1" [ $? -eq 0 ]
    grep -E '^    ' keras
    grep -E 'Error' keras.err
}

# goes_on WHAT NETWORK OPTION...: exports after 3 steps, each of all 24 examples, and compares step 4.
goes_on() {
    local what=$1 network=$2 form
    shift 2
    rm -rf run model.*
    train 1 --quiet --out run --data "$golden/training/data.h5" --init-from "$golden/training/$network.h5" \
        --batch-size 24 \
        --epochs 6 --checkpoint-steps 1 --keep 9 "$@"
    for form in keras h5 weights.h5 json; do
        "$build/cnn_export" run -c 3 -o "model.$form" >log || failed=1
    done
    "$build/cnn_export" run -c 3 -o model.head.keras --without-head >log || failed=1
    local files=(run/step-00000003.h5 run/step-00000004.h5 "$golden/training/data.h5")
    says "$what" "$python" keras3 "${files[@]}"
    # Of AdamW there is no form that both versions of Keras take.
    [ -z "$tf_python" ] || [[ $what == adamw* ]] || says "$what, Keras 2" "$tf_python" tf_keras "${files[@]}"
}

goes_on "sgd goes on" plain --optimizer sgd --momentum 0 --lr 0.05
goes_on "sgd with momentum goes on" norm --optimizer sgd --momentum 0.9 --nesterov --lr 0.02 --schedule cosine
goes_on "adam goes on" residual --optimizer adam --lr 0.002 --clip-norm 1 --schedule exponential --decay-epochs 2
goes_on "adamw goes on" norm --optimizer adamw --lr 0.002 --weight-decay 0.01 --weight-decay-all
goes_on "rmsprop goes on" wide --optimizer rmsprop --momentum 0.5 --lr 0.002
# back_and_forth NAME: a step of a network with all layers of its kind, to Keras and back.
back_and_forth() {
    local form
    rm -rf run model.* back.* ours.h5
    train 1 --quiet --out run --data "$1.h5" --model "$golden/keras/$1.json" --epochs 1 \
        --loss sparse_categorical_crossentropy
    for form in keras h5 weights.h5 json; do
        "$build/cnn_export" run -c last -o "model.$form" >log || failed=1
    done
    "$build/cnn_predict" run -c last --split train -o ours.h5 >log || failed=1
    if [ "$1" = keras3_volume ]; then # Keras pads its AveragePooling3D otherwise on PyTorch
        "$python" "$golden/check_layers.py" keras3 "$1.h5" ours.h5 >keras 2>keras.err
    else
        layers "$1: Keras 3" "$python" keras3 "$1.h5" ours.h5
    fi
    for form in back.h5 back.keras; do
        rm -f theirs.h5
        "$build/cnn_predict" "$form" --data "$1.h5" --preprocess none --split train -o theirs.h5 >log 2>err || failed=1
        layers "$1: $form of Keras 3" "$python" compare ours.h5 theirs.h5
    done
    [ -n "$tf_python" ] || return
    layers "$1: Keras 2" "$tf_python" tf_keras "$1.h5" ours.h5
    rm -f theirs.h5
    "$build/cnn_predict" back.h5 --data "$1.h5" --preprocess none --split train -o theirs.h5 >log 2>err || failed=1
    layers "$1: back.h5 of Keras 2" "$tf_python" compare ours.h5 theirs.h5
}

# layers WHAT PYTHON ARGUMENT...: check_layers.py finds no difference.
layers() {
    TF_CPP_MIN_LOG_LEVEL=3 "$2" "$golden/check_layers.py" "${@:3}" >keras 2>keras.err
    check "$1" [ $? -eq 0 ]
    grep -E '^    ' keras
    grep -E 'Error' keras.err
}

"$python" "$golden/make_series.py" || failed=1
for name in keras3_series keras3_tokens keras3_volume; do back_and_forth $name; done
finish
