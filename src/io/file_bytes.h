/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a whole file, unpacked where it is packed by gzip (told by content).  A plain file is mapped, so that
 * ranks share its memory and one larger than memory can be read; an unpacked one is in memory. */
#ifndef IO_FILE_BYTES_H
#define IO_FILE_BYTES_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FileBytes {
    const uint8_t *at;
    size_t size;
    bool mapped;
} FileBytes;

/* STATUS_FAILED: missing, no plain file, packed data damaged or cut off, packed and this program was built without
 * zlib, out of memory.  An empty file has size 0.  A plain file that becomes shorter later ends the process where it is
 * read (crash_map). */
Status file_bytes_open(const char *path, FileBytes *out);
void file_bytes_close(FileBytes *bytes); /* accepts a zeroed one, and leaves such a one */

#endif
