/* SPDX-License-Identifier: Apache-2.0
 *
 * Charts as pictures: curves over a common x axis and heat maps, several of them in one picture, as PNG, SVG or PDF, in
 * a file or in memory.  A build without it has the functions, which fail.
 *
 *     ChartSeries loss = {.name = "loss", .x = rates, .y = losses, .count = count};
 *     Chart chart = {.title = "loss", .x_label = "learning rate", .log_x = true, .series = &loss, .series_count = 1};
 *     TRY(chart_write(&(ChartPicture){.charts = &chart, .chart_count = 1}, "lr.png"));
 *
 * Colours are those of Okabe and Ito, told apart by colour-blind people too ("Color Universal Design", 2008); a line is
 * also solid or dashed.  Text is readable at half the picture's size.  Legends stand above the plots and cover
 * nothing. */
#ifndef IO_CHART_H
#define IO_CHART_H
#include "io/drawing.h"
#include <stdbool.h>
#include <stddef.h>

enum {
    CHART_COLOURS = 7,        /* of the palette; then they come again */
    CHART_MAX_CLASSES = 2000, /* rows, and columns, of a heat map */
    CHART_MAX_CHARTS = 64     /* in a picture */
};

typedef struct ChartSeries {
    const char *name; /* for the legend; NULL: not in it */
    const double *x,
        *y; /* [count]; a point that is not finite, or not above 0 on a logarithmic axis, interrupts the line;
                            one without neighbours is a dot */
    size_t count;
    int colour;  /* of the palette, from 1 on; 0: by its place among the series */
    bool dashed; /* a second style, as for validation */
    size_t mark; /* this point, from 1 on, gets a dot and its value beside it; 0: none */
} ChartSeries;

/* Rows by columns of numbers, as a confusion matrix: cells are shaded by their share of the row's sum, on a square root
 * scale so that few errors show, and have their number where there is room for it. */
typedef struct ChartHeat {
    size_t rows, columns;                               /* each 1 .. CHART_MAX_CLASSES */
    const double *values;                               /* [rows][columns], 0 or more */
    const char *const *row_names, *const *column_names; /* NULL: their numbers, from 0 on */
} ChartHeat;

typedef struct Chart {
    const char *title, *x_label, *y_label; /* NULL: none */
    bool log_x, log_y;
    bool whole_x; /* x are whole numbers (epochs): no labels between them */
    const ChartSeries *series;
    size_t series_count;
    double mark;           /* a vertical line at this x; 0: none */
    const ChartHeat *heat; /* instead of series; x_label and y_label are those of columns and rows */
} Chart;

typedef struct ChartPicture {
    const char *title;   /* above all; NULL: none */
    const Chart *charts; /* row by row */
    size_t chart_count;
    size_t columns;          /* charts beside one another; 0: 1 */
    const ChartSeries *keys; /* a legend for all charts: names, colours, styles; or NULL and 0 */
    size_t key_count;
    bool dark; /* for a dark page */
} ChartPicture;

/* *bytes (the caller frees with memory_free) = the picture, of 800 x 500 pixels or points for each chart of curves, and
 * as large as needed for a heat map.  A chart without a point that can be drawn says so if another has some.
 * Everything borrowed.  `name` is for messages.  Not collective.  Texts need not be valid UTF-8.
 * STATUS_FAILED: nothing to draw, a heat map or picture that is too large, out of memory, built without cairo. */
Status chart_render(const ChartPicture *picture, DrawingFormat format, const char *name, unsigned char **bytes,
                    size_t *size);

/* Replaces `path` by the picture, atomically and durably (io/file.h); its format by drawing_format.  Fails like
 * both. */
Status chart_write(const ChartPicture *picture, const char *path);

#endif
