/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "data/folder_internal.h"
#include "io/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16, PATH_BYTES = 4096 };

/* ---- words ---- */

/* Is the name's ending, after its last dot, one of `endings` ("jpg jpeg")? */
static bool has_ending(const char *name, const char *const endings[]) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && endings[i]; i++)
        if (strcasecmp(dot + 1, endings[i]) == 0)
            return true;
    return false;
}

static bool is_wanted(const FolderFound *found, const char *name) {
    static const char *const pictures[] = {"jpg", "jpeg", "jpe", "jfif", "png", "webp", NULL};
    return has_ending(name, found->endings ? found->endings : pictures);
}

static bool is_other_picture(const char *name) {
    return has_ending(name, (const char *[]){"gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "ppm",
                                             "pgm", "svg", NULL});
}

/* Files and folders that systems leave behind. */
static bool is_litter(const char *name) {
    return name[0] == '.' || strcasecmp(name, "Thumbs.db") == 0 || strcasecmp(name, "desktop.ini") == 0 ||
           strcmp(name, "__MACOSX") == 0;
}

DatasetSplit folder__split_of(const char *word) {
    static const struct {
        const char *word;
        DatasetSplit split;
    } words[] = {{"train", DATASET_TRAIN}, {"training", DATASET_TRAIN}, {"val", DATASET_VAL},
                 {"valid", DATASET_VAL},   {"validation", DATASET_VAL}, {"dev", DATASET_VAL},
                 {"test", DATASET_TEST},   {"testing", DATASET_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(word, words[i].word) == 0)
            return words[i].split;
    return DATASET_SPLITS;
}

bool folder_is_source(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && (S_ISDIR(about.st_mode) || has_ending(path, (const char *[]){"csv", NULL}));
}

const char *folder_reason(FolderReason reason) {
    static const char *const reasons[] = {"is no picture", "is no JPEG, PNG or WebP picture",
                                          "lies beside the folders of classes",
                                          "lies beside the folders train, val and test"};
    return reasons[reason];
}

/* ---- lists that grow ---- */

static Status add_text(FolderTexts *texts, const char *text, size_t *place) {
    size_t length = strlen(text) + 1;
    TRY(memory_grow(&texts->bytes, texts->used, length, "list of pictures"));
    memcpy(texts->bytes + texts->used, text, length);
    *place = texts->used;
    texts->used += length;
    return STATUS_OK;
}

/* *number = that of a class, from 1 on.  Mostly it is that of the file before. */
static Status find_class(FolderFound *found, const char *name, size_t *number) {
    const char *at = found->classes.bytes;
    *number = found->last_class;
    if (*number > 0 && strcmp(at + found->last_place, name) == 0)
        return STATUS_OK;
    for (*number = 1; *number <= found->class_count && strcmp(at, name) != 0; (*number)++)
        at += strlen(at) + 1;
    found->last_place = found->class_count > 0 ? (size_t)(at - found->classes.bytes) : 0;
    if (*number > found->class_count) {
        TRY(add_text(&found->classes, name, &found->last_place));
        found->class_count++;
    }
    found->last_class = *number;
    return STATUS_OK;
}

Status folder__add(FolderFound *found, const char *path, uint64_t size, DatasetSplit split, const char *class) {
    struct FolderPlace file = {.size = size, .split = split};
    TRY(memory_grow(&found->files, found->count, 1, "list of pictures"));
    TRY(add_text(&found->texts, path, &file.path));
    if (class)
        TRY(find_class(found, class, &file.class));
    found->files[found->count++] = file;
    return STATUS_OK;
}

static Status skip(FolderFound *found, const char *path, FolderReason reason) {
    struct FolderSkipPlace item = {.reason = reason};
    TRY(memory_grow(&found->skipped, found->skipped_count, 1, "list of pictures"));
    TRY(add_text(&found->texts, path, &item.path));
    found->skipped[found->skipped_count++] = item;
    return STATUS_OK;
}

/* ---- walking ---- */

/* A folder's entries, by name, litter left out. */
typedef struct Listing {
    struct Entry {
        char *name;
        bool is_folder;
        uint64_t size;
    } * entries;
    size_t count;
    char **names; /* owned: the texts */
} Listing;

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct Entry *)a)->name, ((const struct Entry *)b)->name);
}

static Status join(const char *folder, const char *name, char path[PATH_BYTES]) {
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    if ((size_t)snprintf(path, PATH_BYTES, "%.*s/%s", (int)length, folder, name) >= PATH_BYTES)
        return status_fail(STATUS_FAILED, "the path of %s in %.200s... is too long", name, folder);
    return STATUS_OK;
}

static void unlist(Listing *listing) {
    memory_free(listing->entries);
    memory_free(listing->names);
}

/* Asks for each entry of the open folder. */
static Status list_entries(int open_folder, const char *folder, size_t count, Listing *out) {
    struct stat about;
    TRY(memory_new(&out->entries, count, "list of pictures"));
    for (size_t i = 0; i < count; i++) {
        if (is_litter(out->names[i]))
            continue;
        if (fstatat(open_folder, out->names[i], &about, 0) != 0)
            return status_fail(STATUS_FAILED, "cannot read %s/%s: %s", folder, out->names[i], strerror(errno));
        out->entries[out->count++] =
            (struct Entry){out->names[i], S_ISDIR(about.st_mode), S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0};
    }
    return STATUS_OK;
}

