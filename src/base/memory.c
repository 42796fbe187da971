/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { HUGE_PAGE = 2 << 20, HUGE_LEAST = 8 << 20 }; /* bytes; large blocks lie in huge pages */

/* Every block carries its size in front, in a header of one alignment unit. */
static atomic_size_t live_bytes, peak_bytes, live_count, total_count, refused_count;
static atomic_size_t fail_at;
static _Atomic(char *) kept; /* a large block that memory_keep was given */

int memory_multiply(size_t a, size_t b, size_t *product) {
    return !__builtin_mul_overflow(a, b, product);
}

static int told_to_fail(void) {
    size_t n = atomic_load(&fail_at);
    if (n == 0)
        return 0;
    if (n == 1)
        return 1;
    atomic_store(&fail_at, n - 1);
    return 0;
}

static void count_in(size_t bytes) {
    size_t live = atomic_fetch_add(&live_bytes, bytes) + bytes;
    for (size_t peak = atomic_load(&peak_bytes); live > peak;)
        if (atomic_compare_exchange_weak(&peak_bytes, &peak, live))
            break;
    atomic_fetch_add(&live_count, 1);
    atomic_fetch_add(&total_count, 1);
}

static void free_block(char *block) {
    memory_forget(*(size_t *)block);
    free(block);
}

/* The block that was kept, which is not any more, if it has this size. */
static char *take_kept(size_t bytes) {
    char *block = atomic_exchange(&kept, NULL);
    if (block == NULL)
        return NULL;
    if (*(size_t *)block == bytes) {
        memory_forget(bytes);
        return block;
    }
    free_block(block);
    return NULL;
}

static char *new_block(size_t bytes, size_t padded) {
    bool large = padded >= HUGE_LEAST;
    if (told_to_fail())
        return NULL;
    void *block = large ? take_kept(bytes) : NULL;
    if (block)
        return block;
    /* aligned_alloc would want a size of whole huge pages (C11 7.22.3.1) */
    if (posix_memalign(&block, large ? HUGE_PAGE : MEMORY_ALIGN, padded) != 0)
        return NULL;
    if (large)
        madvise(block, padded, MADV_HUGEPAGE); /* fewer misses of address translation; no matter if refused */
    return block;
}

Status memory_alloc(size_t count, size_t size, const char *what, void **out) {
    size_t bytes, padded;
    *out = NULL;
    if (!memory_multiply(count, size, &bytes) || __builtin_add_overflow(bytes, 2 * MEMORY_ALIGN, &padded) ||
        padded > SIZE_MAX / 2)
        return status_fail(STATUS_FAILED, "out of memory: %zu elements of %zu bytes for the %s", count, size, what);
    padded -= padded % MEMORY_ALIGN;
    char *block = new_block(bytes, padded);
    if (block == NULL && ++refused_count)
        return status_fail(STATUS_FAILED, "out of memory: %.1f MB for the %s", (double)bytes / 1e6, what);
    memset(block, 0, padded);
    *(size_t *)block = bytes;
    count_in(bytes);
    *out = block + MEMORY_ALIGN;
    return STATUS_OK;
}

Status memory_extend(size_t count, size_t more, size_t size, const char *what, void **array) {
    enum { LEAST = 1024 }; /* bytes of a block that is to grow */
    size_t wanted, room = *array ? *(size_t *)((char *)*array - MEMORY_ALIGN) : 0;
    if (__builtin_add_overflow(count, more, &wanted) || !memory_multiply(wanted, size, &wanted))
        wanted = SIZE_MAX; /* which is refused */
    if (*array && wanted <= room)
        return STATUS_OK;
    void *larger;
    wanted = wanted > 2 * room ? wanted : 2 * room;
    TRY(memory_alloc(wanted > LEAST ? wanted : LEAST, 1, what, &larger));
    if (count > 0)
        memcpy(larger, *array, count * size);
    memory_free(*array);
    *array = larger;
    return STATUS_OK;
}

void memory_free(void *pointer) {
    if (pointer != NULL)
        free_block((char *)pointer - MEMORY_ALIGN);
}

void memory_keep(void *pointer) {
    char *before = atomic_exchange(&kept, pointer ? (char *)pointer - MEMORY_ALIGN : NULL);
    if (before)
        free_block(before);
}

Status memory_note(size_t bytes, const char *what) {
    if (told_to_fail() && ++refused_count)
        return status_fail(STATUS_FAILED, "out of memory: %.1f MB for the %s", (double)bytes / 1e6, what);
    count_in(bytes);
    return STATUS_OK;
}

void memory_forget(size_t bytes) {
    atomic_fetch_sub(&live_bytes, bytes);
    atomic_fetch_sub(&live_count, 1);
}

void *memory_for_library(size_t size) {
    void *block = malloc(size);
    if (block == NULL && size > 0)
        status_abort("out of memory: %zu bytes for JSON", size);
    return block;
}

void memory_refused(void) {
    refused_count++;
}

Status memory_strdup(const char *text, char **out) {
    return memory_format(out, "%s", text);
}

Status memory_format(char **out, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    Status status = memory_alloc((size_t)length + 1, 1, "text", (void **)out);
    if (status == STATUS_OK)
        vsnprintf(*out, (size_t)length + 1, format, again);
    va_end(again);
    return status;
}

MemoryStats memory_stats(void) {
    return (MemoryStats){atomic_load(&live_bytes), atomic_load(&peak_bytes), atomic_load(&live_count),
                         atomic_load(&total_count), atomic_load(&refused_count)};
}

/* Linux keeps both in /proc.  ru_maxrss is for other systems: on Linux it begins with the peak of the process that
 * started this one. */
MemoryProcess memory_process(void) {
    MemoryProcess process = {0, 0};
    char line[128];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        size_t kilobytes;
        if (sscanf(line, "VmRSS: %zu", &kilobytes) == 1)
            process.resident_bytes = kilobytes << 10;
        else if (sscanf(line, "VmHWM: %zu", &kilobytes) == 1)
            process.peak_bytes = kilobytes << 10;
    }
    if (file)
        fclose(file);
    struct rusage usage;
    if (process.peak_bytes == 0 && getrusage(RUSAGE_SELF, &usage) == 0)
        process.peak_bytes = (size_t)usage.ru_maxrss << 10;
    return process;
}

void memory_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void memory_fail_at(size_t n) {
    atomic_store(&fail_at, n);
}
