/* SPDX-License-Identifier: Apache-2.0 */
#include "io/run.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "io/event_file.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *run_step_name(uint64_t step, char name[RUN_NAME]) {
    snprintf(name, RUN_NAME, "step-%08llu.h5", (unsigned long long)step);
    return name;
}

/* ---- what is in a folder ---- */

static int larger_first(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

/* Whether `name` is prefix, a number of at least `width` digits and no needless zeros, suffix. */
static bool parse_number(const char *name, const char *prefix, int width, const char *suffix, uint64_t *number) {
    char digits[32];
    size_t start = strlen(prefix);
    if (strncmp(name, prefix, start) != 0)
        return false;
    *number = strtoull(name + start, NULL, 10);
    int length = snprintf(digits, sizeof digits, "%0*llu", width, (unsigned long long)*number);
    return strncmp(name + start, digits, (size_t)length) == 0 && strcmp(name + start + length, suffix) == 0;
}

/* *numbers = those of all such names in the folder, largest first.  A folder that does not exist has none. */
static Status list_numbers(const char *folder, const char *prefix, int width, const char *suffix, uint64_t **numbers,
                           size_t *count) {
    char **names;
    size_t total;
    *numbers = NULL;
    *count = 0;
    TRY(file_list(folder, &names, &total));
    Status status = memory_new(numbers, total, "list of files");
    for (size_t i = 0; status == STATUS_OK && i < total; i++)
        if (parse_number(names[i], prefix, width, suffix, &(*numbers)[*count]))
            (*count)++;
    memory_free(names);
    if (status == STATUS_OK)
        qsort(*numbers, *count, sizeof **numbers, larger_first);
    return status;
}

/* Whether a run writes files of that name. */
static bool is_run_file(const char *name) {
    static const char *const fixed[] = {RUN_BEST,   RUN_FINAL,  RUN_METRICS,      RUN_TENSORBOARD,
                                        RUN_REPORT, RUN_CONFIG, RUN_BEST RUN_OLD, RUN_FINAL RUN_OLD};
    uint64_t step;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(name, fixed[i]) == 0)
            return true;
    return parse_number(name, "step-", 8, ".h5", &step) || parse_number(name, "step-", 8, ".h5" RUN_OLD, &step);
}

static bool has(const char *folder, const char *name) {
    char *path;
    if (memory_format(&path, "%s/%s", folder, name) != STATUS_OK)
        return false;
    bool there = access(path, F_OK) == 0;
    memory_free(path);
    return there;
}

Status run_steps(const char *folder, uint64_t **steps, size_t *count) {
    return list_numbers(folder, "step-", 8, ".h5", steps, count);
}

Status run_checkpoints(const char *folder, char (**names)[RUN_NAME], size_t *count) {
    static const char *const others[] = {RUN_FINAL, RUN_BEST};
    uint64_t *steps;
    TRY(run_steps(folder, &steps, count));
    Status status = memory_new(names, *count + 2, "names of checkpoints");
    for (size_t i = 0; i < *count && status == STATUS_OK; i++)
        run_step_name(steps[i], (*names)[i]);
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++)
        if (has(folder, others[i]))
            snprintf((*names)[(*count)++], RUN_NAME, "%s", others[i]);
    memory_free(steps);
    return status;
}

bool run_is_finished(const char *folder) {
    return has(folder, RUN_FINAL);
}

/* "checkpoints/lenet5" -> "checkpoints" and "lenet5"; a name alone lies in ".". */
static Status split(const char *path, char **folder, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash != NULL ? slash + 1 : path;
    return memory_format(folder, "%.*s", slash != NULL ? (int)(slash - path + 1) : 1, slash != NULL ? path : ".");
}

Status run_numbers(const char *base, uint64_t **numbers, size_t *count) {
    char *folder, *prefix = NULL;
    const char *name;
    TRY(split(base, &folder, &name));
    Status status = memory_format(&prefix, "%s-", name);
    if (status == STATUS_OK)
        status = list_numbers(folder, prefix, 1, "", numbers, count);
    memory_free(prefix);
    memory_free(folder);
    return status;
}

/* ---- holding a folder ---- */

#define LOCK_NAME ".lock"

struct Run {
    char *folder;
    int lock;  /* open file with the lock on it: the kernel drops the lock when the process ends, however it ends */
    bool made; /* the folder, by this process, and locked */
};

