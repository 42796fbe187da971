/* SPDX-License-Identifier: Apache-2.0
 *
 * The idx format of MNIST and its family (Y. LeCun, "The MNIST database"): 0, 0, type, number of dimensions, the
 * extents as 32-bit big-endian numbers, then the values; here uint8 only (type 8).  Images have the magic number
 * 0x00000803 and extents [n,H,W] (also 0x00000804, [n,H,W,C]), labels 0x00000801, [n].  Packed with gzip or not, told
 * by content. */
#ifndef DATA_FORMAT_IDX_H
#define DATA_FORMAT_IDX_H
#include "base/shape.h"
#include "base/status.h"
#include "io/file_bytes.h"

typedef struct FormatIdx {
    FileBytes bytes;
    size_t count;
    Shape shape;          /* of one entry: {} for labels */
    size_t width;         /* bytes of one entry */
    const uint8_t *first; /* entries [count][width] */
} FormatIdx;

/* Opens and checks the header against the file's size.  STATUS_FAILED: no such file, not idx, another type, too short
 * or too long.  `file` is zeroed then. */
Status format_idx_open(const char *path, FormatIdx *file);
void format_idx_close(FormatIdx *file); /* accepts a zeroed one */

#endif
