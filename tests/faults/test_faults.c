/* SPDX-License-Identifier: Apache-2.0
 *
 * A small run, from its options to final.h5, in which one thing fails: every system call on its folder, in every way,
 * and allocations.  Whatever fails: no file with a final name is damaged, what went wrong is said, and the run, or its
 * resume, ends with the digest of the undisturbed one.
 *
 *     test_faults calls STEP         every call x every kind; of these every STEP-th
 *     test_faults memory STEP [K N]  every STEP-th allocation of a run and of a resume; share K (from 0) of N */
#include "base/memory.h"
#include "faults/attempt.h"
#include "io/file.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 1000 };

static const char high_rate[] = "30"; /* the first epoch is the best */

/* ---- system calls ------------------------------------------------------------------------------------------------ */

static char keys[KEYS][100];
static size_t key_count;

static void learn_keys(void) {
    FILE *file = fopen(tmpdir_path("log"), "r");
    while (file && key_count < KEYS && fgets(keys[key_count], sizeof keys[0], file)) {
        keys[key_count][strcspn(keys[key_count], "\n")] = '\0';
        key_count++;
    }
    if (file)
        fclose(file);
}

static bool worth_it(size_t k, const char *kind) {
    if (strncmp(keys[k], "readdir", 7) == 0 && k > 0 && strncmp(keys[k - 1], "readdir", 7) == 0)
        return false; /* one of each row of them */
    return strcmp(kind, "short") != 0 || strncmp(keys[k], "write", 5) == 0;
}

static void every_call(size_t step, const char *const kinds[]) {
    unsigned long before = bed.attempts, points = 0;
    size_t turn = 0;
    for (size_t i = 0; kinds[i]; i++)
        for (size_t k = 0; k < key_count; k++)
            if (worth_it(k, kinds[i]) && turn++ % step == 0)
                try_it(&(Attempt){.pattern = keys[k], .kind = kinds[i], .memory = -1});
    for (size_t k = 0; k < key_count; k++)
        points += worth_it(k, "");
    printf("rate %s: %lu calls, %lu attempts\n", bed.rate, points, bed.attempts - before);
}

/* A run in which calls fail always; what it must end with, and say. */
static void always(const char *pattern, const char *kind, int code, const char *says) {
    Attempt a = {.pattern = pattern, .kind = kind, .memory = -1};
    empty_folder();
    bed.attempts++;
    Outcome outcome = in_child(train, &a);
    if (outcome.code != code)
        complain("another exit code is expected", &a, &outcome);
    if (says ? !strstr(outcome.err, says) : outcome.err[0])
        complain(says ? says : "should say nothing", &a, &outcome);
    judge(&a, &outcome, true);
}

/* Two jobs that begin one run: one stands still before any of its calls up to the one that takes the lock, and the
 * other does the run meanwhile.  Nothing is left to do then. */
static void two_jobs(void) {
    bool locks = false;
    for (size_t k = 0; k < key_count && !locks; k++) {
        Attempt first = {.pattern = keys[k], .kind = "stop", .memory = -1};
        int how = 0;
        locks = strcmp(keys[k], "flock .lock 1") == 0;
        empty_folder();
        bed.attempts++;
        pid_t child = begin_child(train, &first, "first");
        waitpid(child, &how, WUNTRACED);
        Outcome second = in_child(train, &(Attempt){.memory = -1});
        kill(child, SIGCONT);
        Outcome outcome = WIFSTOPPED(how) ? end_child(child, "first") : (Outcome){.code = -1};
        if (outcome.code != 0 || outcome.err[0])
            complain("the first of two jobs", &first, &outcome);
        if (second.code != 0 || second.err[0])
            complain("the second of two jobs", &first, &second);
        ends_as_undisturbed(&first);
    }
    if (!locks)
        complain("is never locked", &(Attempt){.memory = -1}, &(Outcome){.code = 0});
}

/* The n-th reading of a checkpoint that is resumed. */
static void resumed(const char *pattern, const char *kind) {
    Attempt a = {.pattern = "rename final.h5 1", .kind = "kill-before", .memory = -1};
    empty_folder();
    in_child(train, &a);
    a = (Attempt){.pattern = pattern, .kind = kind, .memory = -1};
    bed.attempts++;
    Outcome outcome = in_child(train, &a);
    if (outcome.code != 0 || outcome.err[0])
        complain("is resumed without a word", &a, &outcome);
    judge(&a, &outcome, true);
}

