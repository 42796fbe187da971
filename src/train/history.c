/* SPDX-License-Identifier: Apache-2.0 */
#include "train/history.h"
#include "base/memory.h"
#include "io/file.h"
#include "train/cli.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HISTORY_MAX_ROWS = 10000000 }; /* of a file; a sane bound, not a limit that a run meets */

Status history_create(const char *const *outputs, size_t output_count, const char *const *extra, size_t extra_count,
                      History **out) {
#define HISTORY_TEXT(constant, name) #name,
    static const char *const fixed[] = {HISTORY_LIST(HISTORY_TEXT)};
    static const char *const per_output[HISTORY_PER_OUTPUT] = {"loss", "accuracy", "val_loss", "val_accuracy"};
    Status status = STATUS_OK;
    TRY(memory_new(out, 1, "history"));
    History *history = *out;
    size_t first_extra = HISTORY_COLUMNS + HISTORY_PER_OUTPUT * output_count, count = first_extra + extra_count;
    TRY_GOTO(memory_new(&history->columns, count, "history columns"), done);
    for (; history->column_count < count; history->column_count++) {
        size_t c = history->column_count, part = c - HISTORY_COLUMNS;
        if (c < HISTORY_COLUMNS)
            TRY_GOTO(memory_strdup(fixed[c], &history->columns[c]), done);
        else if (c < first_extra)
            TRY_GOTO(memory_format(&history->columns[c], "%s_%s", per_output[part % HISTORY_PER_OUTPUT],
                                   outputs[part / HISTORY_PER_OUTPUT]),
                     done);
        else
            TRY_GOTO(memory_strdup(extra[c - first_extra], &history->columns[c]), done);
    }
done:
    if (status != STATUS_OK) {
        history_destroy(history);
        *out = NULL;
    }
    return status;
}

void history_destroy(History *history) {
    if (!history)
        return;
    for (size_t c = 0; c < history->column_count; c++)
        memory_free(history->columns[c]);
    memory_free(history->columns);
    memory_free(history->rows);
    memory_free(history->path);
    memory_free(history);
}

double history_value(const History *history, size_t row, size_t column) {
    return history->rows[row * history->column_count + column];
}

/* ---- metrics.csv (RFC 4180, but for the line end) ---- */

/* A column's name; quoted where it must be, each quote doubled. */
static char *put_name(char *to, const char *name) {
    bool quote = strpbrk(name, ",\"\r\n") != NULL;
    if (!quote)
        return stpcpy(to, name);
    *to++ = '"';
    for (; *name; name++) {
        if (*name == '"')
            *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"';
    return to;
}

static char *put_header(char *to, const History *history) {
    for (size_t c = 0; c < history->column_count; c++) {
        to = put_name(to, history->columns[c]);
        *to++ = c + 1 < history->column_count ? ',' : '\n';
    }
    return to;
}

static char *put_row(char *to, const History *history, size_t row) {
    char number[CLI_NUMBER];
    for (size_t c = 0; c < history->column_count; c++) {
        double value = history_value(history, row, c);
        to = stpcpy(to, isnan(value) ? "" : cli_number(value, number));
        *to++ = c + 1 < history->column_count ? ',' : '\n';
    }
    return to;
}

Status history_text(const History *history, size_t first, char **text) {
    size_t room = (history->row_count - first) * history->column_count * CLI_NUMBER + 1;
    for (size_t c = 0; c < history->column_count; c++)
        room += 2 * strlen(history->columns[c]) + 3;
    TRY(memory_alloc(room, 1, "text of the history", (void **)text));
    char *to = first == 0 ? put_header(*text, history) : *text;
    for (size_t r = first; r < history->row_count; r++)
        to = put_row(to, history, r);
    *to = '\0';
    return STATUS_OK;
}

Status history_write(History *history) {
    char *text;
    bool whole = history->torn || history->in_file == 0;
    if (!whole && history->in_file == history->row_count)
        return STATUS_OK;
    TRY(history_text(history, whole ? 0 : history->in_file, &text));
    size_t size = strlen(text);
    Status status = whole ? file_write(history->path, 1, &(FilePart){text, size}) //
                          : file_append(history->path, text, size);
    memory_free(text);
    history->torn = status != STATUS_OK;
    if (status == STATUS_OK)
        history->in_file = history->row_count;
    return status;
}

Status history_open(History *history, const char *path) {
    CHECK(!history->path, "%s is open", path);
    TRY(memory_strdup(path, &history->path));
    return history_write(history);
}

Status history_add(History *history, const double *row) {
    size_t width = history->column_count;
    TRY(memory_grow(&history->rows, history->row_count * width, width, "history rows"));
    memcpy(history->rows + history->row_count * width, row, width * sizeof *row);
    history->row_count++;
    return STATUS_OK;
}

/* ---- JSON ---- */

/* Texts of jansson are freed with free(): gives one that memory_free takes. */
Status history_to_json(const History *history, char **out) {
    *out = NULL;
    json_t *columns = json_array(), *rows = json_array();
    json_t *root = json_pack("{s:o?, s:o?}", "columns", columns, "rows", rows);
    for (size_t c = 0; c < history->column_count; c++)
        json_array_append_new(columns, json_string(history->columns[c]));
    for (size_t r = 0; r < history->row_count; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < history->column_count; c++) {
            double value = history_value(history, r, c);
            json_array_append_new(row, isfinite(value) ? json_real(value) : json_null());
        }
        json_array_append_new(rows, row);
    }
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    Status status = text ? memory_strdup(text, out) : status_fail(STATUS_FAILED, "no memory for the history");
    free(text);
    return status;
}

