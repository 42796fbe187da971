/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole files: read in one go, and written so that a reader, a crash or a full disk never meets half of one.
 *
 * A file is written under a new name in the same folder, synchronised to the disk and only then renamed over the old one
 * (rename replaces atomically: POSIX, rename()); synchronising the folder makes the rename itself last (fsync(2), NOTES).
 * Not collective.  Thread-safe as long as two threads do not write the same path. */
#ifndef IO_FILE_H
#define IO_FILE_H
#include "base/status.h"
#include <stddef.h>

/* *bytes (the caller frees it with memory_free) = the `size` bytes of `path` and a '\0' behind them, so that a text file
 * is a string.  STATUS_FAILED: missing, not a plain file, out of memory, shorter than it said. */
Status file_read(const char *path, unsigned char **bytes, size_t *size);

/* Replaces `path` by `size` bytes, durably: when it returns STATUS_OK, a power cut does not lose the file; when it fails,
 * the old file is untouched and nothing is left behind.  The message names the path, how far it got and the way out. */
Status file_write(const char *path, const void *bytes, size_t size);

/* Makes `path` a second name (hard link) of the whole, durable file `existing`, replacing what was there, atomically and
 * durably.  Fails where the file system has no hard links: write the bytes a second time then. */
Status file_link(const char *existing, const char *path);

/* Removes the temporary files that file_write and file_link of dead processes left in `folder`.  Only for the one process
 * that writes there. */
Status file_remove_leftovers(const char *folder);

#endif
