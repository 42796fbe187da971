/* SPDX-License-Identifier: Apache-2.0 */
#include "io/html.h"
#include "base/memory.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void html_free(Html *html) {
    memory_free(html->text);
    *html = (Html){.text = NULL};
}

/* Room for `size` more bytes and the '\0'; false: there is none. */
static bool make_room(Html *html, size_t size) {
    if (html->status == STATUS_OK)
        html->status = memory_grow(&html->text, html->size, size + 1, "report");
    return html->status == STATUS_OK;
}

static void put_bytes(Html *html, const char *bytes, size_t size) {
    if (!make_room(html, size))
        return;
    memcpy(html->text + html->size, bytes, size);
    html->size += size;
    html->text[html->size] = '\0';
}

void html_put(Html *html, const char *text) {
    put_bytes(html, text, strlen(text));
}

void html_format(Html *html, const char *format, ...) {
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    html_put(html, text);
}

/* What stands for an ASCII character; NULL: itself. */
static const char *entity(char c) {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
        return NULL;
    default:
        return (unsigned char)c < ' ' || c == 0x7f ? UTF8_REPLACEMENT : NULL;
    }
}

void html_text(Html *html, const char *text) {
    while (*text) {
        size_t bytes = utf8_bytes(text);
        const char *other = bytes == 0 ? UTF8_REPLACEMENT : bytes == 1 ? entity(*text) : NULL;
        if (other)
            html_put(html, other);
        else
            put_bytes(html, text, bytes);
        text += bytes > 0 ? bytes : 1;
    }
}

void html_data(Html *html, const char *type, const void *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = bytes;
    html_format(html, "data:%s;base64,", type);
    if (!make_room(html, size / 3 * 4 + 4))
        return;
    char *to = html->text + html->size;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = (uint32_t)from[i] << 16 | (i + 1 < size ? (uint32_t)from[i + 1] << 8 : 0) |
                        (i + 2 < size ? from[i + 2] : 0);
        *to++ = digits[word >> 18];
        *to++ = digits[word >> 12 & 63];
        *to++ = i + 1 < size ? digits[word >> 6 & 63] : '=';
        *to++ = i + 2 < size ? digits[word & 63] : '=';
    }
    *to = '\0';
    html->size = (size_t)(to - html->text);
}
