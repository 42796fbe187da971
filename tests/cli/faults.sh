#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk that is full for a while, damaged files, changed files, and jobs that meet in one folder.  (Every single system
# call and allocation: tests/faults.)
. "$(dirname "$0")/lib.sh"
networks=$source/tests/cli/networks
small_data small.h5 203
net=(--model "$networks/dropout.json" --data small.h5 --batch-size 30 --seed 3 --micro-batches 2)
train 1 "${net[@]}" --epochs 2 --checkpoint-steps 1 --keep 100 --out whole
expected=$(digest whole)

echo "--- a disk that is full for a while"
mkdir small
if mount -t tmpfs -o size=200k none small 2>err; then
    ends "disk full on the way and at the end" 1 ranks 2 cnn_train "${net[@]}" --epochs 2 --checkpoint-steps 1 \
        --keep 100 \
        --out small/run
    has "a warning names the file, the reason and the way out" \
        'warning: cannot write small/run/step-[0-9]+.h5: No space left on device. Free some space.*Training goes on' \
        "$(cat err)"
    has "the end says how to go on" \
        'error: .*The checkpoint of step [0-9]+ is good: go on from it with --resume small/run' \
        "$(cat err)"
    check "what is there is whole" eval '"$build/cnn_inspect" small/run --verify | grep -q "^ok .*step-"'
    mount -o remount,size=10m small
    train 2 --resume small/run
    same "with more room: digest" "$expected" "$(digest small/run)"
    check "and all files" verified small/run
    umount small
else
    echo "skipped: a full disk (cannot mount one)"
fi

echo "--- cnn_inspect --verify"
has "a line for each file" 'ok +whole/metrics.csv' "$("$build/cnn_inspect" whole --verify)"
same "files that are whole" 18 "$("$build/cnn_inspect" whole --verify | grep -c '^ok ')" # 14 steps, best, final, texts
verify_says() { # verify_says WHAT PATTERN: of the run part, exit code 1
    ends "$1: exit code" 1 "$build/cnn_inspect" part --verify
    has "$1: is named" "$2" "$(cat log)"
    has "$1: how many" "of [0-9]+ files in part are damaged; a resume takes step-000000(13|14).h5" "$(cat err)"
    rm -rf part
}
cp -r whole part && printf x | dd of=part/step-00000014.h5 bs=1 seek=4000 conv=notrunc status=none
verify_says "a changed byte" '^damaged +part/step-00000014.h5 is damaged: its checksum'
cp -r whole part && truncate -s 4096 part/step-00000003.h5
verify_says "a cut file" '^damaged +part/step-00000003.h5'
cp -r whole part && cp part/step-00000003.h5 part/step-00000004.h5
verify_says "a file under another step's name" '^damaged +part/step-00000004.h5 is the checkpoint of step 3'
cp -r whole part && cp part/step-00000007.h5 part/best.h5
verify_says "an older best.h5" '^damaged +part/best.h5 is of epoch 1, the best is 2'
cp -r whole part && head -c 300 whole/config.json >part/config.json
verify_says "a cut config.json" '^damaged +part/config.json'
cp -r whole part && sed -i '2s/,/,9/' part/metrics.csv
verify_says "a changed metrics.csv" '^damaged +part/metrics.csv: line 2 '
cp -r whole part && cp whole/best.h5 part/.best.h5.host-1.cnn-tmp && cp whole/best.h5 part/final.h5.old
ends "leftovers and old files are no damage" 0 "$build/cnn_inspect" part --verify
has "a leftover is listed" '^leftover +part/.best.h5.host-1.cnn-tmp' "$(cat log)"
has "an old file is listed" '^old +part/final.h5.old' "$(cat log)"
rm -r part

echo "--- an abandoned branch"
stop=("${net[@]}" --epochs 4 --optimizer sgd --lr 0.02 --dropout 0 --early-stop 50 --keep 100)
train 1 "${stop[@]}" --out branch
has "a later epoch is the best" 'best epoch [34]' "$(cat log)"
cp -r branch lost
train 1 --resume branch/step-00000014.h5 --lr 30
weights() { digest "$1" | grep weights; }
same "final.h5 is the best of the new branch" "$(weights branch/step-00000014.h5)" "$(weights branch/final.h5)"
same "and so is best.h5" "$(weights branch/step-00000014.h5)" "$(weights branch/best.h5)"
check "the folder is consistent" verified branch
train 1 "${stop[@]}" --lr 30 --epochs 3 --out worse # its best epoch is lost
cp lost/best.h5 worse/best.h5
best=$(sed -n 's/.*best epoch //p' log)
rm "worse/$(printf 'step-%08d.h5' $((best * 7)))"
train 1 --resume worse --epochs 5
[ "$best" = 3 ] || has "a best epoch that is lost is told" "worse/best.h5 is not the best epoch's .epoch $best" \
    "$(cat err)"
check "best.h5 is right again" verified worse

echo "--- changed files"
cp "$networks/dropout.json" net.json
echo '{"1": 2}' >weights.json
files=(--model net.json --class-weights weights.json)
train 1 "${net[@]}" "${files[@]}" --epochs 1 --out files
sed 's/: 2/: 3/' weights.json >other.json
mkdir moved && cp net.json weights.json moved
train 1 --resume files --model moved/net.json --class-weights moved/weights.json --epochs 2
has "the same files at another place are no change" '^resuming files/step-[0-9]+.h5; changed: epochs 1 -> 2$' \
    "$(cat log)"
