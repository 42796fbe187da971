/* SPDX-License-Identifier: Apache-2.0 */
#include "data/text_table.h"
#include "base/memory.h"
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest text of a number, and the longest part of a field that a message shows. */
enum { NUMBER_TEXT = 64, SHOWN = 40 };

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* ---- lines and fields ---- */

/* The line that begins at `begin`, without its end and the blanks around it. */
static TextField line_at(const TextTable *table, size_t begin) {
    const char *at = (const char *)table->bytes.at + begin, *end = (const char *)table->bytes.at + table->bytes.size;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    bool tabs = table->separator == '\t'; /* no blanks then: empty fields */
    if (stop == NULL)
        stop = end;
    while (stop > at && is_blank(stop[-1]) && !(tabs && stop[-1] == '\t'))
        stop--;
    while (at < stop && is_blank(*at) && !(tabs && *at == '\t'))
        at++;
    return (TextField){at, (size_t)(stop - at)};
}

/* Takes the first field off a line; false: there is none left. */
static bool next_field(const TextTable *table, TextField *line, TextField *field) {
    if (line->at == NULL)
        return false;
    const char *at = line->at, *end = at + line->length, *stop = at;
    if (table->separator == ' ') {
        while (stop < end && !is_blank(*stop))
            stop++;
    } else {
        while (stop < end && *stop == ' ')
            stop++;
        const char *quoted = stop < end && *stop == '"' ? memchr(stop + 1, '"', (size_t)(end - stop - 1)) : NULL;
        stop = quoted ? quoted : at; /* a separator between quotes is none */
        stop = memchr(stop, table->separator, (size_t)(end - stop));
        stop = stop ? stop : end;
    }
    const char *last = stop;
    while (at < last && is_blank(*at))
        at++;
    while (last > at && is_blank(last[-1]))
        last--;
    if (last - at >= 2 && *at == '"' && last[-1] == '"')
        at++, last--;
    *field = (TextField){at, (size_t)(last - at)};
    if (stop < end)
        stop++;
    else
        stop = NULL;
    while (table->separator == ' ' && stop != NULL && is_blank(*stop))
        stop++; /* a line does not end in blanks */
    *line = (TextField){stop, stop ? (size_t)(end - stop) : 0};
    return true;
}

static bool number_of(TextField field, double *value) {
    char text[NUMBER_TEXT], *end;
    if (field.length == 0 || field.length >= sizeof text)
        return false;
    size_t small = 0;
    uint32_t whole = 0;
    while (small < field.length && small < 9 && isdigit((unsigned char)field.at[small]))
        whole = whole * 10 + (uint32_t)(field.at[small++] - '0');
    if (small == field.length) { /* most fields of most tables */
        *value = whole;
        return true;
    }
    memcpy(text, field.at, field.length);
    text[field.length] = '\0';
    *value = strtod(text, &end);
    return *end == '\0' && !strpbrk(text, "xX") && fabs(*value) <= FLT_MAX;
}

const char *text_table_place(const TextTable *table, size_t row, char place[512]) {
    size_t line = 1;
    for (const uint8_t *at = table->bytes.at, *end = at + table->begin[row]; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            break;
        line++;
    }
    snprintf(place, 512, "%s:%zu", table->path, line);
    return place;
}

Status text_table_fields(const TextTable *table, size_t row, TextField fields[]) {
    TextField line = line_at(table, table->begin[row]), field;
    char place[512];
    size_t n = 0;
    for (; next_field(table, &line, &field); n++)
        if (n < table->columns)
            fields[n] = field;
    return n == table->columns ? STATUS_OK
                               : status_fail(STATUS_FAILED, "%s has %zu fields; the first line of the file has %zu",
                                             text_table_place(table, row, place), n, table->columns);
}

Status text_table_number(const TextTable *table, size_t row, size_t column, TextField field, double *value) {
    char place[512];
    if (number_of(field, value))
        return STATUS_OK;
    int shown = (int)(field.length < SHOWN ? field.length : SHOWN);
    const char *why = field.length == 0                     ? "is empty"
                      : memchr(field.at, ',', field.length) ? "is no number: these have a decimal point, not a comma"
                                                            : "is no number";
    return status_fail(STATUS_FAILED, "%s, column %zu: \"%.*s\" %s", text_table_place(table, row, place), column + 1,
                       shown, field.at, why);
}

/* ---- open ---- */

static char find_separator(TextField line) {
    for (const char *s = ",;\t|"; *s; s++)
        if (memchr(line.at, *s, line.length))
            return *s;
    return ' ';
}

