/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of charts: layout, colours, text, and the three formats. */
#include "io/chart.h"
#include "base/memory.h"
#include "io/chart_internal.h"
#include "io/drawing.h"
#include "io/file.h"
#include <math.h>
#include <string.h>
#include <strings.h>

Status chart_write(const ChartPicture *picture, const char *path) {
    DrawingFormat format = DRAWING_PNG;
    unsigned char *bytes;
    size_t size;
    TRY(drawing_format(path, &format));
    TRY(chart_render(picture, format, path, &bytes, &size));
    Status status = file_write(path, 1, &(FilePart){bytes, size});
    memory_free(bytes);
    return status;
}

#if HAVE_CAIRO

enum { WIDTH = 800, HEIGHT = 500, MARGIN = 24, TITLE_FONT = 25, KEY_LINE = 44, KEY_GAP = 28 };

/* Blue, vermilion, green, purple, orange, sky blue of Okabe and Ito, and black; their yellow is too light for lines.
 * On dark paper the same hues, lighter. */
static const ChartTheme light = {
    .paper = {1, 1, 1},
    .ink = {0.13, 0.13, 0.13},
    .grid = {0.87, 0.87, 0.87},
    .full = {0.03, 0.27, 0.58},
    .lines = {{0, 0.45, 0.70},
              {0.84, 0.37, 0},
              {0, 0.62, 0.45},
              {0.80, 0.47, 0.65},
              {0.90, 0.62, 0},
              {0.34, 0.71, 0.91},
              {0, 0, 0}},
};
static const ChartTheme dark = {
    .paper = {0.09, 0.10, 0.12},
    .ink = {0.88, 0.89, 0.90},
    .grid = {0.24, 0.26, 0.29},
    .full = {0.55, 0.80, 1},
    .lines = {{0.25, 0.62, 0.92},
              {0.95, 0.50, 0.18},
              {0.12, 0.75, 0.56},
              {0.87, 0.58, 0.75},
              {0.95, 0.72, 0.15},
              {0.60, 0.85, 0.98},
              {1, 1, 1}},
};

/* ---- lines ---- */

void chart__colour(cairo_t *c, const double colour[3]) {
    cairo_set_source_rgb(c, colour[0], colour[1], colour[2]);
}

void chart__line(cairo_t *c, double x0, double y0, double x1, double y1) {
    cairo_move_to(c, x0, y0);
    cairo_line_to(c, x1, y1);
    cairo_stroke(c);
}

void chart__line_style(cairo_t *c, const ChartTheme *theme, const ChartSeries *series, size_t index) {
    static const double dashes[] = {9, 6};
    size_t place = series->colour > 0 ? (size_t)series->colour - 1 : index;
    chart__colour(c, theme->lines[place % CHART_COLOURS]);
    cairo_set_dash(c, dashes, series->dashed ? 2 : 0, 0);
}

double chart__legend(cairo_t *c, const ChartTheme *theme, const ChartSeries *series, size_t count, ChartBox at,
                     bool draw) {
    double x = at.x, y = at.y, room = at.width - KEY_LINE - KEY_GAP;
    bool any = false;
    for (size_t s = 0; s < count; s++) {
        if (!series[s].name)
            continue;
        double width = fmin(drawing_width(c, series[s].name), room) + KEY_LINE + KEY_GAP;
        if (any && x + width > at.x + at.width) {
            x = at.x;
            y += CHART_LINE;
        }
        if (draw) {
            cairo_set_line_width(c, 4);
            chart__line_style(c, theme, &series[s], s);
            chart__line(c, x, y + CHART_LINE * 0.4, x + KEY_LINE - 8, y + CHART_LINE * 0.4);
            cairo_set_dash(c, NULL, 0, 0);
            cairo_set_line_width(c, 1);
            chart__colour(c, theme->ink);
            drawing_text_within(c, series[s].name, x + KEY_LINE, y + CHART_LINE * 0.65, 0, room);
        }
        x += width;
        any = true;
    }
    return any ? y - at.y + CHART_LINE : 0;
}

/* ---- a picture ---- */

typedef struct Layout {
    double widths[CHART_MAX_CHARTS], heights[CHART_MAX_CHARTS]; /* of columns and rows of charts */
    size_t columns, rows;
    double width, height, head; /* head: of title and legend of all */
} Layout;

static void set_font(cairo_t *c, double size) {
    drawing_font(c, size);
    cairo_set_line_width(c, 1);
}

