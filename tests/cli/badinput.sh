#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whatever is wrong with files, options, disk or numbers: one line that says so, the right exit code on all ranks,
# nothing half-written, and what was there before untouched.
. "$(dirname "$0")/lib.sh"
networks=$source/tests/cli/networks
small_data small.h5 203
net=(--model "$networks/dropout.json" --batch-size 30)
good=("${net[@]}" --data small.h5 --epochs 1)
train 2 "${good[@]}" --epochs 2 --checkpoint-steps 3 --keep 100 --out good
steps=$(ls good/step-*.h5)

# Names, sizes and times of all files but our outputs and locks.
snapshot() {
    find . -type f ! -path ./log ! -path ./err ! -name .lock -printf '%p %s %T@\n' | sort
}

# refuses WHAT CODE PATTERN COMMAND...: fails, and leaves all files as they are.
refuses() {
    local before
    before=$(snapshot)
    fails "$@"
    same "$1: files are as they were" "$before" "$(snapshot)"
}

echo "--- damaged and foreign files"
head -c 0 /dev/null >empty.h5
head -c 3000 small.h5 >cut.h5
tail -c 20000 "$source/datasets/digits.h5" >noise.h5
cp noise.h5 noise.json
echo '{"class_name": "Sequential", "config": {"layers": [' >cut.json
echo '[[[[1e999]]]]' >wrong.json
mkdir folder.h5
for kind in missing empty cut noise folder; do
    file=$kind.h5
    refuses "dataset: $kind" 1 "$file" ranks 1 cnn_train "${net[@]}" --data $file --out new
    refuses "network: $kind" 1 "$file" ranks 1 cnn_train --model $file --data small.h5 --out new
    refuses "weights: $kind" 1 "$file" ranks 1 cnn_train "${good[@]}" --init-from $file --out new
    refuses "run to resume: $kind" 1 "$file" ranks 1 cnn_train --resume $file
    refuses "run to evaluate: $kind" 1 "$file" ranks 1 cnn_evaluate $file --data small.h5
    refuses "file to inspect: $kind" 1 "$file" "$build/cnn_inspect" $file
done
refuses "dataset: a checkpoint" 1 'good/best.h5' ranks 2 cnn_train "${net[@]}" --data good/best.h5 --out new
refuses "network: a dataset" 1 'small.h5' ranks 2 cnn_train --model small.h5 --data small.h5 --out new
refuses "run to resume: a dataset" 1 'small.h5' ranks 1 cnn_train --resume small.h5
refuses "run to evaluate: a dataset" 1 'small.h5' ranks 1 cnn_evaluate small.h5
for file in missing.json cut.json wrong.json noise.json; do
    refuses "network: $file" 1 "$file" ranks 1 cnn_train --model $file --data small.h5 --out new
done
printf 'PK\3\4 and more' >zip.keras
refuses "network: a .keras file" 1 'zip archive zip.keras' ranks 1 cnn_train --model zip.keras --data small.h5 --out new
head -c 64 /dev/zero | tr '\0' '\b' | tee net.onnx net.pt net.tflite net.pb >net.safetensors
while read -r file what; do
    refuses "weights: $file" 1 "$file is $what" ranks 2 cnn_train "${good[@]}" --init-from $file --out new
done <<'END'
net.onnx an ONNX network.*onnx2tf
net.pt a file of PyTorch.*model.save
net.tflite a TensorFlow Lite network
net.pb a graph of TensorFlow
net.safetensors a file of weights of another library
END
mkdir saved_model && cp net.pb saved_model/saved_model.pb
refuses "weights: a SavedModel" 1 'saved_model is a SavedModel' ranks 1 cnn_train "${good[@]}" --init-from saved_model \
    --out new
refuses "network: ONNX" 2 'net.onnx' ranks 1 cnn_train --model net.onnx --data small.h5 --out new
refuses "options: cut" 2 'cut.json' ranks 1 cnn_train --config cut.json
refuses "options: missing" 1 'missing.json' ranks 1 cnn_train --config missing.json
keras=${CNN_TEST_DATA:-$source/../shared/data}/models/mnist_cnn.h5
if [ -e "$keras" ]; then
    head -c 100000 "$keras" >keras.h5
    refuses "Keras file: cut" 1 'keras.h5' ranks 1 cnn_train --init-from keras.h5 --data small.h5 --out new
