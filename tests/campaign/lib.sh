# SPDX-License-Identifier: Apache-2.0
# Sourced by the programs beside it: options, a job that can be signalled, where its ranks are, what it leaves behind.
#
# They run in a namespace of processes with a /dev/shm and a folder for temporary files of their own: what a job leaves
# there is its own, and at the end nothing is left of anything.  (Where such namespaces are not allowed: exit code 77.)
set -u
if [ "${CAMPAIGN_ALONE:-}" != 1 ]; then
    alone=(--mount --pid --fork --kill-child --mount-proc)
    [ "$(id -u)" = 0 ] || alone+=(--user --map-root-user)
    unshare "${alone[@]}" true 2>/dev/null || { echo "skipped: namespaces (unshare) are not allowed here" && exit 77; }
    exec env CAMPAIGN_ALONE=1 unshare "${alone[@]}" "$BASH" "$0" "$@"
fi
mount -t tmpfs none /dev/shm || exit 1
CNN_SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
export CNN_SOURCE_DIR CNN_BUILD_DIR=${CNN_BUILD_DIR:-$CNN_SOURCE_DIR/build-tests}
[ -x "$CNN_BUILD_DIR/cnn_train" ] || { echo "no $CNN_BUILD_DIR/cnn_train: build, or set CNN_BUILD_DIR" >&2 && exit 1; }
RANKS=999 . "$CNN_SOURCE_DIR/launch/environment"

# usage: the comment at the head of the program.
usage() {
    sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0" | sed '/^set -u/d'
}