/* place[c] = the column of ours that the text's column c is; column_count: none. */
static Status find_columns(const History *history, const json_t *columns, const char *origin, size_t *place) {
    if (json_array_size(columns) == 0)
        return status_fail(STATUS_FAILED, "%s: broken history: no columns", origin);
    for (size_t c = 0; c < json_array_size(columns); c++) {
        const char *name = json_string_value(json_array_get(columns, c));
        if (name == NULL)
            return status_fail(STATUS_FAILED, "%s: broken history: column %zu", origin, c);
        place[c] = 0;
        while (place[c] < history->column_count && strcmp(name, history->columns[place[c]]) != 0)
            place[c]++;
    }
    return STATUS_OK;
}

static Status read_rows(History *history, const json_t *root, const char *origin, const size_t *place, double *values) {
    const json_t *rows = json_object_get(root, "rows");
    size_t columns = json_array_size(json_object_get(root, "columns"));
    for (size_t r = 0; r < json_array_size(rows); r++) {
        const json_t *row = json_array_get(rows, r);
        if (json_array_size(row) != columns)
            return status_fail(STATUS_FAILED, "%s: broken history: row %zu", origin, r);
        for (size_t c = 0; c < history->column_count; c++)
            values[c] = NAN;
        for (size_t c = 0; c < columns; c++)
            if (place[c] < history->column_count && json_is_number(json_array_get(row, c)))
                values[place[c]] = json_number_value(json_array_get(row, c));
        TRY(history_add(history, values));
    }
    return STATUS_OK;
}

Status history_from_json(History *history, const char *text, const char *origin) {
    Status status = STATUS_OK;
    json_error_t error;
    double *values = NULL;
    size_t *place = NULL;
    CHECK(!history->path, "the history's file is open");
    json_t *root = json_loads(text, 0, &error);
    const json_t *rows = json_object_get(root, "rows"), *columns = json_object_get(root, "columns");
    if (!root || !json_is_array(rows) || json_array_size(rows) > HISTORY_MAX_ROWS)
        TRY_GOTO(status_fail(STATUS_FAILED, "%s: broken history: %s", origin, root ? "no rows" : error.text), done);
    TRY_GOTO(memory_new(&place, json_array_size(columns), "history columns"), done);
    TRY_GOTO(find_columns(history, columns, origin, place), done);
    TRY_GOTO(memory_new(&values, history->column_count, "history row"), done);
    history->row_count = 0;
    TRY_GOTO(read_rows(history, root, origin, place, values), done);
done:
    memory_free(place);
    memory_free(values);
    json_decref(root);
    return status;
}
