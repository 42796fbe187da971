#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# launch/local: restarts after a crash, signals, runs that cannot succeed, lost hosts.
. "$(dirname "$0")/lib.sh"
small_data small.h5 203
export CNN_TRAIN=$build/cnn_train # not one in build/ or on PATH
network=$source/tests/cli/networks/dropout.json
options=(--model "$network" --data small.h5 --validation-split 0.15 --batch-size 30 --seed 3 --epochs 4
         --checkpoint-steps 2 --micro-batches 6)
train 1 "${options[@]}" --out whole
expected=$(digest whole)
set -m # each background job is a process group of its own, as behind a shell's prompt
local_run() { timeout $limit "$source/launch/local" "$@"; }

# start RUN ARGUMENT...: launch/local in the background, until rank 0 stands still in the middle (lib.sh); $job,
# $mpirun.
pausing 6
start() {
    CNN_TRAIN=$pausing "$source/launch/local" "${@:2}" --out "$1" >log 2>err &
    job=$!
    started+=("$job")
    paused "$1"
    mpirun=$(pgrep -P "$job" mpirun)
}
other() { pgrep -P "$mpirun" cnn_train | grep -vx "$root" | tail -1; }

# stopped WHAT CODE RUN: how it ended, that nothing is left of it, and that the same command goes on.
stopped() {
    wait "$job"
    same "$1: exit code" "$2" $?
    check "$1: no process is left" [ -z "$(pgrep -s "$mpirun")" ]
    check "$1: no file is left" [ -z "$(ls -d "/dev/shm/cnn-local.$job".* 2>/dev/null)$(find tmp -mindepth 1)" ]
    check "$1: is not finished" [ ! -e "$3/final.h5" ]
    ends "$1: the same command" 0 local_run -np 2 "${options[@]}" --out "$3"
    has "$1: goes on" "^resuming $3/step-" "$(cat log)"
    same "$1: digest" "$expected" "$(digest "$3")"
}
mkdir tmp
export TMPDIR=$work/tmp

echo "--- crashes"
start killed -np 3 "${options[@]}"
kill -9 "$(other)"
go_on
wait "$job"
same "a rank killed: exit code" 0 $?
has "is restarted" '^local: ended with code 137: restart 1, from killed$' "$(cat err)"
same "digest" "$expected" "$(digest killed)"
same "the run folder's files" ".lock best.h5 config.json final.h5 metrics.csv report.html step" \
    "$(ls -A killed | sed 's/step-.*/step/' | uniq | xargs)"
start parent -np 3 "${options[@]}"
kill -9 "$mpirun"
go_on
wait "$job"
same "mpirun killed: exit code" 0 $?
same "digest" "$expected" "$(digest parent)"
check "no process is left" [ -z "$(pgrep -s "$mpirun")" ]
check "no file is left" [ -z "$(ls -d "/dev/shm/cnn-local.$job".* 2>/dev/null)$(find tmp -mindepth 1)" ]

mkdir hangs # as mpirun does in its own end, now and then
printf '#!/bin/bash\nrm -r %q; exec sleep 1000\n' "$work/hangs" >hangs/mpirun
chmod +x hangs/mpirun
PATH=$work/hangs:$PATH CNN_CHILDLESS=3 ends "mpirun hangs without ranks" 0 local_run -np 2 "${options[@]}" --out hung
has "it is ended" '^local: ended with code 137: restart 1, from hung$' "$(cat err)"
same "digest" "$expected" "$(digest hung)"

odd=$'a line\nand 50%j'
ends "a folder with a line end in its name" 0 local_run -np 1 "${options[@]}" --out "$odd"
same "is where the run is" "$expected" "$(digest "$odd")"

start alone -np 2 "${options[@]}"
ends "a second start meanwhile" 2 "$source/launch/local" -np 1 "${options[@]}" --out alone
has "is told" '^local: error: another launch/local, or a job, is at work in alone' "$(cat err)"
check "the count of tries is left alone" [ -s alone/.tries ]
kill -9 "$(other)"
go_on
wait "$job"
same "the first goes on to the end" 0 $?

echo "--- signals"
start term -np 3 "${options[@]}"
kill -TERM "$job"
pending USR1
go_on
stopped SIGTERM 75 term
start interrupt -np 3 "${options[@]}"
kill -INT -- "-$job" # the terminal's Ctrl-C: to all of the group in front
pending USR1
go_on
stopped Ctrl-C 75 interrupt
start twice -np 3 "${options[@]}" --checkpoint-steps 1000
kill -INT -- "-$job"
pending USR1
kill -INT -- "-$job"
stopped "Ctrl-C twice" 130 twice
if setpriv --pdeathsig keep true 2>/dev/null; then
    start orphan -np 3 "${options[@]}"
    kill -9 "$job"
    pending USR1
    go_on
    for ((i = 0; i < 600; i++)); do pgrep -s "$mpirun" >/dev/null && sleep 0.1 || break; done
    check "the script itself killed: no process is left" [ -z "$(pgrep -s "$mpirun")" ]
    has "the ranks have written a checkpoint" 'stopped on request at step' "$(cat err)"
    rm -rf "/dev/shm/cnn-local.$job".*
