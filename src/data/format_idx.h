/* SPDX-License-Identifier: Apache-2.0
 *
 * The idx format of MNIST and its family (Y. LeCun, "The MNIST database"): 0, 0, type, number of dimensions, the
 * extents as 32-bit big-endian numbers, then the values; here uint8 only (type 8).  Images have the magic number
 * 0x00000803 and extents [n,H,W] (also 0x00000804, [n,H,W,C]), labels 0x00000801, [n].  Packed with gzip or not, told
 * by content. */
#ifndef DATA_FORMAT_IDX_H
#define DATA_FORMAT_IDX_H
#include "data/dataset.h"

/* ---- one file ---- */

typedef struct FormatIdx FormatIdx;

/* Opens and checks the header against the file's size.  STATUS_FAILED: not idx, another type, too short or too long;
 * packed by gzip and this program was built without zlib. */
Status format_idx_open(const char *path, FormatIdx **out);
void format_idx_close(FormatIdx *file); /* accepts NULL */

/* Extents: n, then those of one example ({} for labels). */
size_t format_idx_count(const FormatIdx *file);
Shape format_idx_shape(const FormatIdx *file);

/* The next n entries.  STATUS_FAILED: the file ends early or is damaged. */
Status format_idx_read(FormatIdx *file, size_t n, uint8_t *out);

/* After the last entry: nothing may follow. */
Status format_idx_at_end(FormatIdx *file);

/* ---- a dataset of them ---- */

typedef struct FormatIdxImport {
    const char *images[DATASET_SPLITS], *labels[DATASET_SPLITS]; /* borrowed; NULL: no such split */
    double validation_split; /* fraction of train that becomes val, chosen by seed; 0: none */
    uint64_t seed;
    char **class_names; /* borrowed */
    size_t class_name_count;
    const char *origin; /* borrowed */
    const char *output;
    bool replace;
} FormatIdxImport;

/* Puts files into images and labels by what they hold and how they are named: "train", "t10k" or "test", "val" in the
 * file name; a label file without any of these goes to the only images of its count, a single images file to train.
 * STATUS_USAGE: cannot tell. */
Status format_idx_sort(const char *const files[], size_t count, FormatIdxImport *import);

/* Writes the dataset.  STATUS_FAILED, with the file and the place in the message; nothing is left behind then. */
Status format_idx_import(const FormatIdxImport *import);

#endif