declare -A option # of a program: its defaults, then what is given
options_from() {
    while [ $# -gt 0 ]; do
        case ${1#--} in
        help) usage && exit 0 ;;
        *)
            [ -n "${option[${1#--}]:-}" ] && [[ ${2:-} =~ ^[0-9.]+$ ]] ||
                { echo "unknown or without a number: $1 (--help)" >&2 && exit 2; }
            option[${1#--}]=$2
            shift 2
            ;;
        esac
    done
}

. "$CNN_SOURCE_DIR/tests/cli/lib.sh"
export TMPDIR=$work/tmp
mkdir tmp
cp "$build/cnn_train" "$build/cnn_inspect" "$work" # a build may replace them meanwhile
build=$work
training=(--model "$source/tests/campaign/network.json" --data "$source/datasets/digits.h5" --batch-size 128
    --micro-batches 8 --augment shear=10,crop=1,noise=0.1 --optimizer adam --schedule constant --seed 3)

now() { date +%s.%N; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a - b }'; }
less() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }

# Random choices give their result in a variable: a subshell would draw the same again and again.
# between A B: a number, in $drawn.
between() { drawn=$(awk -v a="$1" -v b="$2" -v r=$RANDOM 'BEGIN { printf "%.3f", a + (b - a) * r / 32767 }'); }

# one_of WORD...: in $chosen.
one_of() {
    shift $((RANDOM % $#))
    chosen=$1
}

# broken TEXT: the end of the campaign; what it worked on is kept.
broken() {
    echo "FAILED  $1"
    echo "        seed ${option[seed]:-}, ${about:-}"
    head -c 2000 err 2>/dev/null | sed 's/^/        /'
    trap - EXIT
    echo "        its files: $work"
    exit 1
}

# job P ARGUMENT...: starts the run `run`, or goes on with it, under mpirun; $job is mpirun's process.
job() {
    started_at=$(now)
    mpirun --quiet -np "$1" "$build/cnn_train" "${@:2}" --resume auto --out run >log 2>err &
    job=$!
}

lives() { [ -e "/proc/$job" ] && ! grep -q '^State:.Z' "/proc/$job/status" 2>/dev/null; }

# processes [OPTION...]: the numbers of ranks and daemons (pgrep's options), but for those of another job, in $spared.
spared=
processes() { pgrep "$@" -x 'cnn_train|orted' | grep -vxFf <(printf '%s\n' $spared); }

# ended WHAT [SECONDS]: waits for the end of $job and of all its processes, SECONDS (60) at most; its exit code in $rc,
# the time in $took.  mpirun itself (Open MPI 4.1.4 with PMIx 4.2.2) can hang in PMIx_server_finalize when a rank died
# while it connected to it: where no rank has been alive for 5 seconds it is ended as launch/local would, and counted.
ended() {
    local began alive hung=
    began=$(now) alive=$began
    while lives || processes >/dev/null; do
        sleep 0.02
        took=$(minus "$(now)" "$began")
        processes -r R,S,D,T >/dev/null && alive=$(now)
        if [ -z "$hung" ] && less 5 "$(minus "$(now)" "$alive")"; then
            hung=$(eu-stack -p "$job" 2>&1)
            if grep -q PMIx_server_finalize <<<"$hung"; then
                kill -9 "$job"
                count_up seen "mpirun hung"
            fi
        fi
        if less "${2:-60}" "$took"; then
            for pid in $(pgrep -x 'cnn_train|orted|mpirun'); do
                cat "/proc/$pid/stat" && eu-stack -p "$pid"
            done >stacks 2>&1
            broken "$1: not ended after $took s; where its processes were: stacks"
        fi
    done
    wait "$job"
    rc=$?
    took=$(minus "$(now)" "$began")
    [ "$rc" -ne 137 ] || [ -z "$hung" ] || rm -rf /dev/shm/* "${TMPDIR:?}"/*
}

# clean WHAT: the ended job has left no process, no shared memory and no temporary file outside the run's folder.
clean() {
    local left
    left=$(pgrep -l 'cnn_|mpi|orted' | head -3; find /dev/shm "$TMPDIR" -mindepth 1 ! -path "$TMPDIR/ompi.*" | head -3)
    [ -z "$left" ] || broken "$1: left behind: $left"
    # Open MPI's folder of the machine stays, a job's below it must not.
    left=$(find "$TMPDIR" -mindepth 2 | head -3)
    [ -z "$left" ] || broken "$1: Open MPI left: $left"
}

# as_undisturbed WHAT: the finished run has the bits, the rows and the files that `whole` has.
as_undisturbed() {
    [ -e run/final.h5 ] || broken "$1: is not finished"
    [ "$(digest run)" = "$expected" ] || broken "$1: other digest: $(digest run)"
    [ "$(metrics run)" = "$rows" ] || broken "$1: other metrics.csv"
    verified run || broken "$1: a damaged checkpoint"
    local left
    left=$(find run -name '.*' -type f ! -name .lock)
    [ -z "$left" ] || broken "$1: temporary file left: $left"
}

# undisturbed ARGUMENT...: the run that all others have to equal; $life: its seconds.
undisturbed() {
    local began
    began=$(now)
    mpirun --quiet -np 3 "$build/cnn_train" "$@" --out whole >log 2>err || broken "the undisturbed run: exit code $?"
    life=$(minus "$(now)" "$began")
    expected=$(digest whole) rows=$(metrics whole)
    [ -n "$expected" ] && [ -n "$rows" ] || broken "the undisturbed run: nothing to compare with"
    echo "undisturbed: $life s on 3 ranks, $(tail -1 whole/metrics.csv | cut -d, -f1,2 | sed 's/,/ epochs, /') steps"
}

# rank_of PROCESS
rank_of() { tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p'; }

# where PROCESS: the phase its main thread is in, and "+writing" when its other thread brings a checkpoint to the disk.
where() {
    eu-stack -p "$1" 2>/dev/null | awk -v main="$1" '
        /^TID/ { at_main = $2 == main ":"; next }
        at_main { stack = stack " " $3 }
        !at_main && /(file_write|file_link|checkpoint_seal|run_prune|clear_job)/ { writing = "+writing" }
        END {
            phase = "start-up"
            if (stack ~ /trainer__save/) phase = "checkpoint"
            else if (stack ~ /evaluate_run/) phase = "evaluation"
            else if (stack ~ /trainer__open/) phase = "start-up"
            else if (stack ~ /gradsync_|gradient_ready/) phase = "exchange"
            else if (stack ~ /executor_forward/) phase = "forward"
            else if (stack ~ /executor_backward/) phase = "backward"
            else if (stack ~ /loader_next/) phase = "data"
            else if (stack ~ /optimizer_|average_/) phase = "optimizer"
            else if (stack ~ /trainer__step|trainer__begin/) phase = "rest of a step"
            else if (stack ~ /ompi_mpi_finalize|dist_finish|trainer__close|trainer__finish/) phase = "end"
            else if (stack ~ /trainer_run/) phase = "rest of an epoch"
            print phase writing
        }'
}

# count_up TABLE KEY; table TABLE: how often each, the most frequent first.
declare -A tally
count_up() { tally["$1|$2"]=$((${tally["$1|$2"]:-0} + 1)); }
table() {
    local key
    for key in "${!tally[@]}"; do
        [ "${key%%|*}" != "$1" ] || echo "${tally[$key]} ${key#*|}"
    done | sort -rn
}
