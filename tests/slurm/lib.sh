#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests with a real Slurm: a cluster on this machine, a short training, and what an undisturbed run
# gives.
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
cluster=$source/tests/slurm/cluster net=$work/cluster
skip() { echo "skipped: $*" && exit 77; }
[ "$(id -u)" = 0 ] || skip "a Slurm of our own needs root (network namespaces)"
unshare -nm true 2>/dev/null || skip "a Slurm of our own needs namespaces, which this system forbids"
for tool in ip munged slurmctld slurmd sbatch; do
    PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || skip "no $tool: launch/packages slurm installs it"
done
export CNN_TRAIN=$build/cnn_train OMPI_MCA_btl_tcp_if_include=eth0

# start_cluster N: nodes of 4 CPUs each.
start_cluster() {
    ended+=("$cluster stop $net")
    "$cluster" start "$net" "$1" || { echo "FAILED  the cluster did not start" && exit 1; }
}

slurm() { timeout $limit "$cluster" in "$net" "$@"; }

small_data small.h5 203
options=(--model "$source/tests/cli/networks/dropout.json" --data small.h5 --validation-split 0.15 --batch-size 30
         --seed 3 --micro-batches 8 --epochs 20 --checkpoint-steps 4)
train 1 "${options[@]}" --out whole
expected=$(digest whole)

# submit RUN OPTION...: by slurm-submit; $id is the job.  Rank 0 stands still in the middle (../cli/lib.sh),
# but for another $program.
pausing 8
submit() {
    CNN_TRAIN=${program:-$pausing} slurm "$source/launch/slurm-submit" --nodes 2 --tasks 4 --time 30 "${@:2}" \
        "${options[@]}" --out "$1" >log 2>err || cat err
    id=$(sed -n 's/^Submitted batch job //p' log)
}

# field ID NAME: of scontrol show job.
field() { slurm scontrol show job -o "$1" | tail -1 | grep -oE "(^| )$2=[^ ]*" | cut -d= -f2; }

# becomes ID STATES SECONDS: waits until the job is in one of the states (A|B); on a slow machine five times so long.
becomes() {
    local tenths state=
    for ((tenths = 0; tenths < 25 * $3; tenths++)); do
        state=$(field "$1" JobState)
        [[ $state =~ ^($2)$ ]] && return
        [[ $state =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]] && [ $tenths -gt 500 ] && break
        sleep 0.2
    done
    echo "        job $1 is $state: $(cat ./*/slurm-"$1".log 2>/dev/null | tail -5)"
    return 1
}

# training RUN: waits until its rank 0 stands still, $root; go_on lets it train on.
training() {
    local tenths
    for ((tenths = 0; tenths < 1200; tenths++)); do
        for root in $(of_run "$1"); do
            ! stands_still "$root" || return 0
        done
        sleep 0.1
    done
    return 1
}

# warned ID...: SIGUSR1, as Slurm's warning, to the jobs' scripts; returns when it has come to $root, which goes on.
warned() {
    slurm scancel -b -s USR1 "$@"
    pending USR1
    go_on
}

# completed WHAT ID RUN RESTARTS: the job ends as if nothing had happened.
completed() {
    check "$1: completes" becomes "$2" COMPLETED 90
    same "$1: restarts" "$4" "$(field "$2" Restarts)"
    has "$1: has resumed" "^resuming $3/step-" "$(cat "$3"/slurm-*.log)"
    same "$1: digest" "$expected" "$(digest "$3")"
    same "$1: nothing else is left" ".lock best.h5 config.json final.h5 metrics.csv report.html slurm step" \
        "$(ls -A "$3" | sed -E 's/^(step|slurm)-.*/\1/' | uniq | xargs)"
}
