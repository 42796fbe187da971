/* SPDX-License-Identifier: Apache-2.0 */
#include "io/chart_internal.h"
#include <math.h>
#include <stdio.h>

double chart__unit(const ChartAxis *axis, double value) {
    double unit = axis->log ? (value > 0 ? log10(value) : NAN) : value;
    return fabs(unit) < 1e300 ? unit : NAN; /* so that the difference of two is finite */
}

double chart__pixel(const ChartAxis *axis, double value) {
    return axis->from + (chart__unit(axis, value) - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

/* The smallest of 1, 2, 5 times a power of ten that is at least `rough`. */
static double round_up(double rough) {
    double power = pow(10, floor(log10(rough))), part = rough / power;
    return power * (part > 5 + 1e-9 ? 10 : part > 2 + 1e-9 ? 5 : part > 1 + 1e-9 ? 2 : 1);
}

static void add_tick(ChartAxis *axis, double unit, double value) {
    double slack = 1e-9 * (axis->high - axis->low);
    if (axis->tick_count < CHART_MAX_TICKS && unit >= axis->low - slack && unit <= axis->high + slack)
        axis->ticks[axis->tick_count++] = value;
}

static void fit_linear(ChartAxis *axis, ChartFit fit) {
    double size = fmax(fabs(axis->low), fabs(axis->high));
    if (axis->high - axis->low <= 1e-9 * size || axis->high == axis->low) { /* one value: in the middle */
        double half = fit.whole ? 0.5 : size > 0 ? size / 10 : 1;
        axis->low -= half;
        axis->high += half;
    }
    double step = round_up((axis->high - axis->low) / (double)fit.count);
    if (fit.whole && step < 1)
        step = 1;
    if (fit.round) {
        axis->low = floor(axis->low / step + 1e-9) * step;
        axis->high = ceil(axis->high / step - 1e-9) * step;
    }
    double first = ceil(axis->low / step - 1e-9);
    for (size_t k = 0; k < CHART_MAX_TICKS; k++)
        add_tick(axis, (first + (double)k) * step, (first + (double)k) * step);
    double digits = -floor(log10(step) + 1e-9);
    axis->decimals = step < 1e-4 || size >= 1e6 ? -1 : digits > 0 ? (int)digits : 0;
}

/* Whole powers of ten, or where these are few, also parts of them. */
static void fit_log(ChartAxis *axis, ChartFit fit) {
    static const double parts[][9] = {{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 5}};
    if (axis->high - axis->low < 0.1) {
        axis->low -= 0.1;
        axis->high += 0.1;
    }
    double range = axis->high - axis->low, step = fmax(1, ceil(range / (double)fit.count));
    const double *part = parts[range > 0.7];
    size_t part_count = range > 2.5 ? 1 : range > 0.7 ? 3 : 9;
    if (fit.round) {
        axis->low -= 0.03 * range;
        axis->high += 0.03 * range;
    }
    for (double power = floor(axis->low / step) * step; power <= axis->high; power += step)
        for (size_t k = 0; k < part_count; k++)
            add_tick(axis, power + log10(part[k]), pow(10, power) * part[k]);
    axis->decimals = -1;
}

void chart__fit_axis(ChartAxis *axis, ChartFit fit) {
    axis->tick_count = 0;
    (axis->log ? fit_log : fit_linear)(axis, fit);
}

const char *chart__tick_text(const ChartAxis *axis, double value, char text[CHART_TICK]) {
    if (fabs(value) < 1e-9 * (axis->high - axis->low) && !axis->log)
        value = 0; /* not "-0.00" */
    if (axis->decimals < 0)
        snprintf(text, CHART_TICK, "%.5g", value);
    else
        snprintf(text, CHART_TICK, "%.*f", axis->decimals, value);
    return text;
}
