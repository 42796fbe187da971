/* SPDX-License-Identifier: Apache-2.0
 *
 * From what was found to numbered classes and sorted lists. */
#include "base/memory.h"
#include "data/folder_internal.h"
#include "io/file.h"
#include <stdlib.h>
#include <string.h>

void folder_free(Folder *folder) {
    memory_free(folder->files);
    memory_free(folder->class_names);
    memory_free(folder->skipped);
    memory_free(folder->texts);
    *folder = (Folder){0};
}

/* ---- classes ---- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* *out = a copy of the names, pointers and texts in one block. */
static Status copy_names(char *const names[], size_t count, char ***out) {
    size_t bytes = count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        bytes += strlen(names[i]) + 1;
    TRY(memory_alloc(bytes, 1, "class names", (void **)out));
    char *text = (char *)(*out + count);
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = text;
        text = stpcpy(text, names[i]) + 1;
    }
    return STATUS_OK;
}

static bool is_class_number(const char *name) {
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && digits <= 6 && name[digits] == '\0';
}

/* labels[i] = number of the i-th class found.  met: their names, in the order in which they were met. */
static Status number_by_names(const char *path, char *const met[], const Folder *folder, size_t count,
                              int64_t labels[]) {
    for (size_t i = 0; i < count; i++) {
        labels[i] = -1;
        for (size_t k = 0; k < folder->class_name_count && labels[i] < 0; k++)
            if (strcmp(met[i], folder->class_names[k]) == 0)
                labels[i] = (int64_t)k;
        if (labels[i] < 0)
            return status_fail(STATUS_FAILED,
                               "%s has pictures of the class %s, which is none of the %zu classes asked for", path,
                               met[i], folder->class_name_count);
    }
    return STATUS_OK;
}

static Status number_classes(const char *path, const FolderOptions *options, const FolderFound *found, char *met[],
                             Folder *out, int64_t labels[]) {
    size_t count = found->class_count;
    bool numbers = found->csv && options->class_names == NULL;
    for (size_t i = 0; i < count; i++)
        numbers &= is_class_number(met[i]);
    if (numbers) {
        for (size_t i = 0; i < count; i++)
            labels[i] = atol(met[i]);
        return STATUS_OK;
    }
    if (options->class_names == NULL && count == 0)
        return STATUS_OK;
    if (options->class_names == NULL) {
        TRY(copy_names(met, count, &out->class_names));
        qsort(out->class_names, count, sizeof *out->class_names, by_text);
        out->class_name_count = count;
    } else {
        TRY(copy_names(options->class_names, options->class_count, &out->class_names));
        out->class_name_count = options->class_count;
    }
    return number_by_names(path, met, out, count, labels);
}

/* ---- lists ---- */

static int by_place(const void *a, const void *b) {
    const FolderFile *x = a, *y = b;
    if (x->split != y->split)
        return x->split < y->split ? -1 : 1;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return strcmp(x->path, y->path);
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const FolderSkip *)a)->path, ((const FolderSkip *)b)->path);
}

/* Pictures without a class are left out where others have one. */
static Status make_lists(const FolderFound *found, const int64_t labels[], Folder *out) {
    TRY(memory_new(&out->files, found->count, "list of pictures"));
    TRY(memory_new(&out->skipped, found->skipped_count + found->count, "list of pictures"));
    for (size_t i = 0; i < found->count; i++) {
        const struct FolderPlace *place = &found->files[i];
        const char *path = out->texts + place->path;
        if (place->class == 0 && found->class_count > 0)
            out->skipped[out->skipped_count++] = (FolderSkip){path, FOLDER_NO_CLASS};
        else
            out->files[out->count++] =
                (FolderFile){path, place->size, place->split, place->class > 0 ? labels[place->class - 1] : -1};
    }
    for (size_t i = 0; i < found->skipped_count; i++)
        out->skipped[out->skipped_count++] =
            (FolderSkip){out->texts + found->skipped[i].path, found->skipped[i].reason};
    return STATUS_OK;
}

/* A CSV file's lines stay in their order within a split. */
static Status sort_csv(Folder *out) {
    FolderFile *sorted;
    size_t at = 0;
    TRY(memory_new(&sorted, out->count, "list of pictures"));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        for (size_t i = 0; i < out->count; i++)
            if (out->files[i].split == split)
                sorted[at++] = out->files[i];
    memory_free(out->files);
    out->files = sorted;
    return STATUS_OK;
}

static Status order(const char *path, const FolderOptions *options, const FolderFound *found, char *met[],
                    int64_t labels[], Folder *out) {
    char *name = found->classes.bytes;
    for (size_t i = 0; i < found->class_count; i++, name += strlen(name) + 1)
        met[i] = name;
    TRY(number_classes(path, options, found, met, out, labels));
    TRY(make_lists(found, labels, out));
    if (found->csv)
        TRY(sort_csv(out));
    else
        qsort(out->files, out->count, sizeof *out->files, by_place);
    qsort(out->skipped, out->skipped_count, sizeof *out->skipped, by_path);
    for (size_t i = 0; i < out->count; i++)
        for (DatasetSplit split = out->files[i].split; split < DATASET_SPLITS; split++)
            out->first[split + 1] = i + 1;
    return STATUS_OK;
}

Status folder__put_in_order(const char *path, const FolderOptions *options, FolderFound *found, Folder *out) {
    char **met = NULL;
    int64_t *labels = NULL;
    if (found->count == 0)
        return status_fail(STATUS_FAILED, "%s holds no %s%s", path,
                           options->endings ? "files that end in ." : "pictures (JPEG, PNG or WebP)",
                           options->endings ? options->endings[0] : "");
    out->listed = found->csv;
    out->texts = found->texts.bytes;
    found->texts.bytes = NULL;
    Status status = memory_new(&met, found->class_count, "class names");
    if (status == STATUS_OK)
        status = memory_new(&labels, found->class_count, "class names");
    if (status == STATUS_OK)
        status = order(path, options, found, met, labels, out);
    memory_free(met);
    memory_free(labels);
    if (status != STATUS_OK)
        folder_free(out);
    return status;
}

/* ---- a file of class names ---- */

Status folder_read_classes(const char *path, char ***names, size_t *count) {
    char *text, *rest, **list = NULL;
    size_t size, lines = 1;
    *names = NULL;
    *count = 0;
    TRY(file_read(path, (unsigned char **)&text, &size));
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    Status status = memory_new(&list, lines, "class names");
    rest = text;
    for (char *line; status == STATUS_OK && (line = strsep(&rest, "\r\n")) != NULL;) {
        for (size_t i = 0; i < *count && *line; i++)
            if (strcmp(list[i], line) == 0)
                status = status_fail(STATUS_FAILED, "%s has the class %s twice", path, line);
        if (*line)
            list[(*count)++] = line;
    }
    if (status == STATUS_OK && *count == 0)
        status = status_fail(STATUS_FAILED, "%s names no classes: one name a line", path);
    if (status == STATUS_OK)
        status = copy_names(list, *count, names);
    memory_free(list);
    memory_free(text);
    return status;
}
