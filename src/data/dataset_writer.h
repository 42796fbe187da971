/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a dataset file.  It is written under a temporary name beside `path` and verified before it takes that name: a
 * reader, a crash or a full disk never meets half of one. */
#ifndef DATA_DATASET_WRITER_H
#define DATA_DATASET_WRITER_H
#include "data/dataset.h"

typedef struct DatasetWriter DatasetWriter;

/* Of `info` are used: shape, is_uint8, value_max, labels (name, kind, shape), class_names, origin; and count, as the
 * number of examples to expect (0: unknown), which makes small files small.  replace: `path` may exist.
 * STATUS_FAILED: exists, cannot be written. */
Status dataset_writer_create(const char *path, bool replace, const DatasetInfo *info, DatasetWriter **out);

/* Appends n examples to a split: x[n * shape] in uint8_t or float; labels[i][n * shape of label i] in int64_t for
 * LABEL_CLASS, else float. */
Status dataset_writer_append(DatasetWriter *writer, DatasetSplit split, size_t n, const void *x,
                             const void *const labels[]);

/* Closes, synchronises to the disk, opens as a dataset to verify it, renames. */
Status dataset_writer_finish(DatasetWriter *writer);

/* Removes the temporary file unless finished; accepts NULL. */
void dataset_writer_destroy(DatasetWriter *writer);

#endif