static Status list(const char *folder, Listing *out) {
    size_t count;
    *out = (Listing){0};
    TRY(file_list(folder, &out->names, &count));
    int open_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (open_folder < 0)
        return status_fail(STATUS_FAILED, "cannot read %s: %s", folder, strerror(errno));
    Status status = list_entries(open_folder, folder, count, out);
    close(open_folder);
    TRY(status);
    qsort(out->entries, out->count, sizeof *out->entries, by_name);
    return STATUS_OK;
}

/* Where the walk is: what it finds is of this split and class. */
typedef struct Walk {
    FolderFound *found;
    DatasetSplit split;
    const char *class; /* NULL: pictures have none */
    int depth;
} Walk;

static Status walk(const char *folder, const Walk *at);

static Status take_file(const char *path, const struct Entry *entry, const Walk *at) {
    if (is_wanted(at->found, entry->name))
        return folder__add(at->found, path, entry->size, at->split, at->class);
    return skip(at->found, path, is_other_picture(entry->name) ? FOLDER_FORMAT : FOLDER_OTHER);
}

/* All below a folder of one class. */
static Status walk_class(const char *folder, const Listing *listing, const Walk *at) {
    char path[PATH_BYTES];
    if (at->depth > DEPTH_MAX)
        return status_fail(STATUS_FAILED, "%s lies more than %d folders deep", folder, DEPTH_MAX);
    for (size_t i = 0; i < listing->count; i++) {
        const struct Entry *entry = &listing->entries[i];
        Walk below = *at;
        below.depth++;
        TRY(join(folder, entry->name, path));
        TRY(entry->is_folder ? walk(path, &below) : take_file(path, entry, at));
    }
    return STATUS_OK;
}

static Status walk(const char *folder, const Walk *at) {
    Listing listing;
    Status status = list(folder, &listing);
    if (status == STATUS_OK)
        status = walk_class(folder, &listing, at);
    unlist(&listing);
    return status;
}

/* A folder of folders of classes, or of pictures without. */
static Status walk_split(const char *folder, const Listing *listing, const Walk *at) {
    char path[PATH_BYTES];
    bool classes = false;
    for (size_t i = 0; i < listing->count; i++)
        classes |= listing->entries[i].is_folder;
    for (size_t i = 0; i < listing->count; i++) {
        const struct Entry *entry = &listing->entries[i];
        Walk below = *at;
        below.class = entry->name;
        TRY(join(folder, entry->name, path));
        if (entry->is_folder)
            TRY(walk(path, &below));
        else if (classes && is_wanted(at->found, entry->name))
            TRY(skip(at->found, path, FOLDER_NO_CLASS));
        else
            TRY(take_file(path, entry, at));
    }
    return STATUS_OK;
}

static Status walk_splits(const char *folder, const Listing *listing, FolderFound *found) {
    char path[PATH_BYTES];
    for (size_t i = 0; i < listing->count; i++) {
        const struct Entry *entry = &listing->entries[i];
        Walk at = {.found = found, .split = folder__split_of(entry->name)};
        TRY(join(folder, entry->name, path));
        if (!entry->is_folder || at.split == DATASET_SPLITS) {
            TRY(skip(found, path, FOLDER_NO_SPLIT));
            continue;
        }
        Listing below;
        Status status = list(path, &below);
        if (status == STATUS_OK)
            status = walk_split(path, &below, &at);
        unlist(&below);
        TRY(status);
    }
    return STATUS_OK;
}

/* Folders of splits are there if one is for training, or all are of splits: a class may be called "test", too. */
static bool has_splits(const Listing *listing) {
    bool train = false, all = true, any = false;
    for (size_t i = 0; i < listing->count; i++) {
        DatasetSplit split = folder__split_of(listing->entries[i].name);
        if (!listing->entries[i].is_folder)
            continue;
        any = true;
        train |= split == DATASET_TRAIN;
        all &= split != DATASET_SPLITS;
    }
    return train || (any && all);
}

static Status walk_root(const char *folder, DatasetSplit usual, FolderFound *found) {
    Listing listing;
    Walk at = {.found = found, .split = usual};
    Status status = list(folder, &listing);
    if (status == STATUS_OK)
        status = has_splits(&listing) ? walk_splits(folder, &listing, found) : walk_split(folder, &listing, &at);
    unlist(&listing);
    return status;
}

/* ---- the whole ---- */

static void found_free(FolderFound *found) {
    memory_free(found->files);
    memory_free(found->skipped);
    memory_free(found->texts.bytes);
    memory_free(found->classes.bytes);
}

Status folder_scan(const char *path, const FolderOptions *options, Folder *out) {
    FolderFound found = {.endings = options->endings};
    struct stat about;
    Status status;
    *out = (Folder){0};
    if (stat(path, &about) != 0)
        return status_fail(STATUS_FAILED, "cannot read %s: %s", path, strerror(errno));
    if (S_ISDIR(about.st_mode))
        status = walk_root(path, options->split, &found);
    else
        status = folder__read_csv(path, options->split, &found);
    if (status == STATUS_OK)
        status = folder__put_in_order(path, options, &found, out);
    found_free(&found);
    return status;
}
