/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by import_job.c (what goes where, reading), import_file.c (OUTPUT.part and its journal) and
 * import_finish.c. */
#ifndef DATA_IMPORT_INTERNAL_H
#define DATA_IMPORT_INTERNAL_H
#include "data/import_job.h"
#include <stdatomic.h>

enum { IMPORT_ARRAYS = 8 }; /* x and labels */

/* An example's state in the journal. */
enum { EXAMPLE_MISSING, EXAMPLE_DONE, EXAMPLE_BAD };

/* Where an example goes. */
typedef struct ImportPlace {
    DatasetSplit split;
    size_t row;
} ImportPlace;

/* A dataset file whose arrays are flat. */
typedef struct ImportFile {
    char *path;                                     /* owned */
    int file;                                       /* -1: not open */
    uint64_t offset[DATASET_SPLITS][IMPORT_ARRAYS]; /* of arrays: x, then labels */
} ImportFile;

struct ImportJob {
    const ImportKind *kind;
    const ImportOptions *options; /* borrowed */
    ImportSource source;
    DatasetInfo info; /* of the output: the source's, after --class-names and --validation-split */
    char **names;     /* owned; of --class-names, --classes-file */
    size_t name_count;
    PictureRule rule;      /* that examples of the source come to; height 0: they stay what they are */
    uint64_t identity;     /* of sources and options */
    uint64_t *train_place; /* owned, [examples of the source's train]: row << 1 | (1: in val); NULL: all stay there */
    int64_t *end[DATASET_SPLITS]; /* owned, [examples]: where each ends, for x of several sizes; else NULL */

    ImportFile part;
    char *journal_path; /* owned */
    int journal;        /* -1: not open */
    uint8_t *state;     /* owned, [examples]: as the journal says */
    atomic_size_t done; /* examples that this process knows to be done, or bad */
};

/* Examples of the source are numbered through: those of train, val, test. */
DatasetSplit import__split(const ImportJob *job, size_t example, size_t *index);
ImportPlace import__place(const ImportJob *job, DatasetSplit split, size_t index);

/* Bytes of a row of array k (0: x, else label k - 1); of x of several sizes: of one row. */
size_t import__row_bytes(const ImportJob *job, size_t k);
size_t import__arrays(const ImportJob *job);

/* Where row `row` of x begins, in bytes, and how many it has. */
uint64_t import__x_begin(const ImportJob *job, DatasetSplit split, size_t row, size_t *bytes);

/* Makes a dataset of these examples at `path`, on the disk but for the bytes of its arrays. end: x of several sizes;
 * else NULLs.  skipped: examples that are left out, beside source.skipped. */
Status import__make_file(const ImportJob *job, const char *path, const size_t count[DATASET_SPLITS],
                         int64_t *const end[DATASET_SPLITS], const char *const *skipped, size_t skipped_count);

/* Opens it for writing rows.  file->path is set. */
Status import__open_file(const ImportJob *job, ImportFile *file);
void import__close_file(ImportFile *file);

/* All bytes, at a place of a file. */
Status import__write(const ImportFile *file, const void *bytes, size_t size, uint64_t offset);
Status import__write_failed(const char *path, int code);

/* Reads example `example` and writes it where it belongs. */
Status import__do_example(ImportJob *job, size_t example);

/* The journal: states of examples first .. first+n-1 as in job->state; whether all shall stop. */
Status import__journal_write(ImportJob *job, size_t first, size_t n);
Status import__journal_read(ImportJob *job);
void import__journal_stop(ImportJob *job);
bool import__journal_stopped(ImportJob *job);

#endif
