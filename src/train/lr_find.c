/* SPDX-License-Identifier: Apache-2.0
 *
 * --lr-find: which learning rate?  (Smith, "Cyclical learning rates", 2017, as a sweep over powers: Gugger 2018.) */
#include "base/log.h"
#include "base/memory.h"
#include "io/chart.h"
#include "io/file.h"
#include "train/trainer_internal.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

enum { POINTS = 100, SHOWN = 10 };
static const double first_rate = 1e-7, last_rate = 10;
static const double memory = 0.9; /* of the smoothed loss, corrected for its start as Adam's means are */
static const double diverged = 4; /* times the smallest smoothed loss */

typedef struct Sweep {
    double rate[POINTS], loss[POINTS], smooth[POINTS];
    size_t count, best; /* best: smallest smoothed loss */
} Sweep;

static void add_point(Sweep *sweep, double rate, double loss, double *mean) {
    size_t k = sweep->count++;
    *mean = memory * *mean + (1 - memory) * loss;
    sweep->rate[k] = rate;
    sweep->loss[k] = loss;
    sweep->smooth[k] = *mean / (1 - pow(memory, (double)k + 1));
    if (sweep->smooth[k] < sweep->smooth[sweep->best])
        sweep->best = k;
}

/* Steps with rising rates until the loss rises.  A step fails only when the loss is no number any more. */
static Status run_sweep(Trainer *t, Sweep *sweep) {
    double mean = 0;
    StepFlags flags = {0};
    for (size_t k = 0; k < POINTS; k++) {
        double rate = first_rate * pow(last_rate / first_rate, (double)k / (POINTS - 1));
        if (t->state.batch == t->steps_per_epoch) { /* few data: on into the next epoch */
            t->state.batch = 0;
            t->state.epoch++;
        }
        t->state.totals = (Totals){0};
        if (trainer__step(t, rate, &flags) != STATUS_OK)
            return STATUS_OK;
        add_point(sweep, rate, totals_loss(&t->state.totals, t->setup.loss_weights, t->setup.graph->loss_count), &mean);
        if (flags.stop)
            return status_fail(STATUS_FAILED, "stopped on request: no learning rate was found");
        if (sweep->smooth[k] > diverged * sweep->smooth[sweep->best])
            return STATUS_OK;
    }
    return STATUS_OK;
}

static Status write_csv(const Sweep *sweep, const char *path) {
    char text[64 + POINTS * 96];
    size_t used = (size_t)snprintf(text, sizeof text, "step,lr,loss,smoothed_loss\n");
    for (size_t k = 0; k < sweep->count; k++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%zu,%.9g,%.9g,%.9g\n", k + 1, sweep->rate[k],
                                 sweep->loss[k], sweep->smooth[k]);
    return file_write(path, 1, &(FilePart){text, used});
}

static Status draw(const Sweep *sweep, double suggested, const char *path) {
    ChartSeries series[] = {{.name = "loss", .x = sweep->rate, .y = sweep->loss, .count = sweep->count},
                            {.name = "smoothed", .x = sweep->rate, .y = sweep->smooth, .count = sweep->count}};
    char title[96];
    snprintf(title, sizeof title, "Loss by learning rate; suggested %.3g", suggested);
    /* The losses after the rise would flatten all else. */
    for (size_t s = 0; s < 2; s++)
        while (series[s].count > sweep->best + 1 && !(series[s].y[series[s].count - 1] < 2 * sweep->smooth[0]))
            series[s].count--;
    Chart chart = {.title = title,
                   .x_label = "learning rate",
                   .y_label = "loss",
                   .log_x = true,
                   .series = series,
                   .series_count = 2,
                   .mark = suggested};
    return chart_write(&(ChartPicture){.charts = &chart, .chart_count = 1}, path);
}

/* Rank 0. */
static Status report(const Trainer *t, const Sweep *sweep) {
    const char *folder = t->config->out[0] ? t->config->out : ".";
    char csv[CLI_TEXT + 16], png[CLI_TEXT + 16];
    double suggested = sweep->rate[sweep->best] / 10;
    log_info("%12s %12s %12s\n", "lr", "loss", "smoothed");
    for (size_t k = 0; k < sweep->count; k += SHOWN)
        log_info("%12.3g %12.5g %12.5g\n", sweep->rate[k], sweep->loss[k], sweep->smooth[k]);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return status_fail(STATUS_FAILED, "cannot make %s: %s. Check --out.", folder, strerror(errno));
    snprintf(csv, sizeof csv, "%s/lr-find.csv", folder);
    snprintf(png, sizeof png, "%s/lr-find.png", folder);
    TRY(write_csv(sweep, csv));
    if (drawing_available())
        TRY(draw(sweep, suggested, png));
    else
        log_warn("no picture: this program was built without cairo (Debian: libcairo2-dev)");
    log_info("written: %s%s%s\n", csv, drawing_available() ? ", " : "", drawing_available() ? png : "");
    log_info("suggestion: --lr %.3g, a tenth of the rate %.3g with the smallest smoothed loss\n", suggested,
             sweep->rate[sweep->best]);
    return STATUS_OK;
}

Status trainer__find_lr(Trainer *t) {
    Sweep sweep = {.count = 0};
    TRY(run_sweep(t, &sweep));
    if (sweep.best == 0)
        return status_fail(STATUS_FAILED, "--lr-find: the loss falls at no rate from %g to %g: look at the data",
                           first_rate, last_rate);
    return dist_agree(t->dist, dist_rank(t->dist) == 0 ? report(t, &sweep) : STATUS_OK);
}
