#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What programs leave behind, what they print, and that they destroy nothing.
. "$(dirname "$0")/lib.sh"
unset OMPI_MCA_pml OMPI_MCA_btl OMPI_MCA_odls_base_sigkill_timeout # as users start it
small_data small.h5 203
options=(--model "$source/tests/cli/networks/dropout.json" --data small.h5 --batch-size 30 --epochs 2 --seed 1)
programs="cnn_train cnn_evaluate cnn_predict cnn_inspect cnn_import"

# gone SECONDS PATTERN: within that time no process has it on its command line.
gone() {
    local tenths
    for ((tenths = 0; tenths < 10 * $1; tenths++)); do
        pgrep -f "$2" >/dev/null || return 0
        sleep 0.1
    done
    pgrep -af "$2"
    return 1
}

echo "--- nothing is left of 8 ranks"
# alone COMMAND...: in its own /dev/shm where the system lets us; ./shm lists what is left in it.
alone() {
    if unshare -m true 2>/dev/null; then
        unshare -m bash -c 'mount -t tmpfs none /dev/shm && "$@"; rc=$?; ls -A /dev/shm >shm; exit $rc' - "$@"
    else
        echo "skipped: /dev/shm (cannot have one of our own)" && "$@" && : >shm
    fi
}
mkdir tmp
export TMPDIR=$work/tmp
ends "a run of 8 ranks" 0 alone mpirun --quiet -np 8 "$build/cnn_train" "${options[@]}" --out "$work/eight" --keep 1
check "no process" [ -z "$(pgrep -f "$work/eight")" ]
check "no file in /dev/shm" [ ! -s shm ]
check "no file in the folder for temporary files" [ -z "$(find tmp -type f)" ]
same "the run folder's files" ".lock best.h5 config.json final.h5 metrics.csv report.html step-00000014.h5" \
    "$(ls -A eight | xargs)"
check "nothing on stderr" [ ! -s err ]
check "no escape codes, no carriage returns" eval '! grep -q "[^[:print:][:blank:]]" log'
begin_until 7 "$work/killed" 3 "${options[@]}"
kill -9 "$(other_rank)"
go_on
wait "$job" 2>/dev/null
check "no process soon after one rank was killed" gone 60 "$work/killed"
unset TMPDIR

echo "--- nothing is destroyed"
for n in 1 2; do
    train 2 "${options[@]}"
    has "run $n has its own folder" "run folder: checkpoints/dropout-small-$n\$" "$(cat log)"
    check "folder $n" [ -e "checkpoints/dropout-small-$n/final.h5" ]
done
same "the same command twice, the same digest" "$(digest checkpoints/dropout-small-1)" \
    "$(digest checkpoints/dropout-small-2)"
before=$(digest eight)
fails "--out of a run" 2 'eight holds a run.*--resume eight.*--overwrite' ranks 2 cnn_train "${options[@]}" --out eight
same "changes nothing" "$before" "$(digest eight)"
mkdir eight/notes
for file in notes.txt step-1.h5 final.h5.bak notes/best.h5; do echo mine >eight/$file; done
train 2 "${options[@]}" --seed 2 --epochs 1 --out eight --overwrite
differs "--overwrite makes a new run" "$before" "$(digest eight)"
same "of which the old one's checkpoints are gone" "step-00000007.h5 step-1.h5" "$(cd eight && ls step-*.h5 | xargs)"
same "and files of others are not" "mine mine mine mine" \
    "$(cat eight/notes.txt eight/step-1.h5 eight/final.h5.bak eight/notes/best.h5 | xargs)"
train 2 --model eight/best.h5 --data small.h5 --batch-size 100 --epochs 1 --out eight --overwrite
check "one that takes the network of the old one, too" verified eight
find . -type f ! -name before ! -name after -printf '%p %s %T@\n' | sort >before
ranks 3 cnn_train "${options[@]}" --dry-run --out dry >/dev/null 2>&1
check "--dry-run ends with 0" [ $? -eq 0 ]
find . -type f ! -name before ! -name after -printf '%p %s %T@\n' | sort >after
check "--dry-run writes nothing" cmp before after
check "nor makes a folder" [ ! -e dry ]
cp eight/config.json again.json
train 2 --config again.json --out again
same "config.json makes the same run" "$(digest eight)" "$(digest again)"

echo "--- what is printed"
train 3 "${options[@]}" --quiet --out quiet
check "--quiet: nothing on stdout" [ ! -s log ]
check "--quiet: nothing on stderr" [ ! -s err ]
for program in $programs; do
    ends "$program --help" 0 ranks 1 "$program" --help
    has "$program --help says how to use it" "^Usage: $program" "$(cat log)"
    same "$program --help fits 80 columns and 40 lines" "0 1" \
        "$(awk 'length > 79' log | wc -l) $(($(wc -l <log) <= 40))"
    same "$program --help=all fits 80 columns" 0 "$(ranks 1 "$program" --help=all | awk 'length > 79' | wc -l)"
    ends "$program --version" 0 ranks 1 "$program" --version
    has "$program --version" "^$program [0-9]+\.[0-9]+" "$(cat log)"
done
ends "--list-models on 2 ranks" 0 ranks 2 cnn_train --list-models
has "lists lenet5 with parameters and FLOP" '^lenet5 +61706 parameters +[0-9.]+ MFLOP  28x28x1, 10 classes' "$(cat log)"
same "lists it once" 1 "$(grep -c '^lenet5 ' log)"
same "--list-models fits 80 columns" 0 "$(awk 'length > 80' log | wc -l)"
ends "--help on 2 ranks" 0 ranks 2 cnn_train --help
same "is printed once" 1 "$(grep -c '^Usage' log)"
for command in "cnn_inspect eight --digest" "cnn_evaluate eight --data small.h5 --split train --json"; do
    # shellcheck disable=SC2086
    ranks 1 $command >/dev/full 2>err
    same "$command: exit code when its output cannot be written" 1 $?
    has "which is told" 'error: cannot write the whole output' "$(cat err)"
done
echo "--- defaults that a person would expect"
cat >scaled.json <<'JSON'
{"class_name": "Sequential", "config": {"layers": [
 {"class_name": "InputLayer", "config": {"batch_input_shape": [null, 8, 8, 1]}},
 {"class_name": "Rescaling", "config": {"scale": 0.0625}}, {"class_name": "Flatten", "config": {}},
 {"class_name": "Dense", "config": {"units": 10, "activation": "softmax"}}]}}
JSON
has "a network that scales its pixels gets them as they are" '^preprocess none: ' \
    "$(ranks 1 cnn_train --model scaled.json --dry-run)"
fails "data that is not there" 1 'cannot open none.h5: No such file or directory. Check --data' ranks 2 cnn_train \
    --data none.h5
finish
