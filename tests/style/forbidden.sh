#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Calls that only base/ and dist/ may make (a library does not end the program), and generators with hidden state.
cd "${CNN_SOURCE_DIR:?}/src" || exit 1
pattern='(^|[^a-zA-Z0-9_.>"])(exit|abort|_exit|quick_exit|perror|assert|rand|srand|random|drand48|malloc|calloc|realloc|strcpy|strcat|sprintf|gets|system|popen)\('
found=$(grep -rnE "$pattern" --include='*.[ch]' . | grep -vE '^\./(base|dist)/' | grep -vE ':[0-9]+: *(/?\*|//)')
if [ -n "$found" ]; then
    echo "forbidden calls (use base/status.h, base/memory.h, base/rng.h):"
    echo "$found"
    exit 1
fi
grep -rqE "$pattern" --include='*.c' base || { echo "the pattern finds nothing where it must: base/"; exit 1; }
long=$(find . ../tests -name '*.[ch]' ! -path '*/golden/*' -exec wc -l {} + | awk '$2 != "total" && $1 > 500')
if [ -n "$long" ]; then
    echo "files over 500 lines:"
    echo "$long"
    exit 1
fi