else
    echo "skipped: a cut Keras file (no $keras; see CNN_TEST_DATA)"
fi
byte 0 0 8 3 255 255 255 255 0 0 0 8 0 0 0 8 >huge
byte 0 0 8 1 0 0 0 2 1 2 >two
refuses "idx: more images than the file holds" 1 'huge' "$build/cnn_import" idx huge two -o new.h5
refuses "idx: no idx file" 1 'noise.h5' "$build/cnn_import" idx noise.h5 two -o new.h5

echo "--- every file with bytes changed, here and there: an answer or one error, never a crash"
survives() { # survives WHAT FILE COMMAND...
    local what=$1 file=$2 size position crashed=0 refused=0 rc
    shift 2
    size=$(stat -c %s "$file")
    for position in $(seq 1 37 600) $(seq 700 $((size / 40 + 1)) $((size - 8))); do
        cp "$file" bent.h5
        byte 255 $((position % 256)) 127 | dd of=bent.h5 bs=1 seek="$position" conv=notrunc status=none
        timeout $limit "$@" bent.h5 >log 2>err
        rc=$?
        [ $rc -eq 0 ] || refused=$((refused + 1))
        [ $rc -le 1 ] && [ "$(wc -l <err)" -eq $rc ] ||
            { crashed=$((crashed + 1)) && echo "        at $position: exit code $rc: $(head -c 300 err)"; }
    done
    check "$what: none of the changes is fatal" [ $crashed -eq 0 ]
    check "$what: some are refused ($refused)" [ $refused -gt 0 ]
    rm bent.h5
}
survives "dataset" small.h5 "$build/cnn_inspect"
survives "checkpoint" good/best.h5 "$build/cnn_inspect"

echo "--- data, network and options that do not fit"
{ byte 0 0 8 3 0 0 0 4 0 0 0 8 0 0 0 8 && tail -c 256 "$source/datasets/digits.h5"; } >four
byte 0 0 8 1 0 0 0 4 1 2 200 3 >four-labels
"$build/cnn_import" idx four four-labels -o label.h5 --quiet
refuses "a class number too large" 1 'label.h5 has 201 classes.*tells 10 apart' \
    ranks 2 cnn_train "${net[@]}" --data label.h5 --out new
sed 's/8, 8, 1/28, 28, 1/' "$networks/dropout.json" >large.json
refuses "another image size" 1 'small.h5 has examples of 8x8x1, network .* takes 28x28x1' \
    ranks 1 cnn_train --model large.json --data small.h5 --out new
