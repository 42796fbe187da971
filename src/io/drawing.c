/* SPDX-License-Identifier: Apache-2.0 */
#include "io/drawing.h"
#include "base/memory.h"
#include <stdbool.h>
#include <string.h>

Status drawing_missing(const char *name) {
    return status_fail(STATUS_FAILED,
                       "cannot write %s: this program was built without cairo (Debian: libcairo2-dev); install it and "
                       "build again",
                       name);
}

#if HAVE_CAIRO

/* ---- texts ---------------------------------------------------------------------------------------------------------- */

/* Longer texts are cut; no picture is that wide. */
enum { TEXT_BYTES = 1024 };
#define ELLIPSIS    "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

/* Bytes of the UTF-8 character at `text` (RFC 3629, section 4), 0 when it is none. */
static size_t character_bytes(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    size_t more = s[0] >= 0xc2 && s[0] <= 0xdf ? 1 : (s[0] & 0xf0) == 0xe0 ? 2 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 3 : 0;
    for (size_t i = 1; i <= more; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool beyond = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
                  (s[0] == 0xf4 && s[1] > 0x8f);
    return more > 0 && !beyond ? more + 1 : 0;
}

/* A copy that cairo takes: it goes into an error for good at a byte that is no UTF-8, and control characters have no shape. */
static const char *clean(const char *text, char copy[TEXT_BYTES]) {
    size_t used = 0;
    while (*text && used + sizeof ELLIPSIS + 4 < TEXT_BYTES) {
        size_t bytes = character_bytes(text);
        const char *from = bytes > 0 ? text : REPLACEMENT;
        size_t count = bytes > 0 ? bytes : strlen(REPLACEMENT);
        memcpy(copy + used, (unsigned char)*from < ' ' || *from == 0x7f ? " " : from, count);
        used += count;
        text += bytes > 0 ? bytes : 1;
    }
    copy[used] = '\0';
    return copy;
}

void drawing_font(cairo_t *c, double size) {
    cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c, size);
}

static double width_of(cairo_t *c, const char *text) {
    cairo_text_extents_t extents;
    cairo_text_extents(c, text, &extents);
    return extents.x_advance;
}

static void put(cairo_t *c, const char *text, double x, double y, double anchor) {
    cairo_move_to(c, x - anchor * width_of(c, text), y);
    cairo_show_text(c, text);
}

double drawing_width(cairo_t *c, const char *text) {
    char copy[TEXT_BYTES];
    return width_of(c, clean(text, copy));
}

void drawing_text(cairo_t *c, const char *text, double x, double y, double anchor) {
    char copy[TEXT_BYTES];
    put(c, clean(text, copy), x, y, anchor);
}

void drawing_text_within(cairo_t *c, const char *text, double x, double y, double anchor, double width) {
    char copy[TEXT_BYTES];
    clean(text, copy);
    size_t length = strlen(copy);
    while (width_of(c, copy) > width && length > 0) {
        do
            length--;
        while (length > 0 && (copy[length] & 0xc0) == 0x80);
        memcpy(copy + length, ELLIPSIS, sizeof ELLIPSIS);
    }
    put(c, copy, x, y, anchor);
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

cairo_status_t drawing_collect(void *user, const unsigned char *data, unsigned length) {
    DrawingBytes *bytes = user;
    if (bytes->size + length > bytes->room) {
        unsigned char *larger;
        size_t room = 2 * (bytes->size + length) + (1 << 16);
        if (memory_alloc(room, 1, "picture", (void **)&larger) != STATUS_OK)
            return CAIRO_STATUS_NO_MEMORY;
        memcpy(larger, bytes->data ? bytes->data : data, bytes->size);
        memory_free(bytes->data);
        bytes->data = larger;
        bytes->room = room;
    }
    memcpy(bytes->data + bytes->size, data, length);
    bytes->size += length;
    return CAIRO_STATUS_SUCCESS;
}

Status drawing_png(cairo_surface_t *surface, const char *name, unsigned char **bytes, size_t *size) {
    DrawingBytes written = {0};
    cairo_surface_flush(surface);
    cairo_status_t result = cairo_surface_write_to_png_stream(surface, drawing_collect, &written);
    *bytes = NULL;
    *size = 0;
    if (result != CAIRO_STATUS_SUCCESS) {
        memory_free(written.data);
        return status_fail(STATUS_FAILED, "cannot write %s: cairo: %s", name, cairo_status_to_string(result));
    }
    *bytes = written.data;
    *size = written.size;
    return STATUS_OK;
}

#endif
