#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All sources look as .clang-format says, and comments, which it leaves alone, have at most 120 columns, too.
command -v clang-format >/dev/null || { echo "skipped: clang-format is not installed"; exit 77; }
cd "${CNN_SOURCE_DIR:?}" || exit 1
git rev-parse HEAD >/dev/null 2>&1 || { echo "skipped: no git checkout"; exit 77; }
sources() { git ls-files -z 'src/*.[ch]' 'tests/*.[ch]' | grep -zv golden/; }
bad=0
sources | xargs -0 clang-format --dry-run --Werror 2>&1 | grep -E 'error:' | head -20
[ "${PIPESTATUS[1]}" = 0 ] || bad=1
sources | xargs -0 awk 'length > 120 { print FILENAME ":" FNR ": " length " columns, more than 120"; n++ } END { exit n > 0 }' ||
    bad=1
exit "$bad"
