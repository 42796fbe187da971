/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run was made with: network, options, machine; and the commands to go on with. */
#include "base/memory.h"
#include "train/report_internal.h"
#include "train/summary.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_network(Html *h, const ReportPage *page) {
    double flops = 0;
    char *text;
    if (page->graph == NULL || summary_format(page->graph, page->network, NULL, &text) != STATUS_OK)
        return;
    for (size_t i = 0; i < page->graph->node_count; i++)
        if (page->graph->nodes[i].in_prediction)
            flops += op_flops(&page->graph->nodes[i].op);
    report__section(h, "Network");
    html_format(h, "<p>%.4g million floating-point operations for an example, forward.</p>\n<pre>", flops / 1e6);
    html_text(h, text);
    html_put(h, "</pre>\n");
    memory_free(text);
}

/* Options in effect; first those that are not the program's defaults. */
static void put_options(Html *h, const ReportPage *page) {
    const CliProgram *program = config_program();
    char value[CLI_TEXT];
    report__section(h, "Options");
    html_put(h, "<table>\n");
    for (int defaults = 0; defaults < 2; defaults++) {
        for (size_t i = 0; i < program->option_count; i++) {
            const Option *option = &program->options[i];
            if (option->record == RECORD_NONE || page->config->source[i] == SOURCE_NONE)
                continue;
            const char *usual = option->type == OPTION_FLAG ? "false" : option->fallback;
            cli_get(option, page->config, value);
            if ((usual && strcmp(usual, value) == 0) == defaults)
                report__fact(h, option->name, value);
        }
        html_put(h, defaults ? "</table></details>\n" : "</table>\n<details><summary>Defaults</summary><table>\n");
    }
}

static void put_machine(Html *h, const ReportPage *page, const char *machine) {
    const History *history = report__history(page);
    char text[64], time[32];
    double seconds = report__sum(history, "seconds"), waited = report__sum(history, "data_s");
    size_t speed = history_column(history, "images_per_s"), count = 0;
    double sum = 0;
    for (size_t r = 0; speed < history->column_count && r < history->row_count; r++)
        if (isfinite(history_value(history, r, speed))) {
            sum += history_value(history, r, speed);
            count++;
        }
    report__section(h, "Speed and machine");
    html_put(h, "<table>\n");
    if (count > 0) {
        snprintf(text, sizeof text, "%.0f on average over epochs", sum / (double)count);
        report__fact(h, "images per second", text);
    }
    snprintf(text, sizeof text, "%s, of these %.3g s waiting for data", report__duration(seconds, time), waited);
    report__fact(h, "time of all epochs", text);
    if (page->environment)
        report__fact(h, "computed by", page->environment);
    if (machine[0]) {
        html_put(h, "<tr><th>run on</th><td>");
        html_put(h, machine); /* escaped already */
        html_put(h, "</td></tr>\n");
    }
    report__fact(h, "program", "cnn " CNN_VERSION);
    html_put(h, "</table>\n");
}

/* A word for the shell. */
static void put_word(Html *h, const char *word) {
    static const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:@%,=";
    Html quoted = {.text = NULL};
    if (word[0] && word[strspn(word, plain)] == '\0') {
        html_text(h, word);
        return;
    }
    html_put(&quoted, "'");
    for (; *word; word++)
        html_put(&quoted, *word == '\'' ? "'\\''" : (char[]){*word, '\0'});
    html_put(&quoted, "'");
    if (quoted.status == STATUS_OK)
        html_text(h, quoted.text);
    else
        h->status = quoted.status;
    html_free(&quoted);
}

static void put_commands(Html *h, const ReportPage *page) {
    static const char *const commands[][2] = {{"cnn_train --resume ", ""},
                                              {"cnn_evaluate ", ""},
                                              {"cnn_predict ", " --split test"},
                                              {"cnn_plot ", " -o curves.png"},
                                              {"cnn_export ", " -o model.keras"}};
    report__section(h, "How to go on");
    html_put(h, "<pre>");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        html_put(h, commands[i][0]);
        put_word(h, page->folder);
        html_put(h, commands[i][1]);
        if (i == 0)
            html_format(h, " --epochs %zu", page->config->epochs + page->config->epochs / 2 + 1);
        html_put(h, "\n");
    }
    html_put(h, "</pre>\n");
}

void report__put_facts(Html *h, const ReportPage *page, const char *machine) {
    put_network(h, page);
    put_options(h, page);
    put_machine(h, page, machine);
    put_commands(h, page);
}
