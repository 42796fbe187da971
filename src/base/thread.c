/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"
#include <signal.h>
#include <stdint.h>
#include <string.h>

Status thread_start(pthread_t *thread, const char *does, void *(*run)(void *), void *argument) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGVTALRM}; /* a thread's own: base/crash.h */
    sigset_t all, before;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        sigdelset(&all, crashes[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits the mask */
    int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return status_fail(STATUS_FAILED, "cannot start the thread that %s: %s", does, strerror(error));
    return STATUS_OK;
}

void thread_condition(pthread_cond_t *condition) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct timespec thread_later(double seconds) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t nanoseconds = time.tv_nsec + (int64_t)(1e9 * seconds);
    return (struct timespec){time.tv_sec + nanoseconds / 1000000000, nanoseconds % 1000000000};
}
