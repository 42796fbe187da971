#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --help in its forms, as a person meets them: manual pages without a word that roff takes for its own, completion in a
# real bash, and documents that name no option which does not exist.
. "$(dirname "$0")/lib.sh"
programs=$(cd "$build" && ls cnn_* | grep -xE 'cnn_[a-z]+')

echo "--- manual pages"
for program in $programs; do
    page=$build/share/man/$program.1
    check "$program has a page" [ -s "$page" ]
    same "$program: its sections" "NAME SYNOPSIS DESCRIPTION OPTIONS EXAMPLES EXIT STATUS ENVIRONMENT SEE ALSO" \
        "$(sed -n 's/^\.SH //p' "$page" | grep -v '^FILES$' | tr '\n' ' ' | sed 's/ $//')"
    if command -v mandoc >/dev/null; then # which knows no page without a date
        same "$program: mandoc" "none" "none$(mandoc -T lint -W warning "$page" 2>&1 | grep -v 'missing date')"
    fi
    if command -v groff >/dev/null; then
        same "$program: groff" "none" "none$(groff -man -Tutf8 -ww -z "$page" 2>&1)"
    fi
done

echo "--- scripts"
for script in local slurm-submit sweep packages quickstart; do
    ends "launch/$script --help" 0 env COLUMNS=80 "$source/launch/$script" --help
    same "launch/$script --help fits 80 columns" "0 1" \
        "$(awk 'length > 79' log | wc -l) $(grep -ciE '^usage: launch' log)"
done

echo "--- completion"
printf 'bash %s\n' "${BASH_VERSION%%(*}"
mkdir here && cd here && mkdir -p run1 'a run' && touch data.h5 net.json notes.txt run1/step-1.h5 archive.gz

# completes WORD... -> the suggestions for the last one, sorted, in one line.  `|` parts the words, as bash parts them.
completes() {
    local IFS='|'
    local -a words=($1)
    [[ $1 != *'|' ]] || words+=('')
    bash --norc -c '
        . "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        ${COMP_FUNCTION} "$1"
        printf "%s\n" "${COMPREPLY[@]}"' completion "$build/share/bash/$2" "${words[@]}" 2>&1 | sort | tr '\n' ' ' | sed 's/ $//'
}
# suggests WHAT PROGRAM EXPECTED LINE
suggests() {
    export COMP_FUNCTION=_$2
    same "$1" "$3" "$(completes "$4" "$2")"
}
suggests "options by their beginning" cnn_train "--mixup --mixup-prob" 'cnn_train|--mixu'
suggests "the choices of one" cnn_train "adam adamw" 'cnn_train|--optimizer|ad'
suggests "the same behind =" cnn_train "adam adamw" 'cnn_train|--optimizer|=|ad'
suggests "all choices behind =" cnn_train "auto off" 'cnn_train|--winograd|='
suggests "networks" cnn_train "lenet5" 'cnn_train|--model|le'
suggests "networks and files of networks" cnn_train "net.json" 'cnn_train|-m|net'
suggests "datasets, and folders on the way" cnn_train "a run data.h5 run1" 'cnn_train|--data|'
suggests "auto, runs" cnn_train "auto" 'cnn_train|--resume|au'
suggests "a checkpoint in a run" cnn_train "run1/step-1.h5" 'cnn_train|--resume|run1/s'
suggests "a folder with a space in its name" cnn_train "a run" 'cnn_train|--out|a '
suggests "files of a given ending" cnn_evaluate "a run net.json run1" 'cnn_evaluate|run1|--out|'
suggests "which checkpoint" cnn_evaluate "best" 'cnn_evaluate|run1|-c|b'
suggests "splits" cnn_evaluate "test train" 'cnn_evaluate|run1|--split|t'
suggests "kinds of files to import" cnn_import "idx" 'cnn_import|id'
suggests "runs as words" cnn_inspect "run1" 'cnn_inspect|ru'
has "the options of launch/local beside those of cnn_train" '--elastic.*--epochs|--epochs.*--elastic' \
    "$(COMP_FUNCTION=_cnn_train completes "$source/launch/local|--e" cnn_train)"
has "it is installed for launch/local, too" "complete -F _cnn_train launch/local ./launch/local" \
    "$(cat "$build/share/bash/cnn_train")"
finish