enum {
    LOCK_WAIT_HERE = 5, /* seconds for a process on this host */
    LOCK_TRIES = 5,     /* per second */
    HOLDER = 160        /* bytes */
};

static Status open_lock(Run *run) {
    char *path;
    TRY(memory_format(&path, "%s/" LOCK_NAME, run->folder));
    do
        run->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (run->lock < 0 && errno == EINTR);
    Status status = STATUS_OK;
    if (run->lock < 0)
        status = status_fail(STATUS_FAILED, "cannot write %s: %s. Choose a folder that you may write (--out)", path,
                             strerror(errno));
    memory_free(path);
    return status;
}

/* What the lock file says of its holder: "host node7, process 4242".  Whether that is on this host. */
static bool holder_is_here(int lock, char holder[HOLDER]) {
    char host[64] = "", here[80];
    ssize_t n = pread(lock, holder, HOLDER - 1, 0);
    holder[n > 0 ? n : 0] = '\0';
    gethostname(host, sizeof host - 1);
    int length = snprintf(here, sizeof here, "host %s,", host);
    return strncmp(holder, here, (size_t)length) == 0;
}

/* Writes who holds the lock, for messages only: the lock holds without it. */
static void sign_lock(const Run *run) {
    char host[64] = "", holder[HOLDER];
    gethostname(host, sizeof host - 1);
    int length = snprintf(holder, sizeof holder, "host %s, process %ld", host, (long)getpid());
    if (ftruncate(run->lock, 0) != 0 || pwrite(run->lock, holder, (size_t)length, 0) != length)
        log_verbose("cannot write %s/" LOCK_NAME ": %s\n", run->folder, strerror(errno));
}

/* Takes the lock; *locked = false where the file system has none.  On this host a held lock means a living process,
 * if only one that is about to end after a kill of mpirun; on another it may be that of a dead node, so that a requeued
 * job waits for the server to notice. */
static Status take_lock(Run *run, bool *locked) {
    char holder[HOLDER];
    TRY(open_lock(run));
    for (int tries = 0; flock(run->lock, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK) {
            log_warn("cannot lock %s (%s): make sure that no other job writes there", run->folder, strerror(errno));
            *locked = false;
            return STATUS_OK;
        }
        int wait = holder_is_here(run->lock, holder) ? LOCK_WAIT_HERE : RUN_LOCK_WAIT;
        if (tries >= wait * LOCK_TRIES)
            return status_fail(STATUS_FAILED,
                               "%s is being written by another process (%s). Wait for it, or choose another --out",
                               run->folder, holder);
        if (tries == LOCK_TRIES)
            log_warn("%s is held by another process (%s): waiting up to %d s for it", run->folder, holder, wait);
        usleep(1000000 / LOCK_TRIES);
        pulse();
    }
    struct stat about;
    if (fstat(run->lock, &about) == 0 && about.st_nlink == 0) /* its holder has removed the folder */
        return status_fail(STATUS_FAILED, "%s was removed by another process meanwhile. Start again", run->folder);
    sign_lock(run);
    *locked = true;
    return STATUS_OK;
}

/* made: the folder was made for this. */
static Status hold(const char *folder, bool made, Run **out) {
    Run *run;
    bool locked = false;
    *out = NULL;
    TRY(memory_new(&run, 1, "run"));
    run->lock = -1;
    Status status = memory_strdup(folder, &run->folder);
    if (status == STATUS_OK)
        status = take_lock(run, &locked);
    run->made = made && locked;
    if (status == STATUS_OK && locked) /* nobody else can be writing: what is half-written is dead */
        status = file_remove_leftovers(folder);
    if (status == STATUS_OK)
        *out = run;
    else
        run_close(run);
    return status;
}

/* Removes the folder if nothing but the lock is in it. */
static void remove_empty(const Run *run) {
    char **names;
    size_t count;
    if (file_list(run->folder, &names, &count) != STATUS_OK)
        return;
    bool empty = count == 0 || (count == 1 && strcmp(names[0], LOCK_NAME) == 0);
    memory_free(names);
    if (empty && file_remove(run->folder, LOCK_NAME) == STATUS_OK)
        rmdir(run->folder);
}

void run_close(Run *run) {
    if (run == NULL)
        return;
    if (run->made)
        remove_empty(run);
    if (run->lock >= 0)
        close(run->lock);
    memory_free(run->folder);
    memory_free(run);
}