static void file_systems(void) {
    static const char *const unsupported[] = {"ENOLCK", "ENOSYS", "EOPNOTSUPP"};
    static const char *const no_links[] = {"EPERM", "EOPNOTSUPP", "EMLINK"};
    for (int i = 0; i < 3; i++) {
        always("flock .lock *", unsupported[i], 0, "make sure that no other job writes there");
        always("link * *", no_links[i], 0, NULL);
    }
    always("fsync . *", "EINVAL", 0, NULL);
    always("fsync . *", "EOPNOTSUPP", 0, NULL);
    always("write step-* 1", "EINTR", 0, NULL);
    always("* final.h5~ *", "ENOSPC", 1, "go on from it with --resume");
    always("* best.h5~ 1", "ENOSPC", 0, "Training goes on");
    always("write metrics.csv 1", "EIO", 0, "Training goes on");
    for (int i = 1; i <= 3; i++) {
        char pattern[40];
        snprintf(pattern, sizeof pattern, "read step-* %d", i);
        resumed(pattern, "ESTALE");
        resumed(pattern, "EINTR");
        snprintf(pattern, sizeof pattern, "open step-* %d", i);
        resumed(pattern, "ESTALE");
        resumed(pattern, "EINTR");
    }
}

/* Data on a file system without locks: HDF5 does not ask for one, unless the user's environment says so. */
static void data_without_locks(void) {
    Attempt a = {.pattern = "flock data.h5 *", .kind = "EOPNOTSUPP", .memory = -1, .everywhere = true};
    for (int locks = 0; locks < 2; locks++) {
        empty_folder();
        bed.attempts++;
        if (locks)
            setenv("HDF5_USE_FILE_LOCKING", "TRUE", 1);
        Outcome outcome = in_child(train, &a);
        unsetenv("HDF5_USE_FILE_LOCKING");
        if (outcome.code != locks || (locks && !strstr(outcome.err, "data.h5")))
            complain(locks ? "should fail with locks" : "should work without locks", &a, &outcome);
    }
}

