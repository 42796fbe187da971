#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rank that dies, a node that is lost, a job that can never succeed, a site that does not requeue. By srun and by
# mpirun.
. "$(dirname "$0")/lib.sh"
start_cluster 4

# kill_rank RUN: one that is not rank 0.
kill_rank() {
    kill -9 "$(of_run "$1" | grep -vx "$root" | tail -1)"
    go_on
}

echo "--- a rank is killed, side by side"
submit killed-srun
first=$id
submit killed-mpirun --mpirun
check "srun: trains" training killed-srun
kill_rank killed-srun
check "mpirun: trains" training killed-mpirun
kill_rank killed-mpirun
completed "killed, srun" "$first" killed-srun 1
completed "killed, mpirun" "$id" killed-mpirun 1

echo "--- a node is lost"
for launcher in srun mpirun; do
    submit lost-$launcher --$launcher
    check "$launcher: trains" training lost-$launcher
    batch=$(field "$id" BatchHost) nodes=$(slurm scontrol show hostnames "$(field "$id" NodeList)")
    lost=$(grep -v "^$batch$" <<<"$nodes")
    "$source/tests/slurm/hosts" kill "$net" "$lost"
    go_on 2>/dev/null # if rank 0 was not there
    completed "a node lost, $launcher" "$id" lost-$launcher 1
    check "a node lost, $launcher: goes on without it" [ \
        -z "$(slurm scontrol show hostnames "$(field "$id" NodeList)" | grep "^$lost$")" ]
    "$source/tests/slurm/hosts" start "$net" "$lost" && "$cluster" node "$net" "$lost"
done

echo "--- always killed"
printf '#!/bin/bash\ncase $* in *--dry-run*) echo "run folder: none" ;; *) kill -9 $$ ;; esac\n' >killer
chmod +x killer
program=$work/killer submit always --tries 2
check "fails" becomes "$id" FAILED 60
same "after two starts" 1 "$(field "$id" Restarts)"
has "with a clear word" 'error: ended with code .*; 2 starts in a row brought no newer checkpoint' \
    "$(cat always/slurm-*.log)"
submit wrong --no-check --optimizer no
check "a wrong option: fails" becomes "$id" FAILED 30
same "at once" 0 "$(field "$id" Restarts)"

echo "--- where a job may not be requeued"
submit follow --sbatch --no-requeue
check "trains" training follow
warned "$id"
check "ends" becomes "$id" FAILED 30
same "with the code" 75:0 "$(field "$id" ExitCode)"
next=$(sed -n 's/^Submitted batch job //p' follow/slurm-"$id".log)
completed "another job goes on" "$next" follow 0
finish
