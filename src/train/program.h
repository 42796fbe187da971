/* SPDX-License-Identifier: Apache-2.0
 *
 * The frame of a program that runs under mpirun: CPU, MPI, the work, and one exit code for all ranks. */
#ifndef TRAIN_PROGRAM_H
#define TRAIN_PROGRAM_H
#include "dist/dist.h"

typedef Status ProgramWork(Dist *dist, int argc, char **argv);

/* What main() returns: the Status of `work`, whose failures have been agreed on (and so printed). */
int program_run(const char *name, ProgramWork *work, int argc, char **argv);

#endif
