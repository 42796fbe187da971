#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Jobs that depend on each other, and arrays.
. "$(dirname "$0")/lib.sh"
start_cluster 2

echo "--- afternotok, afterok"
submit chain
first=$id
check "the first trains" training chain
submit chain --sbatch --dependency=afternotok:"$first"
second=$id
program=$build/cnn_train submit next --tasks 2 --sbatch --dependency=afterok:"$second"
slurm scancel "$first"
completed "after one that was cancelled" "$second" chain 0
check "after one that was done: completes" becomes "$id" COMPLETED 60
same "after one that was done: digest" "$expected" "$(digest next)"
has "which began when the other had ended" '^run folder: next' "$(cat next/slurm-"$id".log)"

echo "--- singleton"
submit alone --job-name one
first=$id
submit alone --job-name one --sbatch --dependency=singleton
check "the first trains" training alone
same "the second waits" PENDING "$(field "$id" JobState)"
warned "$first"
check "the first completes" becomes "$first" COMPLETED 60
check "and the second" becomes "$id" COMPLETED 60
same "digest" "$expected" "$(digest alone)"

echo "--- an array"
command -v python3 >/dev/null || { echo "skipped: launch/sweep needs python3" && finish; }
CNN_TRAIN=$pausing SBATCH_TIMELIMIT=30 slurm "$source/launch/sweep" --slurm --grid seed=3,4 --ranks 2 --jobs 2 \
    -o array -- \
    "${options[@]:0:8}" "${options[@]:10}" >log 2>err || cat err
id=$(sed -n 's/^Submitted batch job //p' log)
check "a trial trains" training array/seed=3
warned "${id}_0"
check "and the other" training array/seed=4
warned "${id}_1"
for task in 0 1; do check "task $task completes" becomes "${id}_$task" COMPLETED 90; done
same "a trial's digest" "$expected" "$(digest array/seed=3)"
for seed in 3 4; do
    same "trial $seed: resumed" 1 "$(grep -c '^resuming ' array/seed=$seed.log)"
    same "trial $seed: started" 2 "$(grep -c '^ranks ' array/seed=$seed.log)"
done
finish
