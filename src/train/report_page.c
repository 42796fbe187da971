/* SPDX-License-Identifier: Apache-2.0
 *
 * The page itself.  Names of classes, layers, folders and options come from files and are written by html_text
 * alone. */
#include "base/memory.h"
#include "io/file.h"
#include "io/run.h"
#include "train/monitor.h"
#include "train/report_internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_ROWS = 200, MAX_CLASSES = 200 };

static const char head[] =
    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n<style>\n"
    ":root { color-scheme: light dark; --paper: #fff; --ink: #222; --soft: #666; --line: #ddd; --box: #f5f6f8; }\n"
    "@media screen and (prefers-color-scheme: dark) {\n"
    "  :root { --paper: #17191f; --ink: #e1e3e6; --soft: #a0a4ab; --line: #3a3e46; --box: #21242b; }\n}\n"
    "body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1100px;\n"
    "  margin: 0 auto; padding: 1.5rem; overflow-wrap: anywhere; }\n"
    "h1 { margin: 0; } h2 { margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }\n"
    ".soft { color: var(--soft); }\n"
    ".cards { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0; }\n"
    ".cards div { background: var(--box); border-radius: 8px; padding: .7rem 1rem; min-width: 8rem; }\n"
    ".cards b { display: block; font-size: 1.4rem; }\n"
    "img { max-width: 100%; max-height: 90vh; height: auto; }\n"
    "pre { background: var(--box); border-radius: 8px; padding: 1rem; overflow-x: auto; font-size: .85rem; }\n"
    "table { border-collapse: collapse; font-size: .9rem; } .wide { overflow-x: auto; }\n"
    "th, td { text-align: left; padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--line);\n"
    "  vertical-align: top; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }\n"
    "summary { cursor: pointer; }\n"
    "@media print { body { max-width: none; padding: 0; font-size: 11px; } img, tr, pre { break-inside: avoid; } }\n"
    "</style>\n";

void report__section(Html *h, const char *title) {
    html_format(h, "<h2>%s</h2>\n", title);
}

static void card(Html *h, const char *name, const char *value) {
    html_put(h, "<div><b>");
    html_text(h, value);
    html_put(h, "</b>");
    html_text(h, name);
    html_put(h, "</div>\n");
}

void report__fact(Html *h, const char *name, const char *value) {
    html_put(h, "<tr><th>");
    html_text(h, name);
    html_put(h, "</th><td>");
    html_text(h, value);
    html_put(h, "</td></tr>\n");
}

const History *report__history(const ReportPage *page) {
    return page->runs->runs[0].history;
}

/* ---- pictures ---------------------------------------------------------------------------------------------------- */

/* Draws in one of two themes: what `user` means is the painter's. */
typedef Status Painter(const void *user, bool dark, unsigned char **bytes, size_t *size);

/* One picture for light pages and paper, and one for dark screens.  What cannot be drawn is said in its place. */
static void put_chart(Html *h, const char *description, Painter *paint, const void *user) {
    unsigned char *bytes[2] = {NULL, NULL};
    size_t size[2];
    Status status = paint(user, false, &bytes[0], &size[0]);
    if (status == STATUS_OK)
        status = paint(user, true, &bytes[1], &size[1]);
    if (status == STATUS_OK) {
        html_put(h, "<picture><source media=\"screen and (prefers-color-scheme: dark)\" srcset=\"");
        html_data(h, "image/svg+xml", bytes[1], size[1]);
        html_put(h, "\"><img alt=\"");
        html_text(h, description);
        html_put(h, "\" src=\"");
        html_data(h, "image/svg+xml", bytes[0], size[0]);
        html_put(h, "\"></picture>\n");
    } else {
        html_put(h, "<p class=\"soft\">");
        html_text(h, status_message());
        html_put(h, "</p>\n");
    }
    memory_free(bytes[0]);
    memory_free(bytes[1]);
}

static Status paint_history(const void *user, bool dark, unsigned char **bytes, size_t *size) {
    const ReportPage *page = user;
    PlotStyle style = {.format = DRAWING_SVG, .dark = dark, .columns = 2, .name = "the curves"};
    return plot_history(page->runs, style, bytes, size);
}

static Status paint_confusion(const void *user, bool dark, unsigned char **bytes, size_t *size) {
    const ReportPage *page = user;
    AssessPicture how = {.format = DRAWING_SVG, .dark = dark, .name = "the confusions"};
    return assess_render_confusion(page->assessment, page->names, how, bytes, size);
}

