/* SPDX-License-Identifier: Apache-2.0 */
#include "train/progress.h"
#include "base/log.h"
#include "base/terminal.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_CELLS = 12 };

Progress progress_create(void) {
    return (Progress){.terminal = terminal_is(STDOUT_FILENO),
                      .colour = terminal_colours(STDOUT_FILENO),
                      .width = terminal_width(STDOUT_FILENO)};
}

/* Appends formatted text, cut at `size`. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size, const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

/* "  name 0.213401" with so many significant digits.  Nothing for NAN. */
static void append_value(char *text, size_t size, const char *name, double value, int digits) {
    if (!isnan(value))
        append(text, size, "  %s %#.*g", name, digits, value);
}

/* "  name 0.9361" */
static void append_part(char *text, size_t size, const char *name, double value) {
    if (!isnan(value))
        append(text, size, "  %s %.4f", name, value);
}

static void append_speed(char *text, size_t size, double speed, const char *unit) {
    if (isnan(speed))
        return;
    append(text, size, "  %.*f%s", speed < 10 ? 2 : 0, speed, unit);
}

/* "0:09", "12:30", "3:05:00" */
static void append_time(char *text, size_t size, double seconds) {
    unsigned long long s = seconds > 0 && seconds < 1e9 ? (unsigned long long)(seconds + 0.5) : 0;
    if (s >= 3600)
        append(text, size, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
    else
        append(text, size, "%llu:%02llu", s / 60, s % 60);
}

void progress_format_bar(const Progress *progress, size_t done, double loss, double accuracy, double now, char *text,
                         size_t size) {
    double part = progress->examples ? (double)done / (double)progress->examples : 1;
    double elapsed = now - progress->started, run = (double)(done - progress->first_done);
    double speed = elapsed > 0 ? run / elapsed : 0;
    int digits = progress->terminal ? 4 : 6;
    snprintf(text, size, "epoch %zu/%zu ", progress->epoch, progress->epochs);
    if (progress->terminal) {
        int full = (int)(part * BAR_CELLS);
        append(text, size, "[%.*s%*s]", full, "============", BAR_CELLS - full, "");
    }
    append(text, size, " %3d%%", (int)(part * 100));
    append_value(text, size, "loss", loss, digits);
    append_value(text, size, progress->terminal ? "acc" : "accuracy", accuracy, digits);
    if (speed > 0) {
        append_speed(text, size, speed, progress->terminal ? "/s" : " images/s");
        append(text, size, "  ");
        append_time(text, size, (double)(progress->examples - done) / speed);
        append(text, size, " left");
    }
}

static void format_epoch(size_t epoch, size_t epochs, const EpochResult *result, char *text, size_t size) {
    snprintf(text, size, "epoch %zu/%zu", epoch, epochs);
    append_value(text, size, "loss", result->loss, 5); /* enough to compare two runs; metrics.csv has all digits */
    append_part(text, size, "acc", result->accuracy);
    append_value(text, size, "val_loss", result->val_loss, 5);
    append_part(text, size, "val_acc", result->val_accuracy);
    if (!isnan(result->lr))
        append(text, size, "  lr %.4g", result->lr);
    append_speed(text, size, result->images_per_s, "/s");
    if (!isnan(result->seconds))
        append(text, size, "  %.1f s", result->seconds);
    if (result->data_seconds >= 0.05)
        append(text, size, " (data %.1f s)", result->data_seconds);
    if (result->best)
        append(text, size, "  best");
}

void progress_format_epoch(size_t epoch, size_t epochs, const EpochResult *result, size_t width, char *text,
                           size_t size) {
    EpochResult r = *result;
    double *least[] = {&r.data_seconds, &r.lr, &r.images_per_s, &r.seconds};
    format_epoch(epoch, epochs, &r, text, size);
    for (size_t i = 0; width > 0 && strlen(text) >= width && i < sizeof least / sizeof *least; i++) {
        *least[i] = NAN;
        format_epoch(epoch, epochs, &r, text, size);
    }
}

void progress_begin(Progress *progress, size_t epoch, size_t epochs, size_t examples, size_t done, double now) {
    progress->epoch = epoch;
    progress->epochs = epochs;
    progress->examples = examples;
    progress->first_done = done;
    progress->started = progress->shown = now;
}

bool progress_due(const Progress *progress, double now) {
    return now - progress->shown >= (progress->terminal ? 0.1 : 10);
}

/* Back to the line's start and clears it. */
static const char *line_start(const Progress *progress) {
    return progress->terminal ? "\r\033[K" : "";
}

void progress_update(Progress *progress, size_t done, double loss, double accuracy, double now) {
    if (!progress_due(progress, now))
        return;
    char text[PROGRESS_TEXT];
    progress->shown = now;
    progress_format_bar(progress, done, loss, accuracy, now, text,
                        progress->width > 0 && progress->width < sizeof text ? progress->width : sizeof text);
    log_info("%s%s%s", line_start(progress), text, progress->terminal ? "" : "\n");
    progress->open = progress->terminal;
}

/* As many on a line as fit. */
static void print_metrics(const EpochResult *result, size_t width) {
    size_t most = width > 0 && width <= PROGRESS_METRICS ? width - 1 : PROGRESS_METRICS;
    char line[PROGRESS_TEXT] = "", word[PROGRESS_TEXT];
    for (size_t i = 0; i < result->metric_count; i++) {
        word[0] = '\0';
        append_value(word, sizeof word, result->metric_names[i], result->metrics[i], 5);
        if (line[0] && strlen(line) + strlen(word) > most) {
            log_info("%s\n", line);
            line[0] = '\0';
        }
        append(line, sizeof line, "%s", word);
    }
    if (line[0])
        log_info("%s\n", line);
}

void progress_end(Progress *progress, const EpochResult *result) {
    char text[PROGRESS_TEXT];
    progress->width = progress->terminal ? terminal_width(STDOUT_FILENO) : 0;
    progress_format_epoch(progress->epoch, progress->epochs, result, progress->width, text, sizeof text);
    /* Bold, so that the epochs stand out between other lines; the best ones green. */
    log_info("%s", line_start(progress));
    log_info("%s%s%s\n", terminal_colour(progress->colour, result->best ? TERMINAL_GREEN : TERMINAL_BOLD), text,
             terminal_colour(progress->colour, TERMINAL_PLAIN));
    print_metrics(result, progress->width);
    progress->open = false;
}

void progress_break(Progress *progress) {
    if (progress->open)
        log_info("\n");
    progress->open = false;
}
