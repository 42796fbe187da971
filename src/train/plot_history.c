/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "train/monitor.h"
#include "train/plot.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CHARTS = CHART_MAX_CHARTS, NAME = 96 };
static const double log_from = 50; /* largest over smallest value */

/* The picture while it is put together. */
typedef struct Drawing {
    const PlotRuns *runs;
    Chart charts[MAX_CHARTS];
    char titles[MAX_CHARTS][NAME];
    size_t chart_count;
    ChartSeries *series; /* [MAX_CHARTS][2 * runs] */
} Drawing;

/* Titles of columns that do not speak for themselves; "": no chart of its own. */
static const char *title_of(const char *column) {
    static const char *const titles[][2] = {
        {"epoch", ""},
        {"step", ""},
        {"data_s", ""},
        {"lr", "learning rate"},
        {"seconds", "seconds per epoch (dashed: waiting for data)"},
        {"images_per_s", "images per second"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(column, titles[i][0]) == 0)
            return titles[i][1];
    return column;
}

/* Of the best value; 0: the column has no best one. */
static size_t best_point(const History *history, const char *column, const double *values) {
    Monitor monitor;
    size_t best = 0;
    if (monitor_find(column, history, true, &monitor) != STATUS_OK)
        return 0;
    for (size_t r = 0; r < history->row_count; r++)
        if (isfinite(values[r]) && (best == 0 || monitor_better(&monitor, values[r], values[best - 1], 0)))
            best = r + 1;
    return best;
}

static bool has_numbers(const double *values, size_t count) {
    for (size_t r = 0; r < count; r++)
        if (isfinite(values[r]))
            return true;
    return false;
}

/* The curve of a run's column; false: it has none, or no number. */
static bool add_series(const Drawing *d, size_t run, const char *column, bool second, Chart *chart) {
    const PlotRun *of = &d->runs->runs[run];
    const History *history = of->history;
    size_t c = history_column(history, column);
    if (c == history->column_count || !has_numbers(of->values + c * history->row_count, history->row_count))
        return false;
    ChartSeries *series = (ChartSeries *)&chart->series[chart->series_count++];
    bool alone = d->runs->count == 1, validation = strncmp(column, "val_", 4) == 0;
    *series = (ChartSeries){.x = of->values, /* the first column: epoch */
                            .y = of->values + c * history->row_count,
                            .count = history->row_count,
                            .colour = alone ? 1 + second : 1 + (int)(run % CHART_COLOURS),
                            .dashed = second};
    if (alone && validation)
        series->mark = best_point(history, column, series->y);
    return true;
}

static bool spreads(const Chart *chart) {
    double low = INFINITY, high = -INFINITY;
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++) {
            double y = chart->series[s].y[i];
            if (!isfinite(y))
                continue;
            low = fmin(low, y);
            high = fmax(high, y);
        }
    return low > 0 && high > log_from * low;
}

/* A chart of a column and of the one that belongs to it, unless no run has a number of either. */
static void add_chart(Drawing *d, const char *column) {
    char other[NAME + 8];
    Chart *chart = &d->charts[d->chart_count];
    if (d->chart_count == MAX_CHARTS || strncmp(column, "val_", 4) == 0 || title_of(column)[0] == '\0')
        return;
    if (strcmp(column, "seconds") == 0)
        snprintf(other, sizeof other, "data_s");
    else
        snprintf(other, sizeof other, "val_%s", column);
    snprintf(d->titles[d->chart_count], NAME, "%s", title_of(column));
    *chart = (Chart){.title = d->titles[d->chart_count],
                     .x_label = "epoch",
                     .whole_x = true,
                     .series = d->series + d->chart_count * 2 * d->runs->count};
    for (size_t run = 0; run < d->runs->count; run++) {
        add_series(d, run, column, false, chart);
        add_series(d, run, other, true, chart);
    }
    chart->log_y = strstr(column, "loss") && spreads(chart);
    d->chart_count += chart->series_count > 0;
}

/* Says how training went, not how good the network is. */
static bool is_of_training(const char *column) {
    return title_of(column) != column;
}

/* Every column that any run has, in the order of the first that has it: of the network, or of training. */
static void add_charts(Drawing *d, bool of_training) {
    for (size_t run = 0; run < d->runs->count; run++) {
        const History *history = d->runs->runs[run].history;
        for (size_t c = 0; c < history->column_count; c++) {
            bool known = false;
            for (size_t before = 0; before < run; before++) {
                const History *other = d->runs->runs[before].history;
                known = known || history_column(other, history->columns[c]) < other->column_count;
            }
            if (!known && is_of_training(history->columns[c]) == of_training)
                add_chart(d, history->columns[c]);
        }
    }
}

static bool any_validation(const Drawing *d) {
    for (size_t k = 0; k < d->chart_count; k++)
        for (size_t s = 0; s < d->charts[k].series_count; s++)
            if (d->charts[k].series[s].dashed && strcmp(d->titles[k], title_of("seconds")) != 0)
                return true;
    return false;
}

/* keys[runs + 2]: of the runs, then of the styles; of one run, of the styles alone. */
static size_t make_keys(const Drawing *d, ChartSeries *keys) {
    size_t count = 0, runs = d->runs->count;
    bool validation = any_validation(d);
    for (size_t run = 0; runs > 1 && run < runs; run++)
        keys[count++] = (ChartSeries){.name = d->runs->runs[run].name, .colour = 1 + (int)(run % CHART_COLOURS)};
    if (validation || runs == 1)
        keys[count++] = (ChartSeries){.name = "training", .colour = runs == 1 ? 1 : CHART_COLOURS};
    if (validation)
        keys[count++] = (ChartSeries){.name = "validation", .colour = runs == 1 ? 2 : CHART_COLOURS, .dashed = true};
    return count;
}

Status plot_history(const PlotRuns *runs, PlotStyle style, unsigned char **bytes, size_t *size) {
    Drawing *d;
    ChartSeries *keys = NULL;
    *bytes = NULL;
    TRY(memory_new(&d, 1, "charts"));
    d->runs = runs;
    Status status = memory_new(&d->series, MAX_CHARTS * 2 * runs->count, "charts");
    if (status == STATUS_OK)
        status = memory_new(&keys, runs->count + 2, "charts");
    if (status == STATUS_OK) {
        add_charts(d, false);
        add_charts(d, true);
        ChartPicture picture = {.title = runs->count == 1 ? runs->runs[0].name : NULL,
                                .charts = d->charts,
                                .chart_count = d->chart_count,
                                .columns = style.columns        ? style.columns
                                           : d->chart_count > 6 ? 3
                                                                : 2,
                                .keys = keys,
                                .key_count = make_keys(d, keys),
                                .dark = style.dark};
        status = chart_render(&picture, style.format, style.name, bytes, size);
    }
    memory_free(d->series);
    memory_free(d);
    memory_free(keys);
    return status;
}