static void stops_if_asked_to(void) {
    Attempt a = {"write best.h5~ 1", "ENOSPC", NULL, "--on-checkpoint-failure", "stop", -1, false};
    empty_folder();
    bed.attempts++;
    Outcome outcome = in_child(train, &a);
    if (outcome.code != 1 || strstr(outcome.err, "Training goes on") || !strstr(outcome.err, "Free some space"))
        complain("--on-checkpoint-failure stop", &a, &outcome);
    judge(&a, &outcome, true);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* The state of a run before its last checkpoint, as hard links: files are replaced, never changed. */
static void link_checkpoints(const char *from, const char *to) {
    char **names, a[2 * TMPDIR_PATH], b[2 * TMPDIR_PATH];
    size_t count;
    mkdir(to, 0777);
    if (file_list(from, &names, &count) != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        snprintf(a, sizeof a, "%s/%s", from, names[i]);
        snprintf(b, sizeof b, "%s/%s", to, names[i]);
        if (names[i][0] != '.' && strstr(names[i], ".h5") && link(a, b) != 0)
            printf("cannot link %s: %s\n", a, strerror(errno));
    }
    memory_free(names);
}

static void every_allocation(const char *what, const char *begin, long step, long share, long shares) {
    unsigned long before = bed.attempts;
    empty_folder();
    if (begin)
        link_checkpoints(begin, bed.folder);
    const char *option = begin ? "--no-report" : NULL; /* a resume's is made as a run's */
    Outcome counted = in_child(train, &(Attempt){.option = option, .memory = 0});
    long total = strtol(counted.out, NULL, 10), failed = 0;
    long each = begin && share == 0 ? 60 : 0; /* while a resume looks for its checkpoint */
    for (long n = 1 + share * step; n <= total; n += n < each ? 1 : step * shares) {
        Attempt a = {.option = option, .memory = n};
        empty_folder();
        if (begin)
            link_checkpoints(begin, bed.folder);
        bed.attempts++;
        Outcome outcome = in_child(train, &a);
        failed += outcome.code == 1;
        judge(&a, &outcome, step == 1 || n < each || n % 8 == 1);
    }
    printf("%s: %ld allocations, %lu tried, %ld of them ended the run with a message\n", what, total,
           bed.attempts - before, failed);
    if (total < 1000)
        bed.failures++;
}

/* How many allocations there were when the first checkpoint's file was opened, right after its image had been built. */
static long allocations_of_an_image(void) {
    char log[TMPDIR_PATH], line[200];
    long n = 0;
    snprintf(log, sizeof log, "%s", tmpdir_path("log"));
    unlink(log);
    empty_folder();
    in_child(train, &(Attempt){.log = log, .memory = 0});
    FILE *file = fopen(log, "r");
    while (file && n == 0 && fgets(line, sizeof line, file))
        sscanf(line, "open step-00000001.h5~ 1, allocation %ld", &n);
    if (file)
        fclose(file);
    return n;
}

/* Without memory for the image of a checkpoint that others may follow, training goes on. */
static void without_images(void) {
    long n = allocations_of_an_image(), without = 0;
    for (long before = 40; before <= 400 && without == 0; before += 60) {
        Attempt a = {.memory = n - before};
        empty_folder();
        bed.attempts++;
        Outcome outcome = in_child(train, &a);
        without += outcome.code == 0 && strstr(outcome.err, "warning: no checkpoint of step 1: ");
        judge(&a, &outcome, true);
    }
    if (without == 0)
        complain("no run goes on without a checkpoint's image", &(Attempt){.memory = n}, &(Outcome){.code = 0});
}

static void all_memory(long step, long share, long shares) {
    char begin[TMPDIR_PATH];
    snprintf(begin, sizeof begin, "%s", tmpdir_path("begin"));
    without_images();
    every_allocation("a run", NULL, step, share, shares);
    empty_folder();
    in_child(train, &(Attempt){.pattern = "rename final.h5 1", .kind = "kill-before", .memory = -1});
    link_checkpoints(bed.folder, begin);
    every_allocation("a resume", begin, step, share, shares);
}

/* The run as it is without faults: its calls, and what all others must end with. */
static bool learn(void) {
    char log[TMPDIR_PATH];
    snprintf(log, sizeof log, "%s", tmpdir_path("log"));
    unlink(log);
    empty_folder();
    Outcome undisturbed = in_child(train, &(Attempt){.log = log, .memory = -1});
    Outcome seen = in_child(examine, NULL);
    memcpy(bed.reference, seen.out, sizeof bed.reference);
    key_count = 0;
    learn_keys();
    bool best_is_last = strcmp(bed.rate, high_rate) != 0, says_so = strstr(seen.out, ", epoch 1\n") == NULL;
    if (undisturbed.code == 0 && strlen(bed.reference) > 64 &&
        (strcmp(bed.epochs, "3") != 0 || best_is_last == says_so))
        return true;
    printf("the undisturbed run fails: %s%s\n", undisturbed.err, seen.out);
    return false;
}

static bool all_calls(size_t step) {
    static const char *const kinds[] = {"ENOSPC", "EIO", "EDQUOT", "EINTR", "short", "kill-before", "kill-after", NULL};
    if (!learn())
        return false;
    every_call(step, kinds);
    file_systems();
    two_jobs();
    stops_if_asked_to();
    data_without_locks();
    bed.rate = (char *)(uintptr_t)high_rate;
    if (!learn())
        return false;
    every_call(step, kinds);
    return true;
}

int main(int argc, char **argv) {
    snprintf(bed.top, sizeof bed.top, "%s", tmpdir_make());
    snprintf(bed.folder, sizeof bed.folder, "%s", tmpdir_path("run"));
    snprintf(bed.network, sizeof bed.network, "%s", tmpdir_path("net.json"));
    snprintf(bed.data, sizeof bed.data, "%s", tmpdir_path("data.h5"));
    long step = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    bool calls = argc == 3 && strcmp(argv[1], "calls") == 0, memory = argc >= 3 && strcmp(argv[1], "memory") == 0;
    if (step < 1 || (!calls && !memory))
        return fprintf(stderr, "usage: test_faults calls STEP | memory STEP [K N]\n"), 2;
    Outcome made = in_child(prepare, NULL);
    bool ran = made.code == 0;
    if (calls) {
        ran = ran && all_calls((size_t)step);
    } else {
        bed.epochs = "1";
        bed.batch = "10"; /* two checkpoints */
        ran = ran && learn();
        if (ran)
            all_memory(step, argc > 4 ? strtol(argv[3], NULL, 10) : 0, argc > 4 ? strtol(argv[4], NULL, 10) : 1);
    }
    printf("%lu attempts, %lu complaints\n", bed.attempts, bed.failures);
    tmpdir_remove();
    return !ran || bed.failures > 0;
}
