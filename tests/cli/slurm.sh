#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job under a real Slurm is warned, queues itself again, and ends as if nothing had happened; tests/slurm has more.
. "$(dirname "$0")/../slurm/lib.sh"
start_cluster 2
submit run
has "slurm-submit says where the run is" "^run folder: run; the job's output: run/slurm-$id.log" "$(cat log)"
check "trains" training run
warned "$id"
completed "warned" "$id" run 1
has "all ranks have stopped together" 'stopped on request at step' "$(cat run/slurm-"$id".log)"
finish
