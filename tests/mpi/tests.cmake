# SPDX-License-Identifier: Apache-2.0
add_mpi(dist NP 1 2 3 5)
add_mpi(gradsync NP 1 2 3 5)
add_mpi(gradsync_double NP 2 3 DOUBLE)
add_mpi(training NP 1 2 3 DOUBLE)
add_mpi(allocation NP 1 2 3)
add_mpi(inputs NP 1 3)
