/* SPDX-License-Identifier: Apache-2.0
 *
 * Sheets of captioned pictures: cells side by side, under each one or two lines of text, above all a title.  A build
 * without cairo has the functions, which fail.
 *
 *     PictureCell cells[] = {{.height = 28, .width = 28, .rgb = pixels, .caption = {"7", "99 %"},
 *                             .colour = PICTURE_GREEN}};
 *     TRY(picture_write(&(PictureSheet){.title = "digits", .cells = cells, .count = 1}, "sheet.png"));
 *
 * Pictures come to a longer side of at most `side` pixels: a small one is magnified by a whole number, where that takes
 * three quarters of it at least, all others smoothly.  The rows are as high as the highest picture.  Texts are UTF-8,
 * cut with an ellipsis where they are too long.  Not collective. */
#ifndef IO_PICTURE_H
#define IO_PICTURE_H
#include "base/status.h"
#include "io/drawing.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum PictureColour { PICTURE_BLACK, PICTURE_GREEN, PICTURE_RED } PictureColour;

/* All borrowed. */
typedef struct PictureCell {
    size_t height, width;
    const uint8_t *rgb;     /* [height][width][3]; NULL: a grey area */
    const char *caption[2]; /* NULL: no such line */
    PictureColour colour;   /* of the caption; the picture has a frame of it unless it is black */
} PictureCell;

typedef struct PictureSheet {
    const char *title; /* NULL: none */
    const PictureCell *cells;
    size_t count;   /* at least 1 */
    size_t columns; /* 0: about as many as rows */
    size_t side;    /* 0: 160 pixels, more where there are few pictures */
} PictureSheet;

/* Replaces `path` by the sheet, .png, .svg or .pdf by its name: atomically and durably, as io/file.h says.
 * STATUS_USAGE: another ending.  STATUS_FAILED: no cell, larger than 32767 pixels either way, cannot write, out of
 * memory, built without cairo. */
Status picture_write(const PictureSheet *sheet, const char *path);

/* *bytes = the same in memory, freed with memory_free.  `name` is for messages.  The paper is white; DRAWING_CLEAR_PNG
 * has none, and texts of a lightness that is read on white and on dark pages. */
Status picture_render(const PictureSheet *sheet, DrawingFormat format, const char *name, unsigned char **bytes,
                      size_t *size);

/* The same as a PNG. */
Status picture_png(const PictureSheet *sheet, const char *name, unsigned char **bytes, size_t *size);

#endif
