/* SPDX-License-Identifier: Apache-2.0 */
#include "data/file_names.h"
#include "base/memory.h"
#include "io/file_bytes.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 256 }; /* of file systems: 255 */
#define PLACE "{label}"

/* ---- labels ---- */

Status file_names_check_pattern(const char *pattern) {
    const char *place = strstr(pattern, PLACE);
    if (place == NULL || strstr(place + 1, PLACE) != NULL || strlen(pattern) >= NAME_MOST)
        return status_fail(STATUS_USAGE, "--label-from %s: must hold " PLACE " once, as in {label}_*", pattern);
    return STATUS_OK;
}

/* Does the part first .. first+length-1 of `name` fit to a pattern? */
static bool fits(const char *pattern, const char *name, size_t first, size_t length) {
    char part[NAME_MOST];
    snprintf(part, sizeof part, "%.*s", (int)length, name + first);
    return fnmatch(pattern, part, 0) == 0;
}

bool file_names_label(const char *pattern, const char *path, const char **label, size_t *length) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    const char *place = strstr(pattern, PLACE), *behind = place + strlen(PLACE);
    size_t n = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    char before[NAME_MOST];
    snprintf(before, sizeof before, "%.*s", (int)(place - pattern), pattern);
    for (size_t first = 0; first < n && n < NAME_MOST; first++)
        for (size_t end = first + 1; fits(before, name, 0, first) && end <= n; end++)
            if (fits(behind, name, end, n - end)) {
                *label = name + first;
                *length = end - first;
                return true;
            }
    return false;
}

/* ---- lists ---- */

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Cuts the text at its line ends. */
static Status cut(FileNames *names) {
    size_t lines = 1;
    for (const char *at = names->text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    TRY(memory_new(&names->name, lines, "list of files"));
    char *rest = names->text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        line[strcspn(line, "\r")] = '\0';
        if (*line != '\0')
            names->name[names->count++] = line;
    }
    qsort(names->name, names->count, sizeof *names->name, by_bytes);
    return STATUS_OK;
}

Status file_names_read(const char *path, FileNames *names) {
    FileBytes bytes;
    *names = (FileNames){0};
    TRY(file_bytes_open(path, &bytes));
    Status status = memory_alloc(bytes.size + 1, 1, "list of files", (void **)&names->text);
    if (status == STATUS_OK) {
        memcpy(names->text, bytes.at, bytes.size);
        status = cut(names);
    }
    if (status == STATUS_OK && names->count == 0)
        status = status_fail(STATUS_FAILED, "%s names no files", path);
    file_bytes_close(&bytes);
    if (status != STATUS_OK)
        file_names_free(names);
    return status;
}

bool file_names_has(const FileNames *names, const char *name) {
    return names->count > 0 && bsearch(&name, names->name, names->count, sizeof *names->name, by_bytes) != NULL;
}

void file_names_free(FileNames *names) {
    memory_free(names->name);
    memory_free(names->text);
    *names = (FileNames){0};
}
