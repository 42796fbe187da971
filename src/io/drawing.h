/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts and PNG files by cairo.  A build without cairo has drawing_missing alone. */
#ifndef IO_DRAWING_H
#define IO_DRAWING_H
#include "base/status.h"
#include <stddef.h>
#if HAVE_CAIRO
#include <cairo.h>

/* Selects the one font, at this size in pixels. */
void drawing_font(cairo_t *c, double size);

/* Width of a text in pixels.  Like all texts here it is UTF-8; bytes that are not are shown as U+FFFD. */
double drawing_width(cairo_t *c, const char *text);

/* A text whose `anchor` (0 left, 0.5 middle, 1 right) is at x, and its base line at y. */
void drawing_text(cairo_t *c, const char *text, double x, double y, double anchor);

/* The same, with an ellipsis in the place of what does not fit into `width` pixels. */
void drawing_text_within(cairo_t *c, const char *text, double x, double y, double anchor, double width);

/* Bytes that cairo writes piece by piece: a closure for its functions of streams.  data: freed with memory_free. */
typedef struct DrawingBytes {
    unsigned char *data;
    size_t size, room;
} DrawingBytes;
cairo_status_t drawing_collect(void *bytes, const unsigned char *data, unsigned length);

/* *bytes = the surface as a PNG file, freed with memory_free.  STATUS_FAILED: out of memory; names `name`. */
Status drawing_png(cairo_surface_t *surface, const char *name, unsigned char **bytes, size_t *size);
#endif

/* STATUS_FAILED: `name` cannot be drawn, as the program was built without cairo. */
Status drawing_missing(const char *name);

#endif
