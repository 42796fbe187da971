/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "base/log.h"
#include "base/status.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGVTALRM};
enum { CAUGHT = sizeof caught / sizeof *caught };
static struct sigaction before[CAUGHT];
static _Thread_local const char *volatile guarded_file, *volatile guarded_cause;

/* Timers on this thread's processor time (guard) and on the clock (crash_survive), made at their first use; they send
 * SIGVTALRM to this thread. */
typedef struct Timer {
    timer_t id;
    int made; /* -1: cannot be */
} Timer;
static _Thread_local Timer guard_timer, stuck_timer;

/* Only async-signal-safe calls: the heap may be in ruins. */
static void put(const char *text) {
    size_t length = strlen(text);
    if (write(STDERR_FILENO, text, length) < 0)
        _exit(STATUS_FAILED);
}

static const char *volatile expected;
static _Thread_local sigjmp_buf *volatile way_out;
static _Thread_local const char *volatile way_out_cause;

static void end(const char *file, const char *cause) {
    put(log_program());
    put(": error: ");
    put(log_rank_prefix());
    put(file);
    put(file[0] ? ": " : "");
    put(cause);
    put("\n");
    _exit(STATUS_FAILED);
}

/* Mapped files; size 0: a free place. */
static struct {
    const char *bytes;
    atomic_size_t size;
    char file[512];
} mappings[CRASH_MAPPINGS];
static pthread_mutex_t mappings_lock = PTHREAD_MUTEX_INITIALIZER;

static void look_at_mappings(const char *at) {
    for (int i = 0; i < CRASH_MAPPINGS; i++) {
        size_t size = atomic_load(&mappings[i].size);
        if (size > 0 && at >= mappings[i].bytes && at < mappings[i].bytes + size)
            end(mappings[i].file, "it cannot be read any more: it has become shorter, or its disk fails");
    }
}

/* The timer of crash_survive, every CRASH_STUCK_SECONDS: has this thread used no processor time since the last? */
static _Thread_local double used_before;

static double processor_seconds(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

static bool is_stuck(void) {
    double used = processor_seconds(), since = used - used_before;
    used_before = used;
    return since < 1e-3;
}

static void on_crash(int number, siginfo_t *info, void *context) {
    (void)context;
    if (number == SIGBUS)
        look_at_mappings(info->si_addr);
    if (way_out != NULL) {
        if (number == SIGVTALRM && !is_stuck())
            return;
        if (expected == NULL && number != SIGABRT)
            siglongjmp(*way_out, 1);
        /* malloc aborts with its lock held: going on would hang */
        end("", expected != NULL ? expected : way_out_cause);
    }
    if (guarded_file == NULL && expected != NULL)
        end("", expected);
    if (guarded_file == NULL) { /* not ours: as it would have been; a fault occurs again on return, a kill() not */
        for (int i = 0; i < CAUGHT; i++)
            if (caught[i] == number)
                sigaction(number, &before[i], NULL);
        if (number == SIGABRT || number == SIGVTALRM || info->si_code <= 0)
            raise(number);
        return;
    }
    end(guarded_file, guarded_cause);
}

/* A library that calls exit(), as HDF5 does in some places when memory is short. */
static void on_exit_inside(void) {
    if (guarded_file != NULL)
        end(guarded_file, "a library ended the program: memory is short");
}

static void install(void) {
    struct sigaction action;
    atexit(on_exit_inside);
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_NODEFER | SA_ONSTACK | SA_SIGINFO | SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &action, &before[i]);
}

/* The handler's own: a library that calls itself for ever leaves no room on the thread's.  One that a sanitizer has
 * given stays: it frees it when the thread ends. */
static void give_stack(void) {
    static _Thread_local _Alignas(16) char stack[1 << 14];
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && now.ss_flags & SS_DISABLE)
        sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
}

/* Off: 0 seconds. */
static void set_timer(Timer *timer, clockid_t clock, time_t seconds, time_t interval) {
    if (timer->made == 0) {
        struct sigevent event;
        memset(&event, 0, sizeof event);
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGVTALRM;
        event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
        timer->made = timer_create(clock, &event, &timer->id) == 0 ? 1 : -1;
    }
    struct itimerspec when = {.it_value.tv_sec = seconds, .it_interval.tv_sec = interval};
    if (timer->made > 0)
        timer_settime(timer->id, 0, &when, NULL);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

void crash_guard(const char *file, const char *cause) {
    pthread_once(&once, install);
    give_stack();
    guarded_cause = cause;
    guarded_file = file;
    set_timer(&guard_timer, CLOCK_THREAD_CPUTIME_ID, CRASH_CPU_SECONDS, 0);
}

void crash_unguard(void) {
    set_timer(&guard_timer, CLOCK_THREAD_CPUTIME_ID, 0, 0);
    guarded_file = NULL;
}

void crash_expect(const char *cause) {
    pthread_once(&once, install);
    expected = cause;
}

void crash_map(const char *file, const void *bytes, size_t size) {
    pthread_once(&once, install);
    pthread_mutex_lock(&mappings_lock);
    int i = 0;
    while (i < CRASH_MAPPINGS && mappings[i].size > 0)
        i++;
    if (i < CRASH_MAPPINGS) {
        snprintf(mappings[i].file, sizeof mappings[i].file, "%s", file);
        mappings[i].bytes = bytes;
        atomic_store(&mappings[i].size, size);
    }
    pthread_mutex_unlock(&mappings_lock);
}

void crash_unmap(const void *bytes) {
    pthread_mutex_lock(&mappings_lock);
    for (int i = 0; i < CRASH_MAPPINGS; i++)
        if (mappings[i].size > 0 && mappings[i].bytes == bytes)
            atomic_store(&mappings[i].size, 0);
    pthread_mutex_unlock(&mappings_lock);
}

static void watch_for_stuck(time_t seconds) {
    used_before = processor_seconds();
    set_timer(&stuck_timer, CLOCK_MONOTONIC, seconds, seconds);
}

bool crash_survive(void (*work)(void *user), void *user, const char *cause) {
    sigjmp_buf here;
    pthread_once(&once, install);
    give_stack();
    volatile bool survived = false;
    if (sigsetjmp(here, 1) == 0) {
        way_out_cause = cause;
        way_out = &here;
        watch_for_stuck(CRASH_STUCK_SECONDS);
        work(user);
        survived = true;
    } else
        expected = cause;
    watch_for_stuck(0);
    way_out = NULL;
    return survived;
}
