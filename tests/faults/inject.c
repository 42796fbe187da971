/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes system calls on the files of one folder, or allocations, fail.  Linked into a program (inject.h), or loaded in
 * front of the C library (LD_PRELOAD) of one that is started with:
 *
 *     FAULT_FOLDER=/tmp/x/run FAULT_LOG=log            lists the calls, one key a line
 *     FAULT_FOLDER=... FAULT_AT='fsync step-00000006.h5~ 1' FAULT_KIND=ENOSPC
 *     FAULT_MALLOC=0 FAULT_LOG=log                     writes how many allocations there were, with FAULT_FOLDER at
 *                                                      each call
 *     FAULT_MALLOC=123                                 the 123rd gets NULL
 *
 * A key is "CALL FILE N", the N-th call of that kind on that file: which thread comes first does not matter to it.
 * FILE is the name in the folder, "." for the folder itself, and NAME~ for what is to become NAME by a rename.
 * FAULT_AT is a pattern (fnmatch): "link * *" makes all links fail.
 *
 * FAULT_KIND: the name of an error; "short": half of the bytes are written, and that is the result; "kill-before" and
 * "kill-after" the call; "stop": the process stands still before it, until it gets SIGCONT.  A failing close has closed
 * the file.  FAULT_RANK: only in that rank of mpirun.
 *
 * Allocations that count: of the program itself, and of the libraries that it calls on its files: `covered`.  MPI's own
 * and those inside the C library do not. */
#include "faults/inject.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 128, KEYS = 4096, FILES = 1024 };

static const char *folder, *at, *kind;
static bool counting;
static unsigned long fail_at, allocations;
static int log_file = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char file_names[FILES][NAME]; /* of open files in the folder; "": another */

static struct {
    char name[NAME + 32];
    int count;
} keys[KEYS];

/* ---- which call, which file -------------------------------------------------------------------------------------- */

/* The name of a path in the folder; false: elsewhere.  ".best.h5.host-12.cnn-tmp" is "best.h5~". */
static bool name_of(const char *path, char name[NAME]) {
    size_t length = folder ? strlen(folder) : 0;
    static const char temporary[] = ".cnn-tmp";
    if (length == 0 || strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != '\0'))
        return false;
    const char *base = path[length] ? path + length + 1 : "";
    size_t n = strlen(base), tail = sizeof temporary - 1;
    snprintf(name, NAME, "%s", *base ? base : ".");
    if (base[0] != '.' || n <= tail || strcmp(base + n - tail, temporary) != 0)
        return true;
    const char *end = strstr(base, ".h5.");
    end = end ? end + 3 : strstr(base, ".csv.") ? strstr(base, ".csv.") + 4 : strstr(base, ".json.") + 5;
    snprintf(name, NAME, "%.*s~", (int)(end - base - 1), base + 1);
    return true;
}

/* How often this call was made on this file, this time included. */
static int count(const char *call, const char *name) {
    char text[NAME + 32];
    int n = 0;
    snprintf(text, sizeof text, "%s %s", call, name);
    pthread_mutex_lock(&lock);
    for (int i = 0; i < KEYS && n == 0; i++) {
        if (keys[i].count == 0)
            memcpy(keys[i].name, text, sizeof text);
        if (strcmp(keys[i].name, text) == 0)
            n = ++keys[i].count;
    }
    pthread_mutex_unlock(&lock);
    return n;
}

static int error_number(void) {
    static const struct {
        const char *name;
        int number;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EDQUOT", EDQUOT}, {"EINTR", EINTR},
                  {"EINVAL", EINVAL}, {"ENOLCK", ENOLCK}, {"ENOSYS", ENOSYS}, {"EOPNOTSUPP", EOPNOTSUPP},
                  {"EPERM", EPERM},   {"EMLINK", EMLINK}, {"ESTALE", ESTALE}, {"ENOMEM", ENOMEM}};
    for (size_t i = 0; kind && i < sizeof errors / sizeof *errors; i++)
        if (strcmp(kind, errors[i].name) == 0)
            return errors[i].number;
    return 0;
}

typedef enum Fate { GO_ON, FAIL, SHORT, KILL_AFTER } Fate;

