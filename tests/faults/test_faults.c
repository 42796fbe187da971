/* SPDX-License-Identifier: Apache-2.0
 *
 * A small run, from its options to final.h5, in which one thing fails: every system call on its folder, in every way, and
 * allocations.  Whatever fails: no file with a final name is damaged, what went wrong is said, and the run, or its resume, ends
 * with the digest of the undisturbed one.
 *
 *     test_faults calls STEP         every call x every kind; of these every STEP-th
 *     test_faults memory STEP [K N]  every STEP-th allocation of a run and of a resume; share K (from 0) of N
 *
 * Each attempt is a process of its own, forked before any library has started. */
#include "base/log.h"
#include "base/memory.h"
#include "faults/inject.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/run.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#include "train/record.h"
#include "train/trainer.h"
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 1 << 14, LONGEST = 120, KEYS = 1000, MESSAGES = 20 };

static char folder[TMPDIR_PATH], top[TMPDIR_PATH], network[TMPDIR_PATH], data[TMPDIR_PATH], reference[TEXT];
static unsigned long attempts, failures;
static char *rate = "0.1", *epochs = "3", *batch = "20"; /* of the run; at the high rate the first epoch is the best */
static const char high_rate[] = "30";

typedef struct Attempt {
    const char *pattern, *kind; /* of calls; NULL: none */
    const char *log;
    const char *option;   /* further ones, NULL: none */
    const char *argument; /* of it */
    long memory;          /* -1: no, 0: counted */
    bool everywhere;      /* also calls on data and network */
} Attempt;

typedef struct Outcome {
    int code, signal;
    char out[TEXT], err[TEXT];
} Outcome;

/* ---- processes ---------------------------------------------------------------------------------------------------------- */

static void read_text(const char *name, char text[TEXT]) {
    FILE *file = fopen(tmpdir_path(name), "r");
    size_t n = file ? fread(text, 1, TEXT - 1, file) : 0;
    text[n] = '\0';
    if (file)
        fclose(file);
}

static Outcome in_child(int (*work)(const Attempt *attempt), const Attempt *attempt) {
    Outcome outcome = {.signal = 0};
    int how;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen(tmpdir_path("out"), "w", stdout) || !freopen(tmpdir_path("err"), "w", stderr))
            _exit(99);
        alarm(LONGEST); /* a hang */
        exit(work(attempt));
    }
    waitpid(child, &how, 0);
    outcome.code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    outcome.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    read_text("out", outcome.out);
    read_text("err", outcome.err);
    return outcome;
}

static Status run_trainer(const Attempt *attempt) {
    static Config config;
    char *argv[40] = {"cnn_train",
                      "--quiet",
                      "--model",
                      network,
                      "--data",
                      data,
                      "--out",
                      folder,
                      "--epochs",
                      epochs,
                      "--lr",
                      rate,
                      "--batch-size",
                      batch,
                      "--keep",
                      "2",
                      "--early-stop",
                      "9",
                      "--optimizer",
                      "sgd",
                      "--momentum",
                      "0.9",
                      "--checkpoint-steps",
                      "1",
                      "--resume",
                      "auto"};
    int argc = 26;
    bool exit_now;
    Dist *dist;
    if (attempt->option) {
        argv[argc++] = (char *)(uintptr_t)attempt->option;
        argv[argc++] = (char *)(uintptr_t)attempt->argument;
    }
    Status status = dist_init(&argc, &(char **){argv}, &dist);
    if (status != STATUS_OK) {
        log_error("%s", status_message());
        return status;
    }
    status = dist_agree(dist, config_parse(argc, argv, &config, &exit_now));
    log_set_level(LOG_QUIET);
    if (status == STATUS_OK)
        status = trainer_run(dist, &config);
    dist_finish(dist);
    return status;
}

static int train(const Attempt *attempt) {
    log_set_program("cnn_train");
    json_set_alloc_funcs(memory_for_library, free); /* as program_run does */
    inject_calls(attempt->everywhere ? top : folder, attempt->pattern, attempt->kind, attempt->log);
    if (attempt->memory >= 0)
        inject_memory((unsigned long)attempt->memory);
    Status status = run_trainer(attempt);
    if (attempt->memory == 0)
        printf("%lu\n", inject_allocations());
    return (int)status;
}

