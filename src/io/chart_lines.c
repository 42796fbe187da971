/* SPDX-License-Identifier: Apache-2.0
 *
 * One chart of curves. */
#include "io/chart_internal.h"
#if HAVE_CAIRO
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MARGIN = 24, TICK_GAP = 12, LINE_WIDTH = 3, DOT = 5 };

/* Extent of all finite points; false when there is none. */
static bool measure(const Chart *chart, ChartAxis *x, ChartAxis *y) {
    x->low = y->low = INFINITY;
    x->high = y->high = -INFINITY;
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++) {
            double at = chart__unit(x, chart->series[s].x[i]), value = chart__unit(y, chart->series[s].y[i]);
            if (!isfinite(at) || !isfinite(value))
                continue;
            x->low = fmin(x->low, at);
            x->high = fmax(x->high, at);
            y->low = fmin(y->low, value);
            y->high = fmax(y->high, value);
        }
    return x->low <= x->high;
}

bool chart__has_points(const Chart *chart) {
    ChartAxis x = {.log = chart->log_x}, y = {.log = chart->log_y};
    return chart->heat != NULL || measure(chart, &x, &y);
}

/* ---- axes ---- */

static double widest_tick(cairo_t *c, const ChartAxis *axis) {
    char text[CHART_TICK];
    double width = 0;
    for (size_t k = 0; k < axis->tick_count; k++)
        width = fmax(width, drawing_width(c, chart__tick_text(axis, axis->ticks[k], text)));
    return width;
}

static void draw_y_axis(cairo_t *c, const ChartTheme *theme, const ChartAxis *y, const ChartAxis *x) {
    char text[CHART_TICK];
    for (size_t k = 0; k < y->tick_count; k++) {
        double at = chart__pixel(y, y->ticks[k]);
        chart__colour(c, theme->grid);
        chart__line(c, x->from, at, x->to, at);
        chart__colour(c, theme->ink);
        drawing_text_within(c, chart__tick_text(y, y->ticks[k], text), x->from - TICK_GAP, at + CHART_FONT * 0.35, 1,
                            x->from);
    }
}

/* Labels that would run into the one before are left out. */
static void draw_x_axis(cairo_t *c, const ChartTheme *theme, const ChartAxis *x, const ChartAxis *y) {
    char text[CHART_TICK];
    double end = -INFINITY;
    for (size_t k = 0; k < x->tick_count; k++) {
        double at = chart__pixel(x, x->ticks[k]);
        chart__colour(c, theme->grid);
        chart__line(c, at, y->from, at, y->to);
        double half = drawing_width(c, chart__tick_text(x, x->ticks[k], text)) / 2;
        if (at - half < end + TICK_GAP)
            continue;
        end = at + half;
        chart__colour(c, theme->ink);
        drawing_text_within(c, text, at, y->from + TICK_GAP + CHART_FONT * 0.7, 0.5, 2 * half + 1);
    }
}

/* ---- curves ---- */

static bool point(const ChartSeries *series, size_t i, const ChartAxis *x, const ChartAxis *y, double at[2]) {
    if (i >= series->count)
        return false;
    at[0] = chart__pixel(x, series->x[i]);
    at[1] = chart__pixel(y, series->y[i]);
    return isfinite(at[0]) && isfinite(at[1]);
}

static void dot(cairo_t *c, const double at[2], double radius) {
    cairo_arc(c, at[0], at[1], radius, 0, 2 * M_PI);
    cairo_fill(c);
}

static void draw_curve(cairo_t *c, const ChartSeries *series, const ChartAxis *x, const ChartAxis *y) {
    double at[2], other[2];
    bool drawing = false;
    for (size_t i = 0; i < series->count; i++) {
        bool good = point(series, i, x, y, at);
        if (good)
            (drawing ? cairo_line_to : cairo_move_to)(c, at[0], at[1]);
        drawing = good;
    }
    cairo_stroke(c);
    for (size_t i = 0; i < series->count; i++)
        if (point(series, i, x, y, at) && !(i > 0 && point(series, i - 1, x, y, other)) &&
            !point(series, i + 1, x, y, other))
            dot(c, at, DOT);
}

