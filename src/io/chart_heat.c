/* SPDX-License-Identifier: Apache-2.0
 *
 * One heat map: cells, names of rows at the left, of columns below (slanted), a scale at the right. */
#include "io/chart_internal.h"
#if HAVE_CAIRO
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MARGIN = 24, GAP = 10, NAME_ROOM = 260, SCALE = 130, SMALL_FONT = 15, MIN_PLOT = 260 };

/* Pixels of a cell's side: as large as makes a picture of a sensible size. */
static double cell_size(const ChartHeat *heat) {
    size_t n = heat->rows > heat->columns ? heat->rows : heat->columns;
    double size = floor(1400 / (double)n);
    return n <= 4 ? 90 : n <= 12 ? 66 : n <= 30 ? 44 : size < 1 ? 1 : size;
}

/* Of the scale at the right: that of the cells, unless these are few. */
static double plot_height(const ChartHeat *heat) {
    return fmax(MIN_PLOT, (double)heat->rows * cell_size(heat));
}

static const char *name_of(const char *const *names, size_t i, char number[CHART_TICK]) {
    if (names)
        return names[i];
    snprintf(number, CHART_TICK, "%zu", i);
    return number;
}

/* Every so many names are written, so that lines of text do not touch. */
static size_t name_step(const ChartHeat *heat) {
    return (size_t)ceil((CHART_FONT + 3) / cell_size(heat));
}

static double widest_name(cairo_t *c, const char *const *names, size_t count) {
    char number[CHART_TICK];
    double width = 0;
    for (size_t i = 0; i < count; i++)
        width = fmax(width, drawing_width(c, name_of(names, i, number)));
    return fmin(width, NAME_ROOM);
}

/* Slanted by 45 degrees unless all fit side by side. */
static bool slanted(cairo_t *c, const ChartHeat *heat) {
    return widest_name(c, heat->column_names, heat->columns) > cell_size(heat) * (double)name_step(heat) - GAP;
}

static double names_height(cairo_t *c, const ChartHeat *heat) {
    double wide = widest_name(c, heat->column_names, heat->columns);
    return GAP + (slanted(c, heat) ? (wide + CHART_FONT) * M_SQRT1_2 : CHART_FONT);
}

/* Where the cells begin: behind the names of rows, and behind the first column's slanted name. */
static double left_of(cairo_t *c, const Chart *chart) {
    const ChartHeat *heat = chart->heat;
    double names = widest_name(c, heat->row_names, heat->rows) + GAP;
    double slant = slanted(c, heat) ? widest_name(c, heat->column_names, heat->columns) * M_SQRT1_2 : 0;
    return MARGIN + fmax((chart->y_label ? CHART_LINE : 0) + names, slant - cell_size(heat) / 2);
}

static double top_of(const Chart *chart) {
    return MARGIN + (chart->title ? CHART_LINE : 0);
}

void chart__heat_size(cairo_t *c, const Chart *chart, double *width, double *height) {
    const ChartHeat *heat = chart->heat;
    double cells = (double)heat->columns * cell_size(heat);
    double title = chart->title ? drawing_width(c, chart->title) + 2 * MARGIN : 0;
    *width = fmax(left_of(c, chart) + cells + SCALE, fmin(title, 800));
    double below = names_height(c, heat) + (chart->x_label ? CHART_LINE : 0);
    *height = top_of(chart) + fmax(plot_height(heat), (double)heat->rows * cell_size(heat) + below) + MARGIN;
}

/* ---- drawing ---- */

/* From the paper's colour (share 0) to the theme's full one; the square root makes few errors seen. */
static void shade(const ChartTheme *theme, double share, double colour[3]) {
    for (int k = 0; k < 3; k++)
        colour[k] = theme->paper[k] + (theme->full[k] - theme->paper[k]) * sqrt(share);
}

/* The lightness decides whether a number on it is black or white (Rec. 709 weights). */
static void number_colour(cairo_t *c, const double colour[3]) {
    double light = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2];
    chart__colour(c, light > 0.5 ? (double[3]){0, 0, 0} : (double[3]){1, 1, 1});
}

static double row_sum(const ChartHeat *heat, size_t row) {
    double sum = 0;
    for (size_t k = 0; k < heat->columns; k++)
        sum += heat->values[row * heat->columns + k];
    return sum;
}

/* Size of the numbers' text: that the widest fits its cell; 0: none does. */
static double number_font(cairo_t *c, const ChartHeat *heat) {
    char text[CHART_TICK];
    double width = 0, room = cell_size(heat) - 6;
    if (room < SMALL_FONT)
        return 0;
    for (size_t i = 0; i < heat->rows * heat->columns; i++) {
        snprintf(text, sizeof text, "%.5g", heat->values[i]);
        width = fmax(width, drawing_width(c, text));
    }
    double font = width > room ? CHART_FONT * room / width : CHART_FONT;
    return font < SMALL_FONT ? 0 : font;
}

