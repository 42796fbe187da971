# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: a temporary folder to work in, the programs under mpirun, checks that print what they
# check.  A script ends with `finish`.
set -u
build=${CNN_BUILD_DIR:?} source=${CNN_SOURCE_DIR:?}
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
work=$(mktemp -d)
started=() # processes in the background, by id
ended=()   # commands for the end
checks=0 failed=0
limit=600 # seconds for one command: a hang

clean_up() {
    local pid command
    for pid in "${started[@]}"; do kill -9 "$pid" 2>/dev/null; done
    for command in "${ended[@]}"; do $command; done
    cd / && umount "$work/small" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1

# check WHAT COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    checks=$((checks + 1))
    if "$@"; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        failed=1
    fi
}

# same WHAT EXPECTED FOUND: two texts must be equal, and not empty.
same() {
    check "$1" [ "$2" = "$3" ]
    [ -n "$2" ] || { echo "FAILED  $1: nothing to compare" && failed=1; }
    [ "$2" = "$3" ] || diff <(echo "$2") <(echo "$3") | head -6
}

differs() {
    check "$1" [ "$2" != "$3" ]
}

# has WHAT PATTERN TEXT: an extended regular expression is found in the text.
has() {
    check "$1" grep -qE -- "$2" <<<"$3"
    grep -qE -- "$2" <<<"$3" || echo "        not found: $2, in: ${3:0:600}"
}

# ranks P PROGRAM ARGUMENT...: under mpirun, one rank without.
ranks() {
    local np=$1 program=$2
    shift 2
    if [ "$np" = 1 ]; then
        timeout $limit "$build/$program" "$@"
    else
        timeout $limit mpirun --quiet -np "$np" "$build/$program" "$@"
    fi
}

# train P ARGUMENT...: a run that must end with exit code 0; its output lies in ./log.
train() {
    ranks "$1" cnn_train "${@:2}" >log 2>err || { echo "FAILED  cnn_train ${*:2}: code $?: $(cat err)" && failed=1; }
}

# ends WHAT CODE COMMAND...: the exit code; outputs in ./log and ./err.
ends() {
    local what=$1 code=$2 rc
    shift 2
    "$@" >log 2>err
    rc=$?
    check "$what" [ $rc -eq "$code" ]
    [ $rc -eq "$code" ] || echo "        exit code $rc, not $code: $(head -c 600 err)"
}

# fails WHAT CODE PATTERN COMMAND...: exit code, and one line on stderr, an error that has the pattern.
fails() {
    local what=$1 code=$2 pattern=$3 rc lines
    shift 3
    "$@" >log 2>err
    rc=$?
    sed -i '/^\[warn\] Epoll /d' err # of the library in mpirun, now and then, when ranks end at once
    lines=$(wc -l <err)
    check "$what" eval "[ $rc -eq $code ] && [ $lines -eq 1 ] && grep -qE '^cnn_[a-z]+: error: .*($pattern)' err"
    [ $rc -eq "$code" ] && [ "$lines" -eq 1 ] && grep -qE "error: .*($pattern)" err ||
        echo "        exit code $rc, not $code, or not one line with \"$pattern\": $(head -c 900 err)"
}

# pausing STEP: makes the program $pausing, which is cnn_train, but stands still when it has written the checkpoint of STEP
# (pause.c).  It must be one that is written once: a restart before it would stand still there again.
pausing() {
    pausing=$work/pausing-$1
    printf '#!/bin/bash\nexport LD_PRELOAD=libpause.so LD_LIBRARY_PATH=%q:$LD_LIBRARY_PATH CNN_PAUSE_AFTER=step-%08d.h5 ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS
exec %q "$@"\n' "$build/tests" "$1" "$build/cnn_train" >"$pausing"
    chmod +x "$pausing"
}

# pausing_at_end RANK: the same, for this rank in MPI_Finalize.
pausing_at_end() {
    pausing 0
    sed -i "2i [ \"\$OMPI_COMM_WORLD_RANK\" != $1 ] || export CNN_PAUSE_AT_END=1" "$pausing"
}