static Layout lay_out(cairo_t *c, const ChartPicture *picture) {
    Layout l = {.columns = picture->columns ? picture->columns : 1};
    if (l.columns > picture->chart_count)
        l.columns = picture->chart_count;
    l.rows = (picture->chart_count + l.columns - 1) / l.columns;
    for (size_t k = 0; k < picture->chart_count; k++) {
        double width = WIDTH, height = HEIGHT;
        if (picture->charts[k].heat)
            chart__heat_size(c, &picture->charts[k], &width, &height);
        l.widths[k % l.columns] = fmax(l.widths[k % l.columns], ceil(width));
        l.heights[k / l.columns] = fmax(l.heights[k / l.columns], ceil(height));
    }
    for (size_t k = 0; k < l.columns; k++)
        l.width += l.widths[k];
    l.head = picture->title ? MARGIN + TITLE_FONT : 0;
    double keys = chart__legend(c, NULL, picture->keys, picture->key_count,
                                (ChartBox){MARGIN, 0, l.width - 2 * MARGIN, 0}, false);
    if (keys > 0)
        l.head += keys + MARGIN;
    l.height = l.head;
    for (size_t k = 0; k < l.rows; k++)
        l.height += l.heights[k];
    l.height = ceil(l.height);
    return l;
}

typedef struct Drawn {
    const ChartPicture *picture;
    Layout layout;
} Drawn;

static void draw(cairo_t *c, const void *user, double width, double height) {
    (void)width, (void)height;
    const ChartPicture *picture = ((const Drawn *)user)->picture;
    const Layout *l = &((const Drawn *)user)->layout;
    const ChartTheme *theme = picture->dark ? &dark : &light;
    double y = 0;
    chart__colour(c, theme->paper);
    cairo_paint(c);
    chart__colour(c, theme->ink);
    if (picture->title) {
        set_font(c, TITLE_FONT);
        drawing_text_within(c, picture->title, l->width / 2, y + MARGIN / 2.0 + TITLE_FONT, 0.5, l->width - 2 * MARGIN);
        y += MARGIN + TITLE_FONT;
    }
    set_font(c, CHART_FONT);
    chart__legend(c, theme, picture->keys, picture->key_count,
                  (ChartBox){MARGIN, y + MARGIN / 2.0, l->width - 2 * MARGIN, 0}, true);
    y = l->head;
    for (size_t row = 0; row < l->rows; y += l->heights[row++]) {
        double x = 0;
        for (size_t k = 0; k < l->columns && row * l->columns + k < picture->chart_count; x += l->widths[k++]) {
            const Chart *chart = &picture->charts[row * l->columns + k];
            (chart->heat ? chart__draw_heat : chart__draw_lines)(c, theme, chart,
                                                                 (ChartBox){x, y, l->widths[k], l->heights[row]});
        }
    }
}

static Status check(const ChartPicture *picture, const char *name) {
    bool any = false;
    if (picture->chart_count > CHART_MAX_CHARTS)
        return status_fail(STATUS_FAILED, "cannot write %s: %zu charts, and %d fit into a picture", name,
                           picture->chart_count, CHART_MAX_CHARTS);
    for (size_t k = 0; k < picture->chart_count; k++) {
        const ChartHeat *heat = picture->charts[k].heat;
        if (heat && (heat->rows > CHART_MAX_CLASSES || heat->columns > CHART_MAX_CLASSES))
            return status_fail(STATUS_FAILED, "cannot write %s: %zu by %zu cells could not be told apart; at most %d",
                               name, heat->rows, heat->columns, CHART_MAX_CLASSES);
        any = any || chart__has_points(&picture->charts[k]);
    }
    return any ? STATUS_OK
               : status_fail(STATUS_FAILED, "cannot write %s: there is nothing to draw, as no value is a finite number",
                             name);
}

static void measure(cairo_t *c, void *user, double *width, double *height) {
    Drawn *drawn = user;
    set_font(c, CHART_FONT);
    drawn->layout = lay_out(c, drawn->picture);
    *width = drawn->layout.width;
    *height = drawn->layout.height;
}

Status chart_render(const ChartPicture *picture, DrawingFormat format, const char *name, unsigned char **bytes,
                    size_t *size) {
    *bytes = NULL;
    *size = 0;
    TRY(check(picture, name));
    Drawn drawn = {.picture = picture};
    return drawing_render(format, measure, draw, &drawn, name, bytes, size);
}

#else

Status chart_render(const ChartPicture *picture, DrawingFormat format, const char *name, unsigned char **bytes,
                    size_t *size) {
    (void)picture, (void)format;
    *bytes = NULL;
    *size = 0;
    return drawing_missing(name);
}
#endif
