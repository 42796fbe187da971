#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job that Slurm interrupts goes on: warned before its time limit, preempted, cancelled. By srun and by mpirun.
. "$(dirname "$0")/lib.sh"
start_cluster 2

echo "--- warned, side by side"
submit warned-srun
first=$id
submit warned-mpirun --mpirun
check "srun: trains" training warned-srun
warned "$first"
check "mpirun: trains" training warned-mpirun
warned "$id"
completed "warned, srun" "$first" warned-srun 1
completed "warned, mpirun" "$id" warned-mpirun 1
for launcher in srun mpirun; do
    has "$launcher: all ranks have stopped together" 'stopped on request at step' "$(cat warned-$launcher/slurm-*.log)"
done

echo "--- preempted"
for launcher in srun mpirun; do
    submit preempted-$launcher --$launcher --tasks 8
    check "$launcher: trains" training preempted-$launcher
    slurm sbatch -p urgent -N2 -n8 -o /dev/null --wrap 'sleep 1' >/dev/null
    completed "preempted, $launcher" "$id" preempted-$launcher 1
done

echo "--- cancelled"
for launcher in srun mpirun; do
    submit cancelled-$launcher --$launcher
    check "$launcher: trains" training cancelled-$launcher
    slurm scancel "$id"
    check "cancelled, $launcher: is not requeued" becomes "$id" CANCELLED 20
    while [ -n "$(slurm squeue -h -j "$id" 2>/dev/null)" ]; do sleep 0.2; done
    same "cancelled, $launcher: stays so" CANCELLED "$(field "$id" JobState)"
    check "cancelled, $launcher: is not finished" [ ! -e cancelled-$launcher/final.h5 ]
    submit cancelled-$launcher --$launcher
    completed "cancelled, $launcher: the same command" "$id" cancelled-$launcher 0
done
finish
