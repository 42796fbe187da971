/* SPDX-License-Identifier: Apache-2.0
 *
 * A text of HTML that grows.  A failure (memory) stays in it and makes all that follows do nothing, so that only the
 * end needs a check:
 *
 *     Html page = {.text = NULL};
 *     html_put(&page, "<p>");
 *     html_text(&page, name);          whatever name is, nothing but that text
 *     TRY(page.status);
 *     ... page.text, page.size ...
 *     html_free(&page); */
#ifndef IO_HTML_H
#define IO_HTML_H
#include "base/status.h"
#include <stddef.h>

typedef struct Html {
    char *text; /* owned; '\0' behind it */
    size_t size;
    Status status;
} Html;

void html_free(Html *html);

/* Adds text as it is. */
void html_put(Html *html, const char *text);

/* printf; only of numbers and of texts of our own. */
void html_format(Html *html, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds text from outside, for an element or for an attribute in quotes: & < > " ' as entities, control characters but
 * line ends and bytes that are no UTF-8 as U+FFFD. */
void html_text(Html *html, const char *text);

/* Adds bytes as "data:TYPE;base64,..." (RFC 2397, RFC 4648), as an attribute has it in place of an address. */
void html_data(Html *html, const char *type, const void *bytes, size_t size);

#endif
