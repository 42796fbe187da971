/* SPDX-License-Identifier: Apache-2.0
 *
 * A last line of defence around libraries that are known to crash, or to loop for ever, on damaged input or without
 * memory. */
#ifndef BASE_CRASH_H
#define BASE_CRASH_H
#include <stdbool.h>
#include <stddef.h>

enum { CRASH_CPU_SECONDS = 10, CRASH_STUCK_SECONDS = 10, CRASH_MAPPINGS = 64 };

/* From here on a crash of this thread (SIGSEGV, SIGBUS, SIGFPE, SIGABRT), or CRASH_CPU_SECONDS of its processor time
 * (waiting for a disk does not count), or a call of exit(), prints "PROGRAM: error: FILE: CAUSE" as one line and
 * ends the process with STATUS_FAILED; under mpirun the other ranks end with it.  Both texts are borrowed until
 * crash_unguard.  Other threads, and crashes outside, keep what was set before. */
void crash_guard(const char *file, const char *cause);
void crash_unguard(void);

/* From here on to the end of the process a crash of any thread outside a guard prints "PROGRAM: error: CAUSE" and ends
 * the process likewise: a library has damaged the heap. */
void crash_expect(const char *cause);

/* Until crash_unmap, who reads bytes[size], which are mapped from the file, when it has become shorter (SIGBUS) ends
 * the process likewise, with the file's name.  Of more than CRASH_MAPPINGS at a time only the first ones.
 * Thread-safe. */
void crash_map(const char *file, const void *bytes, size_t size);
void crash_unmap(const void *bytes);

/* Runs work(user), for what nobody needs: false when it crashed (SIGSEGV, SIGBUS, SIGFPE), or used no processor time
 * for CRASH_STUCK_SECONDS: it waits for a lock that it left locked when memory was short.  What it had taken and locked
 * by then stays so: the library must not be called again, and crash_expect(cause) is in force.  SIGABRT, which says
 * that the heap is damaged, and a crash where one is expected already end the process with that message.  Not inside
 * crash_guard. */
bool crash_survive(void (*work)(void *user), void *user, const char *cause);

#endif
