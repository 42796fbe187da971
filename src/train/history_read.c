/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.csv back into memory (RFC 4180, as history.c writes it), and out of a checkpoint. */
#include "base/memory.h"
#include "io/file.h"
#include "train/history.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 10000 }; /* of a file; a sane bound */

/* One line of the file, cut into fields in place. */
typedef struct Line {
    char *fields[MAX_COLUMNS];
    size_t count;
} Line;

/* Takes the field at *text out of its quotes, ends it with '\0' and moves *text behind its comma.  False: it was the
 * last. */
static bool take_field(char **text, char **field) {
    char *from = *text, *to = *text, end;
    bool quoted = *from == '"';
    *field = to;
    from += quoted;
    while (*from != '\0' && (quoted || *from != ',')) {
        if (quoted && *from == '"' && *++from != '"') { /* a pair of quotes stands for one */
            quoted = false;
            continue;
        }
        *to++ = *from++;
    }
    end = *from;
    *to = '\0';
    *text = from + (end != '\0');
    return end != '\0';
}

static Status cut(char *text, const char *path, size_t number, Line *line) {
    bool more = true;
    for (line->count = 0; more; line->count++) {
        if (line->count == MAX_COLUMNS)
            return status_fail(STATUS_FAILED, "%s: line %zu has more than %d columns", path, number, MAX_COLUMNS);
        more = take_field(&text, &line->fields[line->count]);
    }
    return STATUS_OK;
}

static Status set_columns(History *history, const Line *line, const char *path) {
    if (strcmp(line->fields[0], "epoch") != 0)
        return status_fail(STATUS_FAILED, "%s: not a metrics.csv: its first column is not epoch", path);
    TRY(memory_new(&history->columns, line->count, "history columns"));
    for (; history->column_count < line->count; history->column_count++)
        TRY(memory_strdup(line->fields[history->column_count], &history->columns[history->column_count]));
    return STATUS_OK;
}

static Status add_line(History *history, const Line *line, const char *path, size_t number) {
    double values[MAX_COLUMNS];
    if (line->count != history->column_count)
        return status_fail(STATUS_FAILED, "%s: line %zu has %zu columns instead of %zu", path, number, line->count,
                           history->column_count);
    for (size_t c = 0; c < line->count; c++) {
        char *end;
        values[c] = line->fields[c][0] ? strtod(line->fields[c], &end) : NAN;
        if (line->fields[c][0] && *end != '\0')
            return status_fail(STATUS_FAILED, "%s: line %zu, %s: %s is no number", path, number, history->columns[c],
                               line->fields[c]);
    }
    return history_add(history, values);
}

static Status parse(char *text, const char *path, Line *line, History *history) {
    size_t number = 1;
    for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, number++) { /* what follows is half a line */
        *end = '\0';
        TRY(cut(text, path, number, line));
        TRY(number == 1 ? set_columns(history, line, path) : add_line(history, line, path, number));
    }
    return number > 1 ? STATUS_OK : status_fail(STATUS_FAILED, "%s: not a metrics.csv: no line", path);
}

Status history_read(const char *path, History **out) {
    unsigned char *text;
    size_t size;
    Line *line = NULL;
    *out = NULL;
    TRY(file_read(path, &text, &size));
    Status status = memory_new(&line, 1, "line of the history");
    if (status == STATUS_OK)
        status = memory_new(out, 1, "history");
    if (status == STATUS_OK)
        status = parse((char *)text, path, line, *out);
    memory_free(line);
    memory_free(text);
    if (status != STATUS_OK) {
        history_destroy(*out);
        *out = NULL;
    }
    return status;
}

size_t history_column(const History *history, const char *name) {
    size_t c = 0;
    while (c < history->column_count && strcmp(history->columns[c], name) != 0)
        c++;
    return c;
}

Status history_json_text(const char *json, const char *origin, char **text) {
    json_t *root = json_loads(json, 0, NULL);
    const json_t *columns = json_object_get(root, "columns");
    size_t count = json_array_size(columns), extra = count > HISTORY_COLUMNS ? count - HISTORY_COLUMNS : 0;
    const char **names = NULL;
    History *history = NULL;
    Status status;
    *text = NULL;
    TRY_GOTO(memory_new(&names, extra, "history columns"), done);
    for (size_t i = 0; i < extra; i++) {
        names[i] = json_string_value(json_array_get(columns, HISTORY_COLUMNS + i));
        names[i] = names[i] ? names[i] : "";
    }
    TRY_GOTO(history_create(NULL, 0, names, extra, &history), done);
    TRY_GOTO(history_from_json(history, json, origin), done);
    status = history_text(history, 0, text);
done:
    history_destroy(history);
    memory_free(names);
    json_decref(root);
    return status;
}
