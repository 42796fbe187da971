#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All sources look as .clang-format says.
command -v clang-format >/dev/null || { echo "skipped: clang-format is not installed"; exit 77; }
cd "${CNN_SOURCE_DIR:?}" || exit 1
git rev-parse HEAD >/dev/null 2>&1 || { echo "skipped: no git checkout"; exit 77; }
git ls-files -z 'src/*.[ch]' 'tests/*.[ch]' | grep -zv golden/ | xargs -0 clang-format --dry-run --Werror 2>&1 | grep -E 'error:' | head -20
exit "$((PIPESTATUS[2] != 0))"