const char *run_folder(const Run *run) {
    return run->folder;
}

Status run_open(const char *folder, Run **out) {
    *out = NULL;
    if (access(folder, F_OK) != 0)
        return status_fail(STATUS_FAILED, "cannot open the run %s: %s", folder, strerror(errno));
    return hold(folder, false, out);
}

/* ---- making one ---- */

/* mkdir -p of all folders above `path`. */
static Status make_parents(const char *path) {
    char *copy;
    Status status = STATUS_OK;
    TRY(memory_strdup(path, &copy));
    for (char *slash = copy + 1; status == STATUS_OK && *copy != '\0' && (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = status_fail(STATUS_FAILED, "cannot make the folder %s: %s. Choose another --out", copy,
                                 strerror(errno));
        *slash = '/';
    }
    memory_free(copy);
    return status;
}

/* Makes a folder; *made = false where something of that name exists. */
static Status make_folder(const char *path, bool *made) {
    *made = mkdir(path, 0777) == 0;
    if (!*made && errno != EEXIST)
        return status_fail(STATUS_FAILED, "cannot make the folder %s: %s. Choose another --out", path, strerror(errno));
    return STATUS_OK;
}

/* Makes base-N for the next N, whatever other jobs do meanwhile. */
static Status make_numbered(const char *base, char **folder) {
    uint64_t *numbers;
    size_t count;
    bool made = false;
    TRY(run_numbers(base, &numbers, &count));
    uint64_t n = count > 0 ? numbers[0] : 0;
    memory_free(numbers);
    while (!made) {
        TRY(memory_format(folder, "%s-%llu", base, (unsigned long long)++n));
        Status status = make_folder(*folder, &made);
        if (status == STATUS_OK && made)
            break;
        memory_free(*folder);
        *folder = NULL;
        TRY(status);
    }
    return STATUS_OK;
}

/* The events in folder/name, and that folder where nothing else is in it. */
static Status remove_events(const char *folder, const char *name) {
    char *path;
    TRY(memory_format(&path, "%s/%s", folder, name));
    Status status = event_file_remove(path);
    memory_free(path);
    return status;
}

static Status remove_run_file(const char *folder, const char *name) {
    if (strcmp(name, RUN_TENSORBOARD) != 0)
        return file_remove(folder, name);
    TRY(remove_events(folder, RUN_EVENTS_TRAIN));
    TRY(remove_events(folder, RUN_EVENTS_VALIDATION));
    return remove_events(folder, RUN_TENSORBOARD);
}

/* Removes the run that is in a folder or, without `overwrite`, refuses. */
static Status clear(const char *folder, bool overwrite) {
    char **names;
    size_t count;
    Status status = file_list(folder, &names, &count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (!is_run_file(names[i]))
            continue;
        status = overwrite
                     ? remove_run_file(folder, names[i])
                     : status_fail(STATUS_USAGE,
                                   "%s holds a run (%s). Go on with it by --resume %s, replace it by --overwrite, or "
                                   "choose another --out",
                                   folder, names[i], folder);
    }
    memory_free(names);
    return status;
}

Status run_enter(const char *folder, Run **out) {
    bool made;
    *out = NULL;
    TRY(make_parents(folder));
    TRY(make_folder(folder, &made));
    return hold(folder, made, out);
}

static Status create_numbered(const char *base, Run **out) {
    char *folder = NULL;
    TRY(make_parents(base));
    TRY(make_numbered(base, &folder));
    Status status = hold(folder, true, out);
    memory_free(folder);
    return status;
}

Status run_create(const char *folder, const char *base, bool overwrite, Run **out) {
    *out = NULL;
    TRY(folder != NULL ? run_enter(folder, out) : create_numbered(base, out));
    Status status = clear(run_folder(*out), overwrite);
    if (status != STATUS_OK) {
        run_close(*out);
        *out = NULL;
    }
    return status;
}

Status run_clear(const Run *run, bool overwrite) {
    return clear(run->folder, overwrite);
}

Status run_write_text(const Run *run, const char *name, const char *text) {
    char *path;
    TRY(memory_format(&path, "%s/%s", run->folder, name));
    Status status = file_write(path, 1, &(FilePart){text, strlen(text)});
    memory_free(path);
    return status;
}
