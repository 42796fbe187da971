/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures of runs and networks, drawn with io/chart.h: what cnn_plot and report.html show.  Not collective. */
#ifndef TRAIN_PLOT_H
#define TRAIN_PLOT_H
#include "io/chart.h"
#include "train/history.h"

/* A run whose curves are drawn. */
typedef struct PlotRun {
    char *name; /* owned, for the legend */
    History *history;
    double *values; /* owned [columns][rows]: the history with its columns as rows, which a curve is */
} PlotRun;

/* Runs that are drawn together; to be given back with plot_close. */
typedef struct PlotRuns {
    PlotRun *runs;
    size_t count;
} PlotRuns;

/* Reads metrics.csv of the run folders `paths`, which may be training.  Of several each is named by its folder, and by
 * the options in which they differ, as their config.json say.
 * STATUS_FAILED: no run, or one whose first epoch is not over; names it.  plot_close also after a failure. */
Status plot_open(char *const paths[], size_t count, PlotRuns *out);
void plot_close(PlotRuns *runs);

/* How a picture is made. */
typedef struct PlotStyle {
    DrawingFormat format;
    bool dark;
    size_t columns;   /* charts beside one another; 0: as many as make a picture of a good shape */
    const char *name; /* for messages: the file's */
} PlotStyle;

/* *bytes (the caller frees with memory_free) = charts over epochs: losses, accuracies and other metrics of training
 * (solid) and validation (dashed, its best value marked), learning rate, images per second, seconds of an epoch.  What
 * no run has a number of is left out.  In one colour: a run, or where there is only one, training or validation.
 * Losses whose largest value is above 50 times the smallest stand on a logarithmic axis. */
Status plot_history(const PlotRuns *runs, PlotStyle style, unsigned char **bytes, size_t *size);

#endif
