/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables of numbers as text, packed by gzip or not: a row a line, fields between commas, semicolons, tabs or blanks,
 * each optionally in double quotes.  A first line without any number is a header: names of columns.  Blank lines are
 * passed over. */
#ifndef DATA_TEXT_TABLE_H
#define DATA_TEXT_TABLE_H
#include "io/file_bytes.h"

typedef struct TextField {
    const char *at; /* not ended by '\0' */
    size_t length;
} TextField;

typedef struct TextTable {
    const char *path; /* borrowed */
    FileBytes bytes;
    char separator;   /* ',', ';', '\t', '|'; ' ': any blanks and tabs */
    size_t columns;   /* of every row, as the first line has them */
    TextField header; /* the first line, when it is one; else at NULL */
    size_t count;     /* rows */
    size_t *begin;    /* owned, [count]: of each line, in bytes */
} TextTable;

typedef enum TextHeader { TEXT_HEADER_AUTO, TEXT_HEADER_YES, TEXT_HEADER_NO } TextHeader;

/* Finds the lines; separator 0: the first of , ; tab | that the first line has, else blanks.
 * STATUS_FAILED: cannot be read, no rows. */
Status text_table_open(const char *path, char separator, TextHeader header, TextTable *table);
void text_table_close(TextTable *table); /* accepts a zeroed one */

/* A text for `separator`: one character of those, or "tab", "blank".  STATUS_USAGE. */
Status text_table_separator(const char *text, char *separator);

/* The fields of row `row`: fields[columns].  STATUS_FAILED: not as many as columns; the message names file and line. */
Status text_table_fields(const TextTable *table, size_t row, TextField fields[]);

/* *value = the number that is the whole field, blanks around it aside.  STATUS_FAILED: none, or none that a float can
 * hold; column from 0. */
Status text_table_number(const TextTable *table, size_t row, size_t column, TextField field, double *value);

/* *column = the one that is meant by "first", "last", a number from 1 on, or a name of the header.  STATUS_USAGE. */
Status text_table_column(const TextTable *table, const char *text, size_t *column);

/* "FILE:LINE" of a row. */
const char *text_table_place(const TextTable *table, size_t row, char place[512]);

#endif
