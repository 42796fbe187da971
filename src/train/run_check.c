/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run_check.h"
#include "base/memory.h"
#include "io/event_file.h"
#include "io/file.h"
#include "io/run.h"
#include "train/record.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Check {
    const char *folder;
    size_t files, damaged, checkpoints;
    RecordState newest; /* of the checkpoint that a resume takes */
    char newest_name[RUN_NAME];
    uint64_t best_epoch; /* that best.h5 is of; 0: there is none that is whole */
} Check;

static void say_ok(Check *check, const char *path, const char *note) {
    check->files++;
    printf("ok        %s%s\n", path, note);
}

static void say_damaged(Check *check, const char *message) {
    check->files++;
    check->damaged++;
    printf("damaged   %s\n", message);
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

static Status read_state(const char *path, RecordState *state) {
    Checkpoint *checkpoint;
    TRY(checkpoint_read(path, CHECKPOINT_OURS, &checkpoint));
    Status status = checkpoint->state ? record_parse(checkpoint->state, path, state)
                                      : status_fail(STATUS_FAILED, "%s has no training state", path);
    checkpoint_destroy(checkpoint);
    return status;
}

/* Checkpoints come in the order in which a resume looks at them. */
static void keep_first(Check *check, const char *name, RecordState *state) {
    if (check->checkpoints++ > 0) {
        record_free(state);
        return;
    }
    check->newest = *state;
    snprintf(check->newest_name, sizeof check->newest_name, "%s", name);
}

static void check_checkpoint(Check *check, const char *name, const char *path) {
    RecordState state = {0};
    char note[64], expected[RUN_NAME];
    if (read_state(path, &state) != STATUS_OK) {
        if (access(path, F_OK) == 0) /* else removed meanwhile: the run goes on */
            say_damaged(check, status_message());
        return;
    }
    if (strncmp(name, "step-", 5) == 0 && strcmp(name, run_step_name(state.state.step, expected)) != 0) {
        status_fail(STATUS_FAILED, "%s is the checkpoint of step %llu", path, (unsigned long long)state.state.step);
        say_damaged(check, status_message());
        record_free(&state);
        return;
    }
    snprintf(note, sizeof note, ": step %llu, %llu epochs", (unsigned long long)state.state.step,
             (unsigned long long)state.state.epoch);
    say_ok(check, path, note);
    if (strcmp(name, RUN_BEST) == 0)
        check->best_epoch = state.state.epoch;
    keep_first(check, name, &state);
}

/* A best.h5 of a later epoch than the newest checkpoint knows of is what a kill between the two leaves. */
static void check_best(Check *check) {
    unsigned long long found = check->best_epoch, best = check->newest.state.best_epoch;
    if (check->checkpoints == 0 || found >= best)
        return;
    if (found == 0)
        status_fail(STATUS_FAILED, "%s/%s is not there or not whole: the best epoch is %llu", check->folder, RUN_BEST,
                    best);
    else
        status_fail(STATUS_FAILED, "%s/%s is of epoch %llu, the best is %llu", check->folder, RUN_BEST, found, best);
    say_damaged(check, status_message());
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static Status read_config(const char *path) {
    static Config config;
    unsigned char *text;
    size_t size;
    TRY(file_read(path, &text, &size));
    Status status = config_from_json(&config, (char *)text, path, SOURCE_FILE);
    memory_free(text);
    return status;
}

static Status compare_metrics(const Check *check, const char *path) {
    unsigned char *found;
    char *expected;
    size_t size, same = 0, line = 1;
    TRY(file_read(path, &found, &size));
    Status status = history_json_text(check->newest.history, check->newest_name, &expected);
    for (; status == STATUS_OK && expected[same] && expected[same] == (char)found[same]; same++)
        line += expected[same] == '\n';
    if (status == STATUS_OK && expected[same])
        status = status_fail(STATUS_FAILED, "%s: line %zu is not that of the history in %s; a resume writes it anew",
                             path, line, check->newest_name);
    memory_free(expected);
    memory_free(found);
    return status;
}

static void check_text(Check *check, const char *path, Status status) {
    if (status == STATUS_OK)
        say_ok(check, path, "");
    else
        say_damaged(check, status_message());
}

/* A file of events.  One that ends in half a record is what a killed process leaves: no harm to the run. */
static void check_events(Check *check, const char *name) {
    char *folder = NULL, *path = NULL;
    unsigned char *bytes = NULL;
    size_t size;
    Status status;
    TRY_GOTO(memory_format(&folder, "%s/%s", check->folder, name), done);
    TRY_GOTO(event_file_find(folder, &path), done);
    if (path != NULL)
        TRY_GOTO(file_read(path, &bytes, &size), done);
    if (path != NULL && event_walk(bytes, size, NULL, NULL) < size)
        printf("torn      %s: ends in half a record; a resume cuts it there\n", path);
    else if (path != NULL)
        say_ok(check, path, "");
done:
    if (status != STATUS_OK)
        say_damaged(check, status_message());
    memory_free(bytes);
    memory_free(path);
    memory_free(folder);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static bool ends_in(const char *name, const char *ending) {
    size_t length = strlen(name), n = strlen(ending);
    return length > n && strcmp(name + length - n, ending) == 0;
}

static void check_file(Check *check, const char *name, const char *path) {
    if (ends_in(name, ".h5" RUN_OLD))
        printf("old       %s: set aside by a resume, not used\n", path);
    else if (name[0] == '.' && ends_in(name, FILE_LEFTOVER))
        printf("leftover  %s: of a process that is writing or was killed; the next start removes it\n", path);
    else if (strcmp(name, RUN_CONFIG) == 0)
        check_text(check, path, read_config(path));
    else if (strcmp(name, RUN_METRICS) == 0 && check->checkpoints > 0)
        check_text(check, path, compare_metrics(check, path));
    else if (strcmp(name, RUN_TENSORBOARD) == 0) {
        check_events(check, RUN_EVENTS_TRAIN);
        check_events(check, RUN_EVENTS_VALIDATION);
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static Status check_all(Check *check, char **names, size_t count, char (*checkpoints)[RUN_NAME],
                        size_t checkpoint_count) {
    for (size_t i = 0; i < checkpoint_count + count; i++) {
        const char *name = i < checkpoint_count ? checkpoints[i] : names[i - checkpoint_count];
        char *path;
        TRY(memory_format(&path, "%s/%s", check->folder, name));
        if (i < checkpoint_count)
            check_checkpoint(check, name, path);
        else
            check_file(check, name, path);
        memory_free(path);
    }
    check_best(check);
    return STATUS_OK;
}

static Status verdict(const Check *check, size_t checkpoint_count) {
    if (checkpoint_count == 0)
        return status_fail(STATUS_FAILED, "%s holds no checkpoints", check->folder);
    if (check->damaged == 0)
        return STATUS_OK;
    if (check->checkpoints == 0)
        return status_fail(STATUS_FAILED, "%zu of %zu files in %s are damaged; no whole checkpoint is left",
                           check->damaged, check->files, check->folder);
    return status_fail(STATUS_FAILED, "%zu of %zu files in %s are damaged; a resume takes %s", check->damaged,
                       check->files, check->folder, check->newest_name);
}

Status run_check(const char *folder) {
    Check check = {.folder = folder};
    char **names = NULL, (*checkpoints)[RUN_NAME] = NULL;
    size_t count, checkpoint_count = 0;
    Status status;
    TRY_GOTO(run_checkpoints(folder, &checkpoints, &checkpoint_count), done);
    TRY_GOTO(file_list(folder, &names, &count), done);
    qsort(names, count, sizeof *names, by_name);
    TRY_GOTO(check_all(&check, names, count, checkpoints, checkpoint_count), done);
    status = verdict(&check, checkpoint_count);
done:
    record_free(&check.newest);
    memory_free(checkpoints);
    memory_free(names);
    return status;
}
