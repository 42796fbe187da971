/* SPDX-License-Identifier: Apache-2.0
 *
 * The pulse of this process: a counter that work of some length moves on piece by piece (an operation of the network, a
 * block that is read or written).  Who looks at it from a thread beside (train/watchdog.h) sees whether anything goes
 * on. */
#ifndef BASE_PULSE_H
#define BASE_PULSE_H
#include <stdint.h>

/* One more beat.  Some nanoseconds; from any thread. */
void pulse(void);

/* Beats so far, of all threads. */
uint64_t pulse_count(void);

#endif