/* The next line that is not blank, from *at on; SIZE_MAX: none. *at = behind it. */
static size_t next_line(const TextTable *table, size_t *at) {
    const uint8_t *bytes = table->bytes.at;
    while (*at < table->bytes.size) {
        size_t begin = *at;
        const uint8_t *stop = memchr(bytes + begin, '\n', table->bytes.size - begin);
        *at = stop ? (size_t)(stop - bytes) + 1 : table->bytes.size;
        for (size_t i = begin; i < *at; i++)
            if (!isspace(bytes[i]))
                return begin;
    }
    return SIZE_MAX;
}

static bool is_header(const TextTable *table, TextField line) {
    TextField field;
    double value;
    while (next_field(table, &line, &field))
        if (number_of(field, &value))
            return false;
    return true;
}

static Status index_lines(TextTable *table, size_t first) {
    size_t at = first, count = 0;
    while (next_line(table, &at) != SIZE_MAX)
        count++;
    TRY(memory_new(&table->begin, count, "lines of a table"));
    for (at = first; table->count < count; table->count++)
        table->begin[table->count] = next_line(table, &at);
    return STATUS_OK;
}

static Status find_rows(TextTable *table, TextHeader header) {
    size_t at = 0;
    if (table->bytes.size >= 3 && memcmp(table->bytes.at, "\xef\xbb\xbf", 3) == 0)
        at = 3; /* UTF-8's byte order mark */
    if (table->bytes.size >= 2 &&
        (memcmp(table->bytes.at, "\xff\xfe", 2) == 0 || memcmp(table->bytes.at, "\xfe\xff", 2) == 0))
        return status_fail(STATUS_FAILED, "%s is text in UTF-16. Save it as UTF-8.", table->path);
    size_t first = next_line(table, &at);
    if (first == SIZE_MAX)
        return status_fail(STATUS_FAILED, "%s is empty", table->path);
    TextField line = line_at(table, first), rest, field;
    if (table->separator == 0)
        table->separator = find_separator(line);
    line = line_at(table, first);
    for (rest = line; next_field(table, &rest, &field);)
        table->columns++;
    if (header == TEXT_HEADER_YES || (header == TEXT_HEADER_AUTO && is_header(table, line)))
        table->header = line;
    TRY(index_lines(table, table->header.at ? at : first));
    return table->count > 0 ? STATUS_OK : status_fail(STATUS_FAILED, "%s has a header and no rows", table->path);
}

Status text_table_open(const char *path, char separator, TextHeader header, TextTable *table) {
    *table = (TextTable){.path = path, .separator = separator};
    TRY(file_bytes_open(path, &table->bytes));
    Status status = find_rows(table, header);
    if (status != STATUS_OK)
        text_table_close(table);
    return status;
}

void text_table_close(TextTable *table) {
    file_bytes_close(&table->bytes);
    memory_free(table->begin);
    *table = (TextTable){0};
}

/* ---- what options say ---- */

Status text_table_separator(const char *text, char *separator) {
    if (strcmp(text, "tab") == 0)
        *separator = '\t';
    else if (strcmp(text, "blank") == 0)
        *separator = ' ';
    else if (text[0] != '\0' && text[1] == '\0' && strchr(",;|", text[0]))
        *separator = text[0];
    else
        return status_fail(STATUS_USAGE, "--separator %s: must be one of , ; | tab blank", text);
    return STATUS_OK;
}

static Status no_column(const TextTable *table, const char *text) {
    int shown = (int)(table->header.length < 10 * SHOWN ? table->header.length : 10 * SHOWN);
    if (table->header.at == NULL)
        return status_fail(STATUS_USAGE, "%s has no column %s: it has %zu, without names. Say first, last or a number.",
                           table->path, text, table->columns);
    return status_fail(
        STATUS_USAGE, "%s has no column %s: its first line names %zu: %.*s. Say one of these, first, last or a number.",
        table->path, text, table->columns, shown, table->header.at);
}

Status text_table_column(const TextTable *table, const char *text, size_t *column) {
    TextField line = table->header, field;
    char *end;
    for (size_t i = 0; next_field(table, &line, &field); i++)
        if (field.length == strlen(text) && memcmp(field.at, text, field.length) == 0) {
            *column = i;
            return STATUS_OK;
        }
    unsigned long number = strtoul(text, &end, 10);
    if (strcmp(text, "first") == 0 || strcmp(text, "last") == 0) {
        *column = text[0] == 'f' ? 0 : table->columns - 1;
    } else if (isdigit((unsigned char)text[0]) && *end == '\0' && number >= 1 && number <= table->columns) {
        *column = number - 1;
    } else {
        return no_column(table, text);
    }
    return STATUS_OK;
}
