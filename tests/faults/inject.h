/* SPDX-License-Identifier: Apache-2.0
 *
 * Failing system calls and allocations; inject.c says what counts and how calls are named. */
#ifndef FAULTS_INJECT_H
#define FAULTS_INJECT_H

/* From now on in this process.  folder, pattern, kind stay; pattern and kind NULL: none fails.  log: a file that gets
 * the key of each call, or NULL. */
void inject_calls(const char *folder, const char *pattern, const char *kind, const char *log);

/* From now on the n-th allocation fails; 0: they are counted. */
void inject_memory(unsigned long n);
unsigned long inject_allocations(void);

#endif