python3 - <<'END' 2>/dev/null || echo "skipped: channels that come first (no python3)"
import struct
def npy(name, kind, shape, data):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)).ljust(117) + "\n"
    open(name, "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + data)
npy("x.npy", "|u1", "(12, 3, 8, 8)", bytes(range(192)) * 12)
npy("one.npy", "|u1", "(12, 1, 8, 8)", bytes(range(64)) * 12)
import array
npy("float.npy", "<f4", "(12,)", array.array("f", [i % 4 for i in range(12)]).tobytes())
npy("ages.npy", "<f4", "(12,)", array.array("f", [20 + i for i in range(12)]).tobytes())
npy("y.npy", "|u1", "(12,)", bytes(i % 10 for i in range(12)))
END
if [ -e y.npy ]; then
    "$build/cnn_import" npy --train-images x.npy --train-labels y.npy -o first.h5 --quiet 2>err
    has "channels that come first: an import asks" \
        'warning: first.h5 has examples of 3x8x8: are these 3 channels of 8x8' "$(cat err)"
    has "so does a training" 'warning: first.h5 has .*write x as \[n, height, width, channels\]' \
        "$(ranks 2 cnn_train --model mlp --data first.h5 --dry-run 2>&1)"
    "$build/cnn_import" npy --train-images one.npy --train-labels y.npy -o grey.h5 --quiet 2>err
    refuses "channels that come first, for a network of a file" 1 'has examples of 1x8x8, .*Its channels come first' \
        ranks 1 cnn_train "${net[@]}" --data grey.h5 --out new
    "$build/cnn_import" npy --train-images one.npy --train-labels float.npy -o float.h5 --quiet 2>err
    has "classes that are floats" \
        'warning: float.h5: labels y are whole numbers .* If they are classes, write them as integers$' \
        "$(ranks 2 cnn_train --model mlp --data float.h5 --dry-run 2>&1)"
    "$build/cnn_import" npy --train-images one.npy --train-labels ages.npy -o ages.h5 --quiet 2>err
    check "but not other numbers" eval '! grep -q "labels y" err'
    check "others are not asked about" [ -z "$("$build/cnn_inspect" small.h5 2>&1 >/dev/null)" ]
fi
sed 's/"Flatten"/"Flaten"/' "$networks/dropout.json" >layer.json
refuses "unknown layer" 1 'layer.json.*Flaten' ranks 1 cnn_train --model layer.json --data small.h5 --out new
refuses "unknown network" 2 'lenet6.*lenet5' ranks 1 cnn_train --model lenet6 --out new
refuses "unknown option" 2 'unknown option --epoch-s. Did you mean --epochs' ranks 8 cnn_train --epoch-s 3
refuses "another program's word" 2 'unknown option --learning_rate. Did you mean --lr' ranks 2 cnn_train \
    --learning_rate 1
refuses "Keras's word" 2 'unknown option --skip-mismatch. Did you mean --allow-mismatch' ranks 1 cnn_train \
    --skip-mismatch
refuses "unknown word" 2 'train.h5: not an option' ranks 1 cnn_train train.h5
refuses "unknown backend" 2 'cuda' ranks 1 cnn_train --backend cuda --out new
refuses "--batch-size 0" 2 'batch-size 0: must be at least 1' ranks 1 cnn_train --batch-size 0
refuses "--epochs -1" 2 'epochs -1' ranks 1 cnn_train --epochs -1
refuses "--lr-multiplier without X" 2 'must be PATTERN=X' ranks 2 cnn_train "${good[@]}" --lr-multiplier 'fc*' --out new
refuses "--lr-multiplier of no layer" 2 'no layer of that name' ranks 2 cnn_train "${good[@]}" --lr-multiplier 'no=1' \
    --out new
refuses "--average-weights 1" 2 'average-weights 1' ranks 1 cnn_train --average-weights 1
refuses "--layer-decay 2" 2 'layer-decay 2' ranks 1 cnn_train --layer-decay 2
refuses "--lr nan" 2 'lr nan' ranks 1 cnn_train --lr nan
refuses "--augment flop" 2 'augment flop: unknown operation; --augment help' ranks 2 cnn_train --augment flop --out new
refuses "--augment with two commas" 2 'augment .*an operation is missing' ranks 1 cnn_train --augment flip,,crop=1 \
    --out new
refuses "--augment for colours" 2 'hue is for colour images of 3 channels; small.h5 has 1' \
    ranks 2 cnn_train "${good[@]}" --augment flip --augment hue=0.1 --out new
refuses "a sheet of a checkpoint" 1 'good/best.h5' "$build/cnn_inspect" good/best.h5 --png sheet.png
refuses "a crop as large as the image" 2 'crop=5 is too much for images of 8x8x1: at most 4' \
    ranks 2 cnn_train "${good[@]}" --augment crop=5 --out new
refuses "a sheet of another kind" 2 'png sheet.jpg: the name must end in .png' \
    "$build/cnn_inspect" small.h5 --augment flip --png sheet.jpg
refuses "a dataset of another kind" 2 'output x.csv: the name must end in .h5 or .hdf5' "$build/cnn_import" idx a b \
    -o x.csv
refuses "a sheet without a file" 2 'give --png FILE' "$build/cnn_inspect" small.h5 --augment flip
refuses "more ranks than micro-batches" 2 '3 ranks.* 2 micro-batches.*--micro-batches 3' \
    ranks 3 cnn_train "${good[@]}" --micro-batches 2 --out new
refuses "a validation split of no data" 1 'no val data' ranks 1 cnn_evaluate good --data small.h5 --split val
refuses "--resume with --init-from" 2 'resume and --init-from exclude' ranks 1 cnn_train --resume good --init-from good
refuses "--resume with --out" 2 'leave --out away' ranks 1 cnn_train --resume good --out new
mkdir nothing
refuses "nothing to resume in an empty folder" 1 'nothing' ranks 1 cnn_train --resume nothing
refuses "--checkpoint that is not there" 1 'no step-00000099.h5' ranks 1 cnn_evaluate good --checkpoint 99
small_data smaller.h5 202
refuses "another dataset for a run" 1 'smaller.h5 is not the data' \
    ranks 2 cnn_train --resume good --epochs 9 --data smaller.h5

echo "--- ranks that see something else"
mkdir elsewhere
cat >one-elsewhere <<'END'
#!/bin/bash
[ "$OMPI_COMM_WORLD_RANK" != 1 ] || cd elsewhere || exit 1
exec "$@"
END
chmod +x one-elsewhere
elsewhere() { timeout $limit mpirun --quiet -np 3 ./one-elsewhere "$build/$1" "${@:2}"; }
refuses "rank 1 does not see the data" 1 'rank 1 .*small.h5' elsewhere cnn_train "${good[@]}" --out new
refuses "nor in an evaluation" 1 'rank 1 .*small.h5' elsewhere cnn_evaluate good --data small.h5
small_data elsewhere/small.h5 202
refuses "rank 1 sees other data" 1 'rank 1 .*small.h5 holds other data' elsewhere cnn_train "${good[@]}" --out new
without_launcher() { env -u OMPI_COMM_WORLD_SIZE -u PMIX_RANK SLURM_JOB_ID=1 SLURM_NTASKS=4 "$build/$1" "${@:2}"; }
refuses "a Slurm job of 4 tasks without srun" 2 '4 tasks.*srun --mpi=pmix' without_launcher cnn_train "${good[@]}" \
    --out new

echo "--- places that cannot be written"
refuses "run folder below a file" 1 'small.h5' ranks 2 cnn_train "${good[@]}" --out small.h5/run
refuses "run folder is a file" 1 'label.h5' ranks 1 cnn_train "${good[@]}" --out label.h5
refuses "a run is there" 2 'good holds a run.*--overwrite' ranks 1 cnn_train "${good[@]}" --out good
refuses "import below a file" 1 'small.h5/new.h5' "$build/cnn_import" idx four four-labels -o small.h5/new.h5
kept() { # kept WHAT FOLDER: some checkpoints, all of them whole, and nothing temporary
    check "$1: checkpoints before it are whole" verified "$2"
    check "$1: nothing temporary is left" [ -z "$(find "$2" -name '.*' ! -name .lock -type f)" ]
}
mkdir small
if mount -t tmpfs -o size=200k none small 2>err; then
    fails "disk full in the middle" 1 'cannot write small/run/.*: No space left' \
        ranks 3 cnn_train "${good[@]}" --checkpoint-steps 1 --keep 100 --on-checkpoint-failure stop --out small/run
    kept "disk full in the middle" small/run
    head -c 300000 /dev/zero >small/fill 2>err
    rm -r small/run
    mkdir small/run 2>/dev/null
    head -c 300000 /dev/zero >>small/fill 2>err
    fails "disk full at the start" 1 'cannot write small/.*: No space left' ranks 3 cnn_train "${good[@]}" \
        --out small/run
    umount small
else
    echo "skipped: a full disk (cannot mount one)"
fi
printf '#!/bin/bash\nulimit -f 10\nexec "$@"\n' >limited # KiB; of the rank only, as mpirun's own files are larger
chmod +x limited
fails "file size limit" 1 'cannot write full/best.h5: File too large.*ulimit' timeout $limit \
    mpirun --quiet --mca btl self -np 1 ./limited "$build/cnn_train" "${good[@]}" --out full
check "file size limit: no checkpoint" [ -z "$(find full -name '*.h5')" ]
check "file size limit: nothing temporary is left" [ -z "$(find full -name '.*' ! -name .lock -type f)" ]

echo "--- numbers that are none"
fails "the loss is no number" 1 'not a number any more at step [0-9]+ .*the checkpoint of step [0-9]+ is good' \
    ranks 3 cnn_train "${good[@]}" --epochs 3 --optimizer sgd --lr 1e30 --checkpoint-steps 1 --out nan
kept "the loss is no number" nan
check "the loss is no number: is not finished" [ ! -e nan/final.h5 ]
same "the run of the beginning is complete" "$steps" "$(ls good/step-*.h5)"
check "and whole" verified good
finish
