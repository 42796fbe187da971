# SPDX-License-Identifier: Apache-2.0
add_slurm(requeue)
add_slurm(failures)
add_slurm(chains)
