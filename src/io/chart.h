/* SPDX-License-Identifier: Apache-2.0
 *
 * Line charts as pictures: curves over a common x axis, with axes, grid, labels and a legend.  The only user of cairo.h; a
 * build without cairo has the function, which fails.
 *
 *     ChartSeries loss = {"loss", rates, losses, count};
 *     TRY(chart_write(&(Chart){.title = "loss", .x_label = "learning rate", .log_x = true, .series = &loss,
 *                              .series_count = 1}, "lr.png"));
 */
#ifndef IO_CHART_H
#define IO_CHART_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

typedef struct ChartSeries {
    const char *name;    /* for the legend */
    const double *x, *y; /* [count]; points that are not finite interrupt the line */
    size_t count;
} ChartSeries;

typedef struct Chart {
    const char *title, *x_label, *y_label;
    bool log_x; /* x above 0; others are left out */
    const ChartSeries *series;
    size_t series_count;
    double mark; /* a vertical line at this x; 0: none */
} Chart;

/* Was the program built with cairo? */
bool chart_available(void);

/* Replaces `path` by the picture: .svg by its name, else PNG of 960 x 600 pixels.  Everything borrowed.  Not collective.
 * STATUS_FAILED: no finite point, cannot write, out of memory, built without cairo. */
Status chart_write(const Chart *chart, const char *path);

#endif
