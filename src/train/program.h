/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames of programs. */
#ifndef TRAIN_PROGRAM_H
#define TRAIN_PROGRAM_H
#include "dist/dist.h"
#include "train/cli.h"
#include <jansson.h>

typedef Status ProgramWork(Dist *dist, int argc, char **argv);

/* Under mpirun: CPU, MPI, the work, and one exit code for all ranks.  Returns what main() does: the Status of `work`,
 * whose failures have been agreed on (and so printed). */
int program_run(const CliProgram *program, ProgramWork *work, int argc, char **argv);

/* What a program has to say of its arguments, defaults filled in, before it begins; may change them. */
typedef Status ProgramCheck(void *arguments, const OptionSource *source);

/* Rank 0 reads the command line into `arguments` (the program's zeroed struct of `size` bytes) and checks it; all get
 * it, but what it points to is on rank 0 alone.  *exit_now: --help or the like was printed.  Collective, agreed. */
Status program_arguments(Dist *dist, const CliProgram *program, int argc, char **argv, ProgramCheck *check,
                         void *arguments, size_t size, bool *exit_now);

typedef Status ProgramAlone(void *arguments);

/* Of one process: the command line into `arguments` (the program's zeroed struct), defaults, the work, its message when
 * it fails.  Returns what main() does. */
int program_run_alone(const CliProgram *program, int argc, char **argv, void *arguments, ProgramAlone *work);

/* A text that need not be UTF-8, such as a file's name: bytes that cannot be in JSON become '?'.  NULL: no memory. */
json_t *program_json_text(const char *text);

/* A result as one line of JSON on stdout.  Takes `json`; NULL, what json_pack gives for numbers that are none:
 * STATUS_FAILED with the message `no_number`. */
Status program_print_json(json_t *json, const char *no_number);

#endif
