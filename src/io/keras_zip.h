/* SPDX-License-Identifier: Apache-2.0
 *
 * Zip archives as Keras's .keras and NumPy's .npz files are: a few entries, read from memory and made in memory.
 * Nothing is ever extracted to a disk.  The only user of zip.h (libzip). */
#ifndef IO_KERAS_ZIP_H
#define IO_KERAS_ZIP_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes of a file begin as a zip archive with entries does. */
bool keras_zip_is(const unsigned char *bytes, size_t size);

/* *out (the caller frees it with memory_free) = the out_size bytes of the entry `entry` and a '\0' behind them; NULL
 * when there is no such entry.  `name` stands for the archive in messages.
 * STATUS_FAILED: damaged, encrypted, neither stored nor deflated, a wrong CRC, larger than `limit`, or a size that the
 * entry's bytes cannot give, which is found out before anything is allocated (deflate makes data at most 1032 times
 * smaller). */
Status keras_zip_read(const char *name, const unsigned char *bytes, size_t size, const char *entry, size_t limit,
                      unsigned char **out, size_t *out_size);

/* *names = those of all entries, in the archive's order: one block, pointers and texts, freed with memory_free.
 * STATUS_FAILED: damaged. */
Status keras_zip_list(const char *name, const unsigned char *bytes, size_t size, char ***names, size_t *count);

typedef struct KerasZipEntry {
    const char *name;
    const void *bytes;
    size_t size;
} KerasZipEntry;

/* *image (the caller frees it with memory_free) = an archive with these entries, stored, without times: the same
 * entries give the same bytes. */
Status keras_zip_image(size_t count, const KerasZipEntry entries[], unsigned char **image, size_t *size);

#endif