static Fate fate(const char *call, const char *name) {
    char key[NAME + 64];
    int n = count(call, name);
    int length = snprintf(key, sizeof key, "%s %s %d", call, name, n);
    if (log_file >= 0 && (counting ? dprintf(log_file, "%s, allocation %lu\n", key, allocations)
                                   : dprintf(log_file, "%s\n", key)) <= length)
        abort();
    if (!at || !kind || fnmatch(at, key, 0) != 0)
        return GO_ON;
    if (strcmp(kind, "kill-before") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(kind, "stop") == 0) {
        raise(SIGSTOP);
        return GO_ON;
    }
    errno = error_number();
    return errno ? FAIL : strcmp(kind, "short") == 0 ? SHORT : KILL_AFTER;
}

/* The real function, and what becomes of a call that was not stopped. */
#define NEXT(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))
#define DONE(what, result)                                                                                             \
    do {                                                                                                               \
        int done_errno = errno;                                                                                        \
        __typeof__(result) done_result = (result);                                                                     \
        if ((what) == KILL_AFTER)                                                                                      \
            kill(getpid(), SIGKILL);                                                                                   \
        if (done_result >= 0)                                                                                          \
            errno = done_errno;                                                                                        \
        return done_result;                                                                                            \
    } while (0)

/* ---- calls with a path ------------------------------------------------------------------------------------------- */

static int keep_name(int file, const char *name) {
    if (file >= 0 && file < FILES)
        snprintf(file_names[file], NAME, "%s", name);
    return file;
}

#define DEFINE_OPEN(function)                                                                                          \
    int function(const char *path, int flags, ...) {                                                                   \
        char name[NAME];                                                                                               \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;                                   \
        va_end(arguments);                                                                                             \
        if (!name_of(path, name))                                                                                      \
            return NEXT(function)(path, flags, mode);                                                                  \
        Fate what = fate("open", name);                                                                                \
        if (what == FAIL)                                                                                              \
            return -1;                                                                                                 \
        DONE(what, keep_name(NEXT(function)(path, flags, mode), name));                                                \
    }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_PATH(function, parameters, ...)                                                                         \
    int function parameters {                                                                                          \
        char name[NAME];                                                                                               \
        if (!name_of(path, name))                                                                                      \
            return NEXT(function)(__VA_ARGS__);                                                                        \
        Fate what = fate(#function, name);                                                                             \
        if (what == FAIL)                                                                                              \
            return -1;                                                                                                 \
        DONE(what, NEXT(function)(__VA_ARGS__));                                                                       \
    }
DEFINE_PATH(unlink, (const char *path), path)
DEFINE_PATH(mkdir, (const char *path, mode_t mode), path, mode)
DEFINE_PATH(access, (const char *path, int mode), path, mode)
DEFINE_PATH(rename, (const char *from, const char *path), from, path)
DEFINE_PATH(link, (const char *from, const char *path), from, path)

DIR *opendir(const char *path) {
    char name[NAME];
    if (!name_of(path, name))
        return NEXT(opendir)(path);
    Fate what = fate("opendir", name);
    if (what == FAIL)
        return NULL;
    DIR *directory = NEXT(opendir)(path);
    if (directory)
        keep_name(dirfd(directory), name);
    if (what == KILL_AFTER)
        kill(getpid(), SIGKILL);
    return directory;
}

/* ---- calls with an open file ------------------------------------------------------------------------------------- */

static bool is_ours(int file) {
    return file >= 0 && file < FILES && file_names[file][0];
}

#define DEFINE_FILE(type, function, call, parameters, ...)                                                             \
    type function parameters {                                                                                         \
        if (!is_ours(file))                                                                                            \
            return NEXT(function)(__VA_ARGS__);                                                                        \
        Fate what = fate(call, file_names[file]);                                                                      \
        if (what == FAIL)                                                                                              \
            return -1;                                                                                                 \
        DONE(what, NEXT(function)(__VA_ARGS__));                                                                       \
    }
DEFINE_FILE(int, fsync, "fsync", (int file), file)
DEFINE_FILE(int, fdatasync, "fdatasync", (int file), file)
DEFINE_FILE(int, flock, "flock", (int file, int operation), file, operation)
DEFINE_FILE(int, ftruncate, "ftruncate", (int file, off_t size), file, size)
DEFINE_FILE(int, fstat, "fstat", (int file, struct stat *about), file, about)
DEFINE_FILE(ssize_t, read, "read", (int file, void *bytes, size_t size), file, bytes, size)
DEFINE_FILE(ssize_t, pread, "pread", (int file, void *bytes, size_t size, off_t place), file, bytes, size, place)
DEFINE_FILE(ssize_t, pread64, "pread", (int file, void *bytes, size_t size, off64_t place), file, bytes, size, place)
DEFINE_FILE(ssize_t, pwrite, "pwrite", (int file, const void *bytes, size_t size, off_t place), file, bytes, size,
            place)

ssize_t write(int file, const void *bytes, size_t size) {
    if (!is_ours(file))
        return NEXT(write)(file, bytes, size);
    Fate what = fate("write", file_names[file]);
    if (what == FAIL)
        return -1;
    DONE(what, NEXT(write)(file, bytes, what == SHORT ? (size + 1) / 2 : size));
}

int close(int file) {
    if (!is_ours(file))
        return NEXT(close)(file);
    Fate what = fate("close", file_names[file]);
    int number = errno;
    file_names[file][0] = '\0';
    int result = NEXT(close)(file);
    if (what == KILL_AFTER)
        kill(getpid(), SIGKILL);
    errno = number;
    return what == FAIL ? -1 : result;
}

struct dirent *readdir(DIR *directory) {
    int file = dirfd(directory);
    Fate what = is_ours(file) ? fate("readdir", file_names[file]) : GO_ON;
    if (what == FAIL)
        return NULL;
    struct dirent *entry = NEXT(readdir)(directory);
    if (what == KILL_AFTER)
        kill(getpid(), SIGKILL);
    return entry;
}

int closedir(DIR *directory) {
    int file = dirfd(directory);
    if (is_ours(file))
        file_names[file][0] = '\0';
    return NEXT(closedir)(directory);
}

/* ---- allocations ------------------------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t size), *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size), *__libc_memalign(size_t align, size_t size);

static const char *const covered[] = {"libjansson", "libhdf5",  "libcrypto",     "libzip",      "libz.",
                                      "libpng",     "libcairo", "libfontconfig", "libfreetype", "libpixman"};
static struct { uintptr_t first, last; } ranges[16];
static int range_count;

static int add_range(struct dl_phdr_info *info, size_t size, void *user) {
    (void)size, (void)user;
    bool wanted = info->dlpi_name[0] == '\0'; /* the program */
    for (size_t i = 0; i < sizeof covered / sizeof *covered; i++)
        wanted |= strstr(info->dlpi_name, covered[i]) != NULL;
    for (int i = 0; wanted && i < info->dlpi_phnum && range_count < 16; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            ranges[range_count].first = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            ranges[range_count].last = ranges[range_count].first + info->dlpi_phdr[i].p_memsz;
            range_count++;
        }
    return 0;
}

