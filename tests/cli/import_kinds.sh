#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cnn_import of real data on one, two and three ranks, and killed at any moment; compared number by number with NumPy
# and SciPy where CNN_TEST_IMPORT_PYTHON=/path/to/python names a Python that has numpy, scipy and h5py.
. "$(dirname "$0")/lib.sh"
data=${CNN_TEST_DATA:-$source/../shared/data}
[ -d "$data" ] || { echo "skipped: no $data: set CNN_TEST_DATA" && exit 77; }
set -f # patterns are for cnn_import

unpack() {
    [ -e "$1" ] || tar -xJf "$2" -C "$work" || failed=1
}
unpack fsdd "$data/audio/fsdd.tar.xz"
unpack ecg200 "$data/timeseries/ecg200.tar.xz"
xz -dc "$data/cifar10/cifar10-data_batch_1-first4000.bin.xz" >data_batch_1.bin

# imported KIND FILE.h5 COUNTS ARGUMENT...: one and three ranks give the same bytes.
imported() {
    local kind=$1 file=$2 counts=$3
    shift 3
    ranks 1 cnn_import "$kind" "$@" -o "$file" >log 2>err
    has "$kind: what it made" "$counts" "$(tail -1 log)"
    same "$kind: no warnings" "none" "none$(cat err)"
    ranks 3 cnn_import "$kind" "$@" -o again.h5 --force --quiet >log 2>err
    check "$kind: three ranks give the same file" cmp "$file" again.h5
    same "$kind: --quiet" "none" "none$(cat log err)"
}

# compared KIND FILE.h5 SOURCE...
compared() {
    if [ -z "${CNN_TEST_IMPORT_PYTHON:-}" ]; then
        echo "skipped $1 is not compared: CNN_TEST_IMPORT_PYTHON is not set"
    else
        check "$1: equal to another reader's" "$CNN_TEST_IMPORT_PYTHON" "$source/tests/golden/check_import.py" "$@"
    fi
}

fashion=$data/fashion-mnist
files="$fashion/train-images-idx3-ubyte.gz $fashion/train-labels-idx1-ubyte.gz
    $fashion/t10k-images-idx3-ubyte.gz $fashion/t10k-labels-idx1-ubyte.gz"
imported idx fashion.h5 'examples of 28x28x1 uint8, 10 classes; train 60000 test 10000$' $files
compared idx fashion.h5 $files
imported cifar10 cifar10.h5 'examples of 32x32x3 uint8, 10 classes; train 4000$' data_batch_1.bin
compared cifar10 cifar10.h5 data_batch_1.bin
imported csv digits.h5 'examples of 8x8x1 uint8, 10 classes; train 1797$' "$data/digits.csv.gz" --label last \
    --shape 8x8x1 \
    --value-max 16
compared csv digits.h5 "$data/digits.csv.gz"
imported series ecg200.h5 'examples of 96x1 float32, 2 classes; train 100 test 100$' ecg200/ECG200_TRAIN.txt \
    ecg200/ECG200_TEST.txt
compared series ecg200.h5 ecg200/ECG200_TRAIN.txt ecg200/ECG200_TEST.txt
sounds="fsdd/recordings --label-from {label}_* --test-match *_[0-4].wav"
probe=$("$build/cnn_import" wav fsdd/recordings --label-from '{label}' -o probe.h5 --bands 1 2>&1)
if grep -q 'built without libsndfile' <<<"$probe"; then
    echo "skipped wav: built without libsndfile"
else
    imported wav fsdd.h5 'examples of 98x40x1 float32, 10 classes; train 2700 test 300$' $sounds
    compared wav fsdd.h5 fsdd/recordings
fi
rm -f probe.h5*
if [ -n "${CNN_TEST_IMPORT_PYTHON:-}" ]; then
    "$CNN_TEST_IMPORT_PYTHON" -c 'import h5py, numpy
f = h5py.File("fashion.h5")
numpy.savez_compressed("fashion.npz", x_train=f["train/x"][:5000, :, :, 0], y_train=f["train/y"][:5000].astype("u1"),
                       x_test=numpy.asfortranarray(f["test/x"][:1000, :, :, 0]), y_test=f["test/y"][:1000])'
    imported npy npz.h5 'examples of 28x28x1 uint8, 10 classes; train 5000 test 1000$' fashion.npz
    compared npy npz.h5 fashion.npz
fi

# ---- killed with kill -9, again and again: the same command goes on, and makes the same file ----

# A table of which each row takes a while: numbers that are no small whole ones.
awk 'BEGIN { for (i = 0; i < 2000; i++) { printf "%d", i % 10; for (k = 0; k < 3000; k++) printf ",%.3f", i * k / 7; print "" } }' \
    >table.csv
slow="table.csv --label first --validation-split 0.2 --seed 3"
ranks 1 cnn_import csv $slow -o whole.h5 --quiet || failed=1
for np in 1 2 3; do
    rm -f killed.h5 killed.h5.part killed.h5.part.journal
    went_on=0 kills=0 over=no
    while [ $over = no ] && [ $kills -lt 30 ]; do
        mpirun --quiet -np $np "$build/cnn_import" csv $slow -o killed.h5 --threads 1 >log 2>err &
        job=$!
        started+=("$job")
        for _ in $(seq $((RANDOM % 12 + 6 + 2 * kills))); do
            sleep 0.1
            kill -0 "$job" 2>/dev/null || break
        done
        victims=$(pgrep -P "$job" cnn_import)
        if [ -n "$victims" ]; then
            kill -9 $victims 2>/dev/null
            kills=$((kills + 1))
        fi
        wait "$job" 2>/dev/null && over=yes
        grep -q 'going on' log && went_on=$((went_on + 1))
        [ $over = yes ] || [ ! -e killed.h5 ] || over=yes # killed behind its last rename
    done
    check "$np ranks: killed $kills times, ended" [ $over = yes ]
    check "$np ranks: the same file as without" cmp whole.h5 killed.h5
    "$build/cnn_import" csv $slow -o killed.h5 >/dev/null 2>&1 \
        # "exists already"; a kill behind the last rename leaves a journal
    check "$np ranks: nothing is left" [ ! -e killed.h5.part -a ! -e killed.h5.part.journal ]
    echo "        went on $went_on times"
done

# ---- a disk that becomes full, and then has room ----

mkdir -p small
if mount -t tmpfs -o size=20m tmpfs small 2>/dev/null; then
    fails "no room on the disk" 1 'cannot write small/a.h5.part: No space left.*Free some space' \
        ranks 1 cnn_import csv $slow -o small/a.h5
    check "nothing is left there" [ -z "$(ls small)" ]
    umount small
else
    echo "skipped a full disk: no mount here"
fi

# ---- what options say ----

fails "an option of another kind" 2 'hop is not for csv' "$build/cnn_import" csv digits.csv --hop 3 -o a.h5
printf '1,0\nx,1\n' >bad.csv
fails "an unreadable example on 3 ranks" 1 'bad.csv:2, column 1: "x" is no number' ranks 3 cnn_import csv bad.csv \
    --label last \
    -o bad.h5
finish
