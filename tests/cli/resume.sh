#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A run that was stopped, killed or damaged goes on as if nothing had happened, on any number of ranks.
. "$(dirname "$0")/lib.sh"
small_data small.h5 203
# 6 steps an epoch, the last of 23 examples.
options=(--model "$source/tests/cli/networks/dropout.json" --data small.h5 --validation-split 0.15 --batch-size 30
    --augment shear=10,crop=1,noise=0.1 --micro-batches 8 --optimizer adam --schedule cosine --warmup 1 --seed 3)
constant=("${options[@]}" --schedule constant --warmup 0)

echo "--- from each step of a run"
train 3 "${options[@]}" --epochs 2 --checkpoint-steps 1 --keep 1000 --out whole
expected=$(digest whole) rows=$(metrics whole) tested=$(losses | grep 'epoch 2')
same "a checkpoint for each step" 12 "$(ls whole/step-*.h5 | wc -l)"
p=(8 1 2 3 5)
for step in 01 02 03 04 05 06 07 08 09 10 11; do
    cp -r whole part
    ranks=${p[10#$step % 5]}
    train $ranks --resume part/step-000000$step.h5
    same "from step $step on $ranks ranks: digest" "$expected" "$(digest part)"
    same "from step $step: metrics.csv" "$rows" "$(metrics part)"
    same "from step $step: line of epoch 2" "$tested" "$(losses | grep 'epoch 2')"
    rm -r part
done

echo "--- metrics.csv, and a stop between the last step of an epoch and its validation"
cp -r whole part
ends "stopped by --max-time after one step" 75 ranks 2 cnn_train --resume part/step-00000005.h5 --max-time 0.0001
same "metrics.csv is cut back to the checkpoint" 1 "$(wc -l <part/metrics.csv)"
same "that step is the newest" step-00000006.h5 "$(cd part && ls step-*.h5 | tail -1)"
train 3 --resume part
same "same digest after it" "$expected" "$(digest part)"
same "same metrics.csv after it" "$rows" "$(metrics part)"
rm -r part

echo "--- killed and stopped"
long=("${constant[@]}" --epochs 4 --checkpoint-steps 2)
train 1 "${long[@]}" --out long
expected_long=$(digest long) rows_long=$(metrics long)

# goes_on WHAT P RUN: the interrupted run ends as the undisturbed one.
goes_on() {
    check "$1: is not finished" [ ! -e "$3/final.h5" ]
    train "$2" --resume "$3"
    has "$1: is resumed on $2 ranks" '^resuming ' "$(cat log)"
    same "$1: digest" "$expected_long" "$(digest "$3")"
    same "$1: metrics.csv" "$rows_long" "$(metrics "$3")"
    check "$1: all its checkpoints are whole" verified "$3"
    check "$1: no temporary file is left" [ "$(find "$3" -name '.*' -type f | wc -l)" -eq 1 ] # .lock
}

begin_until 4 killed 3 "${long[@]}"
kill -9 $(rank_processes)
wait "$job" 2>/dev/null
check "killed: exit code is not 0" [ $? -ne 0 ]
goes_on "all ranks killed" 2 killed

begin_until 6 one 3 "${long[@]}"
kill -9 "$(other_rank)"
go_on
wait "$job" 2>/dev/null
same "one rank killed: exit code" 137 $?
goes_on "one rank killed" 5 one

begin_until 8 usr1 3 "${long[@]}"
kill -USR1 "$job"
pending USR1
go_on
wait "$job"
same "SIGUSR1 to mpirun: exit code" 75 $?
has "SIGUSR1: says how to go on" 'stopped on request at step .* Go on with --resume usr1' "$(cat err)"
goes_on "SIGUSR1 to mpirun" 8 usr1

begin_until 10 term 3 "${long[@]}"
kill -TERM "$(other_rank)"
go_on
wait "$job"
same "SIGTERM to one rank: exit code" 75 $?
goes_on "SIGTERM to one rank" 1 term

echo "--- stopped before the first step"
mkdir early
hold early/.lock # so that it waits, and is in its beginning for certain
mpirun --quiet -np 3 "$build/cnn_train" "${long[@]}" --resume auto --out early >log 2>err &
job=$!
started+=("$job")
until grep -q 'waiting up to' err; do sleep 0.1; done
root=$(rank_processes | tail -1)
kill -STOP "$root"
until stands_still "$root"; do sleep 0.02; done
kill -USR1 "$job"
pending USR1
kill "$holder"
go_on
wait "$job"
same "exit code" 75 $?
has "is said" 'stopped on request before the first step: run the same again' "$(cat err)"
same "nothing is written" .lock "$(ls -A early)"

echo "--- averaged weights"
averaged=(--model "$source/tests/cli/networks/batchnorm.json" --batch-size 313 --micro-batches 8 --seed 3 --epochs 2
          --optimizer lamb --average-weights 0.95 --gradient-noise 0.01)
train 3 "${averaged[@]}" --checkpoint-steps 4 --keep 9 --out average
cp -r average part
train 2 --resume part/step-00000004.h5
same "averaged weights, from step 4 on 2 ranks: digest" "$(digest average)" "$(digest part)"
same "averaged weights: metrics.csv" "$(metrics average)" "$(metrics part)"
same "evaluation sees what the run's validation saw" "$(tail -1 average/metrics.csv | cut -d, -f7 | cut -c-6)" \
    "$(ranks 1 cnn_evaluate average/final.h5 --split val | sed -n '1s/.*accuracy \([^ ]*\).*/\1/p' | cut -c-6)"
train 3 "${averaged[@]}" --average-weights 0.5 --out faster
differs "the decay has an effect" "$(metrics average)" "$(metrics faster)"
fails "--average-weights cannot change" 2 'average-weights 0.95, not 0.5' ranks 1 cnn_train --resume average \
    --average-weights 0.5 --epochs 3
rm -r part

echo "--- finished runs and changed options"
again=$(ranks 2 cnn_train --resume auto --out whole)
same "an automatic resume of a finished run: exit code" 0 $?
has "which says so" 'nothing left to do' "$again"
fails "all epochs done" 1 'has done its 2 epochs.*--epochs' ranks 2 cnn_train --resume whole
same "which changes nothing" "$expected" "$(digest whole)"
fails "fewer epochs than are done" 1 'has done 2 epochs, and --epochs asks for 1: nothing to resume' \
    ranks 2 cnn_train --resume whole --epochs 1
fails "from a step, which had done them" 1 'has done its 1 epochs' \
    ranks 1 cnn_train --resume whole/step-00000006.h5 --epochs 1
same "metrics.csv stays that of the newest checkpoint" "$rows" "$(metrics whole)"
"$build/cnn_inspect" whole >log
has "who wrote a checkpoint" '^checkpoint whole/.*, written by cnn [0-9.]+, checksum right$' "$(cat log)"
has "on how many ranks" '^computed by .*, on 3 ranks$' "$(cat log)"
cp -r whole part
train 1 --resume part --epochs 4
has "more epochs of a cosine: the rate goes up again, which is told" \
    '^learning rate of the next step: 0\.000[5-9][0-9]*, by the options of the run so far 0$' "$(cat log)"
rm -r part
train 2 "${constant[@]}" --epochs 1 --out more
cp "$source/tests/cli/networks/dropout.json" elsewhere.json
train 1 "${constant[@]}" --epochs 1 --out elsewhere --model elsewhere.json
same "digests do not know where the network's file lies" "$(digest more)" "$(digest elsewhere)"
train 1 "${constant[@]}" --epochs 2 --out straight
train 3 --resume more --epochs 2
has "--epochs is reported" 'changed: epochs 1 -> 2' "$(cat log)"
same "one epoch and one more are two: digest" "$(digest straight)" "$(digest more)"
same "one epoch and one more are two: metrics.csv" "$(metrics straight)" "$(metrics more)"
cp -r whole part
train 2 --resume part/step-00000008.h5 --lr 0.5
has "--lr is reported" 'changed: lr 0.001 -> 0.5' "$(cat log)"
has "what it makes of the schedule, too" '^learning rate of the next step: 0\.[0-9]+, by the options .* 0\.000[0-9]+$' \
    "$(cat log)"
differs "--lr has an effect" "$expected" "$(digest part)"
train 2 --resume part/step-00000009.h5 --winograd off
has "--winograd is reported" 'changed: winograd auto -> off' "$(cat log)"
has "and recorded" '"winograd": "off"' "$(cat part/config.json)"
train 1 --resume part --epochs 3
has "and kept by the next resume" '"winograd": "off"' "$(cat part/config.json)"
check "which does not call it a change" eval '! grep -q "changed:.*winograd" log'
fails "--batch-size cannot change" 2 'batch-size 30, not 16' ranks 2 cnn_train --resume whole --batch-size 16
fails "--seed and --model cannot change" 2 'model .*dropout.json, not lenet5, seed 3, not 4|seed 3, not 4' \
    ranks 1 cnn_train --resume whole --seed 4 --model lenet5
rm -r part

fails "--preprocess none is not what was not given" 2 'preprocess not given, not none' \
    ranks 1 cnn_train --resume whole --preprocess none --epochs 3

echo "--- when checkpoints are written"
still_adam=("${constant[@]}" --optimizer adam --lr 1e-30 --epochs 3 --checkpoint-epochs 0)
train 2 "${still_adam[@]}" --checkpoint-steps 6 --out ends
check "--checkpoint-steps at the end of an epoch that is not the best" [ -e ends/step-00000012.h5 ]
fails "weights that are not numbers" 1 'weights are not numbers any more after step 1' \
    ranks 2 cnn_train "${constant[@]}" --optimizer sgd --lr 1e39 --epochs 1 --checkpoint-steps 1 --out infinite
check "get into no checkpoint" [ ! -e infinite/step-00000001.h5 ]

echo "--- damaged checkpoints"
damage() { printf 'damaged' | dd of="$1" bs=1 seek=3000 conv=notrunc status=none; }
cp -r whole part
rm part/final.h5 part/best.h5
damage part/step-00000012.h5
truncate -s 5000 part/step-00000011.h5
train 2 --resume part
has "the damaged one is named" 'part/step-00000012.h5' "$(cat err)"
has "the cut one is named" 'part/step-00000011.h5' "$(cat err)"
has "the one before is resumed" '^resuming part/step-00000010.h5' "$(cat log)"
same "digest after damage" "$expected" "$(digest part)"
same "metrics.csv after damage" "$rows" "$(metrics part)"
for file in part/*.h5; do damage "$file"; done
ends "nothing whole is left" 1 ranks 2 cnn_train --resume part
has "which is said" 'error: .*part holds no whole checkpoint.*--overwrite --out .*part begins' "$(cat err)"
damage whole/step-00000003.h5
fails "a damaged checkpoint is refused by name" 1 'step-00000003.h5' ranks 1 cnn_train --resume whole/step-00000003.h5
rm -r part

echo "--- ranks and micro-batches"
train 1 "${options[@]}" --micro-batches 2 --epochs 1 --checkpoint-steps 2 --out two
fails "more ranks than micro-batches" 2 '3 ranks, but .* 2 micro-batches.*--micro-batches 3' \
    ranks 3 cnn_train --resume two/step-00000004.h5
train 3 --resume two/step-00000004.h5 --micro-batches 3
check "the same rate as before is not told" eval '! grep -q "learning rate of the next" log'
has "more micro-batches are reported" 'changed: micro-batches 2 -> 3' "$(cat log)"

echo "--- --resume auto"
auto=("${options[@]}" --epochs 2 --resume auto)
ends "auto starts" 75 ranks 1 cnn_train "${auto[@]}" --max-time 0.0001
has "auto starts the first run" 'run folder: checkpoints/dropout-small-1' "$(cat log)"
ends "auto with another seed starts another run" 75 ranks 1 cnn_train "${auto[@]}" --seed 4 --max-time 0.0001
has "auto: its number is 2" 'run folder: checkpoints/dropout-small-2' "$(cat log)"
train 3 "${auto[@]}"
has "auto goes on" '^resuming checkpoints/dropout-small-1/step-00000001.h5' "$(cat log)"
same "auto: digest" "$expected" "$(digest checkpoints/dropout-small-1)"
ends "auto after a finished run" 75 ranks 1 cnn_train "${auto[@]}" --max-time 0.0001
has "auto starts anew" 'run folder: checkpoints/dropout-small-3' "$(cat log)"
ends "auto with another --lr" 75 ranks 1 cnn_train "${auto[@]}" --lr 0.5 --max-time 0.0001
has "auto starts another run" 'run folder: checkpoints/dropout-small-4' "$(cat log)"
ends "auto without it" 75 ranks 2 cnn_train "${auto[@]}" --max-time 0.0001
has "auto does not take that run" '^resuming checkpoints/dropout-small-3/' "$(cat log)"
ends "auto on fewer ranks than the run's micro-batches" 75 ranks 2 cnn_train "${options[@]:0:8}" --epochs 2 \
    --resume auto --max-time 0.0001
has "auto begins with as many as ranks" 'micro-batches 2,' "$(cat log)"
train 1 "${options[@]:0:8}" --epochs 2 --resume auto
has "auto takes the run's micro-batches" '^resuming checkpoints/dropout-small-5/' "$(cat log)"
cp -r whole part
rm part/step-*.h5
ends "auto with --out where only final and best are left" 75 ranks 1 cnn_train --resume auto --out part --epochs 3 \
    --max-time 0.0001
check "removes no best.h5" [ -e part/best.h5 ]
has "auto goes on from final.h5" '^resuming part/final.h5' "$(cat log)"
rm -r part
steps=0
until ranks 1 cnn_train "${auto[@]}" --epochs 1 --out here --max-time 0.0001 >log 2>err; do
    [ $? -eq 75 ] && [ $((++steps)) -lt 9 ] || break
done
same "auto with --out, one step at a time, then the validation: starts" 7 "$((steps + 1))"

echo "--- --init-from"
still=(--data small.h5 --epochs 1 --optimizer sgd --lr 1e-30 --batch-size 50 --checkpoint-epochs 0)
weights() { digest "$@" | grep weights; }
train 2 --init-from whole "${still[@]}" --out from-run
same "weights of a run folder's best" "$(weights whole -c best)" "$(weights from-run)"
has "training begins at step 1" 'training: step 5, 1 of 1 epochs' "$("$build/cnn_inspect" from-run)"
ends "a run from other weights is stopped" 75 ranks 1 cnn_train --init-from whole "${still[@]}" --epochs 2 \
    --out from-again \
    --max-time 0.0001
train 1 --resume from-again
check "its record names no network that it is not" eval '! grep -q digits-net from-again/config.json'
train 1 --init-from whole/step-00000002.h5 "${still[@]}" --out from-file
same "weights of a checkpoint file" "$(weights whole/step-00000002.h5)" "$(weights from-file)"
differs "which are others" "$(weights from-run)" "$(weights from-file)"
sed 's/"filters": 6/"filters": 5/' "$source/tests/cli/networks/dropout.json" >other.json
fails "weights of another network" 1 \
    'whole/best.h5: conv/kernel has the shape 3x3x1x6, conv/kernel of the network has 3x3x1x5' \
    ranks 2 cnn_train --model other.json --init-from whole "${still[@]}" --out other
check "no run folder of it" [ ! -e other ]
keras=${CNN_TEST_DATA:-$source/../shared/data}/models/mnist_cnn.h5
if [ -e "$keras" ]; then
    { byte 0 0 8 3 0 0 0 100 0 0 0 28 0 0 0 28 && tail -c 78400 "$source/datasets/digits.h5"; } >images
    { byte 0 0 8 1 0 0 0 100 && byte $(seq 1 100 | awk '{ print $1 % 10 }'); } >labels
    "$build/cnn_import" idx images labels -o large.h5 --quiet
    train 2 --init-from "$keras" "${still[@]}" --data large.h5 --out from-keras
    same "weights of a Keras file" "$(weights "$keras")" "$(weights from-keras)"
else
    echo "skipped: a Keras file (no $keras; see CNN_TEST_DATA)"
fi
finish