/* Prints how many checkpoints there are, or what is wrong with one, and the digest of final.h5. */
static int examine(const Attempt *attempt) {
    char(*names)[RUN_NAME], hex[DIGEST_HEX];
    size_t count;
    Checkpoint *final;
    bool whole =
        attempt == NULL || attempt->memory < 0; /* else the digest at the end, now and then, tells of the content */
    log_set_program("examine");
    if (run_checkpoints(folder, &names, &count) != STATUS_OK)
        return 1;
    for (size_t i = 0; i < count; i++) {
        char path[TMPDIR_PATH + RUN_NAME];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (checkpoint_verify(path) != STATUS_OK)
            return printf("%s\n", status_message()), 1;
        RecordState state;
        if (!whole)
            continue;
        if (checkpoint_read(path, CHECKPOINT_OURS, &final) != STATUS_OK ||
            record_parse(final->state, path, &state) != STATUS_OK)
            return printf("%s\n", status_message()), 1;
        if (strcmp(names[i], RUN_FINAL) == 0 && record_digest(final, hex) == STATUS_OK)
            printf("%s, epoch %d\n", hex, (int)state.state.epoch);
    }
    fprintf(stderr, "%zu\n", count);
    return 0;
}

/* Data and network, made in a child, too. */
static int prepare(const Attempt *attempt) {
    static const char text[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"tiny\", \"layers\": ["
        "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", \"batch_input_shape\": [null, 4, 3, 2]}},"
        "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"flat\"}},"
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"fc\", \"units\": 5, \"activation\": \"softmax\"}}]}}";
    (void)attempt;
    tmpdir_write("net.json", text, strlen(text));
    return sample_dataset(data, (size_t[]){20, 10, 0}) == STATUS_OK ? 0 : 1;
}

/* ---- judging ------------------------------------------------------------------------------------------------------------ */

static void complain(const char *what, const Attempt *a, const Outcome *outcome) {
    if (++failures > MESSAGES)
        return;
    printf("FAILED  %s, %s, allocation %ld: %s (exit code %d, signal %d)\n%s%s", a->pattern ? a->pattern : "-",
           a->kind ? a->kind : "-", a->memory, what, outcome->code, outcome->signal, outcome->out, outcome->err);
}

static bool leftovers(void) {
    char **names;
    size_t count;
    bool found = false;
    if (file_list(folder, &names, &count) != STATUS_OK)
        return true;
    for (size_t i = 0; i < count; i++)
        found |= names[i][0] == '.' && strcmp(names[i], ".lock") != 0;
    memory_free(names);
    return found;
}

static size_t lines_of_metrics(void) {
    unsigned char *text;
    size_t size, lines = 0;
    char path[TMPDIR_PATH + RUN_NAME];
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    if (file_read(path, &text, &size) != STATUS_OK)
        return 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    memory_free(text);
    return lines;
}

static void empty_folder(void) {
    char **names;
    size_t count;
    if (file_list(folder, &names, &count) != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++)
        file_remove(folder, names[i]);
    memory_free(names);
    rmdir(folder);
}

static bool ends_as_undisturbed(const Attempt *a) {
    Outcome seen = in_child(examine, NULL);
    bool same = seen.code == 0 && strcmp(seen.out, reference) == 0 && lines_of_metrics() == 1 + (size_t)atoi(epochs);
    if (!same)
        complain("is not the undisturbed run in the end", a, &seen);
    return same;
}

/* What a disturbed run may be; a run that ended before its end is resumed. */
static void judge(const Attempt *a, const Outcome *outcome, bool resumes) {
    bool killed = a->kind && strncmp(a->kind, "kill", 4) == 0 && outcome->signal == SIGKILL;
    if (!killed && outcome->signal)
        complain("crashed or hung", a, outcome);
    if (!killed && outcome->code != 0 && outcome->code != 1)
        complain("exit code", a, outcome);
    if (outcome->code == 1 && !strstr(outcome->err, "cnn_train: error: "))
        complain("failed without a message", a, outcome);
    if (outcome->code == 1 && a->pattern && !strstr(outcome->err, folder))
        complain("names no file", a, outcome);
    if (outcome->code == 1 && a->kind && strcmp(a->kind, "ENOSPC") == 0 && strstr(outcome->err, "cannot write") &&
        !strstr(outcome->err, "Free some") && !strstr(outcome->err, "Choose"))
        complain("does not say what to do", a, outcome);
    Outcome seen = in_child(examine, a);
    if (seen.code != 0)
        complain("a file is damaged", a, &seen);
    if (!resumes)
        return;
    if (killed || outcome->code != 0) {
        Outcome again = in_child(train, &(Attempt){.memory = -1});
        if (again.code != 0)
            complain("cannot be resumed", a, &again);
        if (leftovers())
            complain("leaves temporary files after a resume", a, &again);
    }
    ends_as_undisturbed(a);
}

static void attempt(const Attempt *a) {
    empty_folder();
    attempts++;
    Outcome outcome = in_child(train, a);
    judge(a, &outcome, true);
}

/* ---- system calls ------------------------------------------------------------------------------------------------------- */

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
    unsigned long before = attempts, points = 0;
    size_t turn = 0;
    for (size_t i = 0; kinds[i]; i++)
        for (size_t k = 0; k < key_count; k++)
            if (worth_it(k, kinds[i]) && turn++ % step == 0)
                attempt(&(Attempt){.pattern = keys[k], .kind = kinds[i], .memory = -1});
    for (size_t k = 0; k < key_count; k++)
        points += worth_it(k, "");
    printf("rate %s: %lu calls, %lu attempts\n", rate, points, attempts - before);
}

