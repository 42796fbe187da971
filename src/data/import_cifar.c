/* SPDX-License-Identifier: Apache-2.0
 *
 * CIFAR-10 and CIFAR-100 in their binary form (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
 * 2009): records of the label (CIFAR-100: the coarse, then the fine one), a byte each, and 3072 bytes of 32x32 pixels,
 * all of the red channel, then green, then blue.  A folder means the files in it that have the original names. */
#include "base/memory.h"
#include "data/import.h"
#include "io/file.h"
#include "io/file_bytes.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, NAMES_TEXT = 8192, NAMES_MOST = 100 };

typedef struct CifarFile {
    char *path; /* owned */
    FileBytes bytes;
    DatasetSplit split;
    size_t count, first; /* records; number of the first one in its split */
} CifarFile;

typedef struct Cifar {
    CifarFile *file; /* owned */
    size_t files;
    size_t labels, label, classes; /* label bytes of a record; which one is the class, of how many */
    char text[NAMES_TEXT];         /* of the names' file */
    char *names[NAMES_MOST];
    size_t name_count;
    DatasetLabel y;
} Cifar;

/* ---- files ---- */

static Status add_file(Cifar *cifar, const char *path, DatasetSplit split, ImportSource *source) {
    size_t record = cifar->labels + PIXELS;
    TRY(memory_grow(&cifar->file, cifar->files, 1, "CIFAR files"));
    CifarFile *file = &cifar->file[cifar->files++];
    TRY(memory_strdup(path, &file->path));
    TRY(import_note_file(source, path));
    TRY(file_bytes_open(path, &file->bytes));
    if (file->bytes.size == 0 || file->bytes.size % record != 0)
        return status_fail(STATUS_FAILED,
                           "%s is no file of this kind, or cut off: its %zu bytes are not records of %zu", path,
                           file->bytes.size, record);
    file->split = split;
    file->count = file->bytes.size / record;
    file->first = source->info.count[split];
    source->info.count[split] += file->count;
    return STATUS_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of a folder that have the original names, in their order. */
static Status add_folder(Cifar *cifar, const char *folder, ImportSource *source) {
    const char *train = cifar->labels == 1 ? "data_batch_" : "train.",
               *test = cifar->labels == 1 ? "test_batch." : "test.";
    char **names, path[2 * IMPORT_TEXT];
    size_t count, before = cifar->files;
    TRY(file_list(folder, &names, &count));
    qsort(names, count, sizeof *names, by_name);
    Status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const char *end = strstr(names[i], ".bin");
        bool is_train = strncmp(names[i], train, strlen(train)) == 0,
             is_test = strncmp(names[i], test, strlen(test)) == 0;
        if (end == NULL || (strcmp(end, ".bin") != 0 && strcmp(end, ".bin.gz") != 0) || !(is_train || is_test))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        status = add_file(cifar, path, is_train ? DATASET_TRAIN : DATASET_TEST, source);
    }
    memory_free(names);
    if (status == STATUS_OK && cifar->files == before)
        status = status_fail(STATUS_FAILED, "%s holds none of the files %s", folder,
                             cifar->labels == 1 ? "data_batch_1.bin ... test_batch.bin" : "train.bin, test.bin");
    return status;
}

/* Names of classes, a line each, as they come with the files; none is no failure. */
static Status read_names(Cifar *cifar, const char *folder, const char *name) {
    static const char *const usual[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                        "dog",      "frog",       "horse", "ship", "truck"};
    char path[2 * IMPORT_TEXT], *rest = cifar->text;
    FileBytes bytes;
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (stat(path, &about) == 0 && about.st_size < NAMES_TEXT) {
        TRY(file_bytes_open(path, &bytes));
        memcpy(cifar->text, bytes.at, bytes.size < NAMES_TEXT ? bytes.size : 0);
        file_bytes_close(&bytes);
        for (char *line; (line = strsep(&rest, "\n")) != NULL && cifar->name_count < NAMES_MOST;) {
            line[strcspn(line, "\r")] = '\0';
            if (*line)
                cifar->names[cifar->name_count++] = line;
        }
    }
    if (cifar->name_count == cifar->classes)
        return STATUS_OK;
    cifar->name_count = 0;
    for (size_t i = 0; cifar->classes == 10 && i < 10; i++)
        cifar->names[cifar->name_count++] = (char *)(uintptr_t)usual[i]; /* only read */
    return STATUS_OK;
}

