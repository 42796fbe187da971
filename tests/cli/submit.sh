#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# launch/slurm-submit and what launch/slurm.sbatch decides, with programs in the place of Slurm's.
. "$(dirname "$0")/lib.sh"
export CNN_TRAIN=$build/cnn_train
unset ${!SLURM_*} ${!SBATCH_*}
submit() { timeout $limit "$source/launch/slurm-submit" "$@"; }

# Each notes its arguments in ./calls. What srun does is in ./srun-does, and so on.
mkdir bin
for name in sbatch srun mpirun scontrol squeue; do
    printf '#!/bin/bash\n[ "$1" = show ] || echo "%s $*" >>calls\n[ ! -e %s-does ] || . ./%s-does\n' $name $name $name \
        >bin/$name
    chmod +x bin/$name
done
export PATH=$work/bin:$PATH
echo 'echo "Submitted batch job 7"' >sbatch-does

echo "--- what is submitted"
ends "--dry-run" 0 submit --nodes 2 --tasks 8 --time 4:00:00 --partition main --account a --dry-run --epochs 3 --out run
has "prints the command" "^LAUNCH='srun --mpi=pmix -K1' CNN_TRAIN=.*/cnn_train sbatch .*--nodes=2 --ntasks=8 --partition=main --account=a --time=4:00:00 --signal=B:USR1@300 --job-name=run --output=run/slurm-%j.log .*/launch/slurm.sbatch --epochs 3 --out run " "$(cat log)"
check "submits nothing, makes nothing" [ ! -e calls -a ! -e run ]
mkdir "with a blank" && printf '#!/bin/sh\n' >"with a blank/cnn_train" && chmod +x "with a blank/cnn_train"
has "a program's path with blanks" ' CNN_TRAIN=[^ ]*with.[ ]a.[ ]blank/cnn_train sbatch ' \
    "$(CNN_TRAIN="$PWD/with a blank/cnn_train" submit --no-check --dry-run --out run)"
rm -r "with a blank"
for time in 1=30 10=60 40:00=120 1-0=300 0-1:30=270 2:00:00=300; do
    has "--time ${time%=*}: warned so long before" "--signal=B:USR1@${time#*=} " \
        "$(submit --dry-run --time "${time%=*}" --out run)"
done
has "--warn" '--signal=B:USR1@7 ' "$(submit --dry-run --warn 7 --out run)"
has "a folder's % is none of Slurm's" '--output=50%%j/slurm-%j.log .* --out 50%j ' "$(submit --dry-run --out 50%j)"
ends "without --out" 0 submit --mpirun --sbatch --constraint='a b' --tries 2 --epochs 1
has "the folder is chosen, for the job, too" \
    '^sbatch .*--constraint=a b .*--job-name=digits-net-digits-1 --output=checkpoints/digits-net-digits-1/slurm-%j.log .*/slurm.sbatch --epochs 1 --out checkpoints/digits-net-digits-1$' "$(cat calls)"
check "and made, for the log" [ -d checkpoints/digits-net-digits-1 ]
has "which is said" '^run folder: checkpoints/digits-net-digits-1; .*scancel 7$' "$(cat log)"
rm calls
ends "a wrong option of cnn_train" 2 submit --optimizer no
has "is told before the job waits" '^cnn_train: error: --optimizer no' "$(cat err)"
has "as sbatch writes options" '--nodes=2 --ntasks=8 --exclusive --time=5 .* --epochs 3 --out run ' \
    "$(submit --dry-run --nodes=2 --ntasks=8 --time=5 --sbatch=--exclusive --epochs 3 --out run)"
for wrong in "--time soon" "--time 1 --warn 60" "--nodes 0" "--tasks" "--resume run" "--overwrite --out run" \
    "--no-check"; do
    # shellcheck disable=SC2086
    ends "$wrong" 2 submit $wrong
done
check "none of these is submitted" [ ! -e calls ]

echo "--- what the job does"
export CNN_LAUNCH=$source/launch SLURM_JOB_ID=41
# job CODE: runs the script; sets `calls`, without the start of the ranks.
job() {
    rm -f calls
    timeout $limit bash "$source/launch/slurm.sbatch" --out run "$@" >log 2>err
    code=$?
    calls=$(grep -vE '^(srun|mpirun) ' calls 2>/dev/null)
}
# outcome WHAT CODE CALLS: of the last job.
outcome() {
    check "$1: exit code $2" [ $code -eq "$2" ]
    [ $code -eq "$2" ] || echo "        $code: $(cat err)"
    check "$1: ${3:-nothing is asked of Slurm}" [ "$calls" = "$3" ]
    [ "$calls" = "$3" ] || echo "        calls: $calls"
}
echo '[ "$1" = show ] || kill -TERM $PPID' >scontrol-does # as Slurm does when it requeues
echo 'exit 0' >srun-does
job --epochs 3
outcome "done" 0 ""
same "ranks are started so" "srun --mpi=pmix -K1 $CNN_TRAIN --resume auto --out run --epochs 3" "$(cat calls)"
check "nothing of ours is left" [ -z "$(ls -A run)" ]
mkdir "with blanks" && cp "$source/launch/supervise" "with blanks"
echo '[ "$1" != show ] || echo "   Command=$PWD/with blanks/slurm.sbatch --out run --epochs 3"' >scontrol-does
CNN_LAUNCH='' job --epochs 3
outcome "plain sbatch, a path with blanks" 0 ""
echo '[ "$1" = show ] || kill -TERM $PPID' >scontrol-does
for given in 1 2; do
    echo "exit $given" >srun-does
    job
    outcome "failed" $given ""
