/* SPDX-License-Identifier: Apache-2.0
 *
 * Helper threads. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H
#include "base/status.h"
#include <pthread.h>

/* Starts a thread that no signal interrupts: signals are for the main thread, which knows what to do with them.
 * STATUS_FAILED: the system has no room for a thread; the message says that it is the one that `does` something. */
Status thread_start(pthread_t *thread, const char *does, void *(*run)(void *), void *argument);

#endif
