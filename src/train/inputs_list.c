/* SPDX-License-Identifier: Apache-2.0
 *
 * From words of the command line to a list of files, on rank 0. */
#include "base/memory.h"
#include "io/file.h"
#include "io/h5io.h"
#include "train/inputs_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 32 };

static bool is_picture_name(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcasecmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool is_hdf5_name(const char *name) {
    return cli_has_ending(name, ".h5") || cli_has_ending(name, ".hdf5");
}

static bool is_dataset(const char *path) {
    H5ioFile *file;
    bool found = false;
    if (!is_hdf5_name(path) || h5io_open(path, &file) != STATUS_OK)
        return false;
    for (DatasetSplit s = 0; s < DATASET_SPLITS; s++) {
        H5ioKind kind;
        found = found || (h5io_kind(file, dataset_split_names[s], &kind) == STATUS_OK && kind != H5IO_NONE);
    }
    h5io_close(file);
    return found;
}

bool inputs_is_network(const char *word) {
    struct stat about;
    char *config = NULL;
    if (stat(word, &about) != 0)
        return false;
    if (!S_ISDIR(about.st_mode))
        return cli_has_ending(word, ".keras") || (is_hdf5_name(word) && !is_dataset(word));
    bool is_run = memory_format(&config, "%s/config.json", word) == STATUS_OK && stat(config, &about) == 0;
    memory_free(config);
    return is_run;
}

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static Status add_text(InputList *list, const char *path) {
    size_t length = strlen(path) + 1;
    TRY(memory_grow(&list->texts, list->used, length, "list of inputs"));
    memcpy(list->texts + list->used, path, length);
    list->used += length;
    list->count++;
    return STATUS_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static Status add_folder(InputList *list, const char *folder, size_t depth) {
    char **names = NULL, *path = NULL;
    size_t count;
    struct stat about;
    if (depth > DEPTH_MAX)
        return status_fail(STATUS_FAILED, "%s: folders more than %d deep: do they contain themselves?", folder,
                           DEPTH_MAX);
    TRY(file_list(folder, &names, &count));
    Status status = STATUS_OK;
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        if (names[i][0] == '.' || strcmp(names[i], "__MACOSX") == 0)
            continue;
        size_t length = strlen(folder);
        status = memory_format(&path, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", names[i]);
        if (status != STATUS_OK)
            break;
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
            status = add_folder(list, path, depth + 1);
        else if (is_picture_name(names[i]))
            status = add_text(list, path);
        memory_free(path);
    }
    memory_free(names);
    return status;
}

static Status add_path(InputList *list, const char *path) {
    struct stat about;
    size_t before = list->count;
    if (stat(path, &about) != 0)
        return list->skip ? add_text(list, path)
                          : status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return add_text(list, path);
    TRY(add_folder(list, path, 0));
    return list->count > before ? STATUS_OK
                                : status_fail(STATUS_FAILED, "%s has no pictures (.jpg, .jpeg, .png, .webp)", path);
}

/* The lines of a text, which is changed; blank ones are passed over. */
static Status add_lines(InputList *list, const char *name, char *text) {
    size_t before = list->count;
    for (char *line; (line = strsep(&text, "\n"));) {
        size_t length = strlen(line);
        if (length > 0 && line[length - 1] == '\r')
            line[--length] = '\0';
        if (length > 0)
            TRY(add_path(list, line));
    }
    return list->count > before ? STATUS_OK : status_fail(STATUS_FAILED, "%s lists no inputs", name);
}

static Status add_stdin(InputList *list) {
    char *line = NULL;
    size_t room = 0, before = list->count;
    Status status = STATUS_OK;
    for (ssize_t length; status == STATUS_OK && (length = getline(&line, &room, stdin)) >= 0;) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = '\0';
        if (length > 0)
            status = add_path(list, line);
    }
    free(line);
    if (status == STATUS_OK && list->count == before)
        status = status_fail(STATUS_FAILED, "there are no inputs in stdin");
    return status;
}

static Status add_file(InputList *list, const char *path) {
    unsigned char *bytes;
    size_t size;
    TRY(file_read(path, &bytes, &size));
    Status status = add_lines(list, path, (char *)bytes);
    memory_free(bytes);
    return status;
}

Status inputs__list(const CliWords *words, InputList *list) {
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->list[i];
        if (strcmp(word, "-") == 0)
            TRY(add_stdin(list));
        else if (word[0] == '@' && word[1] != '\0')
            TRY(add_file(list, word + 1));
        else
            TRY(add_path(list, word));
    }
    return STATUS_OK;
}
