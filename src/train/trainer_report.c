/* SPDX-License-Identifier: Apache-2.0
 *
 * report.html of a run that trains, and of one that is done. */
#include "base/log.h"
#include "base/memory.h"
#include "train/trainer_internal.h"
#include <stdio.h>
#include <string.h>

static const double every = 60;   /* seconds between two reports, and */
static const double share = 0.01; /* at most this part of the time for them */

/* The first processor's name, as Linux tells it; "": it does not. */
static void read_processor(char *name, size_t size) {
    char line[256], *colon;
    FILE *file = fopen("/proc/cpuinfo", "r");
    name[0] = '\0';
    while (file && name[0] == '\0' && fgets(line, sizeof line, file))
        if (strncmp(line, "model name", 10) == 0 && (colon = strchr(line, ':')) != NULL) {
            colon[strcspn(colon, "\n")] = '\0';
            snprintf(name, size, "%s", colon + 1 + (colon[1] == ' '));
        }
    if (file)
        fclose(file);
}

/* memory: bytes of the rank that took most; 0: not known. */
static void describe_machine(const Trainer *t, double memory, char text[REPORT_MACHINE]) {
    char processor[128];
    int ranks = dist_ranks(t->dist), nodes = dist_nodes(t->dist);
    read_processor(processor, sizeof processor);
    int used = snprintf(text, REPORT_MACHINE, "%d rank%s on %d node%s", ranks, ranks == 1 ? "" : "s", nodes,
                        nodes == 1 ? "" : "s");
    if (processor[0])
        used += snprintf(text + used, REPORT_MACHINE - (size_t)used, "; %s", processor);
    if (memory > 0)
        snprintf(text + used, REPORT_MACHINE - (size_t)used, "; at most %.0f MB of memory for a rank", memory / 1e6);
}

static Status write(const Trainer *t) {
    PlotRuns runs;
    char machine[REPORT_MACHINE], *folder = (char *)run_folder(t->run);
    describe_machine(t, 0, machine);
    Status status = plot_open(&folder, 1, &runs);
    if (status == STATUS_OK)
        status = report_write(&(ReportPage){.folder = folder,
                                            .runs = &runs,
                                            .config = t->config,
                                            .network = t->setup.model->name,
                                            .graph = t->setup.graph,
                                            .environment = t->environment,
                                            .machine = machine});
    plot_close(&runs);
    return status;
}

void trainer__refresh_report(Trainer *t) {
    double now = dist_time(), since = now - (t->reported > 0 ? t->reported : t->started);
    if (t->run == NULL || t->config->no_report || t->config->prove[0] || since < every ||
        share * since < t->report_seconds)
        return;
    if (write(t) != STATUS_OK)
        log_warn("no %s: %s", RUN_REPORT, status_message());
    t->reported = dist_time();
    t->report_seconds = t->reported - now;
}

LastReport trainer__begin_last_report(Trainer *t) {
    LastReport report = {.wanted = !t->config->no_report && !t->config->prove[0] && !t->config->lr_find};
    char *folder = t->run ? (char *)run_folder(t->run) : NULL;
    int megabytes = dist_max_int(t->dist, (int)((double)memory_process().peak_bytes / 1e6));
    describe_machine(t, 1e6 * megabytes, report.machine);
    if (!report.wanted)
        return report;
    if (folder)
        snprintf(report.arguments.run, sizeof report.arguments.run, "%s", folder);
    snprintf(report.arguments.checkpoint, sizeof report.arguments.checkpoint, "best");
    snprintf(report.arguments.backend, sizeof report.arguments.backend, "%s", t->config->backend);
    dist_broadcast(t->dist, &report.arguments, sizeof report.arguments);
    return report;
}

void trainer__last_report(Dist *dist, const LastReport *report) {
    if (report->wanted && report_make(dist, &report->arguments, REPORT_EXAMPLES, NULL, report->machine) != STATUS_OK &&
        dist_rank(dist) == 0)
        log_warn("the run is done, but its %s could not be written", RUN_REPORT);
}
