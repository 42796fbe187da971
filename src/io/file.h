/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files: read in one go, and written so that a reader, a crash or a full disk never meets half of one.
 *
 * A file is written under a new name in the same folder, synchronised to the disk and only then renamed over the old
 * one (rename replaces atomically: POSIX, rename()); synchronising the folder makes the rename itself last (fsync(2),
 * NOTES).  Not collective.  Thread-safe as long as two threads do not write the same path. */
#ifndef IO_FILE_H
#define IO_FILE_H
#include "base/status.h"
#include <stddef.h>

/* The end of temporary files' names. */
#define FILE_LEFTOVER ".cnn-tmp"

/* *bytes (the caller frees it with memory_free) = the `size` bytes of `path` and a '\0' behind them, so that a text
 * file is a string.  A file that was replaced on a file server meanwhile (ESTALE) is opened again, some times.
 * STATUS_FAILED: missing, not a plain file, out of memory, shorter than it said. */
Status file_read(const char *path, unsigned char **bytes, size_t *size);

typedef struct FilePart {
    const void *bytes;
    size_t size;
} FilePart;

/* Replaces `path` by the parts, one after the other, durably: when it returns STATUS_OK, a power cut does not lose
 * the file; when it fails, `path` is what it was (or, if only the folder could not be synchronised, the new file) and
 * nothing else is left.  The message names path, reason and way out. */
Status file_write(const char *path, size_t count, const FilePart parts[]);

/* Adds bytes to the end of a file that is there; not synchronised.  When it fails, some of them may be there. */
Status file_append(const char *path, const void *bytes, size_t size);

/* Makes `path` a second name (hard link) of the whole, durable file `existing`, replacing what was there, atomically
 * and durably.  Fails where the file system has no hard links: write the bytes a second time then. */
Status file_link(const char *existing, const char *path);

/* file_link or, where that fails, a copy of the bytes, as durable. */
Status file_copy(const char *existing, const char *path);

/* *names = the names in a folder, "." and ".." left out, in no order: one block, pointers and texts, freed with
 * memory_free.  A folder that does not exist has none; one that cannot be read to its end is a failure. */
Status file_list(const char *folder, char ***names, size_t *count);

/* Synchronises a file's bytes, or a folder, so that renames and removals in it last. */
Status file_sync(const char *path);

/* Renames the file `temporary`, whose bytes are synchronised, to `path` in the same folder, and makes that last. */
Status file_put_in_place(const char *temporary, const char *path);

/* Removes folder/name; a file that is not there is no failure. */
Status file_remove(const char *folder, const char *name);

/* Removes the temporary files that file_write and file_link of dead processes left in `folder`.  Only for the one
 * process that writes there. */
Status file_remove_leftovers(const char *folder);

#endif
