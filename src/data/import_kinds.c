/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "data/import.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define IMPORT_REFER(name) &import_kind_##name,
const ImportKind *const import_kinds[] = {IMPORT_KINDS(IMPORT_REFER) NULL};

const ImportKind *import_find(const char *name) {
    for (size_t i = 0; import_kinds[i] != NULL; i++)
        if (strcmp(import_kinds[i]->name, name) == 0)
            return import_kinds[i];
    return NULL;
}

Status import_note_file(ImportSource *source, const char *path) {
    struct stat about;
    if (stat(path, &about) != 0)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return status_fail(STATUS_FAILED, "cannot open %s: it is not a file", path);
    const int64_t facts[3] = {about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
    source->identity = hash_bytes(hash_bytes(source->identity, path, strlen(path)), facts, sizeof facts);
    return STATUS_OK;
}

DatasetSplit import_split_of(const char *path) {
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    static const struct {
        const char *part;
        DatasetSplit split;
    } names[] = {{"train", DATASET_TRAIN}, {"t10k", DATASET_TEST}, {"test", DATASET_TEST}, {"val", DATASET_VAL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasestr(base, names[i].part) != NULL)
            return names[i].split;
    return DATASET_SPLITS;
}

static Status put(const char *path[], DatasetSplit split, const char *given) {
    if (path[split] != NULL)
        return status_fail(
            STATUS_USAGE,
            "both %s and %s look like %s. Say which is which, with --train FILE, --val FILE, --test FILE.", path[split],
            given, dataset_split_names[split]);
    path[split] = given;
    return STATUS_OK;
}

Status import_sort_paths(const ImportOptions *options, const char *path[DATASET_SPLITS]) {
    bool none = true;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        path[split] = options->split[split][0] ? options->split[split] : NULL;
        none = none && path[split] == NULL && !options->path[0][0];
    }
    if (none)
        return status_fail(STATUS_USAGE, "no files given");
    for (size_t i = 0; i < IMPORT_PATHS && options->path[i][0]; i++) {
        DatasetSplit split = import_split_of(options->path[i]);
        if (split == DATASET_SPLITS && options->path[1][0])
            return status_fail(STATUS_USAGE,
                               "cannot tell which split %s is. Say it with --train FILE, --val FILE or --test FILE.",
                               options->path[i]);
        TRY(put(path, split == DATASET_SPLITS ? DATASET_TRAIN : split, options->path[i]));
    }
    return STATUS_OK;
}
