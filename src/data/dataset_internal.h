/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by dataset.c (opening, verifying), dataset_read.c (reading examples) and what writes datasets. */
#ifndef DATA_DATASET_INTERNAL_H
#define DATA_DATASET_INTERNAL_H
#include "data/dataset.h"
#include "data/preprocess.h"
#include "io/h5io.h"
#include <pthread.h>

/* A split in memory. */
typedef struct DatasetPart {
    bool loaded;
    void *x;       /* owned: uint8_t or float, as in the file; NULL: there are features */
    Real **labels; /* owned, [label_count] */
} DatasetPart;

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
    H5ioFile *file; /* owned */
    bool series;    /* attribute layout */
    size_t memory_limit;
    DatasetPart part[DATASET_SPLITS];
    DatasetFeatures features[DATASET_SPLITS];
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

#endif
