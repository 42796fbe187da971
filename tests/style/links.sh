#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every link of a document to a file of the project, or to a heading of a document, leads there.
# links.sh [FILE...]: in these documents.
cd "${CNN_SOURCE_DIR:?}" || exit 1
git rev-parse HEAD >/dev/null 2>&1 || { echo "skipped: no git checkout"; exit 77; }
[ $# -gt 0 ] || set -- $(git ls-files '*.md')
# What GitHub makes of headings: lower case, blanks become hyphens, punctuation is dropped.
anchors() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9 _\n-' | tr ' ' '-'; }
seen=0 bad=0
for file in "$@"; do
    while IFS=: read -r line link; do
        link=${link#](} link=${link%)}
        case $link in http*) continue ;; esac
        seen=$((seen + 1))
        target=${link%%#*} anchor=
        case $link in *'#'*) anchor=${link#*#} ;; esac
        path=$file
        [ -z "$target" ] || path=$(dirname "$file")/$target
        if [ ! -e "$path" ]; then
            echo "$file:$line: no file $target"
            bad=1
        elif [ -n "$anchor" ] && ! anchors "$path" | grep -qxF -- "$anchor"; then
            echo "$file:$line: no heading #$anchor in $path"
            bad=1
        fi
    done < <(grep -noE '\]\([^)]+\)' "$file")
done
[ "$seen" -ge 10 ] || { echo "only $seen links found: the check does not look where it should" && bad=1; }
exit $bad
