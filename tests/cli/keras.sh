#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checkpoints open in Keras, compiled, with the same loss and accuracy.  Needs a Python with Keras 3, h5py and a backend
# of Keras (KERAS_BACKEND; torch when not set): CNN_TEST_KERAS_PYTHON=/path/to/python.
. "$(dirname "$0")/lib.sh"
python=${CNN_TEST_KERAS_PYTHON:-}
if [ -z "$python" ]; then
    echo "skipped: CNN_TEST_KERAS_PYTHON is not set"
    exit 77
fi
golden=$source/tests/golden

# in_keras WHAT OPTIMIZER DATA SPLIT OPTION...: trains, evaluates, and lets Keras do the same with the checkpoint.
in_keras() {
    local what=$1 optimizer=$2 data=$3 split=$4
    shift 4
    train 1 --quiet --out run --overwrite --data "$data" --optimizer "$optimizer" "$@"
    "$build/cnn_evaluate" run --data "$data" --split "$split" --json >report
    "$python" "$golden/check_keras.py" "$data" "$optimizer" <report >keras 2>keras.err
    check "$what" [ $? -eq 0 ]
    sed 's/^/        /' keras
    grep -E 'Error' keras.err
}

# Keras has no smoothed loss of class numbers, which the default network is trained with.
digits=$source/datasets/digits.h5
in_keras "digits, sgd" sgd "$digits" test --label-smoothing 0 --epochs 2 --lr 0.05 --momentum 0.9 --nesterov
in_keras "digits, adam" adam "$digits" test --label-smoothing 0 --epochs 1 --lr 0.001 --clip-norm 1
in_keras "digits, adamw" adamw "$digits" test --label-smoothing 0 --epochs 1 --lr 0.001
in_keras "digits, rmsprop" rmsprop "$digits" val --label-smoothing 0 --epochs 1 --lr 0.001 --momentum 0.5
in_keras "residual network, penalties" sgd "$digits" test --model resnet20 --epochs 2 --lr 0.01 --batch-size 64
small=(--epochs 20 --lr 0.01 --init-from)
in_keras "batch normalization" adam "$golden/training/data.h5" val "${small[@]}" "$golden/training/norm.h5"
in_keras "two outputs, penalties, Huber" adam "$golden/training/data.h5" val "${small[@]}" "$golden/training/two.h5" \
    --loss class=sparse_categorical_crossentropy,side=huber --loss-weights 1,0.5 --huber-delta 0.5

# Series, sounds, text, videos.  Named networks have as many parameters as Keras counts.
"$python" "$golden/make_series.py" || failed=1
counts=$("$build/cnn_train" --list-models)
for pair in fcn-1d:series resnet-1d:series audio-cnn:sound text-cnn:words; do
    network=${pair%:*} data=${pair#*:}.h5
    in_keras "$network" adam "$data" test --model "$network" --epochs 2 --schedule constant
    parameters=$(KERAS_BACKEND=${KERAS_BACKEND:-torch} "$python" -c 'import keras, sys; print(keras.models.load_model(sys.argv[1]).count_params())' run/best.h5 2>err)
    has "$network: parameters" "^$network +$parameters parameters" "$counts"
done
in_keras "Conv3D" adam video.h5 test --model "$source/tests/cli/networks/video.json" --epochs 2
finish