static void put_examples(Html *h, const ReportPage *page, bool right) {
    const Assessment *a = page->assessment;
    AssessPicture how = {.format = DRAWING_CLEAR_PNG, .name = "the examples"};
    unsigned char *bytes;
    size_t size, count = right ? a->hit_count : a->mistake_count;
    if (count == 0 || dataset_info(page->source.dataset)->shape.rank != 3)
        return;
    html_format(h, "<h3>%s</h3>\n", right ? "Right, but only just" : "The worst mistakes");
    if (assess_render_examples(a, right ? a->hits : a->mistakes, count, right, page->names, &page->source, how, &bytes,
                               &size) == STATUS_OK) {
        html_format(h, "<img alt=\"%zu examples with what the network says\" src=\"", count);
        html_data(h, "image/png", bytes, size);
        html_put(h, "\">\n");
        memory_free(bytes);
    }
}

/* ---- what came out ----------------------------------------------------------------------------------------------- */

/* The best row of the history by what the run watches; *name: of that column. */
static size_t best_row(const ReportPage *page, const char **name) {
    const History *history = report__history(page);
    size_t rows = history->row_count, best = rows, val = history_column(history, "val_loss");
    Monitor monitor;
    bool validates = val < history->column_count && isfinite(history_value(history, rows - 1, val));
    if (monitor_find(page->config->monitor, history, validates, &monitor) != STATUS_OK)
        return rows;
    for (size_t r = 0; r < rows; r++) {
        double value = history_value(history, r, monitor.column);
        if (isfinite(value) &&
            (best == rows || monitor_better(&monitor, value, history_value(history, best, monitor.column), 0)))
            best = r;
    }
    *name = monitor.name;
    return best;
}

double report__sum(const History *history, const char *name) {
    size_t column = history_column(history, name);
    double sum = 0;
    for (size_t r = 0; column < history->column_count && r < history->row_count; r++) {
        double value = history_value(history, r, column);
        sum += isfinite(value) ? value : 0;
    }
    return sum;
}

const char *report__duration(double seconds, char text[32]) {
    if (seconds < 120)
        snprintf(text, 32, "%.3g s", seconds);
    else if (seconds < 7200)
        snprintf(text, 32, "%.0f min", seconds / 60);
    else
        snprintf(text, 32, "%.1f h", seconds / 3600);
    return text;
}

static double accuracy(const ReportPage *page) {
    const AssessOutput *o = &page->assessment->outputs[0];
    bool counts = o->kind == ASSESS_CLASSES || o->kind == ASSESS_LABELS;
    return counts && o->all ? (double)o->exact / (double)o->all : NAN;
}

static void put_cards(Html *h, const ReportPage *page) {
    const History *history = report__history(page);
    const char *watched = "";
    size_t best = best_row(page, &watched), column = history_column(history, watched);
    char value[64], name[160];
    html_put(h, "<div class=\"cards\">\n");
    snprintf(value, sizeof value, "%zu of %zu", (size_t)history_value(history, history->row_count - 1, 0),
             page->config->epochs);
    card(h, "epochs", value);
    if (best < history->row_count) {
        snprintf(value, sizeof value, "%.4g", history_value(history, best, column));
        snprintf(name, sizeof name, "best %.80s, epoch %.0f", watched, history_value(history, best, 0));
        card(h, name, value);
    }
    if (page->assessment && isfinite(accuracy(page))) {
        snprintf(value, sizeof value, "%.2f %%", 100 * accuracy(page));
        snprintf(name, sizeof name, "right of %llu %s examples", (unsigned long long)page->assessment->outputs[0].all,
                 page->split);
        card(h, name, value);
    }
    card(h, "time of training", report__duration(report__sum(history, "seconds"), value));
    html_put(h, "</div>\n");
}

static void put_rows(Html *h, const History *history) {
    size_t first = history->row_count > MAX_ROWS ? history->row_count - MAX_ROWS : 0;
    html_put(h, "<details><summary>Numbers</summary><div class=\"wide\"><table>\n<tr>");
    for (size_t c = 0; c < history->column_count; c++) {
        html_put(h, "<th class=\"n\">");
        html_text(h, history->columns[c]);
        html_put(h, "</th>");
    }
    for (size_t r = first; r < history->row_count; r++) {
        html_put(h, "</tr>\n<tr>");
        for (size_t c = 0; c < history->column_count; c++) {
            double value = history_value(history, r, c);
            if (isfinite(value))
                html_format(h, "<td class=\"n\">%.5g</td>", value);
            else
                html_put(h, "<td></td>");
        }
    }
    html_put(h, "</tr>\n</table></div></details>\n");
}

