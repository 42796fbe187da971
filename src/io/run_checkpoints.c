/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/run.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- changing what is there ---- */

static Status rename_to_old(const char *folder, const char *name) {
    char *from, *to = NULL;
    TRY(memory_format(&from, "%s/%s", folder, name));
    Status status = memory_format(&to, "%s" RUN_OLD, from);
    if (status == STATUS_OK && rename(from, to) != 0 && errno != ENOENT)
        status = status_fail(STATUS_FAILED, "cannot rename %s: %s", from, strerror(errno));
    memory_free(to);
    memory_free(from);
    return status;
}

Status run_set_aside(const Run *run, uint64_t step) {
    const char *folder = run_folder(run);
    char name[RUN_NAME];
    uint64_t *steps;
    size_t count;
    TRY(run_steps(folder, &steps, &count));
    Status status = rename_to_old(folder, RUN_FINAL);
    for (size_t i = 0; i < count && steps[i] > step && status == STATUS_OK; i++)
        status = rename_to_old(folder, run_step_name(steps[i], name));
    memory_free(steps);
    return status == STATUS_OK ? file_sync(folder) : status;
}

Status run_set_best_aside(const Run *run) {
    TRY(rename_to_old(run_folder(run), RUN_BEST));
    return file_sync(run_folder(run));
}

Status run_prune(const char *folder, uint64_t step, size_t keep) {
    char name[RUN_NAME];
    uint64_t *steps;
    size_t count, kept = 0;
    Status status = run_steps(folder, &steps, &count);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (steps[i] <= step && ++kept > keep)
            status = file_remove(folder, run_step_name(steps[i], name));
    memory_free(steps);
    return status;
}

/* ---- finding one ---- */

/* Puts the path of folder/name into *path when that file's checksum is right; *path = NULL, with a warning, when it
 * is not, and without one when the file is gone.  STATUS_FAILED: out of memory, which does not tell that it is
 * damaged. */
static Status try_whole(const char *folder, const char *name, char **path) {
    size_t refused = memory_stats().refused_count;
    Status status = STATUS_OK;
    TRY(memory_format(path, "%s/%s", folder, name));
    if (access(*path, F_OK) == 0 || errno != ENOENT) {
        status = checkpoint_verify(*path);
        if (status == STATUS_OK)
            return STATUS_OK;
        if (memory_stats().refused_count == refused) {
            log_warn("%s; looking for an older checkpoint", status_message());
            status = STATUS_OK;
        }
    }
    memory_free(*path);
    *path = NULL;
    return status;
}

Status run_newest_whole(const char *folder, char **path) {
    char(*names)[RUN_NAME];
    size_t count;
    *path = NULL;
    TRY(run_checkpoints(folder, &names, &count));
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK && *path == NULL; i++)
        status = try_whole(folder, names[i], path);
    memory_free(names);
    if (status == STATUS_OK && *path == NULL)
        return status_fail(STATUS_FAILED,
                           "%s holds no whole checkpoint to go on from. cnn_train --overwrite --out %s begins it anew",
                           folder, folder);
    return status;
}

static bool is_saved_model(const char *folder) {
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/saved_model.pb", folder) < (int)sizeof path && access(path, F_OK) == 0;
}

/* folder/name, or a failure that lists what there is instead. */
static Status existing(const char *folder, const char *name, char **path) {
    uint64_t *steps;
    size_t count;
    TRY(memory_format(path, "%s/%s", folder, name));
    if (access(*path, F_OK) == 0)
        return STATUS_OK;
    memory_free(*path);
    *path = NULL;
    TRY(run_steps(folder, &steps, &count));
    unsigned long long last = count > 0 ? steps[0] : 0, first = count > 0 ? steps[count - 1] : 0;
    memory_free(steps);
    if (count == 0 && is_saved_model(folder))
        return status_fail(
            STATUS_FAILED,
            "%s is a SavedModel of TensorFlow. In Python, load it with tf_keras.models.load_model and take "
            "what model.save(\"net.h5\") writes.",
            folder);
    if (count == 0)
        return status_fail(STATUS_FAILED, "%s has no %s and no step checkpoints: is it a run folder?", folder, name);
    return status_fail(
        STATUS_FAILED,
        "%s has no %s; its step checkpoints go from %llu to %llu. Use --checkpoint last, or a step number", folder,
        name, first, last);
}

Status run_resolve(const char *given, const char *which, char **path) {
    struct stat about;
    char name[RUN_NAME], *end;
    *path = NULL;
    if (stat(given, &about) != 0)
        return status_fail(STATUS_FAILED, "cannot find the checkpoint or run %s: %s", given, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return memory_strdup(given, path);
    if (strcmp(which, "last") == 0)
        return run_newest_whole(given, path);
    if (strcmp(which, "best") == 0)
        return existing(given, RUN_BEST, path);
    if (strcmp(which, "final") == 0)
        return existing(given, RUN_FINAL, path);
    errno = 0;
    uint64_t step = strtoull(which, &end, 10);
    if (which[0] < '0' || which[0] > '9' || *end != '\0' || errno != 0)
        return status_fail(STATUS_USAGE, "--checkpoint %s: must be best, last, final or a step number", which);
    return existing(given, run_step_name(step, name), path);
}
