/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of charts: chart_axis.c decides what stands at an axis, chart_lines.c and chart_heat.c draw one
 * chart, chart.c puts charts into a picture. */
#ifndef IO_CHART_INTERNAL_H
#define IO_CHART_INTERNAL_H
#include "io/chart.h"

/* ---- axes: no drawing ---- */

enum { CHART_MAX_TICKS = 32, CHART_TICK = 32 };

/* `low` to `high` in the axis's own unit (decimal logarithms where `log`) lie at pixels `from` to `to`. */
typedef struct ChartAxis {
    double low, high, from, to;
    bool log;
    double ticks[CHART_MAX_TICKS]; /* values, not units, that get a label: round numbers, ascending */
    size_t tick_count;
    int decimals; /* of labels; -1: as short as it goes */
} ChartAxis;

/* How chart__fit_axis chooses. */
typedef struct ChartFit {
    bool whole;   /* labels are whole numbers */
    bool round;   /* low and high become labels themselves */
    size_t count; /* of labels: about as many */
} ChartFit;

/* The unit of a value: NAN where the axis has no place for it. */
double chart__unit(const ChartAxis *axis, double value);
double chart__pixel(const ChartAxis *axis, double value);

/* Given the extent of the values in low and high (in units, low <= high, finite): widens it to where the axis begins
 * and ends, and chooses ticks. */
void chart__fit_axis(ChartAxis *axis, ChartFit fit);

const char *chart__tick_text(const ChartAxis *axis, double value, char text[CHART_TICK]);

/* ---- drawing ---- */

#if HAVE_CAIRO
#include "io/drawing.h"

enum { CHART_FONT = 21, CHART_LINE = 30 }; /* size of text, and from one line of it to the next; pixels */

typedef struct ChartTheme {
    double paper[3], ink[3], grid[3], full[3]; /* full: of a heat map's cell with all of its row */
    double lines[CHART_COLOURS][3];
} ChartTheme;

/* A rectangle of the picture. */
typedef struct ChartBox {
    double x, y, width, height;
} ChartBox;

void chart__colour(cairo_t *c, const double colour[3]);
void chart__line(cairo_t *c, double x0, double y0, double x1, double y1);

/* A legend of `width` pixels from (x, y) on, in as many rows as it takes; returns their height.  Draws only with
 * `draw`. */
double chart__legend(cairo_t *c, const ChartTheme *theme, const ChartSeries *series, size_t count, ChartBox at,
                     bool draw);
/* Colour and dashes of series number `index`. */
void chart__line_style(cairo_t *c, const ChartTheme *theme, const ChartSeries *series, size_t index);

/* Is there a point to draw? */
bool chart__has_points(const Chart *chart);

/* The chart in its box, which for a heat map is of the size that chart__heat_size says. */
void chart__draw_lines(cairo_t *c, const ChartTheme *theme, const Chart *chart, ChartBox box);
void chart__draw_heat(cairo_t *c, const ChartTheme *theme, const Chart *chart, ChartBox box);
void chart__heat_size(cairo_t *c, const Chart *chart, double *width, double *height);
#endif
#endif