static void put_classes(Html *h, const ReportPage *page) {
    const AssessOutput *o = &page->assessment->outputs[0];
    size_t shown = o->classes < MAX_CLASSES ? o->classes : MAX_CLASSES;
    if (shown == 0)
        return;
    html_put(h, "<h3>Classes</h3>\n<table>\n<tr><th>class</th><th class=\"n\">precision</th><th class=\"n\">recall</th>"
                "<th class=\"n\">F1</th><th class=\"n\">examples</th></tr>\n");
    for (size_t c = 0; c < shown; c++) {
        const AssessFigures *f = &o->of[c];
        html_put(h, "<tr><td>");
        if (page->names.names && page->names.count == o->classes)
            html_text(h, page->names.names[c]);
        else
            html_format(h, "%zu", c);
        html_format(h, "</td><td class=\"n\">%.3f</td><td class=\"n\">%.3f</td><td class=\"n\">%.3f</td>", f->precision,
                    f->recall, f->f1);
        html_format(h, "<td class=\"n\">%llu</td></tr>\n", (unsigned long long)f->support);
    }
    html_put(h, "</table>\n");
    if (shown < o->classes)
        html_format(h, "<p class=\"soft\">The first %d of %zu.</p>\n", MAX_CLASSES, o->classes);
}

static void put_missing(Html *h, const ReportPage *page) {
    if (page->missing == NULL)
        return;
    report__section(h, "Results");
    html_put(h, "<p class=\"soft\">No examples were tried: ");
    html_text(h, page->missing);
    html_put(h, ".</p>\n");
}

static void put_results(Html *h, const ReportPage *page) {
    if (page->assessment == NULL) {
        put_missing(h, page);
        return;
    }
    const AssessOutput *o = &page->assessment->outputs[0];
    report__section(h, "Results");
    html_put(h, "<p>The weights of ");
    html_text(h, page->checkpoint);
    html_format(h, " on %llu %s examples", (unsigned long long)o->all, page->split);
    if (page->all > o->all)
        html_format(h, ", drawn from %llu", (unsigned long long)page->all);
    html_put(h, ".</p>\n");
    if (o->kind == ASSESS_CLASSES && o->classes > 0)
        put_chart(h, "Confusion matrix: how often each class was taken for which", paint_confusion, page);
    put_examples(h, page, false);
    put_examples(h, page, true);
    put_classes(h, page);
}

/* ---- the page ---------------------------------------------------------------------------------------------------- */

static const char machine_mark[] = "<meta name=\"cnn-machine\" content=\"";

/* *machine = what the page `path` says of the machine, escaped; "": there is none, or not in our form. */
static void read_machine(const char *path, char machine[REPORT_MACHINE]) {
    unsigned char *text;
    size_t size;
    machine[0] = '\0';
    if (file_read(path, &text, &size) != STATUS_OK)
        return;
    const char *from = strstr((char *)text, machine_mark);
    size_t length = from ? strcspn(from + strlen(machine_mark), "\"<>") : 0;
    if (from && length < REPORT_MACHINE && from[strlen(machine_mark) + length] == '"')
        snprintf(machine, REPORT_MACHINE, "%.*s", (int)length, from + strlen(machine_mark));
    memory_free(text);
}

static void put_page(Html *h, const ReportPage *page, const char *machine) {
    char now[64] = "";
    time_t seconds = time(NULL);
    struct tm utc;
    if (gmtime_r(&seconds, &utc))
        strftime(now, sizeof now, "%Y-%m-%d %H:%M UTC", &utc);
    html_put(h, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>");
    html_text(h, page->runs->runs[0].name);
    html_put(h, "</title>\n");
    html_put(h, machine_mark);
    html_put(h, machine);
    html_put(h, "\">\n");
    html_put(h, head);
    html_put(h, "</head>\n<body>\n<h1>");
    html_text(h, page->runs->runs[0].name);
    html_put(h, "</h1>\n<p class=\"soft\">");
    html_text(h, page->network);
    html_put(h, " on ");
    html_text(h, page->config->data[0] ? page->config->data : "the digits that ship with the project");
    html_format(h, "; written %s%s</p>\n", now, page->assessment || page->missing ? "" : ", while training");
    put_cards(h, page);
    report__section(h, "Curves");
    put_chart(h, "Loss, accuracy and other values over epochs", paint_history, page);
    put_rows(h, report__history(page));
    put_results(h, page);
    report__put_facts(h, page, machine);
    html_put(h, "</body>\n</html>\n");
}

Status report_write(const ReportPage *page) {
    Html html = {.text = NULL}, escaped = {.text = NULL};
    char *own, machine[REPORT_MACHINE];
    TRY(memory_format(&own, "%s/%s", page->folder, RUN_REPORT));
    html_text(&escaped, page->machine);
    if (page->machine[0] && escaped.status == STATUS_OK && escaped.size < sizeof machine)
        memcpy(machine, escaped.text, escaped.size + 1);
    else
        read_machine(own, machine);
    put_page(&html, page, machine);
    Status status = html.status;
    if (status == STATUS_OK)
        status = file_write(page->path ? page->path : own, 1, &(FilePart){html.text, html.size});
    html_free(&escaped);
    html_free(&html);
    memory_free(own);
    return status;
}
