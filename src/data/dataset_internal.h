/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by dataset.c and dataset_scan.c (opening, verifying), dataset_pictures.c (folders), dataset_load.c (splits in
 * memory), dataset_rows.c (rows of x from files), dataset_read.c (examples for batches), and those who write
 * datasets. */
#ifndef DATA_DATASET_INTERNAL_H
#define DATA_DATASET_INTERNAL_H
#include "base/crew.h"
#include "data/dataset.h"
#include "data/folder.h"
#include "data/pictures.h"
#include "data/preprocess.h"
#include "io/h5io.h"
#include <pthread.h>

/* What of a split is in memory. */
typedef struct DatasetPart {
    bool loaded;      /* all that shall be */
    void *x;          /* owned: uint8_t or float, as in the file; NULL: not in memory, or there are features */
    uint8_t *decoded; /* owned; of pictures: which rows of x are there, 1, or on their way, 2 */
    Real **labels;    /* owned, [label_count]; NULL: not in memory, also single arrays, which are large */
} DatasetPart;

/* Where the bytes of a split's x lie. */
typedef struct DatasetPlace {
    bool flat;       /* at `offset` of the file, one row after the other, as they are in memory */
    uint64_t offset; /* bytes */
    int64_t *end;    /* owned; of pictures in a dataset file: x_end */
} DatasetPlace;

/* An example to read, and its place in the batch. */
typedef struct DatasetPick {
    uint64_t row;
    size_t place;
} DatasetPick;

/* What takes the place of a split's x. */
typedef struct DatasetFeatures {
    const Real *rows; /* borrowed; NULL: nothing */
    size_t width;
} DatasetFeatures;

struct Dataset {
    DatasetInfo info;
    H5ioFile *file; /* owned; NULL: a folder */
    bool series;    /* attribute layout */
    int bytes;      /* the same file, for flat arrays; -1: a folder */
    DatasetPlace place[DATASET_SPLITS];
    Folder folder;
    PictureRule rule; /* of pictures */
    PictureWorks works;
    Crew *crew; /* owned; NULL: pictures are decoded by who reads them */
    size_t memory_limit;
    DatasetPart part[DATASET_SPLITS];
    DatasetFeatures features[DATASET_SPLITS];
    bool hashed[DATASET_SPLITS]; /* x was in memory; stays when it is unloaded */
    uint64_t hash[DATASET_SPLITS];
    uint64_t written; /* when the file was written, in ns; 0: a folder */
    Preprocess plain; /* numbers as they are */

    /* For reading by rows: one reader at a time, scratch grown to the largest request. */
    pthread_mutex_t lock;
    DatasetPick *picks;
    uint64_t *rows;
    void *raw;
    size_t pick_room, raw_room; /* elements, bytes */
};

/* "/train/x" */
const char *dataset__path(DatasetSplit split, const char *array, char path[512]);

/* Reads all labels in blocks: checks them, settles kind and classes, and makes the fingerprint. */
Status dataset__scan(Dataset *dataset);

/* Writes the attributes of the root: class_names, origin, value_max, layout. */
Status dataset__write_attributes(H5ioFile *file, const DatasetInfo *info);

void dataset__free_parts(Dataset *dataset);

/* work->bytes[*size] = a picture as its file holds it; name = its file, or which it is, for messages. */
Status dataset__picture(Dataset *dataset, DatasetSplit split, uint64_t row, PictureWork *work, size_t *size,
                        char name[512]);

/* raw[n][bytes of an example] = rows of x from the file, in any order.  With the lock held. */
Status dataset__fetch(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n, void *raw);

/* Makes rows of pictures be there in the split's x in memory.  With the lock held. */
Status dataset__decode(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n);

/* values[n * numbers of one] = label array `label` of examples first .. first+n-1, as `type`: H5IO_DOUBLE or
 * H5IO_REAL. */
Status dataset__labels(Dataset *dataset, DatasetSplit split, size_t label, size_t first, size_t n, H5ioType type,
                       void *values);

/* Bytes of one example as it is kept in memory; of one of its labels; the type of x. */
size_t dataset__x_bytes(const Dataset *dataset);
size_t dataset__label_bytes(const Dataset *dataset, size_t label);
H5ioType dataset__x_type(const Dataset *dataset);

/* Fills in what is known of a folder of pictures; `options` may be NULL. */
Status dataset__open_folder(Dataset *dataset, const DatasetOptions *options);

/* Settles `rule` of pictures in a file by its attributes, and by `options`, which may be NULL. */
Status dataset__read_rule(Dataset *dataset, const DatasetOptions *options);

/* Of pictures in a file: their number, and where each ends.  x has `bytes` bytes. */
Status dataset__read_ends(Dataset *dataset, DatasetSplit split, size_t bytes);

#endif
