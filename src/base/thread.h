/* SPDX-License-Identifier: Apache-2.0
 *
 * Helper threads. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H
#include "base/status.h"
#include <pthread.h>
#include <time.h>

/* Starts a thread that no signal interrupts: signals are for the main thread, which knows what to do with them.
 * STATUS_FAILED: the system has no room for a thread; the message says that it is the one that `does` something. */
Status thread_start(pthread_t *thread, const char *does, void *(*run)(void *), void *argument);

/* Makes a condition for waits with a time limit, in CLOCK_MONOTONIC: the clock of the day may be set back by hours
 * meanwhile.  The caller destroys it. */
void thread_condition(pthread_cond_t *condition);

/* The time `seconds` from now, for pthread_cond_timedwait on such a condition. */
struct timespec thread_later(double seconds);

#endif