# begin_until STEP RUN P ARGUMENT...: starts cnn_train under mpirun in the background, and waits until the checkpoint of STEP is
# written and rank 0 stands still, so that what the test does now it does in the middle of the run.  $job is mpirun's process,
# $root that of rank 0, which goes on after `go_on`.
begin_until() {
    pausing "$1"
    mpirun --quiet -np "$3" "$pausing" "${@:4}" --out "$2" >log 2>err &
    job=$!
    started+=("$job")
    paused "$2"
}
go_on() { kill -CONT "$root"; }

# of_run RUN: process numbers of its ranks.
of_run() {
    local p
    for p in $(pgrep -x cnn_train); do
        [ "$(readlink "/proc/$p/cwd")" = "$work" ] || continue # of another test
        ! tr '\0' ' ' <"/proc/$p/cmdline" | grep -q -- "--out $1 " || echo "$p"
    done 2>/dev/null
}

stands_still() { grep -qs '^State:[[:space:]]*T' "/proc/$1/status"; }

# paused RUN: waits, as long as there is $job, until a rank of the run stands still; $root is its process then.
paused() {
    while kill -0 "$job" 2>/dev/null; do
        for root in $(of_run "$1"); do
            ! stands_still "$root" || return 0
        done
        sleep 0.02
    done
    root=$job
    echo "FAILED  $1 ends before its middle: $(head -c 600 err)"
    failed=1
}

# pending SIGNAL: waits until $root, which stands still, has got it; it will see it after `go_on`.
pending() {
    local bit=$((1 << ($(kill -l "$1") - 1))) mask
    while mask=$(sed -n 's/^ShdPnd:[[:space:]]*//p' "/proc/$root/status" 2>/dev/null) && [ -n "$mask" ]; do
        [ $((16#$mask & bit)) -eq 0 ] || return 0
        sleep 0.02
    done
    echo "FAILED  signal $1 does not reach rank 0"
    failed=1
}

# hold FILE: locks it, until the process $holder is killed.
hold() {
    { flock 9 && exec sleep 1000; } 9>>"$1" >/dev/null 2>&1 &
    holder=$!
    started+=("$holder")
    while flock -n "$1" true; do sleep 0.1; done
}

# verified RUN: all its checkpoints are whole.
verified() {
    "$build/cnn_inspect" "$1" --verify >/dev/null
}

# Process numbers of the ranks of $job.
rank_processes() {
    pgrep -P "$job" cnn_train
}

# Process number of a rank of $job that is not $root.
other_rank() {
    rank_processes | grep -vx "$root" | tail -1
}

# Both lines of a run folder's or checkpoint's digest.
digest() {
    "$build/cnn_inspect" "$@" --digest
}

# metrics.csv of a run without what the clock says.
metrics() {
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) timed[i] = $i == "images_per_s" || $i == "seconds" || $i == "data_s" }
        { line = ""; for (i = 1; i <= NF; i++) if (!timed[i]) line = line $i ","; print line }' "$1/metrics.csv"
}

# The lines of ./log with the losses of epochs and test, without what the clock says; the lines between come by the clock.
losses() {
    grep -E '^(epoch [0-9]+/[0-9]+  loss|test)' log | sed -E 's, +[0-9.]+/s  .*,,; s/ +[0-9.]+ s( \(data [^)]*\))?(  best)?$//'
}

# byte N...: bytes of these values.
byte() {
    local n
    for n in "$@"; do printf '%b' "\\0$(printf %o "$n")"; done
}

# small_data FILE N [OPTION...]: a dataset of N images of 8x8, 10 classes, and nothing but training data.
small_data() {
    local n=$2 file=$1
    { byte 0 0 8 3 0 0 $((n / 256)) $((n % 256)) 0 0 0 8 0 0 0 8 && tail -c $((64 * n)) "$source/datasets/digits.h5"; } >images
    { byte 0 0 8 1 0 0 $((n / 256)) $((n % 256)) && byte $(seq 1 "$n" | awk '{ print $1 * 7 % 10 }'); } >labels
    "$build/cnn_import" idx images labels -o "$file" --quiet "${@:3}" || failed=1
    rm -f images labels
}

finish() {
    echo "$checks checks"
    [ $checks -gt 0 ] && [ $failed -eq 0 ]
    exit
}
