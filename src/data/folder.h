/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pictures there are, of which class and split, in one of
 *     FOLDER/cat/1.jpg                      a folder per class; what is below it counts, too
 *     FOLDER/train/cat/1.jpg                also val, valid, validation; test, testing; in any case of letters
 *     FOLDER/1.jpg                          pictures without classes, to be predicted
 *     FILE.csv                              lines path,label[,split], paths from the file's folder; a first line of
 *                                           column names (path or file, label or class, split) may give another order
 * Classes are numbered in the order of the names given, else alphabetically (by bytes); labels of a CSV file that are
 * all whole numbers are the class numbers themselves.  Files are looked at by name only, and decoded by nobody here.
 *
 * The result is the same on every machine that has the same files: sorted by split, class and path; those of a CSV file
 * by split, then in the order of its lines.  Hidden files, Thumbs.db, desktop.ini and __MACOSX are passed over in
 * silence; all else that is not taken is listed.  Not collective. */
#ifndef DATA_FOLDER_H
#define DATA_FOLDER_H
#include "data/dataset.h"

typedef struct FolderOptions {
    char *const *class_names; /* borrowed; NULL: the names found */
    size_t class_count;
    DatasetSplit split;         /* of files whose place does not tell */
    const char *const *endings; /* of the files to take, "wav", NULL at the end; NULL: pictures */
} FolderOptions;

typedef struct FolderFile {
    const char *path; /* "photos/train/cat/1.jpg" */
    uint64_t size;    /* bytes; 0: a file of a CSV file that is not there */
    DatasetSplit split;
    int64_t label; /* class number; -1: the pictures have no classes */
} FolderFile;

/* Why a file or folder is not taken. */
typedef enum FolderReason {
    FOLDER_OTHER,    /* is no picture, by its name */
    FOLDER_FORMAT,   /* a picture, but no JPEG, PNG or WebP, by its name */
    FOLDER_NO_CLASS, /* lies beside the folders of classes */
    FOLDER_NO_SPLIT  /* lies beside the folders train, val, test */
} FolderReason;

typedef struct FolderSkip {
    const char *path;
    FolderReason reason;
} FolderSkip;

typedef struct Folder {
    FolderFile *files; /* at least one */
    size_t count;
    size_t first[DATASET_SPLITS + 1]; /* files first[s] .. first[s+1]-1 are those of split s */
    char **class_names;               /* one block; NULL: no classes, or a CSV file of numbers */
    size_t class_name_count;
    FolderSkip *skipped; /* sorted by path */
    size_t skipped_count;
    bool listed; /* by a CSV file */
    char *texts; /* all paths */
} Folder;

/* STATUS_FAILED: cannot be read, no pictures, a class that is not among class_names, a damaged line.  folder_free also
 * after a failure. */
Status folder_scan(const char *path, const FolderOptions *options, Folder *out);
void folder_free(Folder *folder);

/* "is no picture" */
const char *folder_reason(FolderReason reason);

/* Is `path` something for folder_scan: a folder, or a file whose name ends in .csv? */
bool folder_is_source(const char *path);

/* *names = the lines of a text file, blank ones left out: one block, freed with memory_free.  STATUS_FAILED: cannot be
 * read, empty, a name twice. */
Status folder_read_classes(const char *path, char ***names, size_t *count);

#endif
