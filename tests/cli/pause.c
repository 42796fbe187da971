/* SPDX-License-Identifier: Apache-2.0
 *
 * Loaded in front of the C library (LD_PRELOAD) by tests/cli/lib.sh: the process stands still (SIGSTOP) when rename()
 * has put the file with the name CNN_PAUSE_AFTER in place, until it gets SIGCONT.  What a test does to a run in its
 * middle then meets it there, however fast or slow the machine is.  With CNN_PAUSE_AT_END: in MPI_Finalize. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int MPI_Finalize(void);
int MPI_Finalize(void) {
    if (getenv("CNN_PAUSE_AT_END"))
        raise(SIGSTOP);
    return ((__typeof__(&MPI_Finalize))dlsym(RTLD_NEXT, "MPI_Finalize"))();
}

int rename(const char *from, const char *to) {
    int (*next)(const char *, const char *) = (__typeof__(&rename))dlsym(RTLD_NEXT, "rename");
    int result = next(from, to);
    const char *wanted = getenv("CNN_PAUSE_AFTER"), *slash = strrchr(to, '/');
    if (result == 0 && wanted && slash && strcmp(slash + 1, wanted) == 0)
        raise(SIGSTOP);
    return result;
}