fails "other class weights" 2 'class-weights moved/weights.json, not other.json' \
    ranks 1 cnn_train --resume files --class-weights other.json --epochs 3
cp other.json moved/weights.json
fails "changed class weights" 1 'moved/weights.json .--class-weights. has changed since the run .* began' \
    ranks 2 cnn_train --resume files --epochs 3
cp weights.json moved/weights.json
sed -i 's/"filters": 6/"filters": 5/' moved/net.json
fails "a changed network" 1 'moved/net.json .--model. has changed' ranks 1 cnn_train --resume files \
    --model moved/net.json --epochs 3
train 1 --resume files --epochs 3
has "which does not matter when it is not given" '^resuming files' "$(cat log)"
cp small.h5 kept.h5
small_data small.h5 202 --force
fails "changed data" 1 'small.h5 is not the data that the run was trained on' ranks 2 cnn_train --resume files \
    --epochs 4
mv kept.h5 small.h5
table() { awk -v one="$1" 'BEGIN { for (i = 0; i < 203; i++) { printf "%d", i % 10; for (k = 0; k < 64; k++)
    printf ",%d", (i * 7 + k * 3) % 17 + (i == 1 && k == 5) * one; print "" } }' >table.csv
    "$build/cnn_import" csv table.csv --label first --shape 8x8x1 -o table.h5 --force --quiet || failed=1; }
table 0
train 2 "${net[@]}" --data table.h5 --epochs 1 --out table
table 1 # of an example that is not among those that the fingerprint looks at
fails "one changed pixel" 1 'table.h5 is not the data .*: examples of train have changed' \
    ranks 2 cnn_train --resume table --epochs 2
table 0
train 1 --resume table --epochs 2

echo "--- files that are in the way"
begin_until 5 way 1 "${net[@]}" --epochs 2 --checkpoint-steps 5
rm way/metrics.csv && mkdir way/metrics.csv
go_on
wait "$job"
same "metrics.csv cannot be written: exit code" 1 $?
has "says so" 'error: cannot write way/metrics.csv: Is a directory.*; all else of the run is in way' "$(cat err)"
has "the last checkpoint is there nevertheless" 'ok +way/final.h5: step 14, 2 epochs' \
    "$("$build/cnn_inspect" way --verify)"
rmdir way/metrics.csv
train 2 "${net[@]}" --epochs 2 --checkpoint-steps 5 --resume auto --out way
has "a resume has nothing left to do, but writes it" 'way/metrics.csv was not that of the run: written anew' \
    "$(cat log)"
same "metrics.csv" "$(metrics whole)" "$(metrics way)"
check "all files of the run" verified way
train 1 "${net[@]}" --epochs 2 --resume auto --out way
check "the next has nothing to write" eval '! grep -q anew log'
mkdir others && echo '{"theme": "dark"}' >others/config.json
fails "--resume auto in a folder with another program's config.json" 2 \
    'others holds a run .config.json.*another --out' \
    ranks 1 cnn_train "${net[@]}" --resume auto --out others
same "which is untouched" '{"theme": "dark"}' "$(cat others/config.json)"
cp -r whole begun && rm begun/*.h5
train 1 "${net[@]}" --epochs 2 --checkpoint-steps 1 --keep 100 --resume auto --out begun
same "but a run without a checkpoint begins again: digest" "$expected" "$(digest begun)"

echo "--- jobs that meet"
begin_until 5 live 1 "${net[@]}" --epochs 2 --checkpoint-steps 5
refused_after_waiting() { # refused_after_waiting WHAT COMMAND...
    ends "$1: exit code" 1 "${@:2}"
    has "$1: says who is there" 'error: .*live is being written by another process .host .*, process [0-9]+.' \
        "$(cat err)"
}
refused_after_waiting "--overwrite of a run that is alive" ranks 1 cnn_train "${net[@]}" --epochs 1 --overwrite \
    --out live
refused_after_waiting "a resume of it" ranks 1 cnn_train --resume live
kill -9 $(rank_processes)
wait "$job" 2>/dev/null
check "it is untouched" verified live
cp -r whole dying && rm dying/final.h5 dying/best.h5 dying/step-0000001[1-4].h5
rm err
{
    flock 9 && touch locked
    until grep -qs 'waiting up to' err; do sleep 0.1; done
    cp whole/step-00000013.h5 dying/
} 9>dying/.lock &
until [ -e locked ]; do sleep 0.1; done
train 2 --resume dying
has "a resume waits for a job that is ending, and takes its last checkpoint" '^resuming dying/step-00000013.h5' \
    "$(cat log)"
same "digest" "$expected" "$(digest dying)"
for i in 1 2; do
    ranks 1 cnn_train "${net[@]}" --epochs 2 --resume auto --out both >both.$i 2>&1 &
    pids[i]=$!
done
for i in 1 2; do
    wait "${pids[i]}" && continue
    same "one of two jobs that start one run: exit code" 1 $?
    has "says that the other is at work" 'being written by another process' "$(cat both.$i)"
done
same "the run is whole: digest" "$(digest whole | head -1)" "$(digest both | head -1)"
check "and its files" verified both
finish