static void draw_cells(cairo_t *c, const ChartTheme *theme, const ChartHeat *heat, double left, double top) {
    double size = cell_size(heat), font = number_font(c, heat), colour[3];
    char text[CHART_TICK];
    cairo_set_antialias(c, CAIRO_ANTIALIAS_NONE); /* no seams between cells */
    cairo_set_font_size(c, font > 0 ? font : CHART_FONT);
    for (size_t row = 0; row < heat->rows; row++) {
        double sum = row_sum(heat, row);
        for (size_t column = 0; column < heat->columns; column++) {
            double x = left + (double)column * size, y = top + (double)row * size;
            double value = heat->values[row * heat->columns + column];
            shade(theme, sum > 0 ? value / sum : 0, colour);
            chart__colour(c, colour);
            cairo_rectangle(c, x, y, size, size);
            cairo_fill(c);
            if (font <= 0 || value == 0)
                continue;
            number_colour(c, colour);
            snprintf(text, sizeof text, "%.5g", value);
            drawing_text_within(c, text, x + size / 2, y + size / 2 + font * 0.35, 0.5, size);
        }
    }
    cairo_set_antialias(c, CAIRO_ANTIALIAS_DEFAULT);
    cairo_set_font_size(c, CHART_FONT);
    chart__colour(c, theme->ink);
    cairo_rectangle(c, left, top, (double)heat->columns * size, (double)heat->rows * size);
    cairo_stroke(c);
}

static void draw_names(cairo_t *c, const ChartHeat *heat, double left, double top) {
    double size = cell_size(heat), bottom = top + (double)heat->rows * size;
    size_t step = name_step(heat);
    bool slant = slanted(c, heat);
    char number[CHART_TICK];
    for (size_t i = 0; i < heat->rows; i += step)
        drawing_text_within(c, name_of(heat->row_names, i, number), left - GAP,
                            top + ((double)i + 0.5) * size + CHART_FONT * 0.35, 1, NAME_ROOM);
    for (size_t i = 0; i < heat->columns; i += step) {
        cairo_save(c);
        cairo_translate(c, left + ((double)i + 0.5) * size, bottom + GAP + CHART_FONT * 0.7);
        if (slant)
            cairo_rotate(c, -M_PI / 4);
        drawing_text_within(c, name_of(heat->column_names, i, number), slant ? CHART_FONT * 0.3 : 0, 0, slant ? 1 : 0.5,
                            NAME_ROOM);
        cairo_restore(c);
    }
}

/* What shades mean. */
static void draw_scale(cairo_t *c, const ChartTheme *theme, double left, double top, double height) {
    static const double marks[] = {0, 0.01, 0.1, 0.25, 0.5, 1};
    enum { STEPS = 64, WIDTH = 24 };
    double colour[3];
    char text[CHART_TICK];
    cairo_set_antialias(c, CAIRO_ANTIALIAS_NONE);
    for (int k = 0; k < STEPS; k++) { /* evenly in the square root of the share, as the eye sees it */
        double root = (k + 0.5) / STEPS;
        shade(theme, root * root, colour);
        chart__colour(c, colour);
        cairo_rectangle(c, left, top + height * (1 - (k + 1.0) / STEPS), WIDTH, height / STEPS + 1);
        cairo_fill(c);
    }
    cairo_set_antialias(c, CAIRO_ANTIALIAS_DEFAULT);
    chart__colour(c, theme->ink);
    cairo_rectangle(c, left, top, WIDTH, height);
    cairo_stroke(c);
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
        snprintf(text, sizeof text, "%g %%", 100 * marks[k]);
        drawing_text_within(c, text, left + WIDTH + GAP, top + height * (1 - sqrt(marks[k])) + CHART_FONT * 0.35, 0,
                            SCALE);
    }
}

void chart__draw_heat(cairo_t *c, const ChartTheme *theme, const Chart *chart, ChartBox box) {
    const ChartHeat *heat = chart->heat;
    double size = cell_size(heat), left = box.x + left_of(c, chart), top = box.y + top_of(chart);
    double width = (double)heat->columns * size, height = (double)heat->rows * size;
    chart__colour(c, theme->ink);
    if (chart->title)
        drawing_text_within(c, chart->title, box.x + box.width / 2, box.y + CHART_LINE, 0.5, box.width);
    draw_cells(c, theme, heat, left, top);
    draw_names(c, heat, left, top);
    draw_scale(c, theme, left + width + 1.5 * GAP, top, plot_height(heat));
    if (chart->x_label)
        drawing_text_within(c, chart->x_label, left + width / 2, top + height + names_height(c, heat) + CHART_LINE, 0.5,
                            box.width);
    if (chart->y_label) {
        cairo_save(c);
        cairo_translate(c, box.x + CHART_FONT, top + height / 2);
        cairo_rotate(c, -M_PI / 2);
        drawing_text_within(c, chart->y_label, 0, 0, 0.5, fmax(height, MIN_PLOT));
        cairo_restore(c);
    }
}
#endif
