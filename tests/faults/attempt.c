/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/attempt.h"
#include "base/log.h"
#include "base/memory.h"
#include "faults/inject.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/run.h"
#include "support/sample_dataset.h"
#include "train/record.h"
#include "train/trainer.h"
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 120, MESSAGES = 20 };

Bed bed = {.rate = "0.1", .epochs = "3", .batch = "20"};

/* ---- processes --------------------------------------------------------------------------------------------------- */

static void read_text(const char *name, char text[TEXT]) {
    FILE *file = fopen(tmpdir_path(name), "r");
    size_t n = file ? fread(text, 1, TEXT - 1, file) : 0;
    text[n] = '\0';
    if (file)
        fclose(file);
}

pid_t begin_child(Work *work, const Attempt *attempt, const char *name) {
    char file[32];
    fflush(NULL);
    pid_t child = fork();
    if (child != 0)
        return child;
    snprintf(file, sizeof file, "%s.out", name);
    bool opened = freopen(tmpdir_path(file), "w", stdout);
    snprintf(file, sizeof file, "%s.err", name);
    if (!opened || !freopen(tmpdir_path(file), "w", stderr))
        _exit(99);
    alarm(LONGEST); /* a hang */
    exit(work(attempt));
}

Outcome end_child(pid_t child, const char *name) {
    Outcome outcome = {.signal = 0};
    char file[32];
    int how;
    waitpid(child, &how, 0);
    outcome.code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    outcome.signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    snprintf(file, sizeof file, "%s.out", name);
    read_text(file, outcome.out);
    snprintf(file, sizeof file, "%s.err", name);
    read_text(file, outcome.err);
    return outcome;
}

Outcome in_child(Work *work, const Attempt *attempt) {
    return end_child(begin_child(work, attempt, "child"), "child");
}

static Status run_trainer(const Attempt *attempt) {
    static Config config;
    char *argv[40] = {"cnn_train",
                      "--quiet",
                      "--model",
                      bed.network,
                      "--data",
                      bed.data,
                      "--out",
                      bed.folder,
                      "--epochs",
                      bed.epochs,
                      "--lr",
                      bed.rate,
                      "--batch-size",
                      bed.batch,
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
        if (attempt->argument)
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

int train(const Attempt *attempt) {
    log_set_program("cnn_train");
    json_set_alloc_funcs(memory_for_library, free); /* as program_run does */
    inject_calls(attempt->everywhere ? bed.top : bed.folder, attempt->pattern, attempt->kind, attempt->log);
    if (attempt->memory >= 0)
        inject_memory((unsigned long)attempt->memory);
    Status status = run_trainer(attempt);
    if (attempt->memory == 0)
        printf("%lu\n", inject_allocations());
    return (int)status;
}

int examine(const Attempt *attempt) {
    char(*names)[RUN_NAME], hex[DIGEST_HEX];
    size_t count;
    Checkpoint *final;
    bool whole =
        attempt == NULL || attempt->memory < 0; /* else the digest at the end, now and then, tells of the content */
    log_set_program("examine");
    if (run_checkpoints(bed.folder, &names, &count) != STATUS_OK)
        return 1;
    for (size_t i = 0; i < count; i++) {
        char path[TMPDIR_PATH + RUN_NAME];
        snprintf(path, sizeof path, "%s/%s", bed.folder, names[i]);
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

int prepare(const Attempt *attempt) {
    static const char text[] =
        "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"tiny\", \"layers\": ["
        "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"in\", \"batch_input_shape\": [null, 4, 3, 2]}},"
        "{\"class_name\": \"Flatten\", \"config\": {\"name\": \"flat\"}},"
        "{\"class_name\": \"Dense\", \"config\": {\"name\": \"fc\", \"units\": 5, \"activation\": \"softmax\"}}]}}";
    (void)attempt;
    tmpdir_write("net.json", text, strlen(text));
    return sample_dataset(bed.data, (size_t[]){20, 10, 0}) == STATUS_OK ? 0 : 1;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

void complain(const char *what, const Attempt *a, const Outcome *outcome) {
    if (++bed.failures > MESSAGES)
        return;
    printf("FAILED  %s, %s, allocation %ld: %s (exit code %d, signal %d)\n%s%s", a->pattern ? a->pattern : "-",
           a->kind ? a->kind : "-", a->memory, what, outcome->code, outcome->signal, outcome->out, outcome->err);
}

static bool leftovers(void) {
    char **names;
    size_t count;
    bool found = false;
    if (file_list(bed.folder, &names, &count) != STATUS_OK)
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
    snprintf(path, sizeof path, "%s/metrics.csv", bed.folder);
    if (file_read(path, &text, &size) != STATUS_OK)
        return 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    memory_free(text);
    return lines;
}

void empty_folder(void) {
    char **names;
    size_t count;
    if (file_list(bed.folder, &names, &count) != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++)
        file_remove(bed.folder, names[i]);
    memory_free(names);
    rmdir(bed.folder);
}

bool ends_as_undisturbed(const Attempt *a) {
    Outcome seen = in_child(examine, NULL);
    bool same =
        seen.code == 0 && strcmp(seen.out, bed.reference) == 0 && lines_of_metrics() == 1 + (size_t)atoi(bed.epochs);
    if (!same)
        complain("is not the undisturbed run in the end", a, &seen);
    return same;
}

void judge(const Attempt *a, const Outcome *outcome, bool resumes) {
    bool killed = a->kind && strncmp(a->kind, "kill", 4) == 0 && outcome->signal == SIGKILL;
    if (!killed && outcome->signal)
        complain("crashed or hung", a, outcome);
    if (!killed && outcome->code != 0 && outcome->code != 1)
        complain("exit code", a, outcome);
    if (outcome->code == 1 && !strstr(outcome->err, "cnn_train: error: "))
        complain("failed without a message", a, outcome);
    if (outcome->code == 1 && a->pattern && !strstr(outcome->err, bed.folder))
        complain("names no file", a, outcome);
    if (outcome->code == 1 && a->kind && strcmp(a->kind, "ENOSPC") == 0 && strstr(outcome->err, "cannot write") &&
        !strstr(outcome->err, "Free some") && !strstr(outcome->err, "Choose"))
        complain("does not say what to do", a, outcome);
    bool over = outcome->code == 0;
    Outcome seen = over && resumes ? *outcome : in_child(examine, a); /* ends_as_undisturbed looks at them too */
    if (seen.code != 0)
        complain("a file is damaged", a, &seen);
    if (!resumes)
        return;
    if (!over) {
        Outcome again = in_child(train, &(Attempt){.memory = -1});
        if (again.code != 0)
            complain("cannot be resumed", a, &again);
        if (leftovers())
            complain("leaves temporary files after a resume", a, &again);
    }
    ends_as_undisturbed(a);
}

void try_it(const Attempt *a) {
    empty_folder();
    bed.attempts++;
    Outcome outcome = in_child(train, a);
    judge(a, &outcome, true);
}
