/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of pictures as CSV (RFC 4180: fields between commas, with quotes around those that hold a comma, a quote
 * (twice) or a line end). */
#include "base/memory.h"
#include "data/folder_internal.h"
#include "io/file.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { FIELDS = 64 };

typedef struct Csv {
    const char *path, *folder; /* folder: of the paths in it, "" where there is none */
    char *at;                  /* what follows */
    size_t line, next_line;    /* of the row that was read, and of what follows */
    char *field[FIELDS];
    size_t count;
} Csv;

/* ---- rows ---- */

/* Cuts off a field, in place; *ended: it is the last one of its row. */
static Status read_field(Csv *csv, char **field, bool *ended) {
    char *from = csv->at, *to = csv->at;
    bool quoted = *from == '"';
    *field = to;
    for (from += quoted; *from && (quoted || (*from != ',' && *from != '\n' && *from != '\r')); from++) {
        csv->next_line += *from == '\n';
        if (quoted && *from == '"') {
            quoted = from[1] == '"';
            from += quoted;
            if (!quoted)
                continue;
        }
        *to++ = *from;
    }
    if (quoted)
        return status_fail(STATUS_FAILED, "%s: line %zu: a quotation mark is not closed", csv->path, csv->line);
    *ended = *from != ',';
    csv->at = from + (*from != '\0');
    if (*from == '\r' && from[1] == '\n')
        csv->at++;
    csv->next_line += *from == '\n' || *from == '\r';
    *to = '\0';
    return STATUS_OK;
}

/* Reads the next row that is not blank; count is 0 at the end. */
static Status read_row(Csv *csv) {
    for (csv->count = 0; csv->count == 0 && *csv->at;) {
        bool ended = false;
        csv->line = csv->next_line;
        while (!ended) {
            if (csv->count == FIELDS)
                return status_fail(STATUS_FAILED, "%s: line %zu has more than %d columns", csv->path, csv->line,
                                   FIELDS);
            TRY(read_field(csv, &csv->field[csv->count++], &ended));
        }
        if (csv->count == 1 && csv->field[0][0] == '\0')
            csv->count = 0;
    }
    return STATUS_OK;
}

/* ---- columns ---- */

/* Which columns hold what; FIELDS: none. */
typedef struct Columns {
    size_t path, label, split;
} Columns;

static size_t find_column(const Csv *csv, const char *const names[]) {
    for (size_t i = 0; i < csv->count; i++)
        for (size_t k = 0; names[k]; k++)
            if (strcasecmp(csv->field[i], names[k]) == 0)
                return i;
    return FIELDS;
}

/* From the first row: names of columns, if one of them is that of the paths. */
static bool read_header(const Csv *csv, Columns *columns) {
    Columns named = {
        find_column(csv, (const char *[]){"path", "file", "filename", "file_name", "image", "image_path", NULL}),
        find_column(csv, (const char *[]){"label", "class", "category", "target", NULL}),
        find_column(csv, (const char *[]){"split", "set", "subset", NULL})};
    *columns = named.path < FIELDS ? named : (Columns){0, csv->count > 1 ? 1 : FIELDS, csv->count > 2 ? 2 : FIELDS};
    return named.path < FIELDS;
}

static Status take_row(const Csv *csv, const Columns *columns, DatasetSplit usual, FolderFound *found) {
    const char *name = columns->path < csv->count ? csv->field[columns->path] : "";
    const char *label = columns->label < csv->count ? csv->field[columns->label] : "";
    const char *word = columns->split < csv->count ? csv->field[columns->split] : "";
    DatasetSplit split = *word ? folder__split_of(word) : usual;
    char *path;
    struct stat about;
    if (*name == '\0' || (columns->label < FIELDS && *label == '\0'))
        return status_fail(STATUS_FAILED, "%s: line %zu has no %s", csv->path, csv->line, *name ? "label" : "path");
    if (split == DATASET_SPLITS)
        return status_fail(STATUS_FAILED,
                           "%s: line %zu: %s is no split: train, val or test. Lines of a list of pictures are "
                           "PATH,LABEL or PATH,LABEL,SPLIT; cnn_import csv reads tables of numbers",
                           csv->path, csv->line, word);
    TRY(memory_format(&path, "%s%s", *name == '/' ? "" : csv->folder, name));
    uint64_t size = stat(path, &about) == 0 && S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
    Status status = folder__add(found, path, size, split, *label ? label : NULL);
    memory_free(path);
    return status;
}

/* ---- the whole ---- */

static Status read_rows(Csv *csv, DatasetSplit usual, FolderFound *found) {
    Columns columns;
    TRY(read_row(csv));
    bool header = csv->count > 0 && read_header(csv, &columns);
    if (header)
        TRY(read_row(csv));
    while (csv->count > 0) {
        TRY(take_row(csv, &columns, usual, found));
        TRY(read_row(csv));
    }
    return STATUS_OK;
}

Status folder__read_csv(const char *path, DatasetSplit usual, FolderFound *found) {
    char *text, *folder;
    size_t size;
    const char *slash = strrchr(path, '/');
    TRY(memory_format(&folder, "%.*s", slash ? (int)(slash - path + 1) : 0, path));
    Status status = file_read(path, (unsigned char **)&text, &size);
    if (status == STATUS_OK && memchr(text, '\0', size))
        status = status_fail(STATUS_FAILED, "%s is no text", path);
    if (status == STATUS_OK) {
        size_t mark = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* of UTF-8 */
        Csv csv = {.path = path, .folder = folder, .at = text + mark, .line = 1, .next_line = 1};
        found->csv = true;
        status = read_rows(&csv, usual, found);
    }
    memory_free(text);
    memory_free(folder);
    return status;
}