/* ---- the kinds ---- */

static Status open_files(Cifar *cifar, const ImportOptions *options, ImportSource *source) {
    static const char *const names[] = {"batches.meta.txt", "fine_label_names.txt", "coarse_label_names.txt"};
    const char *text = names[cifar->classes == 10 ? 0 : cifar->classes == 100 ? 1 : 2];
    char folder[IMPORT_TEXT];
    struct stat about;
    if (options->path_count == 0)
        return status_fail(STATUS_USAGE, "give the folder of the files, or the files");
    for (size_t i = 0; i < options->path_count; i++) {
        const char *path = options->paths[i], *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        DatasetSplit split = strncmp(base, "data_batch", 10) == 0 ? DATASET_TRAIN : import_split_of(path);
        if (split == DATASET_SPLITS && options->path_count > 1)
            return status_fail(STATUS_USAGE, "cannot tell which split %s is: let its name begin with train or test",
                               path);
        if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
            TRY(add_folder(cifar, path, source));
        else
            TRY(add_file(cifar, path, split == DATASET_SPLITS ? DATASET_TRAIN : split, source));
    }
    const char *first = cifar->file[0].path, *slash = strrchr(first, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - first) : 1, slash ? first : ".");
    return read_names(cifar, folder, text);
}

static Status open_kind(const ImportOptions *options, size_t labels, ImportSource *source) {
    Cifar *cifar;
    TRY(memory_new(&cifar, 1, "CIFAR files"));
    source->self = cifar;
    cifar->labels = labels;
    cifar->label = labels == 2 && !options->coarse;
    cifar->classes = labels == 1 ? 10 : options->coarse ? 20 : 100;
    TRY(open_files(cifar, options, source));
    cifar->y = (DatasetLabel){.name = (char *)"y", .kind = LABEL_CLASS};
    DatasetInfo *info = &source->info;
    info->shape = SHAPE(SIDE, SIDE, 3);
    info->is_uint8 = true;
    info->value_max = 255;
    info->labels = &cifar->y;
    info->label_count = 1;
    info->class_names = cifar->names;
    info->class_name_count = cifar->name_count;
    return STATUS_OK;
}

static Status open_cifar10(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    (void)names, (void)name_count;
    return open_kind(options, 1, source);
}

static Status open_cifar100(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    (void)names, (void)name_count;
    return open_kind(options, 2, source);
}

static void close_cifar(ImportSource *source) {
    Cifar *cifar = source->self;
    for (size_t i = 0; cifar != NULL && i < cifar->files; i++) {
        file_bytes_close(&cifar->file[i].bytes);
        memory_free(cifar->file[i].path);
    }
    if (cifar != NULL)
        memory_free(cifar->file);
    memory_free(cifar);
}

static Status read_cifar(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]) {
    const Cifar *cifar = source->self;
    const CifarFile *file = cifar->file;
    while (file->split != split || i - file->first >= file->count) /* also when i is before the first */
        file++;
    const uint8_t *record = file->bytes.at + (i - file->first) * (cifar->labels + PIXELS);
    uint8_t *pixel = x;
    if (record[cifar->label] >= cifar->classes)
        return status_fail(STATUS_FAILED, "%s: the label of record %zu is %d; there are %zu classes", file->path,
                           i - file->first, record[cifar->label], cifar->classes);
    *(int64_t *)labels[0] = record[cifar->label];
    record += cifar->labels;
    for (size_t k = 0; k < PLANE; k++)
        for (size_t c = 0; c < 3; c++)
            *pixel++ = record[c * PLANE + k];
    return STATUS_OK;
}

const ImportKind import_kind_cifar10 = {
    .name = "cifar10",
    .arguments = "FOLDER",
    .help = "CIFAR-10, binary version: a folder with data_batch_1.bin ... test_batch.bin, or such files",
    .options = "size resize channels",
    .resizes = true,
    .open = open_cifar10,
    .close = close_cifar,
    .read = read_cifar,
};

const ImportKind import_kind_cifar100 = {
    .name = "cifar100",
    .arguments = "FOLDER",
    .help = "CIFAR-100, binary version: a folder with train.bin and test.bin, or such files",
    .options = "coarse size resize channels",
    .resizes = true,
    .open = open_cifar100,
    .close = close_cifar,
    .read = read_cifar,
};
