/* SPDX-License-Identifier: Apache-2.0
 *
 * Between folder.c, which walks folders and puts in order what was found, and folder_csv.c. */
#ifndef DATA_FOLDER_INTERNAL_H
#define DATA_FOLDER_INTERNAL_H
#include "data/folder.h"

/* Texts one after the other; they move while it grows, so that only their places last. */
typedef struct FolderTexts {
    char *bytes;
    size_t used;
} FolderTexts;

/* What was found so far; paths are places in `texts`. */
typedef struct FolderFound {
    struct FolderPlace {
        size_t path;
        uint64_t size;
        DatasetSplit split;
        size_t class; /* number in `classes` + 1; 0: none */
    } * files;
    size_t count;
    struct FolderSkipPlace {
        size_t path;
        FolderReason reason;
    } * skipped;
    size_t skipped_count;
    FolderTexts texts, classes; /* names of classes in the order in which they were met */
    size_t class_count, last_class, last_place;
    bool csv;
    const char *const *endings; /* as in FolderOptions */
} FolderFound;

/* Appends; `class` NULL: none. */
Status folder__add(FolderFound *found, const char *path, uint64_t size, DatasetSplit split, const char *class);

/* Which split a word means ("train", "Validation"); DATASET_SPLITS: none. */
DatasetSplit folder__split_of(const char *word);

/* Reads a CSV file. */
Status folder__read_csv(const char *path, DatasetSplit usual, FolderFound *found);

/* Makes the result of it; takes over the texts. */
Status folder__put_in_order(const char *path, const FolderOptions *options, FolderFound *found, Folder *out);

#endif
