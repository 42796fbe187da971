# SPDX-License-Identifier: Apache-2.0
add_mpi(dist NP 1 2 3 5)
add_mpi(shared NP 1 2 4)
add_mpi(gradsync NP 1 2 3 4 5 6 7 8)
add_mpi(gradsync_double NP 2 3 DOUBLE)
add_mpi(training NP 1 2 3 DOUBLE)
add_mpi(allocation NP 1 2 3)
if(NOT CNN_SANITIZE) # it measures time
  add_mpi(overhead NP 1)
endif()
add_mpi(inputs NP 1 3)
add_mpi(profile NP 1 2 3)
add_mpi(metrics NP 1 2 3 5)
add_mpi(labels NP 1 3)
