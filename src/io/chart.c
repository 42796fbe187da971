/* SPDX-License-Identifier: Apache-2.0 */
#include "io/chart.h"
#if HAVE_CAIRO
#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 960, HEIGHT = 600, LEFT = 90, RIGHT = 30, TOP = 50, BOTTOM = 70 };

/* One axis: `low` to `high` in its own unit (the decimal logarithm where `log`) lie at pixels `from` to `to`. */
typedef struct Axis {
    double low, high, from, to, step; /* step: between labels */
    bool log;
} Axis;

static double unit_of(const Axis *axis, double value) {
    return axis->log ? (value > 0 ? log10(value) : NAN) : value;
}

static double pixel(const Axis *axis, double value) {
    return axis->from + (unit_of(axis, value) - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

/* Widens the axis to whole steps of 1, 2 or 5 times a power of ten that make about six labels. */
static void round_axis(Axis *axis) {
    double range = axis->high > axis->low ? axis->high - axis->low : 1, rough = range / 6;
    double power = pow(10, floor(log10(rough))), part = rough / power;
    axis->step = power * (part > 5 ? 10 : part > 2 ? 5 : part > 1 ? 2 : 1);
    if (axis->log && axis->step < 1)
        axis->step = 1;
    axis->low = floor(axis->low / axis->step) * axis->step;
    axis->high = fmax(ceil(axis->high / axis->step), axis->low / axis->step + 1) * axis->step;
}

/* Extent of all finite points; false when there is none. */
static bool measure(const Chart *chart, Axis *x, Axis *y) {
    x->low = y->low = INFINITY;
    x->high = y->high = -INFINITY;
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++) {
            double at = unit_of(x, chart->series[s].x[i]), value = chart->series[s].y[i];
            if (!isfinite(at) || !isfinite(value))
                continue;
            x->low = fmin(x->low, at);
            x->high = fmax(x->high, at);
            y->low = fmin(y->low, value);
            y->high = fmax(y->high, value);
        }
    if (x->low > x->high)
        return false;
    round_axis(x);
    round_axis(y);
    return true;
}

/* Text with its `anchor` (0 left, 0.5 middle, 1 right) at (x, y). */
static void put_text(cairo_t *c, const char *text, double x, double y, double anchor) {
    cairo_text_extents_t extents;
    cairo_text_extents(c, text, &extents);
    cairo_move_to(c, x - anchor * extents.width, y);
    cairo_show_text(c, text);
}

static void draw_line(cairo_t *c, double x0, double y0, double x1, double y1) {
    cairo_move_to(c, x0, y0);
    cairo_line_to(c, x1, y1);
    cairo_stroke(c);
}

/* Grid lines and labels at each step; `across`: it is the x axis. */
static void draw_axis(cairo_t *c, const Axis *axis, const Axis *other, bool across) {
    long count = lround((axis->high - axis->low) / axis->step);
    for (long k = 0; k <= count; k++) {
        double unit = axis->low + (double)k * axis->step,
               at = axis->from + (axis->to - axis->from) * (double)k / (double)count;
        char text[32];
        snprintf(text, sizeof text, "%.6g", axis->log ? pow(10, unit) : fabs(unit) < axis->step / 2 ? 0 : unit);
        cairo_set_source_rgb(c, 0.85, 0.85, 0.85);
        if (across)
            draw_line(c, at, other->from, at, other->to);
        else
            draw_line(c, other->from, at, other->to, at);
        cairo_set_source_rgb(c, 0, 0, 0);
        if (across)
            put_text(c, text, at, other->from + 22, 0.5);
        else
            put_text(c, text, other->from - 10, at + 5, 1);
    }
}

static void draw_series(cairo_t *c, const Chart *chart, const Axis *x, const Axis *y) {
    static const double colours[][3] = {{0.12, 0.47, 0.71}, {0.84, 0.15, 0.16}, {0.17, 0.63, 0.17},
                                        {1.00, 0.50, 0.05}, {0.58, 0.40, 0.74}, {0.55, 0.34, 0.29}};
    for (size_t s = 0; s < chart->series_count; s++) {
        const ChartSeries *series = &chart->series[s];
        const double *colour = colours[s % (sizeof colours / sizeof *colours)];
        double row = TOP + 20 + 20 * (double)s;
        bool drawing = false;
        cairo_set_source_rgb(c, colour[0], colour[1], colour[2]);
        cairo_set_line_width(c, 2);
        for (size_t i = 0; i < series->count; i++) {
            double at = pixel(x, series->x[i]), value = pixel(y, series->y[i]);
            bool good = isfinite(at) && isfinite(value);
            if (good)
                (drawing ? cairo_line_to : cairo_move_to)(c, at, value);
            drawing = good;
        }
        cairo_stroke(c);
        draw_line(c, WIDTH - 190, row - 5, WIDTH - 160, row - 5);
        cairo_set_source_rgb(c, 0, 0, 0);
        put_text(c, series->name, WIDTH - 152, row, 0);
    }
}

static void draw(cairo_t *c, const Chart *chart, const Axis *x, const Axis *y) {
    cairo_set_source_rgb(c, 1, 1, 1);
    cairo_paint(c);
    cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c, 14);
    cairo_set_line_width(c, 1);
    draw_axis(c, x, y, true);
    draw_axis(c, y, x, false);
    put_text(c, chart->x_label, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 20, 0.5);
    put_text(c, chart->y_label, LEFT, TOP - 10, 0.5);
    cairo_set_font_size(c, 18);
    put_text(c, chart->title, WIDTH / 2.0, 28, 0.5);
    cairo_set_font_size(c, 14);
    cairo_rectangle(c, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    cairo_stroke(c);
    if (chart->mark != 0) {
        cairo_set_source_rgb(c, 0.5, 0.5, 0.5);
        draw_line(c, pixel(x, chart->mark), y->from, pixel(x, chart->mark), y->to);
    }
    draw_series(c, chart, x, y);
}

bool chart_available(void) {
    return true;
}

Status chart_write(const Chart *chart, const char *path) {
    Axis x = {.from = LEFT, .to = WIDTH - RIGHT, .log = chart->log_x}, y = {.from = HEIGHT - BOTTOM, .to = TOP};
    const char *end = strrchr(path, '.');
    bool svg = end && strcmp(end, ".svg") == 0;
    if (!measure(chart, &x, &y))
        return status_fail(STATUS_FAILED, "cannot write %s: there is nothing to draw", path);
    cairo_surface_t *surface = svg ? cairo_svg_surface_create(path, WIDTH, HEIGHT)
                                   : cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
    cairo_t *c = cairo_create(surface);
    draw(c, chart, &x, &y);
    cairo_status_t result = cairo_status(c);
    cairo_destroy(c);
    if (result == CAIRO_STATUS_SUCCESS && !svg)
        result = cairo_surface_write_to_png(surface, path);
    cairo_surface_finish(surface);
    if (result == CAIRO_STATUS_SUCCESS)
        result = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return result == CAIRO_STATUS_SUCCESS
               ? STATUS_OK
               : status_fail(STATUS_FAILED, "cannot write %s: cairo: %s", path, cairo_status_to_string(result));
}

#else

bool chart_available(void) {
    return false;
}

Status chart_write(const Chart *chart, const char *path) {
    (void)chart;
    return status_fail(STATUS_FAILED,
                       "cannot write %s: this program was built without cairo (Debian: libcairo2-dev); install it and "
                       "build again",
                       path);
}
#endif
