/* SPDX-License-Identifier: Apache-2.0
 *
 * One attempt of test_faults: a small run, in a process of its own that is forked before any library has started, with
 * a fault in it; and what the run may be afterwards. */
#ifndef FAULTS_ATTEMPT_H
#define FAULTS_ATTEMPT_H
#include "support/tmpdir.h"
#include <stdbool.h>
#include <sys/types.h>

enum { TEXT = 1 << 14 };

/* Where all of it happens. */
typedef struct Bed {
    char folder[TMPDIR_PATH], top[TMPDIR_PATH], network[TMPDIR_PATH], data[TMPDIR_PATH];
    char reference[TEXT];        /* what `examine` prints of the undisturbed run */
    char *rate, *epochs, *batch; /* of the run */
    unsigned long attempts, failures;
} Bed;
extern Bed bed;

typedef struct Attempt {
    const char *pattern, *kind; /* of calls; NULL: none */
    const char *log;
    const char *option;   /* further ones, NULL: none */
    const char *argument; /* of it */
    long memory;          /* -1: no, 0: counted */
    bool everywhere;      /* also calls on data and network */
} Attempt;

typedef struct Outcome {
    int code, signal;
    char out[TEXT], err[TEXT];
} Outcome;

/* What a child does; its exit code. */
typedef int Work(const Attempt *attempt);
Work prepare; /* makes data and network */
Work train;   /* the run, or its resume */
Work examine; /* prints how many checkpoints there are, or what is wrong with one, and the digest of final.h5 */

/* Begins the work in a child, which writes to the files NAME.out and NAME.err. */
pid_t begin_child(Work *work, const Attempt *attempt, const char *name);
Outcome end_child(pid_t child, const char *name);
Outcome in_child(Work *work, const Attempt *attempt); /* both */

void empty_folder(void);

/* Counts a failure of the test, and prints it. */
void complain(const char *what, const Attempt *attempt, const Outcome *outcome);

/* Complains about a run that is not the undisturbed one in the end. */
bool ends_as_undisturbed(const Attempt *attempt);

/* Complains about what a disturbed run may not be; resumes it, if it ended before its end and `resumes`. */
void judge(const Attempt *attempt, const Outcome *outcome, bool resumes);

/* The run with a fault, in an empty folder, judged. */
void try_it(const Attempt *attempt);

#endif
