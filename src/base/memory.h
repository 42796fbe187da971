/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation with checked sizes, 64-byte alignment, zeroed memory and counters.  Everything that grows with the
 * network, the data or a file is allocated here, so that one number tells what a rank holds and a test can make any
 * allocation fail. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H
#include "base/status.h"
#include <stddef.h>

enum { MEMORY_ALIGN = 64 };

/* *out = zeroed array of `count` elements of `size` bytes, or NULL on failure (message names `what`: "gradient slab").
 * count 0 gives a valid pointer.  The caller frees with memory_free.  Thread-safe. */
Status memory_alloc(size_t count, size_t size, const char *what, void **out);

/* memory_new(&pointer, count, what): memory_alloc for the type that the pointer points to. */
#define memory_new(pointer, count, what) memory_alloc((count), sizeof **(pointer), (what), (void **)(pointer))

/* Makes room for `more` elements of `size` bytes behind the first `count` of *array, which is of memory_alloc or NULL.
 * Where there is too little, *array moves to a block at least twice as large, zero behind the `count`: n elements that
 * are added one by one cost less than 2 n copies.  After a failure *array is what it was.  Freed with memory_free. */
Status memory_extend(size_t count, size_t more, size_t size, const char *what, void **array);

/* memory_grow(&pointer, count, more, what): memory_extend for the type that the pointer points to. */
#define memory_grow(pointer, count, more, what)                                                                        \
    memory_extend((count), (more), sizeof **(pointer), (what), (void **)(pointer))

/* *out = a copy of `text`. */
Status memory_strdup(const char *text, char **out);

/* *out = printf into a new string. */
Status memory_format(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Accepts NULL. */
void memory_free(void *pointer);

/* memory_free for a block that will be wanted again: the next memory_alloc of 8 MB or more gets it, zeroed, if it asks
 * for just as many bytes, and else frees it.  The system need not find the pages anew, which takes 0.3 s for the 190 MB
 * of a checkpoint on a virtual machine.  Until then it counts as live.  One block is kept: the one before, if nobody
 * took it, is freed; NULL: keeps none.  Thread-safe. */
void memory_keep(void *pointer);

/* Counts `bytes` that were not allocated here, such as a mapping, like an allocation; memory_forget takes them back.
 * Fails only when a test wants it (memory_fail_at).  Thread-safe. */
Status memory_note(size_t bytes, const char *what);
void memory_forget(size_t bytes);

typedef struct MemoryStats {
    size_t live_bytes, peak_bytes; /* now, and at most so far */
    size_t live_count;             /* allocations not yet freed */
    size_t total_count;            /* allocations ever made: stands still over training steps */
    size_t refused_count;          /* for lack of memory */
} MemoryStats;
MemoryStats memory_stats(void);

/* Bytes of this process in memory, as the system counts them (libraries, stacks, and pages shared with other processes
 * included; pages never touched not): now, and at most so far.  0 where the system does not tell the first. */
typedef struct MemoryProcess {
    size_t resident_bytes, peak_bytes;
} MemoryProcess;
MemoryProcess memory_process(void);

/* Gives pages that libraries have freed, but the C library keeps, back to the system. */
void memory_trim(void);

/* malloc for libraries that would go on without saying that something was left out (JSON): ends all ranks with a
 * message where there is no memory (status_abort).  The caller frees with free. */
void *memory_for_library(size_t size);

/* Counts what a library did not get as refused, too. */
void memory_refused(void);

/* For tests: the n-th allocation from now fails (1 = the next one), and every later one too; 0 = none. */
void memory_fail_at(size_t n);

/* a * b, or false when it does not fit. */
int memory_multiply(size_t a, size_t b, size_t *product);

#endif