/* A run in which calls fail always; what it must end with, and say. */
static void always(const char *pattern, const char *kind, int code, const char *says) {
    Attempt a = {.pattern = pattern, .kind = kind, .memory = -1};
    empty_folder();
    attempts++;
    Outcome outcome = in_child(train, &a);
    if (outcome.code != code)
        complain("another exit code is expected", &a, &outcome);
    if (says ? !strstr(outcome.err, says) : outcome.err[0])
        complain(says ? says : "should say nothing", &a, &outcome);
    judge(&a, &outcome, true);
}

/* The n-th reading of a checkpoint that is resumed. */
static void resumed(const char *pattern, const char *kind) {
    Attempt a = {.pattern = "rename final.h5 1", .kind = "kill-before", .memory = -1};
    empty_folder();
    in_child(train, &a);
    a = (Attempt){.pattern = pattern, .kind = kind, .memory = -1};
    attempts++;
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
        attempts++;
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
    attempts++;
    Outcome outcome = in_child(train, &a);
    if (outcome.code != 1 || strstr(outcome.err, "Training goes on") || !strstr(outcome.err, "Free some space"))
        complain("--on-checkpoint-failure stop", &a, &outcome);
    judge(&a, &outcome, true);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

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
    unsigned long before = attempts;
    empty_folder();
    if (begin)
        link_checkpoints(begin, folder);
    Outcome counted = in_child(train, &(Attempt){.memory = 0});
    long total = strtol(counted.out, NULL, 10), failed = 0;
    for (long n = 1 + share * step; n <= total; n += step * shares) {
        Attempt a = {.memory = n};
        empty_folder();
        if (begin)
            link_checkpoints(begin, folder);
        attempts++;
        Outcome outcome = in_child(train, &a);
        failed += outcome.code == 1;
        judge(&a, &outcome, step == 1 || n % 8 == 1);
    }
    printf("%s: %ld allocations, %lu tried, %ld of them ended the run with a message\n", what, total, attempts - before,
           failed);
    if (total < 1000)
        failures++;
}

static void all_memory(long step, long share, long shares) {
    char begin[TMPDIR_PATH];
    snprintf(begin, sizeof begin, "%s", tmpdir_path("begin"));
    every_allocation("a run", NULL, step, share, shares);
    empty_folder();
    in_child(train, &(Attempt){.pattern = "rename final.h5 1", .kind = "kill-before", .memory = -1});
    link_checkpoints(folder, begin);
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
    memcpy(reference, seen.out, sizeof reference);
    key_count = 0;
    learn_keys();
    bool best_is_last = strcmp(rate, high_rate) != 0, says_so = strstr(seen.out, ", epoch 1\n") == NULL;
    if (undisturbed.code == 0 && strlen(reference) > 64 && (strcmp(epochs, "3") != 0 || best_is_last == says_so))
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
    stops_if_asked_to();
    data_without_locks();
    rate = (char *)(uintptr_t)high_rate;
    if (!learn())
        return false;
    every_call(step, kinds);
    return true;
}

int main(int argc, char **argv) {
    snprintf(top, sizeof top, "%s", tmpdir_make());
    snprintf(folder, sizeof folder, "%s", tmpdir_path("run"));
    snprintf(network, sizeof network, "%s", tmpdir_path("net.json"));
    snprintf(data, sizeof data, "%s", tmpdir_path("data.h5"));
    long step = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    bool calls = argc == 3 && strcmp(argv[1], "calls") == 0, memory = argc >= 3 && strcmp(argv[1], "memory") == 0;
    if (step < 1 || (!calls && !memory))
        return fprintf(stderr, "usage: test_faults calls STEP | memory STEP [K N]\n"), 2;
    Outcome made = in_child(prepare, NULL);
    bool ran = made.code == 0;
    if (calls) {
        ran = ran && all_calls((size_t)step);
    } else {
        epochs = "1";
        batch = "10"; /* two checkpoints */
        ran = ran && learn();
        if (ran)
            all_memory(step, argc > 4 ? strtol(argv[3], NULL, 10) : 0, argc > 4 ? strtol(argv[4], NULL, 10) : 1);
    }
    printf("%lu attempts, %lu complaints\n", attempts, failures);
    tmpdir_remove();
    return !ran || failures > 0;
}
