/* SPDX-License-Identifier: Apache-2.0 */
#include "io/picture.h"
#include "base/memory.h"
#include "io/drawing.h"
#include "io/file.h"
#include <math.h>

#if HAVE_CAIRO

enum {
    GAP = 12,  /* between cells */
    LINE = 22, /* height of a line of a caption */
    TITLE_LINE = 42,
    TITLE_WIDTH = 800 /* a narrow sheet becomes so wide at most for its title */
};
static const double FONT = 18, TITLE_FONT = 21;
/* PictureColours on white, and on any paper: a contrast of 4 and more to white and to the dark of report.html. */
static const double on_white[][3] = {{0, 0, 0}, {0, 0.5, 0.1}, {0.8, 0.1, 0.1}};
static const double on_any[][3] = {{0.47, 0.47, 0.47}, {0.09, 0.55, 0.2}, {0.88, 0.27, 0.24}};

typedef struct Layout {
    size_t columns, rows, side, lines, top; /* lines of a caption; height above the cells */
    size_t tall;                            /* height of the highest picture */
    double width, height;
} Layout;

static bool has_pixels(const PictureCell *cell) {
    return cell->rgb && cell->height > 0 && cell->width > 0;
}

/* A whole number, unless that would leave more than a quarter of the side empty. */
static double scale_of(const PictureCell *cell, size_t side) {
    size_t longer = cell->height > cell->width ? cell->height : cell->width, whole = side / longer;
    return 4 * whole * longer >= 3 * side ? (double)whole : (double)side / (double)longer;
}

static Layout lay_out(cairo_t *c, const PictureSheet *sheet) {
    Layout l = {.columns = sheet->columns, .side = sheet->side};
    if (l.columns == 0)
        l.columns = (size_t)ceil(sqrt((double)sheet->count));
    if (l.side == 0)
        l.side = sheet->count <= 4 ? 256 : sheet->count <= 12 ? 192 : 160;
    for (size_t i = 0; i < sheet->count; i++)
        for (size_t k = l.lines; k < 2; k++)
            if (sheet->cells[i].caption[k])
                l.lines = k + 1;
    for (size_t i = 0; i < sheet->count; i++) {
        const PictureCell *cell = &sheet->cells[i];
        double tall = has_pixels(cell) ? ceil((double)cell->height * scale_of(cell, l.side)) : 0;
        l.tall = (size_t)tall > l.tall ? (size_t)tall : l.tall;
    }
    l.tall = l.tall > 0 ? l.tall : l.side;
    l.rows = (sheet->count + l.columns - 1) / l.columns;
    l.top = sheet->title ? TITLE_LINE : 0;
    l.width = (double)l.columns * (double)(l.side + GAP) + GAP;
    l.height = (double)l.top + (double)l.rows * (double)(l.tall + l.lines * LINE + GAP) + GAP;
    if (sheet->title)
        l.width = fmax(l.width, fmin(ceil(drawing_width(c, sheet->title)) + 2 * GAP, TITLE_WIDTH));
    return l;
}

/* The cell's pixels as cairo keeps them: 32-bit words 0x00RRGGBB. */
static cairo_surface_t *surface_of(const PictureCell *cell) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)cell->width, (int)cell->height);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        return surface;
    cairo_surface_flush(surface);
    unsigned char *to = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    const uint8_t *from = cell->rgb;
    for (size_t j = 0; j < cell->height; j++)
        for (size_t i = 0; i < cell->width; i++, from += 3)
            ((uint32_t *)(void *)(to + j * stride))[i] = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    cairo_surface_mark_dirty(surface);
    return surface;
}

/* Draws the pixels into the middle of the area at (x, y); an error stays in `c`. */
static void draw_pixels(cairo_t *c, const PictureCell *cell, const Layout *l, const double colour[3], double x,
                        double y) {
    double scale = scale_of(cell, l->side);
    double width = (double)cell->width * scale, height = (double)cell->height * scale;
    x = floor(x + ((double)l->side - width) / 2);
    y = floor(y + ((double)l->tall - height) / 2);
    cairo_surface_t *pixels = surface_of(cell);
    cairo_save(c);
    cairo_translate(c, x, y);
    cairo_scale(c, scale, scale);
    cairo_set_source_surface(c, pixels, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c),
                             scale >= 1 && scale == floor(scale) ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BEST);
    cairo_paint(c);
    cairo_restore(c);
    cairo_surface_destroy(pixels);
    if (cell->colour != PICTURE_BLACK) {
        cairo_set_source_rgb(c, colour[0], colour[1], colour[2]);
        cairo_set_line_width(c, 3);
        cairo_rectangle(c, x - 1.5, y - 1.5, width + 3, height + 3);
        cairo_stroke(c);
    }
}