fi

echo "--- runs that cannot succeed"
cat >program <<'P'
#!/bin/bash
case $* in *--dry-run*) echo "run folder: always" ;; *) echo "$*" >>starts && mkdir -p always && eval "$EFFECT" ;; esac
P
chmod +x program
failing() { CNN_PAUSE=0 CNN_TRAIN=./program EFFECT=$1 timeout $limit "$source/launch/local" -np 1 "${@:2}"; }
ends "always killed" 137 failing 'kill -9 $$' --data x
same "is started three times" 3 "$(wc -l <starts)"
same "first" "--data x --resume auto --micro-batches 1 --out always" "$(head -1 starts)"
has "ends with a clear word" '3 starts in a row brought no newer checkpoint' "$(cat err)"
check "no empty folder is left" [ ! -e always ]
: >starts
ends "a failure that was explained" 2 failing 'exit 2'
same "is not tried again" 1 "$(wc -l <starts)"
: >starts
ends "one that may be mpirun's own" 1 failing 'exit 1'
same "is tried again" 3 "$(wc -l <starts)"
: >starts
ends "--tries" 76 failing 'exit 76' --tries 2
same "is the number of tries" 2 "$(wc -l <starts)"
: >starts
ends "progress" 137 failing 'n=$(wc -l <starts); [ $n -gt 6 ] || touch always/step-0000000$n.h5; kill -9 $$'
same "is worth more starts" 9 "$(wc -l <starts)"
rm -r always starts
ends "--max-restarts" 137 failing 'touch always/step-0000000$(wc -l <starts).h5; kill -9 $$' --max-restarts 4 \
    --overwrite -r x -b 8
same "is the end in any case" 5 "$(wc -l <starts)"
same "a restart does not begin anew" "-b 8 --micro-batches 1 --resume auto --out always" "$(tail -1 starts)"
ends "wrong options" 2 local_run -np 2 --optimizer no
has "are told before anything is started" '^cnn_train: error: --optimizer no' "$(cat err)"
ends "-np none" 2 local_run -np none

echo "--- options"
ends "no --out" 0 local_run -np 2 --model "$network" --data small.h5 --epochs 1
check "takes a numbered folder" [ -e checkpoints/dropout-small-1/final.h5 ]
ends "--resume RUN" 0 local_run -np 2 --resume checkpoints/dropout-small-1 --epochs 2
has "goes on there" '^resuming checkpoints/dropout-small-1/' "$(cat log)"
ends "--dry-run" 0 local_run -np 2 --dry-run "${options[@]}" --out dry
check "makes no folder" [ ! -e dry ]

echo "--- a lost host"
hosts=$source/tests/slurm/hosts
if [ "$(id -u)" != 0 ] || ! unshare -nm true 2>/dev/null || ! command -v ip >/dev/null; then
    echo "skipped: hosts of their own need root and iproute2" && finish
fi
unset TMPDIR
"$hosts" make "$work/net" 3
ended+=("$hosts remove $work/net")
export TEST_HOSTS=$work/net OMPI_MCA_plm_rsh_agent="$hosts agent" OMPI_MCA_orte_tmpdir_base=$work/tmp
CNN_TRAIN=$pausing "$hosts" on "$work/net" h0 "$source/launch/local" -np 6 --host h1:2,h2:2,h3:2 \
    --elastic "${options[@]:0:${#options[@]}-2}" --out lost >log 2>err &
job=$!
started+=("$job")
paused lost
"$hosts" kill "$work/net" h2
wait "$job"
same "a host lost: exit code" 0 $?
has "it goes on with the others" '^local: 2 of 3 hosts answer \(h1:2 h3:2\): 4 ranks$' "$(cat err)"
same "on three hosts, then on two" "6 on 3 4 on 2" "$(sed -nE 's/^ranks ([0-9]+ on [0-9]+) node.*/\1/p' log | xargs)"
same "digest" "$expected" "$(digest lost)"
mkdir waits
hold waits/.lock
"$hosts" on "$work/net" h0 mpirun --quiet -np 2 --host h1:1,h3:1 "$build/cnn_train" "${options[@]}" --stall-timeout 2 \
    --out waits >log 2>err &
job=$!
started+=("$job")
until grep -q 'waiting up to' err || ! kill -0 "$job"; do sleep 0.1; done
sleep 4
kill "$holder"
wait "$job"
same "a lock that is waited for longer than --stall-timeout, on two hosts: exit code" 0 $?
"$hosts" kill "$work/net" h1
"$hosts" kill "$work/net" h3
ends "no host answers" 1 "$hosts" on "$work/net" h0 "$source/launch/local" --host h1:2,h3:2 \
    --elastic "${options[@]:0:${#options[@]}-2}" --out none
has "which is said" 'error: none of the hosts answers' "$(cat err)"
finish