done
for given in 75 76 137 143 205 9 139; do
    rm -rf run
    echo "exit $given" >srun-does
    job
    outcome "ended with $given" 75 "scontrol requeue 41"
done
rm -rf run
for try in 1 2; do
    job
    outcome "start $try without progress" 75 "scontrol requeue 41"
done
job
outcome "start 3" 139 ""
has "gives up with a clear word" 'ended with code 139; 3 starts in a row brought no newer checkpoint. Submit' \
    "$(cat err)"
SLURM_JOB_ID=42 job
outcome "another job starts anew" 75 "scontrol requeue 42"
echo 'touch run/step-00000001.h5; exit 137' >srun-does
SLURM_JOB_ID=42 job
SLURM_JOB_ID=42 job
outcome "progress" 75 "scontrol requeue 42"
has "counts from there" '^slurm.42 1 step-00000001.h5' "$(cat run/.tries)"
rm -rf run && mkdir run
echo "slurm.41 3 " >run/.tries # the starts before died with their node
job
outcome "nodes lost again and again" 76 ""
rm -rf run
SLURM_ARRAY_JOB_ID=40 SLURM_ARRAY_TASK_ID=2 job
outcome "one task of an array" 75 "scontrol requeue 40_2"

echo "--- signals"
cat >srun-does <<'S'
trap 'exit 75' USR1
kill -"$(cat signal)" $PPID
[ "$(cat signal)" = USR1 ] || exit 75 # of TERM, which the ranks get, too
while :; do sleep 0.1; done
S
echo USR1 >signal
job
outcome "the warning reaches the ranks" 75 "scontrol requeue 41"
echo TERM >signal
echo 'echo COMPLETING' >squeue-does
job
outcome "scancel" 75 "squeue --noheader --jobs=41 --format=%T"
echo 'echo RUNNING' >squeue-does
for try in 1 2 3 4; do job; done
outcome "asked to end, but still running" 75 $'squeue --noheader --jobs=41 --format=%T\nscontrol requeue 41'

rm -rf run
echo 'exit 75' >srun-does # the ranks alone got SIGTERM
for try in 1 2 3 4; do job; done
outcome "preempted, however often" 75 "scontrol requeue 41"

echo 'trap : USR1; kill -USR1 $PPID; sleep 1; trap "exit 75" USR1; while :; do sleep 0.1; done' >srun-does
job
outcome "a warning before there are ranks is repeated" 75 "scontrol requeue 41"

echo "--- another job in the folder"
hold run/.tries
CNN_LOCK_WAIT=0 job
outcome "ends" 2 ""
has "says so" 'error: another job is at work in run. Wait' "$(cat err)"
check "starts nothing" eval '! grep -q srun calls 2>/dev/null'
kill "$holder"

echo "--- where a job may not be requeued"
echo '[ "$1" = show ] || exit 1' >scontrol-does
echo 'exit 75' >srun-does
export CNN_SBATCH="--nodes=2 --job-name=a\\ b slurm.sbatch --out run "
job
outcome "another is submitted" 75 \
    $'scontrol requeue 41\nsbatch --dependency=afterany:41 --nodes=2 --job-name=a b slurm.sbatch --out run'
echo 'exit 1' >sbatch-does
rm -r run
job
has "else the way is told" 'neither be requeued nor submitted again. Submit the same once more: it goes on from run' \
    "$(cat err)"
unset CNN_SBATCH
rm -r run
echo 'exit 0' >mpirun-does
LAUNCH='mpirun --quiet' job
same "mpirun" "mpirun --quiet $CNN_TRAIN --resume auto --out run" "$(cat calls)"
echo 'exit 1' >mpirun-does
echo 'kill -TERM $PPID' >scontrol-does
LAUNCH='mpirun --quiet' job
outcome "a failure that may be mpirun's own" 75 "scontrol requeue 41"
echo 'exit 0' >mpirun-does
unset CNN_LAUNCH
echo "echo 'JobId=41'; echo '   Command=$source/launch/slurm.sbatch --out run'" >scontrol-does
LAUNCH=mpirun job
outcome "the file's folder is known from Slurm" 0 ""
timeout $limit bash "$source/launch/slurm.sbatch" --epochs 1 >log 2>err
same "without --out" 2 $?
echo "--- asked to stop between the start of the ranks and the note of their process"
cat >early <<'END'
. "$1/supervise"
set -T
trap ask_to_stop USR1
trap '[[ $BASH_COMMAND != child=* ]] || kill -USR1 $$' DEBUG
supervise sleep 60
END
ends "they are told" 0 timeout 30 bash -c '. ./early; [ $code -eq 138 ]' early "$source/launch"
finish
