/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts by cairo, and PNG, SVG and PDF files.  A build without cairo has the last three functions alone. */
#ifndef IO_DRAWING_H
#define IO_DRAWING_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef enum DrawingFormat {
    DRAWING_PNG,
    DRAWING_SVG,
    DRAWING_PDF,
    DRAWING_CLEAR_PNG /* transparent where nothing is painted */
} DrawingFormat;

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

/* Says how large a picture is to be; texts are measured with `c`, which draws nowhere. */
typedef void DrawingMeasurer(cairo_t *c, void *user, double *width, double *height);

/* Draws on a surface of this size. */
typedef void DrawingPainter(cairo_t *c, const void *user, double width, double height);

/* *bytes (freed with memory_free) = the file of what `paint` draws on the pixels or points that `measure` asks for,
 * which is called first.  STATUS_FAILED: larger than 32767 either way or than 10^8 pixels, out of memory; names `name`.
 * A crash inside the libraries that draw (cairo 1.16 crashes for lack of memory) is STATUS_FAILED, and so is everything
 * from then on: no picture is worth a run. */
Status drawing_render(DrawingFormat format, DrawingMeasurer *measure, DrawingPainter *paint, void *user,
                      const char *name, unsigned char **bytes, size_t *size);
#endif

/* *format by the ending of a file's name: .png, .svg or .pdf.  STATUS_USAGE: none of these. */
Status drawing_format(const char *path, DrawingFormat *format);

/* Was the program built with cairo? */
bool drawing_available(void);

/* STATUS_FAILED: `name` cannot be drawn, as the program was built without cairo. */
Status drawing_missing(const char *name);

#endif