static bool refused(void *caller) {
    if (!counting)
        return false;
    for (int i = 0; i < range_count; i++)
        if ((uintptr_t)caller >= ranges[i].first && (uintptr_t)caller < ranges[i].last) {
            bool now = __atomic_add_fetch(&allocations, 1, __ATOMIC_RELAXED) == fail_at;
            if (now)
                errno = ENOMEM;
            return now;
        }
    return false;
}
#define REFUSED() refused(__builtin_return_address(0))

void *malloc(size_t size) {
    return REFUSED() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    return REFUSED() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *block, size_t size) {
    return REFUSED() ? NULL : __libc_realloc(block, size);
}

void *aligned_alloc(size_t align, size_t size) {
    return REFUSED() ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size) {
    void *block = REFUSED() ? NULL : __libc_memalign(align, size);
    if (block)
        *out = block;
    return block ? 0 : ENOMEM;
}

unsigned long inject_allocations(void) {
    return allocations;
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

void inject_calls(const char *in, const char *pattern, const char *what, const char *log) {
    folder = in;
    at = pattern;
    kind = what;
    if (log)
        log_file = NEXT(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

void inject_memory(unsigned long n) {
    dl_iterate_phdr(add_range, NULL);
    fail_at = n;
    counting = true;
}

__attribute__((constructor)) static void start(void) {
    const char *rank = getenv("FAULT_RANK"), *mine = getenv("OMPI_COMM_WORLD_RANK"), *number = getenv("FAULT_MALLOC");
    bool here = strncmp(program_invocation_short_name, "cnn_", 4) == 0; /* not what it starts */
    if (!here || (rank && (!mine || strcmp(rank, mine) != 0)))
        return;
    inject_calls(getenv("FAULT_FOLDER"), getenv("FAULT_AT"), getenv("FAULT_KIND"), getenv("FAULT_LOG"));
    if (number)
        inject_memory(strtoul(number, NULL, 10));
}

__attribute__((destructor)) static void end(void) {
    if (counting && log_file >= 0)
        dprintf(log_file, "allocations %lu\n", allocations);
}