/* A dot and its value, on paper so that lines do not run through it. */
static void draw_mark(cairo_t *c, const ChartTheme *theme, const ChartSeries *series, const ChartAxis *x,
                      const ChartAxis *y) {
    double at[2];
    char text[CHART_TICK];
    if (series->mark == 0 || !point(series, series->mark - 1, x, y, at))
        return;
    dot(c, at, 1.5 * DOT);
    snprintf(text, sizeof text, "%.4g", series->y[series->mark - 1]);
    double width = drawing_width(c, text), left = at[0] + 12, base = at[1] - 12;
    if (left + width > x->to)
        left = at[0] - 12 - width;
    if (base - CHART_FONT < y->to)
        base = at[1] + 12 + CHART_FONT * 0.8;
    cairo_set_source_rgba(c, theme->paper[0], theme->paper[1], theme->paper[2], 0.8);
    cairo_rectangle(c, left - 3, base - CHART_FONT * 0.85, width + 6, CHART_FONT * 1.1);
    cairo_fill(c);
    chart__colour(c, theme->ink);
    drawing_text_within(c, text, left, base, 0, width + 1);
}

static void draw_series(cairo_t *c, const ChartTheme *theme, const Chart *chart, const ChartAxis *x,
                        const ChartAxis *y) {
    cairo_set_line_width(c, LINE_WIDTH);
    cairo_set_line_join(c, CAIRO_LINE_JOIN_ROUND);
    for (size_t s = 0; s < chart->series_count; s++) {
        chart__line_style(c, theme, &chart->series[s], s);
        draw_curve(c, &chart->series[s], x, y);
    }
    for (size_t s = 0; s < chart->series_count; s++) {
        chart__line_style(c, theme, &chart->series[s], s);
        draw_mark(c, theme, &chart->series[s], x, y);
    }
    cairo_set_dash(c, NULL, 0, 0);
    cairo_set_line_width(c, 1);
}

static void draw_y_label(cairo_t *c, const char *text, ChartBox box) {
    cairo_save(c);
    cairo_translate(c, box.x + CHART_FONT, box.y + box.height / 2);
    cairo_rotate(c, -M_PI / 2);
    drawing_text_within(c, text, 0, 0, 0.5, box.height);
    cairo_restore(c);
}

void chart__draw_lines(cairo_t *c, const ChartTheme *theme, const Chart *chart, ChartBox box) {
    ChartAxis x = {.log = chart->log_x}, y = {.log = chart->log_y};
    double top = box.y + MARGIN, bottom = box.y + box.height - MARGIN - CHART_LINE;
    chart__colour(c, theme->ink);
    if (chart->title) {
        drawing_text_within(c, chart->title, box.x + box.width / 2, box.y + CHART_LINE, 0.5, box.width - MARGIN);
        top += CHART_LINE;
    }
    top += chart__legend(c, theme, chart->series, chart->series_count,
                         (ChartBox){box.x + MARGIN, top, box.width - 2 * MARGIN, 0}, true);
    if (!measure(chart, &x, &y)) {
        drawing_text_within(c, "no values", box.x + box.width / 2, (top + bottom) / 2, 0.5, box.width);
        return;
    }
    chart__fit_axis(&x, (ChartFit){.whole = chart->whole_x, .count = 7});
    chart__fit_axis(&y, (ChartFit){.round = true, .count = 5});
    if (chart->x_label)
        bottom -= CHART_LINE;
    x.from = box.x + MARGIN + (chart->y_label ? CHART_LINE : 0) + widest_tick(c, &y) + TICK_GAP;
    x.to = box.x + box.width - 1.5 * MARGIN;
    y.from = bottom;
    y.to = top + MARGIN / 2.0;
    draw_x_axis(c, theme, &x, &y);
    draw_y_axis(c, theme, &y, &x);
    if (chart->x_label)
        drawing_text_within(c, chart->x_label, (x.from + x.to) / 2, box.y + box.height - MARGIN / 2.0, 0.5, box.width);
    if (chart->y_label)
        draw_y_label(c, chart->y_label, box);
    chart__colour(c, theme->ink);
    cairo_rectangle(c, x.from, y.to, x.to - x.from, y.from - y.to);
    cairo_stroke(c);
    if (chart->mark != 0)
        chart__line(c, chart__pixel(&x, chart->mark), y.from, chart__pixel(&x, chart->mark), y.to);
    draw_series(c, theme, chart, &x, &y);
}
#endif
