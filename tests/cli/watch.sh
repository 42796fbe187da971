#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ranks that hang are named and the job ends; what was stopped for a while goes on; --prove.
. "$(dirname "$0")/lib.sh"
small_data small.h5 1000
options=(--model "$source/tests/cli/networks/dropout.json" --data small.h5 --validation-split 0.2 --batch-size 20
         --seed 3 --micro-batches 6 --epochs 2 --checkpoint-steps 10 --stall-timeout 5)

# ended PROCESS...: none of them runs any more.
ended() {
    local p
    for p in "$@"; do grep -qs '^State:[[:space:]]*[RSDTt]' "/proc/$p/status" && return 1; done
    return 0
}

# soon COMMAND...: it succeeds within a minute.
soon() {
    for _ in {1..600}; do
        "$@" && return
        sleep 0.1
    done
    return 1
}

echo "--- a stopped rank"
train 3 "${options[@]}" --out whole
expected=$(digest whole)
begin_until 10 hung 3 "${options[@]}"
processes=($(rank_processes))
kill -STOP "$(other_rank)"
go_on
began=$SECONDS
wait "$job" 2>/dev/null
same "a stopped rank: exit code" 76 $?
check "the job is over soon after the timeout" [ $((SECONDS - began)) -le 30 ]
stopped=$(sed -nE 's/.*rank ([0-9]) \([^)]*\) does not answer, its process is stopped or blocked; it was last .* of step [0-9]+ \(epoch [0-9]+\)$/\1/p' err)
check "one rank is named" [ ${#stopped} -eq 1 ]
same "the others say where they are" 2 \
    "$(grep -cE 'error: rank [0-9] \(.*\): no progress for 5 s: .* of step [0-9]+ \(epoch [0-9]+\)' err)"
check "but not the one that is named" eval "! grep -qE 'error: rank ${stopped:-0} .*: no progress' err"
has "they say how to go on" 'The job ends; start it again with --resume auto$' "$(cat err)"
check "no process is left" soon ended "${processes[@]}"
train 2 --resume hung
same "it goes on: digest" "$expected" "$(digest hung)"

pausing_at_end 1
ends "a rank stopped in MPI_Finalize" 76 timeout $limit mpirun --quiet -np 3 "$pausing" "${options[@]}" \
    --stall-timeout 2 --out end
has "is named" 'rank 1 \(.*\) does not answer, .*; it was last at the end' "$(cat err)"
train 3 --resume auto "${options[@]}" --out end
has "all else is done" 'nothing left to do' "$(cat log)"
same "digest" "$expected" "$(digest end)"

echo "--- a rank that does not start"
printf '#!/bin/bash\n[ "$OMPI_COMM_WORLD_RANK" != 1 ] || exec sleep 1000\nexec "$@"\n' >absent
chmod +x absent
ends "its exit code" 76 timeout $limit mpirun --quiet -np 3 ./absent "$build/cnn_train" "${options[@]}" --stall-timeout=2 --out never
same "the others say so" 2 \
    "$(grep -cE 'error: rank [02] \(.*\): MPI has not started in 2 s: a rank does not come, or .*OMPI_MCA_btl_tcp_if_include=' err)"
check "nothing is written" [ ! -e never ]

echo "--- stopped for a while"
begin_until 10 while 3 "${options[@]}"
processes=($(rank_processes))
sleep 2
kill -STOP "${processes[@]}" # all of them, for longer than the timeout
sleep 7
kill -CONT "${processes[@]}"
wait "$job"
same "a rank for less than the timeout, all for longer: exit code" 0 $?
same "and digest" "$expected" "$(digest while)"
check "nothing is said" [ ! -s err ]

echo "--- prove"
files() { (cd "$1" && md5sum ./* .lock); }
train 3 "${options[@]}" --epochs 3 --checkpoint-steps 23 --metrics auc --average-weights 0.9 --schedule plateau \
    --plateau-patience 1 \
    --early-stop 9 --lr 0.01 --out proof --keep 9
before=$(files proof)
for p in 1 2 5; do
    train $p --prove proof
    has "on $p ranks, over the end of an epoch" \
        "^proved: steps 115 to 120 of proof repeated on $p rank.*, same digest" "$(cat log)"
done
same "it is the digest that cnn_inspect shows" "$(digest proof/step-00000120.h5 | grep -oE '[0-9a-f]{64}' | tail -1)" \
    "$(grep -oE '[0-9a-f]{64}$' log)"
same "nothing is touched" "$before" "$(files proof)"
mkdir part && cp proof/step-00000{080,092}.h5 part
train 2 --prove part
has "from the end of an epoch to the middle of the next" '^proved: steps 80 to 92 of part repeated on 2 ranks' \
    "$(cat log)"
rm part/step-00000092.h5
fails "one checkpoint is not enough" 1 'part has only one whole step checkpoint.*--keep 2' ranks 2 cnn_train \
    --prove part
fails "more ranks than micro-batches" 2 '7 ranks, but .* 6 micro-batches' ranks 7 cnn_train --prove proof
fails "an option that changes the run" 2 'leave the options out that change it \(lr 0.01 -> 0.5\)' \
    ranks 1 cnn_train --prove proof --lr 0.5
fails "no run" 1 'nothing has no whole step checkpoint|nothing' ranks 1 cnn_train --prove nothing
small_data other.h5 999
fails "other data" 1 'is not the data that the run was trained on' \
    ranks 1 cnn_train --prove proof --data other.h5
counted=("${options[@]:0:4}" --batch-size 100 --seed 3 --micro-batches 2 --epochs 1 --checkpoint-steps 1 --keep 99)
train 1 "${counted[@]}" --metrics f1 --out counts
train 1 "${counted[@]}" --out later
train 1 --resume later/step-00000003.h5 --metrics f1
mkdir mixed && cp counts/step-00000004.h5 later/step-00000006.h5 mixed
ends "counts of an unfinished epoch that differ" 1 ranks 2 cnn_train --prove mixed
has "are named" 'warning: what --metrics has counted in epoch 1 differs' "$(cat err)"
cp counts/step-00000006.h5 mixed
train 2 --prove mixed
has "those of the same run are proved" '^proved: steps 4 to 6 of mixed' "$(cat log)"
# The same record, other bits: as if a computer had computed wrong.
still=(--data small.h5 --validation-split 0.2 --batch-size 400 --epochs 2 --micro-batches 2)
train 1 "${still[@]}" --init-from proof/step-00000023.h5 --out right
ends "a stop between the last step and the validation" 75 ranks 1 cnn_train "${still[@]}" --checkpoint-steps 1 \
    --out edge \
    --max-time 0.0001
ends "of an epoch" 75 ranks 1 cnn_train --resume edge --max-time 0.0001
train 2 --prove edge
has "is proved" '^proved: steps 1 to 2 of edge' "$(cat log)"
check "without that validation" eval '! grep -q "^epoch 1/2 .*val_loss" log'
train 1 "${still[@]}" --init-from proof/step-00000115.h5 --out wrong
train 1 --prove right
cp wrong/step-00000004.h5 right
ends "a forged checkpoint" 1 ranks 2 cnn_train --prove right
has "is not what the steps lead to" \
    'error: .*steps 2 to 4 of right, repeated, end in other bits: [1-9][0-9]* of [0-9]+ tensors' "$(cat err)"
has "which tensors" 'warning: conv/kernel: [0-9]+ of 54 numbers differ' "$(cat err)"
has "and which row" 'warning: epoch 1: loss is ' "$(cat err)"
check "the computer is not to blame" eval '! grep -q "was computed by" err'
ends "on more threads" 1 env OMP_NUM_THREADS=2 "$build/cnn_train" --prove right
has "the other arithmetic is named" 'was computed by ".*1 thread", this is ".*2 threads", which explains it' \
    "$(cat err)"
finish
