/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "base/log.h"
#include "base/status.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
enum { CAUGHT = sizeof caught / sizeof *caught };
static struct sigaction before[CAUGHT];
static _Thread_local const char *volatile guarded_file, *volatile guarded_cause;

/* Only async-signal-safe calls: the heap may be in ruins. */
static void put(const char *text) {
    size_t length = strlen(text);
    if (write(STDERR_FILENO, text, length) < 0)
        _exit(STATUS_FAILED);
}

static void on_crash(int number) {
    if (guarded_file == NULL) { /* not ours: as it would have been; a fault occurs again on return */
        for (int i = 0; i < CAUGHT; i++)
            if (caught[i] == number)
                sigaction(number, &before[i], NULL);
        if (number == SIGABRT)
            raise(number);
        return;
    }
    put(log_program());
    put(": error: ");
    put(log_rank_prefix());
    put(guarded_file);
    put(": ");
    put(guarded_cause);
    put("\n");
    _exit(STATUS_FAILED);
}

static void install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_crash;
    action.sa_flags = SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &action, &before[i]);
}

void crash_guard(const char *file, const char *cause) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    guarded_cause = cause;
    guarded_file = file;
}

void crash_unguard(void) {
    guarded_file = NULL;
}
