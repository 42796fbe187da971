/* SPDX-License-Identifier: Apache-2.0
 *
 * What the names of files say: labels by a pattern, splits by patterns and lists. */
#ifndef DATA_FILE_NAMES_H
#define DATA_FILE_NAMES_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

/* The part of a path's last name, its ending left off, that stands for {label} in a pattern whose other parts are as in
 * a shell (* ? [a-z]): "{label}_*_*" finds "7" in "a/7_jackson_12.wav".  Of several possibilities, the one that begins
 * first, then the shortest.  false: does not fit.  *label: into `path`. */
bool file_names_label(const char *pattern, const char *path, const char **label, size_t *length);

/* Is that a pattern for it: is {label} in it, once? STATUS_USAGE. */
Status file_names_check_pattern(const char *pattern);

/* Names in a text file, one a line. */
typedef struct FileNames {
    char *text;  /* owned: lines ended by '\0' */
    char **name; /* owned, [count], in order of bytes */
    size_t count;
} FileNames;

Status file_names_read(const char *path, FileNames *names);
bool file_names_has(const FileNames *names, const char *name);
void file_names_free(FileNames *names); /* accepts a zeroed one */

#endif
