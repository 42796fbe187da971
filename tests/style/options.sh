#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every --option that a document names exists: in a command (an indented line, or between backticks) as one of that
# program, elsewhere as one of any.  options.sh [FILE...]: in these documents.
cd "${CNN_SOURCE_DIR:?}" || exit 1
git rev-parse HEAD >/dev/null 2>&1 || { echo "skipped: no git checkout"; exit 77; }
build=${CNN_BUILD_DIR:?}
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
options() { grep -oE -- '--[a-z][a-z0-9-]*'; }
for program in $(cd "$build" && ls cnn_* | grep -xE 'cnn_[a-z]+'); do
    "$build/$program" --help=bash | options | sed "s/^/$program /"
done >"$work/options"
for script in launch/local launch/slurm-submit launch/sweep; do
    { $script --help | options && sed -n 's/^cnn_train //p' "$work/options"; } | sed "s,^,$script ,"
done >>"$work/options"
# Options of others that stand alone in a sentence: mpirun's, srun's, sbatch's, those of scripts for tests.
printf 'any %s\n' --quiet --oversubscribe --mpi --constraint --dependency --pairs --batch-norm >>"$work/options"
[ $# -gt 0 ] || set -- $(git ls-files '*.md' ':!tests/*/*')
awk '
    FNR == NR { known[$1 " " $2] = known["any " $2] = program[$1] = 1; next }
    function look(code, alone,    words, n, i, word, of) {
        of = "any"
        n = split(code, words, /[ \t()\[\],;:|"]+|`/)
        for (i = 1; i <= n; i++) {
            word = words[i]
            if (match(word, /(cnn_[a-z]+|launch\/(local|slurm-submit|sweep))$/) && substr(word, RSTART) in program)
                of = substr(word, RSTART)
            else if (!alone && word ~ /^(mpirun|cmake|python3?|srun|sbatch|tensorboard|.\/configure|ctest|pip|git|(.*\/)?tests\/.*)$/)
                of = "others"
            else if (word ~ /^(&&|\||do|done)$/)
                of = "any"
            else if (match(word, /^--[a-z][a-z0-9-]*/)) {
                seen++
                word = substr(word, 1, RLENGTH)
                if (of != "others" && !((of " " word) in known) && ++bad)
                    print FILENAME ":" FNR ": " (of == "any" ? "no program" : of) " has " (of == "any" ? "" : "no ") word
            }
        }
    }
    /\\$/ { whole = whole substr($0, 1, length($0) - 1); next }
    {
        line = whole $0
        whole = ""
        if (line ~ /^    /)
            look(line)
        else {
            n = split(line, parts, "`")
            for (k = 1; k <= n; k++)
                look(parts[k], k % 2)
        }
    }
    END {
        if (seen < 100 && ARGC > 4)
            print "only " seen " options found: the check does not look where it should"
        exit bad > 0 || (seen < 100 && ARGC > 4)
    }' "$work/options" "$@"