static void draw_cell(cairo_t *c, const PictureCell *cell, const Layout *l, const double colour[3], double x,
                      double y) {
    double side = (double)l->side, tall = (double)l->tall;
    if (has_pixels(cell)) {
        draw_pixels(c, cell, l, colour, x, y);
    } else {
        cairo_set_source_rgb(c, 0.88, 0.88, 0.88);
        cairo_rectangle(c, x, y, side, tall);
        cairo_fill(c);
    }
    cairo_set_source_rgb(c, colour[0], colour[1], colour[2]);
    for (size_t k = 0; k < 2; k++)
        if (cell->caption[k])
            drawing_text_within(c, cell->caption[k], x + side / 2, y + tall + (double)(k + 1) * LINE, 0.5,
                                side + GAP - 4);
}

typedef struct Drawn {
    const PictureSheet *sheet;
    bool clear;
    Layout layout;
} Drawn;

static void measure(cairo_t *c, void *user, double *width, double *height) {
    Drawn *drawn = user;
    drawing_font(c, TITLE_FONT);
    drawn->layout = lay_out(c, drawn->sheet);
    *width = drawn->layout.width;
    *height = drawn->layout.height;
}

static void draw(cairo_t *c, const void *user, double width, double height) {
    (void)height;
    const Drawn *drawn = user;
    const PictureSheet *sheet = drawn->sheet;
    const Layout *l = &drawn->layout;
    const double(*colours)[3] = drawn->clear ? on_any : on_white, *ink = colours[PICTURE_BLACK];
    cairo_set_source_rgb(c, 1, 1, 1);
    if (!drawn->clear)
        cairo_paint(c);
    drawing_font(c, TITLE_FONT);
    cairo_set_source_rgb(c, ink[0], ink[1], ink[2]);
    if (sheet->title)
        drawing_text_within(c, sheet->title, width / 2, 29, 0.5, width - 2 * GAP);
    drawing_font(c, FONT);
    double left = (width - (double)(l->columns * (l->side + GAP) + GAP)) / 2;
    for (size_t i = 0; i < sheet->count; i++)
        draw_cell(c, &sheet->cells[i], l, colours[sheet->cells[i].colour],
                  left + GAP + (double)(i % l->columns * (l->side + GAP)),
                  (double)(l->top + GAP + i / l->columns * (l->tall + l->lines * LINE + GAP)));
}

Status picture_render(const PictureSheet *sheet, DrawingFormat format, const char *name, unsigned char **bytes,
                      size_t *size) {
    Drawn drawn = {.sheet = sheet, .clear = format == DRAWING_CLEAR_PNG};
    *bytes = NULL;
    *size = 0;
    if (sheet->count == 0)
        return status_fail(STATUS_FAILED, "cannot write %s: there is nothing to draw", name);
    return drawing_render(format, measure, draw, &drawn, name, bytes, size);
}

#else

Status picture_render(const PictureSheet *sheet, DrawingFormat format, const char *name, unsigned char **bytes,
                      size_t *size) {
    (void)sheet, (void)format;
    *bytes = NULL;
    *size = 0;
    return drawing_missing(name);
}

#endif

Status picture_write(const PictureSheet *sheet, const char *path) {
    unsigned char *bytes;
    size_t size;
    DrawingFormat format = DRAWING_PNG;
    TRY(drawing_format(path, &format));
    TRY(picture_render(sheet, format, path, &bytes, &size));
    Status status = file_write(path, 1, &(FilePart){bytes, size});
    memory_free(bytes);
    return status;
}

Status picture_png(const PictureSheet *sheet, const char *name, unsigned char **bytes, size_t *size) {
    return picture_render(sheet, DRAWING_PNG, name, bytes, size);
}
