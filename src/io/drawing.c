/* SPDX-License-Identifier: Apache-2.0 */
#include "io/drawing.h"
#include "base/crash.h"
#include "base/memory.h"
#include "base/utf8.h"
#include <string.h>
#include <strings.h>

Status drawing_format(const char *path, DrawingFormat *format) {
    static const char *const endings[] = {[DRAWING_PNG] = ".png", [DRAWING_SVG] = ".svg", [DRAWING_PDF] = ".pdf"};
    const char *end = strrchr(path, '.');
    for (int k = DRAWING_PNG; end && k <= DRAWING_PDF; k++)
        if (strcasecmp(end, endings[k]) == 0) {
            *format = (DrawingFormat)k;
            return STATUS_OK;
        }
    return status_fail(STATUS_USAGE, "%s: the name of a picture must end in .png, .svg or .pdf", path);
}

Status drawing_missing(const char *name) {
    return status_fail(STATUS_FAILED,
                       "cannot write %s: this program was built without cairo (Debian: libcairo2-dev); install it and "
                       "build again",
                       name);
}

#if HAVE_CAIRO
#include <cairo-pdf.h>
#include <cairo-svg.h>

/* ---- texts ------------------------------------------------------------------------------------------------------- */

/* Longer texts are cut; no picture is that wide. */
enum { TEXT_BYTES = 1024, SIDE_MAX = 32767 /* of cairo's pictures */, AREA_MAX = 100000000 };
#define ELLIPSIS "\xe2\x80\xa6"

/* A copy that cairo takes: it goes into an error for good at a byte that is no UTF-8, and control characters have no
 * shape. */
static const char *clean(const char *text, char copy[TEXT_BYTES]) {
    size_t used = 0;
    while (*text && used + sizeof ELLIPSIS + 4 < TEXT_BYTES) {
        size_t bytes = utf8_bytes(text);
        const char *from = bytes > 0 ? text : UTF8_REPLACEMENT;
        size_t count = bytes > 0 ? bytes : strlen(UTF8_REPLACEMENT);
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

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* What cairo has written so far, piece by piece. */
typedef struct Bytes {
    unsigned char *data;
    size_t size;
} Bytes;

static cairo_status_t collect(void *user, const unsigned char *data, unsigned length) {
    Bytes *bytes = user;
    if (memory_grow(&bytes->data, bytes->size, length, "picture") != STATUS_OK)
        return CAIRO_STATUS_NO_MEMORY;
    memcpy(bytes->data + bytes->size, data, length);
    bytes->size += length;
    return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *create(DrawingFormat format, double width, double height, Bytes *bytes) {
    return format == DRAWING_SVG ? cairo_svg_surface_create_for_stream(collect, bytes, width, height)
           : format == DRAWING_PDF
               ? cairo_pdf_surface_create_for_stream(collect, bytes, width, height)
               : cairo_image_surface_create(format == DRAWING_PNG ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32,
                                            (int)width, (int)height);
}

/* What drawing_render is asked for, and what comes of it. */
typedef struct Rendering {
    DrawingFormat format;
    DrawingMeasurer *measure;
    DrawingPainter *paint;
    void *user;
    const char *name;
    Bytes written;
    Status status;
} Rendering;

static void measure(const Rendering *r, double *width, double *height) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *c = cairo_create(surface);
    r->measure(c, r->user, width, height);
    cairo_destroy(c);
    cairo_surface_destroy(surface);
}

static Status render(Rendering *r) {
    double width = 0, height = 0;
    measure(r, &width, &height);
    if (!(width <= SIDE_MAX && height <= SIDE_MAX && width * height <= AREA_MAX))
        return status_fail(STATUS_FAILED, "cannot write %s: a picture of %.0f x %.0f pixels is too large", r->name,
                           width, height);
    cairo_surface_t *surface = create(r->format, width, height, &r->written);
    cairo_t *c = cairo_create(surface);
    r->paint(c, r->user, width, height);
    cairo_status_t result = cairo_status(c);
    cairo_destroy(c);
    if (result == CAIRO_STATUS_SUCCESS && (r->format == DRAWING_PNG || r->format == DRAWING_CLEAR_PNG))
        result = cairo_surface_write_to_png_stream(surface, collect, &r->written);
    cairo_surface_finish(surface);
    if (result == CAIRO_STATUS_SUCCESS)
        result = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return result == CAIRO_STATUS_SUCCESS
               ? STATUS_OK
               : status_fail(STATUS_FAILED, "cannot write %s: cairo: %s", r->name, cairo_status_to_string(result));
}

static void render_guarded(void *rendering) {
    Rendering *r = rendering;
    r->status = render(r);
}

Status drawing_render(DrawingFormat format, DrawingMeasurer *measurer, DrawingPainter *paint, void *user,
                      const char *name, unsigned char **bytes, size_t *size) {
    static bool crashed; /* and left locks and memory as they were */
    Rendering r = {.format = format, .measure = measurer, .paint = paint, .user = user, .name = name};
    *bytes = NULL;
    *size = 0;
    crashed = crashed || !crash_survive(render_guarded, &r, "the libraries that draw have crashed: memory is short");
    if (crashed)
        return status_fail(STATUS_FAILED, "cannot write %s: the libraries that draw have crashed: memory is short",
                           name);
    if (r.status != STATUS_OK) {
        memory_free(r.written.data);
        return r.status;
    }
    *bytes = r.written.data;
    *size = r.written.size;
    return STATUS_OK;
}

bool drawing_available(void) {
    return true;
}

#else

bool drawing_available(void) {
    return false;
}

#endif
